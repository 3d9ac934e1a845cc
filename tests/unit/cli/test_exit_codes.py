"""Exit codes: the same in every output mode, with exactly one JSON document on stdout where JSON was asked for."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from werkzeug.wrappers import Response

from reconciler.cli.options import FORMATS
from tests.unit.harness import Account, Between, Desk

VALID = "version: 1\ngroups: {a: }\n"
Prepare = Callable[["Situation"], object]


class Situation:
    """An account, its files, its environment, and what stands between."""

    def __init__(self, account: Account, between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
        self.account = account
        self.between = between
        self.environment = monkeypatch

    def answer(self, status: int, text: str, media: str = "text/html") -> None:
        """Let everything be answered like this."""
        self.between.before = lambda _request: Response(text, status, content_type=media)

    def hold_back(self) -> None:
        """Let every request be refused by a rate limit."""
        self.answer(429, '{"message":"too many requests","code":429}', "application/json")

    def fail_once(self) -> None:
        """Let the second of two groups be refused."""
        self.account.write("version: 1\ngroups: {a: , b: }")
        self.account.fault("POST", "/api/groups", "status:422", nth=2)

    def without_server(self) -> None:
        """Let nobody listen."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.environment.setenv("NB_MANAGEMENT_URL", f"http://127.0.0.1:{port}")


@pytest.fixture
def situation(account: Account, connect: Callable[[Any, str], None], monkeypatch: pytest.MonkeyPatch) -> Situation:
    between = Between(account.simulator)
    connect(between, account.token)
    account.write(VALID)
    return Situation(account, between, monkeypatch)


def nothing(_situation: Situation) -> None:
    """As it is."""


CASES: dict[str, tuple[int, str, Prepare]] = {
    "a plan with changes": (0, "plan", nothing),
    "a plan with changes, in detail": (2, "plan --detailed-exitcode", nothing),
    "a plan without changes, in detail": (0, "plan --detailed-exitcode", lambda s: s.account.write("version: 1\naccount: {}")),
    "an apply": (0, "apply --yes", nothing),
    "an apply of nothing": (0, "apply --yes", lambda s: s.account.write("version: 1\naccount: {}")),
    "drift": (0, "drift", nothing),
    "drift, in detail": (2, "drift --detailed-exitcode", nothing),
    "a valid document": (0, "validate", nothing),
    "nobody listens": (1, "plan", Situation.without_server),
    "an apply where nobody listens": (1, "apply --yes", Situation.without_server),
    "a server that fails": (1, "plan", lambda s: s.answer(500, "boom")),
    "a gateway that has no server": (1, "drift", lambda s: s.answer(502, "<title>Bad gateway</title>")),
    "a page instead of an answer": (1, "plan", lambda s: s.answer(200, "<title>Log in</title>")),
    "JSON that is none": (1, "plan", lambda s: s.answer(200, '{"a":', "application/json")),
    "JSON of something else": (1, "plan", lambda s: s.answer(200, '{"a": 1}', "application/json")),
    "a list of something else": (1, "plan", lambda s: s.answer(200, '[{"a": 1}]', "application/json")),
    "objects without names": (1, "plan", lambda s: s.answer(200, '[{"id": "x"}]', "application/json")),
    "objects whose ids are numbers": (1, "plan", lambda s: s.answer(200, '[{"id": 5, "name": "x"}]', "application/json")),
    "a redirect": (1, "plan", lambda s: s.answer(301, "elsewhere")),
    "another server's paths": (1, "plan", lambda s: s.answer(404, "404 page not found\n", "text/plain")),
    "an invalid document": (3, "plan", lambda s: s.account.write("version: 1\ngroups: {a: {peer: [x]}}")),
    "an invalid document without a server": (3, "validate", lambda s: s.account.write("version: 1\ngroups: [")),
    "a name that nothing has": (3, "plan", lambda s: s.account.write("version: 1\npolicies: {p: {from: x, to: x, allow: all}}")),
    "no files": (3, "plan nowhere", nothing),
    "a folder without files": (3, "validate empty", lambda s: (s.account.folder / "empty").mkdir()),
    "a guard": (5, "plan", lambda s: s.account.write("version: 1\naccount: {network_range: 10.99.0.0/16}")),
    "a guard against an apply": (5, "apply --yes", lambda s: s.account.write("version: 1\naccount: {network_range: 10.99.0.0/16}")),
    "a secret without a sink": (5, "apply --yes", lambda s: s.account.write("version: 1\nsetup_keys: {k: {type: reusable}}")),
    "something was done, something was not": (7, "apply --yes", Situation.fail_once),
    "no token": (8, "plan", lambda s: s.environment.delenv("NB_PAT")),
    "an empty token": (8, "plan", lambda s: s.environment.setenv("NB_PAT", " ")),
    "a token that is no token": (8, "plan", lambda s: s.environment.setenv("NB_PAT", "nbp_x")),
    "a token that the server does not know": (8, "plan", lambda s: s.environment.setenv("NB_PAT", "nbp_000000000000000000000000000000000000")),
    "a 401": (8, "drift", lambda s: s.answer(401, '{"message":"token invalid","code":401}', "application/json")),
    "a 403": (8, "plan", lambda s: s.answer(403, '{"message":"user is blocked","code":403}', "application/json")),
    "the 404 of an unknown token": (
        8,
        "plan",
        lambda s: s.answer(404, '{"message":"invalid token: pat: x not found","code":404}', "application/json"),
    ),
    "a write that is not permitted": (8, "apply --yes", lambda s: s.account.fault("POST", "/api/groups", "status:403")),
    "a rate limit that outlasts the run": (9, "plan --timeout 1s", Situation.hold_back),
    "an unknown flag": (64, "plan --bogus", nothing),
    "a flag of another command": (64, "validate --target group/a", nothing),
    "an unknown format of a file": (64, "plan --out pdf=x", nothing),
    "an allowance that there is not": (64, "plan --allow everything", nothing),
    "an allowance without a number": (64, "plan --allow delete:all", nothing),
    "a variable without a value": (64, "plan --var x", nothing),
    "a target that nothing has": (64, "plan --target group/nothing", nothing),
    "an apply without a terminal": (64, "apply", nothing),
    "two tokens": (64, "plan", lambda s: s.environment.setenv("NB_ACCESS_TOKEN", "a.b.c")),
    "a token in clear": (64, "plan", lambda s: s.environment.setenv("NB_MANAGEMENT_URL", "http://netbird.example")),
    "a URL with a password": (64, "plan", lambda s: s.environment.setenv("NB_MANAGEMENT_URL", "https://a:b@netbird.example")),
    "no URL": (64, "plan", lambda s: s.environment.setenv("NB_MANAGEMENT_URL", "netbird")),
    "a token file that is not there": (64, "plan --token-file nowhere", nothing),
    "a file of secrets that cannot be written": (
        64,
        "apply --yes --secrets-out nowhere/x",
        lambda s: s.account.write("version: 1\nsetup_keys: {k: {type: reusable}}"),
    ),
    "an account file that is not there": (64, "plan --simulate nowhere.yaml", nothing),
}  # fmt: skip


