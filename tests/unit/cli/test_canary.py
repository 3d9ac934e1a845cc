"""Canaries: secrets that nbsync is given, and that servers answer and repeat, come out nowhere but where they are to go."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.cli.main import COMMANDS
from reconciler.simulator import Simulator
from tests.unit.harness import Account, Between, Desk, Outcome

DOCUMENT = """
version: 1
groups: {a: , b: }
policies: {p: {from: a, to: b, allow: all}}
setup_keys: {k: {type: reusable, auto_groups: [a]}, l: {type: one-off}}
service_users: {nbsync: {role: admin}, s: {role: user, tokens: {t: {expires_in: 9d}}}}
users: {owner@acme.example: , ana@acme.io: {invite: true, name: Ana}}
"""
CHANGED = DOCUMENT.replace("k: {type: reusable", "k: {type: one-off").replace("t: {", "u: {").replace("a: , b:", "b:")
OTHERS = {"json": "one.json", "sarif": "one.sarif", "junit": "one.xml", "github": "one.github", "text": "one.txt"}
FORMATS = ("-o", "json", *(word for name, file in OTHERS.items() for word in ("--out", f"{name}={file}")))
SINK = ("--yes", "--secrets-out", "sink.jsonl")
COMMAND_LINES = {
    "plan": [("plan", *FORMATS, "--save", "saved.plan"), ("plan",), ("plan", "-o", "github")],
    "apply": [("apply", *SINK, *FORMATS), ("apply", *SINK)],
    "show": [("show", "first.plan", *FORMATS), ("show", "first.plan")],
    "rollback": [("rollback", "--yes", *FORMATS), ("rollback", "--yes")],
    "history": [("history", *FORMATS), ("history",)],
    "rotate": [("rotate", "setup_key/k", *SINK, *FORMATS), ("rotate", "token/s/t", *SINK)],
    "drift": [("drift", *FORMATS), ("drift", "-o", "sarif")],
    "export": [("export",), ("export", "--out", "exported", "--force")],
    "validate": [("validate", *FORMATS)],
    "doctor": [("doctor", *FORMATS), ("doctor",)],
    "schema": [("schema", "--live"), ("schema", "--live", "--out", "schema.json")],
    "init": [("init", "repository", "--force")],
    "fmt": [("fmt", "--check")],
    "explain": [("explain", "NBS502")],
    "simulate": [("simulate", "--help")],
}
SHOWN_ONCE = {"key", "plain_token", "password", "token", "invite_token"}


def secrets_in(value: Any) -> Iterator[str]:
    """What an answer shows once; what it shows in part, with a row of stars, is none. A password may have a star."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in SHOWN_ONCE and isinstance(item, str) and len(item) >= 8 and "***" not in item:
                yield item
            yield from secrets_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


class Canary:
    """An account whose server repeats what it should not; it knows every secret that was ever on the wire."""

    def __init__(self, account: Account, between: Between, folder: Path) -> None:
        self.account, self.folder = account, folder
        self.secrets = {account.token}
        self.shown = ""
        self.failure: Callable[[str], Response] | None = None
        self.fails: Callable[[Request], bool] = lambda _request: True
        between.before, between.after = self._before, self._after

    def _before(self, request: Request) -> Response | None:
        self.secrets |= {request.headers.get("Authorization", "").partition(" ")[2]} - {""}
        if self.failure is None or not self.fails(request):
            return None
        return self.failure(" ".join([f"Authorization: {request.headers.get('Authorization')}", *self.secrets]))

    def _after(self, _request: Request, response: Response) -> Response:
        if response.is_json and response.get_data():
            self.secrets |= set(secrets_in(json.loads(response.get_data())))
        return response

    def run(self, *arguments: str) -> Outcome:
        """Run one command line, and keep what it prints."""
        outcome = self.account.nbsync(*arguments)
        self.shown += outcome.stdout + outcome.stderr
        return outcome

    def check(self, at_least: int = 1) -> None:
        """Look for every secret in all that was printed, and in every file but those that secrets are for."""
        assert len(self.secrets) >= at_least
        written = [path for path in self.folder.rglob("*") if path.is_file() and not is_for_secrets(path)]
        texts = {"the terminal": self.shown, **{str(path): path.read_bytes().decode("latin-1") for path in written}}
        for where, text in texts.items():
            for secret in self.secrets:
                for form in forms(secret):
                    assert form.lower() not in text.lower(), f"{where} shows a secret"


