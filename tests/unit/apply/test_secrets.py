"""Secrets that the server shows once: where they go, and where they never stand."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.apply import outputs
from tests.unit.harness import Account, Between, Outcome, json_answer

MAKERS = """
setup_keys: {k: {type: reusable, expires_in: 1d}, forever: {type: one-off}}
service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}
users: {ana@acme.io: {invite: true, name: Ana}}
"""


def lines(path: Path) -> list[dict[str, Any]]:
    """The secrets in a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_without_a_sink_nothing_that_makes_a_secret_is_applied(account: Account) -> None:
    outcome = account.apply(MAKERS + "groups: {a: }")
    assert (outcome.exit_code, outcome.writes) == (5, [])
    assert {error.code for error in outcome.errors} == {"NBS601"}
    assert {error.address for error in outcome.errors} == {
        "setup_key/forever",
        "setup_key/k",
        "token/s/t",
        "user/ana@acme.io",
    }
    assert all("--secrets-out FILE" in error.help and error.place for error in outcome.errors)


def test_a_replacement_needs_a_sink_as_well(account: Account) -> None:
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    outcome = account.apply("setup_keys: {k: {type: one-off}}")
    assert (outcome.exit_code, outcome.writes, outcome.error.code) == (5, [], "NBS601")


def test_what_makes_no_secret_needs_no_sink(account: Account) -> None:
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    assert account.apply("setup_keys: {k: {type: reusable, revoked: true}}\ngroups: {a: }").exit_code == 0


def test_a_file_gets_one_line_of_json_for_each_secret(account: Account, folder: Path) -> None:
    account.applied(MAKERS, "--secrets-out", "secrets.jsonl")
    path = folder / "secrets.jsonl"
    assert mode(path) == 0o600
    found = {entry["address"]: entry for entry in lines(path)}
    assert found.keys() == {"setup_key/k", "setup_key/forever", "token/s/t", "user/ana@acme.io"}
    assert all(list(entry) == ["address", "kind", "id", "secret", "expires"] for entry in found.values())
    key = account.named("/setup-keys", "k")
    assert (found["setup_key/k"]["kind"], found["setup_key/k"]["id"]) == ("setup_key", key["id"])
    assert found["setup_key/k"]["expires"] == key["expires"]
    assert found["setup_key/forever"]["expires"] is None
    assert found["token/s/t"]["secret"].startswith("nbp_")
    joined = account.simulator.event(
        {"event": "peer_joins", "hostname": "x", "setup_key": found["setup_key/k"]["secret"]}
    )
    assert "error" not in joined


def test_lines_are_appended_in_the_order_of_the_work(account: Account, folder: Path) -> None:
    account.applied("setup_keys: {b: {type: reusable}}", "--secrets-out", "secrets")
    account.applied(
        "setup_keys: {b: {type: reusable}, a: {type: reusable}, c: {type: reusable}}", "--secrets-out", "secrets"
    )
    assert [entry["address"] for entry in lines(folder / "secrets")] == ["setup_key/b", "setup_key/a", "setup_key/c"]


def test_a_secret_is_on_disk_before_the_next_call(account: Account, between: Between, folder: Path) -> None:
    seen: list[int] = []

    def before(request: Request) -> None:
        if request.method == "POST":
            seen.append(len(lines(folder / "secrets")))

    between.before = before
    account.applied(
        "setup_keys: {a: {type: reusable}, b: {type: reusable}, c: {type: reusable}}", "--secrets-out", "secrets"
    )
    assert seen == [0, 1, 2]


def test_a_file_that_others_could_read_is_tightened_with_a_warning(account: Account, folder: Path) -> None:
    path = folder / "secrets"
    path.write_text("")
    path.chmod(0o644)
    outcome = account.applied("setup_keys: {a: {type: reusable}}", "--secrets-out", "secrets")
    assert mode(path) == 0o600
    assert "secrets could be read by others (mode 0644); it is 0600 now" in outcome.warning.message