@pytest.mark.parametrize(("code", "line", "prepare"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("output", ["text", "json"])
def test_exit_code(situation: Situation, code: int, line: str, prepare: Prepare, output: str) -> None:
    prepare(situation)
    command, *flags = line.split()
    outcome = situation.account.nbsync(command, "-o", output, *flags)
    assert outcome.exit_code == code, outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stderr
    if output == "json":
        assert outcome.document["command"] == command
        assert bool(outcome.errors) == (code not in (0, 2))
        assert all(error.help for error in outcome.errors)
    elif code not in (0, 2):
        assert "error[NBS" in outcome.stderr


SOME = (
    "a plan with changes, in detail",
    "nobody listens",
    "an invalid document",
    "a guard",
    "no token",
    "an unknown flag",
)


@pytest.mark.parametrize("output", [name for name in FORMATS if name not in ("text", "json")])
@pytest.mark.parametrize("case", SOME)
def test_exit_code_is_the_same_in_other_formats(situation: Situation, case: str, output: str) -> None:
    code, line, prepare = CASES[case]
    prepare(situation)
    command, *flags = line.split()
    outcome = situation.account.nbsync(command, "-o", output, *flags)
    assert outcome.exit_code == code


USAGE = {
    "an unknown command": ("pln -o json", "did you mean 'plan'"),
    "no command": ("-o json", ""),
    "the format in one word": ("plan -ojson --bogus", "No such option"),
    "the format with an equals sign": ("plan --output=json --bogus", "No such option"),
    "the format in the long form": ("plan --bogus --output json", "No such option"),
    "a bad format after a good one": ("validate -o json -o xml", ""),
}


@pytest.mark.parametrize(("line", "message"), USAGE.values(), ids=USAGE)
def test_usage_errors_are_one_document_too(desk: Desk, line: str, message: str) -> None:
    outcome = desk.nbsync(*line.split())
    assert outcome.exit_code == 64
    assert message in outcome.error.message


def test_usage_errors_of_text_leave_stdout_alone(desk: Desk) -> None:
    outcome = desk.nbsync("plan", "--bogus")
    assert (outcome.exit_code, outcome.stdout) == (64, "")
    assert "nbsync COMMAND --help shows what there is" in outcome.stderr


def test_a_near_command_is_named(desk: Desk) -> None:
    assert "did you mean 'validate'" in desk.nbsync("valdate").stderr


def test_no_arguments_show_what_there_is(desk: Desk) -> None:
    outcome = desk.nbsync()
    assert (outcome.exit_code, outcome.stdout) == (64, "")
    assert "\n  plan      what would change, and what the guards say\n" in outcome.stderr


@pytest.mark.parametrize("line", ["--help", "plan --help", "apply -h", "--version"])
def test_help_is_no_error(desk: Desk, line: str) -> None:
    outcome = desk.nbsync(*line.split())
    assert (outcome.exit_code, bool(outcome.stdout)) == (0, True)


def test_a_mistake_of_nbsyncs_own_is_one_document_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.cli.session.read", lambda *_args, **_options: 1 / 0)
    outcome = desk.validate("groups: {}")
    assert (outcome.exit_code, outcome.error.code) == (1, "NBS999")
    assert outcome.error.message == "nbsync failed: ZeroDivisionError"


def test_files_are_written_beside_stdout_also_where_a_command_fails(account: Account, folder: Path) -> None:
    account.write("version: 1\ngroups: {a: {peer: x}}")
    outcome = account.nbsync("plan", "-o", "json", "--out", "json=copy.json", "--out", "text=copy.txt")
    assert outcome.exit_code == 3
    assert json.loads((folder / "copy.json").read_text()) == outcome.document
    assert "unknown key 'peer'" in (folder / "copy.txt").read_text()


def test_a_file_that_cannot_be_written_is_an_error(account: Account) -> None:
    account.write(VALID)
    outcome = account.nbsync("plan", "-o", "json", "--out", "json=nowhere/x.json")
    assert (outcome.exit_code, outcome.error.code) == (1, "NBS902")
    assert "nowhere/x.json cannot be written" in outcome.error.message


def test_the_document_has_what_its_schema_says(account: Account) -> None:
    account.join("gw")
    text = "groups: {b: {previously: a}, c: {peers: [gw, absent]}}\nsetup_keys: {k: {type: one-off}}\nmanage: {networks: full}\nnetworks: {n: }"
    account.applied("groups: {a: }\nsetup_keys: {k: {type: reusable}}\nnetworks: {m: }", "--secrets-out", "secrets")
    document = account.plan(text).document
    schema = json.loads(account.nbsync("schema", "--plan").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert document["format_version"] == "1.0"
    assert document["summary"] == {"create": 2, "update": 0, "rename": 1, "replace": 1, "delete": 1, "unmanaged": 0}
    changes = {change["address"]: change for change in document["changes"]}
    assert changes["group/b"]["previous_key"] == "a"
    assert changes["group/c"]["fields"] == [
        {"path": "peers", "before": None, "after": ["gw"], "known_after_apply": False, "sensitive": False}
    ]
    assert changes["setup_key/k"]["reason"] == "NetBird cannot change type of a setup key"
    assert "status" not in changes["group/b"]
    assert document["server"]["url"].startswith("http://127.0.0.1:")


def test_allow_to_deny_is_two_fields_and_nested_fields_have_dotted_paths(account: Account) -> None:
    account.applied(
        "policies: {p: {from: All, to: All, allow: tcp/1}}\nposture_checks: {c: {os_version: {linux_kernel: '5.1', macos: '13'}}}"
    )
    document = account.plan(
        "policies: {p: {from: All, to: All, deny: tcp/1}}\nposture_checks: {c: {os_version: {linux_kernel: '5.2', macos: '13'}}}"
    ).document
    fields = {change["address"]: change["fields"] for change in document["changes"]}
    assert [(field["path"], field["before"], field["after"]) for field in fields["policy/p"]] == [
        ("allow", ["tcp/1"], None),
        ("deny", None, ["tcp/1"]),
    ]
    assert [(field["path"], field["before"], field["after"]) for field in fields["posture_check/c"]] == [
        ("os_version.linux_kernel", "5.1", "5.2")
    ]


def test_an_apply_says_how_every_change_ended(account: Account) -> None:
    account.fault("POST", "/api/groups", "status:422", nth=2)
    document = account.apply("groups: {a: , b: }\npolicies: {p: {from: b, to: b, allow: all}}").document
    ends = {
        change["address"]: (change["status"], change["error"] and change["error"]["code"])
        for change in document["changes"]
    }
    assert ends == {"group/a": ("applied", None), "group/b": ("failed", "NBS506"), "policy/p": ("skipped", "NBS606")}


def test_a_target_is_planned_with_the_creates_that_it_needs(account: Account) -> None:
    text = "groups: {a: , b: , c: }\npolicies: {p: {from: a, to: b, allow: all}, q: {from: c, to: c, allow: all}}"
    assert sorted(account.plan(text, "--target", "policy/p").changes) == ["+ group/a", "+ group/b", "+ policy/p"]
    assert account.plan(text, "--target", "group/All").changes == []
    assert account.apply(text, "--target", "group/a", "--target", "group/c").changes == ["+ group/a", "+ group/c"]
    near = account.plan(text, "--target", "policy/pp").error
    assert "did you mean 'policy/p'" in near.help


def test_a_simulated_account_needs_neither_server_nor_token(desk: Desk) -> None:
    desk.write(VALID)
    (desk.folder / "account.yaml").write_text("groups: [a]\n")
    outcome = desk.nbsync("plan", "nbsync.yaml", "-o", "json", "--simulate", "account.yaml")
    assert (outcome.exit_code, outcome.changes) == (0, [])
    assert desk.nbsync("plan", "nbsync.yaml", "-o", "json", "--simulate").changes == ["+ group/a"]