def is_for_secrets(path: Path) -> bool:
    """A sink, a file for what could not be handed over, or what the test itself wrote; private to their owner."""
    private = path.name in ("sink.jsonl", "token") or path.name.startswith("nbsync-secret-")
    assert not private or path.stat().st_mode & 0o077 == 0, path
    return private


def forms(secret: str) -> set[str]:
    """A secret as it is, and as JSON, HTML and base64 have it."""
    return {secret, json.dumps(secret)[1:-1], html.escape(secret), base64.b64encode(secret.encode()).decode()}


@pytest.fixture
def fresh(account: Account, connect: Callable[[Any, str], None], folder: Path) -> Canary:
    """An account that is new, and a document."""
    front = Between(account.simulator)
    connect(front, account.token)
    account.write(DOCUMENT)
    return Canary(account, front, folder)


@pytest.fixture
def canary(fresh: Canary) -> Canary:
    """An account with objects in it, a document that asks for others, and a plan of that."""
    assert fresh.run("apply", *SINK).exit_code == 0
    fresh.account.write(CHANGED)
    assert fresh.run("plan", "--save", "first.plan").exit_code == 0
    return fresh


def page(status: int, media: str, text: Callable[[str], str] = str) -> Callable[[str], Response]:
    return lambda said: Response(text(said), status, content_type=media)


def netbirds(said: str) -> str:
    return json.dumps({"message": f"cannot do it: {said}", "code": 1})


def go_json(said: str) -> str:
    """JSON in which every character is escaped, as Go escapes some."""
    return '{"message": "' + "".join(f"\\u{ord(char):04x}" for char in said) + '"}'


FAILURES: dict[str, Callable[[str], Response]] = {
    "400 that repeats in lower case": page(400, "application/json", lambda said: netbirds(said.lower())),
    "401 that repeats": page(401, "application/json", netbirds),
    "403 that repeats": page(403, "application/json", netbirds),
    "404 that repeats": page(404, "application/json", netbirds),
    "409 that repeats in another form": page(409, "application/json", go_json),
    "500 that repeats the headers": page(500, "text/plain"),
    "502 with a page": page(502, "text/html", lambda said: f"<title>{html.escape(said)}</title>{said}"),
    "200 with a page": page(200, "text/html", lambda said: f"<html><title>{said}</title>{said}"),
    "200 with broken JSON": page(200, "application/json", lambda said: '[{"id": "' + said),
    "200 with other JSON": page(200, "application/json", lambda said: json.dumps({"echo": said})),
    "200 with objects that are none": page(200, "application/json", lambda said: json.dumps([{"id": 7, "name": said}])),
}