def test_a_file_that_cannot_be_written_stops_the_apply_before_it_begins(account: Account, folder: Path) -> None:
    (folder / "link").symlink_to(folder / "elsewhere")
    for target in ("nowhere/secrets", ".", "link"):
        outcome = account.apply("setup_keys: {a: {type: reusable}}", "--secrets-out", target)
        assert (outcome.exit_code, outcome.writes) == (64, [])
        assert f"{target} cannot be written" in outcome.error.message


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no device that is always full")
def test_a_secret_for_which_there_is_no_room_is_kept_and_a_device_stays_as_it_is(
    account: Account, folder: Path
) -> None:
    before = mode(Path("/dev/full"))
    outcome = account.apply("setup_keys: {a: {type: reusable}, b: {type: reusable}}", "--secrets-out", "/dev/full")
    assert (outcome.exit_code, outcome.warnings, mode(Path("/dev/full"))) == (7, [], before)
    assert outcome.statuses == {"setup_key/a": "failed", "setup_key/b": "skipped"}
    (kept,) = (folder / ".state/nbsync").glob("nbsync-secret-*")
    assert (
        f"/dev/full cannot be written (No space left on device); the secret of setup_key/a is kept in {kept}"
        in (outcome.change("setup_key/a")["error"]["message"])
    )
    assert lines(kept)[0]["address"] == "setup_key/a"


def test_a_secret_that_can_be_kept_nowhere_is_said_to_be_lost(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "file"))
    sink = command(folder, "sys.exit(3)")
    flags = ("--secrets-out", sink, "--journal", "journal.jsonl")
    outcome = account.apply("setup_keys: {a: {type: reusable}, b: {type: reusable}}", *flags)
    assert outcome.statuses == {"setup_key/a": "failed", "setup_key/b": "skipped"}
    error = outcome.change("setup_key/a")["error"]
    assert error["message"].endswith("the secret of setup_key/a is lost, as no other file could be written")
    assert error["help"].endswith("nbsync rotate setup_key/a")


def test_stdout_is_for_people(account: Account) -> None:
    account.write("version: 1\nsetup_keys: {a: {type: reusable}}")
    outcome = account.nbsync("apply", "--yes", "--secrets-out", "-")
    (line,) = (line for line in outcome.stdout.splitlines() if line.startswith("{"))
    assert json.loads(line)["address"] == "setup_key/a"
    refused = account.apply("setup_keys: {b: {type: reusable}}", "--secrets-out", "-")
    assert (refused.exit_code, refused.sent) == (64, ())
    assert refused.error.message == "-o json and --secrets-out - would share stdout"


class Refusing(io.StringIO):
    """A stdout that takes everything but secrets."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str) -> int:
        if text.startswith('{"address"'):
            raise self._error
        return super().write(text)


REFUSALS = (
    BrokenPipeError(errno.EPIPE, "Broken pipe"),
    OSError(errno.ENOSPC, "No space left on device"),
    ValueError("I/O operation on closed file"),
)


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_secret_that_stdout_does_not_take_is_kept_and_the_apply_ends(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    account.write("version: 1\nsetup_keys: {a: {type: reusable}, b: {type: reusable}, c: {type: reusable}}")
    monkeypatch.setattr(sys, "stdout", Refusing(error))
    outcome = account.nbsync("apply", "--yes", "-q", "--out", "json=report.json", "--secrets-out", "-")
    assert (outcome.exit_code, outcome.writes) == (7, ["POST /api/setup-keys"])
    first, *others = json.loads((folder / "report.json").read_text())["changes"]
    assert (first["status"], {one["status"] for one in others}) == ("failed", {"skipped"})
    (kept,) = (folder / ".state/nbsync").glob("nbsync-secret-*")
    why = (getattr(error, "strerror", None) or str(error)).lower()
    assert first["error"]["message"] == (
        f"stdout cannot be written ({why}); the secret of setup_key/a is kept in {kept}"
    )
    assert lines(kept)[0]["address"] == "setup_key/a"


def command(folder: Path, body: str) -> str:
    """A sink that runs some Python; `secret` is what it was given."""
    script = folder / "sink.py"
    script.write_text(f"import json, os, sys\nsecret = json.load(sys.stdin)\n{body}\n")
    return f"exec:{sys.executable} {script}"


def test_a_command_gets_one_json_object_on_its_stdin(account: Account, folder: Path) -> None:
    sink = command(folder, "open('got', 'a').write(json.dumps(secret) + '\\n')\nprint('noise')")
    outcome = account.applied("setup_keys: {a: {type: reusable}, b: {type: reusable}}", "--secrets-out", sink)
    assert [entry["address"] for entry in lines(folder / "got")] == ["setup_key/a", "setup_key/b"]
    assert outcome.document["exit_code"] == 0


@pytest.mark.parametrize(("sink", "reason"), [("sys.exit(3)", "ended with status 3"), ("", "could not be started")])
def test_a_command_that_fails_stops_the_apply_and_the_secret_is_kept(
    account: Account, folder: Path, sink: str, reason: str
) -> None:
    broken = folder / "broken"
    broken.write_text("#!/nowhere/at-all\n")
    broken.chmod(0o700)
    target = command(folder, sink) if sink else f"exec:{broken}"
    outcome = account.apply("setup_keys: {a: {type: reusable}, b: {type: reusable}}", "--secrets-out", target)
    assert outcome.exit_code == 7
    assert outcome.statuses == {"setup_key/a": "failed", "setup_key/b": "skipped"}
    assert outcome.writes == ["POST /api/setup-keys"]
    error = outcome.change("setup_key/a")["error"]
    assert (error["code"], reason in error["message"]) == ("NBS602", True)
    (kept,) = (folder / ".state/nbsync").glob("nbsync-secret-*")
    assert str(kept) in error["message"]
    assert mode(kept) == 0o600
    assert lines(kept)[0]["address"] == "setup_key/a"
    assert lines(kept)[0]["secret"] not in outcome.stdout + outcome.stderr
    assert "setup_key/b" in account.plan("setup_keys: {a: {type: reusable}, b: {type: reusable}}").changes[0]


def test_a_line_that_was_torn_keeps_the_next_secret_whole(account: Account, folder: Path) -> None:
    (folder / "secrets").write_text('{"address": "setup_key/old", "sec')
    (folder / "secrets").chmod(0o600)
    account.applied("setup_keys: {a: {type: reusable}, b: {type: reusable}}", "--secrets-out", "secrets")
    torn, *rest = (folder / "secrets").read_text().splitlines()
    assert torn.endswith('"sec')
    assert [json.loads(line)["address"] for line in rest] == ["setup_key/a", "setup_key/b"]


@pytest.mark.parametrize(
    ("target", "flags", "code", "why"),
    [
        ("nbsync.yaml", (), "NBS602", "nbsync.yaml cannot be written: it holds something else than secrets"),
        ("pipe", (), "NBS602", "pipe cannot be written: no such device or address"),
        ("x", ("--journal", "x"), "NBS901", "--secrets-out and --journal are the same file x"),
        ("x", ("--out", "json=./x"), "NBS901", "--secrets-out and --out are the same file x"),
    ],
)
def test_secrets_go_to_a_file_of_their_own(
    account: Account, folder: Path, target: str, flags: tuple[str, ...], code: str, why: str
) -> None:
    os.mkfifo(folder / "pipe")
    account.write("version: 1\nsetup_keys: {a: {type: reusable}}")
    before = (folder / "nbsync.yaml").stat()
    outcome = account.nbsync("apply", "--yes", "-o", "json", "--secrets-out", target, *flags)
    assert (outcome.exit_code, outcome.writes, outcome.error.code) == (64, [], code)
    assert outcome.error.message == why
    after = (folder / "nbsync.yaml").stat()
    assert (after.st_mode, after.st_size) == (before.st_mode, before.st_size)


def test_a_command_that_does_not_end_is_killed_and_the_secret_is_kept(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "PATIENCE", 0.2)
    begun = time.monotonic()
    outcome = account.apply("setup_keys: {a: {type: reusable}, b: {type: reusable}}", "--secrets-out", "exec:sleep 30")
    assert time.monotonic() - begun < 20
    assert outcome.statuses == {"setup_key/a": "failed", "setup_key/b": "skipped"}
    (kept,) = (folder / ".state/nbsync").glob("nbsync-secret-*")
    assert outcome.change("setup_key/a")["error"]["message"] == (
        "the command of --secrets-out did not end in 0.2 seconds and was killed; "
        f"the secret of setup_key/a is kept in {kept}"
    )


@pytest.mark.parametrize("target", ["exec:", "exec:'unclosed", "exec:/nowhere/at-all", "exec:no-such-program --now"])
def test_a_command_that_is_none_is_a_usage_error(account: Account, target: str) -> None:
    outcome = account.apply("setup_keys: {a: {type: reusable}}", "--secrets-out", target)
    assert (outcome.exit_code, outcome.writes) == (64, [])


LOST = {
    "a setup key": ("setup_keys: {x: {type: reusable}}", "/api/setup-keys", "setup_key/x"),
    "a token": (
        "service_users: {nbsync: {role: admin, tokens: {x: {expires_in: 9d}}}}",
        "/api/users/*/tokens",
        "token/nbsync/x",
    ),
    "a password": ("users: {x@acme.io: {invite: true, name: X}}", "/api/users", "user/x@acme.io"),
}


@pytest.mark.parametrize("fault", ["drop-after", "garbage-after"])
@pytest.mark.parametrize(("text", "path", "address"), LOST.values(), ids=LOST)
def test_what_was_made_with_a_lost_secret_is_made_again_in_the_same_run(
    account: Account, between: Between, folder: Path, text: str, path: str, address: str, fault: str
) -> None:
    lose(account, between, path, fault)
    outcome = account.applied(text, "--secrets-out", "secrets")
    assert [line.split()[0] for line in outcome.writes] == ["POST", "DELETE", "POST"]
    (entry,) = lines(folder / "secrets")
    assert entry["address"] == address
    assert account.plan(text).changes == []
    live = [
        *account.read("/setup-keys"),
        *account.read("/users"),
        *(
            token
            for user in account.read("/users")
            if user["is_service_user"]
            for token in account.read(f"/users/{user['id']}/tokens") or ()
        ),
    ]
    assert entry["id"] in {one["id"] for one in live}
    assert len({one["id"] for one in live if one["name"].lower() == "x"}) == 1


@pytest.mark.parametrize("end", ["late", "interrupted"])
@pytest.mark.parametrize(("text", "path", "address"), LOST.values(), ids=LOST)
def test_the_next_run_names_an_object_whose_answer_never_came(
    account: Account, between: Between, text: str, path: str, address: str, end: str
) -> None:
    """The server makes it after the run has looked; or nobody could look, as somebody had enough of waiting."""
    waiting: list[Response] = []
    kept: list[Request] = []

    def before(request: Request) -> Response | None:
        if request.method == "POST" and end == "late" and not kept:
            request.get_data()
            kept.append(request)
            return json_answer({"message": "later", "code": 504}, 504)
        if waiting and request.method == "GET":
            os.kill(os.getpid(), signal.SIGINT)
            return json_answer({"message": "no", "code": 503}, 503)
        return None

    def after(request: Request, response: Response) -> Response:
        if request.method == "POST" and end == "interrupted":
            waiting.append(response)
            return json_answer({"message": "lost", "code": 502}, 502)
        return response

    between.before, between.after = before, after
    outcome = account.apply(text, "--secrets-out", "secrets")
    assert outcome.exit_code == (130 if end == "interrupted" else 7)
    between.before, between.after = (lambda _request: None), (lambda _request, response: response)
    for request in kept:
        account.send("POST", request.path.removeprefix("/api"), json.loads(request.get_data()))
    (told,) = (found for found in account.plan(text).warnings if found.code == "NBS610")
    assert (told.address, told.message) == (
        address,
        f"a run ended before the secret of {address} was safe: it may be lost",
    )


def without_secret(between: Between, shown: Any, times: int = 1) -> None:
    """Let answers to the first creates be without the secret, or with this in its place."""
    left = list(range(times))

    def after(request: Request, response: Response) -> Response:
        body = json.loads(response.get_data()) if request.method == "POST" and left else {}
        field = next((field for field in ("key", "plain_token", "password") if field in body), "")
        if not field:
            return response
        left.pop()
        body.pop(field)
        return json_answer(body if shown is ... else {**body, field: shown})

    between.after = after


@pytest.mark.parametrize("shown", [..., None, ""], ids=["absent", "null", "empty"])
@pytest.mark.parametrize(("text", "address"), [(text, address) for text, _, address in list(LOST.values())[:2]])
def test_what_was_made_and_shown_without_its_secret_is_made_again(
    account: Account, between: Between, folder: Path, text: str, address: str, shown: Any
) -> None:
    without_secret(between, shown)
    outcome = account.applied(text, "--secrets-out", "secrets")
    assert [line.split()[0] for line in outcome.writes] == ["POST", "DELETE", "POST"]
    (entry,) = lines(folder / "secrets")
    assert (entry["address"], bool(entry["secret"])) == (address, True)
    assert account.plan(text).changes == []


def test_a_server_that_never_shows_a_secret_is_not_believed(account: Account, between: Between, folder: Path) -> None:
    without_secret(between, None, times=2)
    outcome = account.apply("setup_keys: {k: {type: reusable}}\ngroups: {a: }", "--secrets-out", "secrets")
    error = outcome.change("setup_key/k")["error"]
    assert (outcome.exit_code, error["code"]) == (7, "NBS605")
    assert "it shows no secret of this object" in error["message"]
    assert (folder / "secrets").read_text() == ""
    assert outcome.statuses["group/a"] == "applied"


def test_a_person_whom_mail_asks_for_a_password_is_made_without_one(
    account: Account, between: Between, folder: Path
) -> None:
    without_secret(between, ...)
    outcome = account.applied(LOST["a password"][0], "--secrets-out", "secrets")
    assert (outcome.writes, (folder / "secrets").read_text()) == (["POST /api/users"], "")


def lose(account: Account, between: Between, path: str, fault: str) -> None:
    """Let the answer to the first create be lost: with the connection, or to a proxy's own page."""
    if fault != "garbage-after":
        account.fault("POST", path, fault)
        return
    lost: list[str] = []

    def after(request: Request, response: Response) -> Response:
        if request.method != "POST" or lost:
            return response
        lost.append(request.path)
        return Response("<html>", 200, content_type="text/html")

    between.after = after