def test_every_command_is_among_these() -> None:
    assert COMMAND_LINES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_no_command_shows_or_writes_a_secret(canary: Canary, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBSYNC_DEBUG", "1")
    for line in COMMAND_LINES[command]:
        outcome = canary.run(*line)
        assert "NBS999" not in outcome.stdout + outcome.stderr
    canary.check(at_least=4)


@pytest.mark.parametrize("failure", FAILURES)
def test_what_a_server_or_a_proxy_repeats_is_masked(canary: Canary, failure: str) -> None:
    canary.failure = FAILURES[failure]
    for command in ("plan", "apply", "doctor", "export", "schema"):
        outcome = canary.run(*COMMAND_LINES[command][0])
        assert outcome.exit_code not in (0, 2), command
        assert "NBS999" not in outcome.stdout + outcome.stderr
    canary.fails = lambda request: request.method != "GET"
    for command in ("apply", "rotate"):
        for line in COMMAND_LINES[command]:
            assert canary.run(*line).exit_code not in (0, 2)
    canary.check(at_least=4)


def test_secrets_of_this_run_are_masked_in_later_answers(canary: Canary) -> None:
    """A server that repeats, in a refusal, the keys, tokens and passwords that it has made a moment ago."""
    canary.failure = FAILURES["409 that repeats in another form"]
    canary.fails = lambda request: request.path.startswith("/api/policies") and request.method != "GET"
    canary.account.write(DOCUMENT.replace("k: {", "m: {").replace("ana@", "eve@").replace("allow: all", "allow: icmp"))
    outcome = canary.run("apply", *SINK, "-o", "json")
    assert outcome.statuses["policy/p"] == "failed"
    assert "***" in outcome.change("policy/p")["error"]["message"]
    canary.check(at_least=6)


@pytest.mark.parametrize("command", ["plan", "apply", "export", "doctor", "schema", "init"])
def test_mistakes_of_nbsyncs_own_show_no_secret(canary: Canary, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the text of an exception nor what stands behind it does, with and without a traceback."""

    def fall_over(*_: Any, **_more: Any) -> Any:
        text = f"{canary.secrets} \x1b[31m\n::error::x"
        raise RuntimeError(text) from KeyError(text)

    monkeypatch.setattr("reconciler.api.client.ReadApi.get", fall_over)
    for debug in (False, True):
        if debug:
            monkeypatch.setenv("NBSYNC_DEBUG", "1")
        outcome = canary.run(*COMMAND_LINES[command][0])
        assert outcome.exit_code == 1
        assert "NBS999" in outcome.stdout + outcome.stderr
        assert ("Traceback" in outcome.stderr) == debug
        assert all(line.isprintable() and not line.startswith("::") for line in outcome.stderr.splitlines())
    canary.check(at_least=4)


def as_pat(canary: Canary, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of the fixture, in the environment."""


def as_file(canary: Canary, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NB_PAT")
    (folder / "token").write_text(canary.account.token)
    (folder / "token").chmod(0o600)


def as_access_token(canary: Canary, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = canary.account.simulator.event(
        {"event": "user_logs_in", "email": "owner@acme.example", "name": "O", "subject": "", "groups": []}
    )["token"]
    canary.secrets.add(token)
    monkeypatch.delenv("NB_PAT")
    monkeypatch.setenv("NB_ACCESS_TOKEN", token)


@pytest.mark.parametrize("give", [as_pat, as_file, as_access_token])
def test_however_a_token_is_given_it_is_not_shown(
    canary: Canary,
    folder: Path,
    give: Callable[[Canary, Path, pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give(canary, folder, monkeypatch)
    more = ("--token-file", "token") if give is as_file else ()
    for failure in (None, "401 that repeats", "500 that repeats the headers"):
        canary.failure = FAILURES[failure] if failure else None
        for command in ("plan", "doctor"):
            canary.run(*COMMAND_LINES[command][0], *more)
    canary.check(at_least=4)


SECRET = "hunter2Hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{SECRET}@nb.example",
        f"https://{SECRET}@nb.example",
        f"https://nb.example/{SECRET}",
        f"https://nb.example/?token={SECRET}",
        f"https://nb.example/#{SECRET}",
        f"https://{SECRET}.example",
        f"http://{SECRET}.example",
        f"nb.example/{SECRET}",
    ],
)
def test_a_secret_in_the_servers_url_is_not_shown(fresh: Canary, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB_MANAGEMENT_URL", url)
    monkeypatch.setenv("NB_PAT", SECRET)
    fresh.secrets = {SECRET}
    for command in ("plan", "doctor", "export", "init"):
        for line in COMMAND_LINES[command]:
            assert fresh.run(*line).exit_code in (1, 64)
    fresh.check()


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{SECRET}@127.0.0.1:1",
        f"https://user:{SECRET}@127.0.0.1:1",
        f"socks5://user:{SECRET}@127.0.0.1:1",
        f"http://user:{SECRET}@[::1",
        f"user:{SECRET}@127.0.0.1:1",
        f"http://{SECRET}@127.0.0.1:1",
    ],
)
def test_a_password_in_the_url_of_a_proxy_is_not_shown(
    fresh: Canary, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NB_MANAGEMENT_URL", "https://nb.example")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("NBSYNC_DEBUG", "1")
    fresh.secrets = {SECRET, f"user:{SECRET}"}
    for command in ("plan", "doctor", "export"):
        assert fresh.run(*COMMAND_LINES[command][0]).exit_code in (1, 9, 64)
    fresh.check()


def test_the_token_of_a_simulated_account_is_not_shown(desk: Desk) -> None:
    """`--simulate` makes a token of its own, which nobody has to see."""
    made: list[str] = []
    bootstrap = Simulator.bootstrap
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulator, "bootstrap", lambda self: made.append(bootstrap(self)) or made[-1])
        desk.write("version: 1\ngroups: {a: }\n")
        shown = [desk.nbsync(command, "--simulate") for command in ("plan", "doctor", "export")]
    assert len(made) == 3
    assert not any(token in outcome.stdout + outcome.stderr for token in made for outcome in shown)