@pytest.mark.parametrize("method", ["DELETE", "POST", "GET"])
def test_where_it_cannot_be_made_again_the_error_says_how_to_renew_it(
    account: Account, between: Between, method: str
) -> None:
    """The second create fails, or the delete before it, or already the look whether there is something to delete."""
    account.fault("POST", "/api/setup-keys", "drop-after")

    def before(request: Request) -> Response | None:
        posts = [line for line in account.simulator.requests if line[0] == "POST" and line[1] == "/api/setup-keys"]
        broken = posts and request.method == method and request.path.startswith("/api/setup-keys")
        return Response("nobody home", 503) if broken else None

    between.before = before
    outcome = account.apply("setup_keys: {k: {type: reusable}}\ngroups: {a: }", "--secrets-out", "secrets")
    error = outcome.change("setup_key/k")["error"]
    assert (outcome.exit_code, error["code"]) == (7, "NBS605")
    assert "setup_key/k" in error["message"]
    assert "nbsync rotate setup_key/k" in error["help"]
    assert outcome.statuses["group/a"] == "applied"


def test_no_secret_stands_in_any_output(
    account: Account, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    outcomes: list[Outcome] = [
        account.applied(MAKERS, "--secrets-out", "secrets", "--out", "text=plan.txt", "--out", "json=plan.json")
    ]
    account.fault("POST", "/api/setup-keys", "status:500")
    changed = MAKERS.replace("k: {type: reusable", "k: {type: one-off").replace("t: {", "u: {")
    outcomes.append(account.apply(changed, "--secrets-out", "secrets"))
    account.write("version: 1" + MAKERS.replace("k: {type: reusable", "j: {type: reusable"))
    outcomes += [
        account.nbsync("plan"),
        account.nbsync("drift"),
        account.nbsync("apply", "--yes", "--secrets-out", "secrets"),
    ]
    monkeypatch.setenv("NBSYNC_DEBUG", "1")
    outcomes.append(account.nbsync("plan", "-o", "json"))
    shown = "".join(outcome.stdout + outcome.stderr for outcome in outcomes) + caplog.text
    shown += "".join(path.read_text() for path in (folder / "plan.txt", folder / "plan.json"))
    secrets = [entry["secret"] for entry in lines(folder / "secrets")] + [account.token]
    assert len(secrets) >= 6
    assert all(secret not in shown and secret.lower() not in shown.lower() for secret in secrets)


def test_objects_with_secrets_do_not_show_them(account: Account) -> None:
    from reconciler.apply.outputs import Revealed
    from reconciler.settings import from_environment

    revealed = Revealed("setup_key/k", "setup_key", "id", "CANARY", None)
    assert "CANARY" not in f"{revealed!r} {revealed}"
    settings = from_environment({"NB_PAT": account.token, "NB_MANAGEMENT_URL": os.environ["NB_MANAGEMENT_URL"]})
    assert account.token not in f"{settings!r} {settings}"
