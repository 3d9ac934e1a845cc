"""The journal of a run: a line on disk before and after each call, and never a secret."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.apply import shelf
from reconciler.apply.journal import Journal
from reconciler.apply.past import runs_in
from reconciler.apply.report import Report
from tests.unit.apply.journals import calls, fill_up, journals, lines
from tests.unit.harness import Account, Between

ROOT = Path(__file__).parents[3]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_run_is_told_from_its_first_line_to_its_last(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    (path,) = journals(folder)
    begin, call, answer, change, end = lines(path)
    assert begin["line"] == "begin"
    assert (begin["format"], begin["command"], begin["pid"]) == (1, "apply", os.getpid())
    assert begin["server"] == os.environ["NB_MANAGEMENT_URL"]
    assert begin["time"].endswith("Z")
    (planned,) = begin["changes"]
    assert (planned["address"], planned["action"]) == ("group/a", "create")
    assert {key: call[key] for key in ("number", "address", "action", "method", "path")} == {
        "number": 1,
        "address": "group/a",
        "action": "create",
        "method": "POST",
        "path": "/groups",
    }
    assert call["body"] == {"name": "a"}
    assert "before" not in call
    assert (answer["number"], answer["outcome"], answer["status"]) == (1, "taken", 200)
    assert answer["after"]["name"] == "a"
    assert answer["id"] == answer["after"]["id"] == account.named("/groups", "a")["id"]
    assert (change["address"], change["status"]) == ("group/a", "applied")
    assert (end["exit_code"], end["counts"]) == (0, {"applied": 1})
    assert {line["run"] for line in (begin, call, answer, change, end)} == {begin["run"]}


def test_objects_that_are_changed_and_deleted_are_kept_as_they_were_with_what_goes_with_them(
    account: Account, folder: Path
) -> None:
    account.applied("networks: {n: {description: x, resources: {r: {address: a.example}}}, m: }")
    old, inside = account.named("/networks", "n"), account.read("/networks/resources")[0]
    account.applied("manage: {default: full}\nnetworks: {m: {description: y}}")
    delete, update = sorted(calls(journals(folder)[-1]), key=lambda call: call["method"])
    assert (update["method"], update["before"]["description"], update["body"]["description"]) == ("PUT", "", "y")
    assert (delete["method"], delete["id"], delete["before"]) == ("DELETE", old["id"], old)
    (fallen,) = delete["falls"]
    assert (fallen["address"], fallen["parent"]) == ("network_resource/n/r", old["id"])
    assert fallen["seen"] == inside


def test_a_group_that_others_write_to_is_kept_as_it_was_just_before(
    account: Account, between: Between, folder: Path
) -> None:
    account.applied("groups: {a: }")
    group, reads = account.named("/groups", "a"), []

    def before(request: Request) -> None:
        if request.method == "GET" and request.path == "/api/groups":
            reads.append(request.path)
        if len(reads) == 2 and not account.read("/peers"):
            account.join("late")
            peer = account.named("/peers", "late")
            account.send("PUT", f"/groups/{group['id']}", {"name": "a", "peers": [peer["id"]]})

    between.before = before
    account.applied("groups: {b: {previously: a}}")
    (call,) = calls(journals(folder)[-1])
    assert [peer["name"] for peer in call["before"]["peers"]] == ["late"]


def test_a_child_is_noted_with_where_it_stood_and_where_it_stands(account: Account, folder: Path) -> None:
    account.applied("networks: {n: {resources: {r: {address: a.example}}}, m: }")
    account.applied("networks: {n: , m: {resources: {r: {address: a.example}}}}")
    (call,) = calls(journals(folder)[-1])
    (answer,) = (line for line in lines(journals(folder)[-1]) if line["line"] == "answer")
    assert call["parent"] == account.named("/networks", "n")["id"]
    assert answer["parent"] == account.named("/networks", "m")["id"]


def test_each_line_is_on_disk_before_the_call_and_after_it(account: Account, between: Between, folder: Path) -> None:
    seen = []

    def before(request: Request) -> None:
        if request.method != "GET":
            seen.append([line["line"] for line in lines(journals(folder)[-1])])

    between.before = before
    account.applied("groups: {a: , b: }")
    assert seen == [["begin", "call"], ["begin", "call", "answer", "change", "call"]]


SECRETS = """
setup_keys: {k: {type: reusable}}
service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}
users: {ana@acme.io: {invite: true, name: Ana}}
"""


def test_no_secret_is_in_a_journal_and_each_is_marked_as_safe(account: Account, folder: Path) -> None:
    account.applied(SECRETS, "--secrets-out", "secrets")
    account.applied(SECRETS.replace("reusable", "one-off"), "--secrets-out", "secrets")
    given = [json.loads(line) for line in (folder / "secrets").read_text().splitlines()]
    text = "".join(path.read_text() for path in journals(folder))
    assert len(given) == 4
    assert not [one for one in (*(entry["secret"] for entry in given), account.token) if one.lower() in text.lower()]
    first, second = ([line for line in lines(path) if line["line"] == "secret safe"] for path in journals(folder))
    assert {(line["address"], line["id"]) for line in first + second} == {(one["address"], one["id"]) for one in given}


def test_a_secret_is_masked_wherever_the_answer_repeats_it(account: Account, between: Between, folder: Path) -> None:
    def after(request: Request, response: Response) -> Response:
        if request.method != "POST":
            return response
        shown = json.loads(response.get_data())
        shown |= {"how_to": [f"netbird up --setup-key {shown['key']}"], "new": {"key": "CANARY", "password": "CANARY"}}
        return Response(json.dumps(shown), 200, content_type="application/json")

    between.after = after
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    secret = json.loads((folder / "secrets").read_text())["secret"]
    text = journals(folder)[-1].read_text()
    assert "how_to" in text
    assert not [one for one in (secret, "CANARY") if one in text]


def test_a_secret_that_did_not_reach_its_sink_has_no_mark(account: Account, folder: Path) -> None:
    account.apply("setup_keys: {k: {type: reusable}}", "--secrets-out", "exec:false")
    assert "secret safe" not in {line["line"] for line in lines(journals(folder)[-1])}


@pytest.mark.parametrize(
    ("fault", "outcome", "status", "code"),
    [
        ("status:422", "refused", 422, "NBS506"),
        ("status:503", "unknown", 503, "NBS508"),
        ("drop-after", "unknown", None, "NBS501"),
    ],
)
def test_a_call_that_fails_is_answered_by_its_failure(
    account: Account, folder: Path, fault: str, outcome: str, status: int | None, code: str
) -> None:
    account.fault("POST", "/api/groups", fault)
    account.apply("groups: {a: }")
    (answer,) = (line for line in lines(journals(folder)[-1]) if line["line"] == "answer")
    assert (answer["outcome"], answer.get("status"), answer["code"]) == (outcome, status, code)
    assert "after" not in answer


def test_journals_are_private_and_stand_below_their_server(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    (path,) = journals(folder)
    port = os.environ["NB_MANAGEMENT_URL"].rpartition(":")[2]
    assert path.parent.name == f"http_127.0.0.1_{port}"
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)


def test_a_run_that_changes_nothing_and_one_that_is_simulated_leave_none(account: Account, folder: Path) -> None:
    account.applied("version: 1")
    assert account.nbsync("apply", "--yes", "--simulate").exit_code == 0
    account.applied("groups: {new: }", "--simulate")
    assert journals(folder) == []
    account.applied("groups: {new: }", "--simulate", "--journal", "here.jsonl")
    assert lines(folder / "here.jsonl")[-1]["line"] == "end"


def test_only_the_newest_journals_of_a_server_are_kept(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "KEPT", 2)
    for name in "abc":
        account.applied(f"groups: {{{name}: }}")
    assert [calls(path)[0]["address"] for path in journals(folder)] == ["group/b", "group/c"]


def test_a_file_gets_the_journals_of_several_runs_one_below_the_other(account: Account, folder: Path) -> None:
    account.applied("setup_keys: {k: {type: reusable}}", "--journal", "runs.jsonl", "--secrets-out", "secrets")
    account.nbsync("rotate", "setup_key/k", "--yes", "--journal", "runs.jsonl", "--secrets-out", "secrets")
    found = lines(folder / "runs.jsonl")
    assert [line["command"] for line in found if line["line"] == "begin"] == ["apply", "rotate"]
    assert len({line["run"] for line in found}) == 2
    assert mode(folder / "runs.jsonl") == 0o600
    assert journals(folder) == []


def test_after_a_torn_line_the_next_run_begins_on_a_line_of_its_own(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }", "--journal", "runs.jsonl")
    path = folder / "runs.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    account.applied("groups: {a: , b: }", "--journal", "runs.jsonl")
    torn, begin = path.read_text().splitlines()[4:6]
    assert torn.startswith('{"line": "end"')
    assert json.loads(begin)["line"] == "begin"


def test_lines_are_on_disk_before_a_call_is_sent_and_before_anything_follows_its_answer(
    account: Account, between: Between, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.suffix == ".jsonl":
            synced.append(lines(path)[-1]["line"])

    def before(request: Request) -> None:
        if request.method != "GET":
            synced.append(request.method)

    monkeypatch.setattr(os, "fsync", sync)
    between.before = before
    account.applied("groups: {a: , b: }")
    assert synced == ["begin", *["call", "POST", "answer"] * 2, "end"]


@pytest.mark.parametrize("what", ["a file of something else", "a symbolic link", "a folder", "no folder"])
def test_a_journal_that_cannot_be_opened_keeps_everything_from_being_sent(
    account: Account, folder: Path, what: str
) -> None:
    targets = {
        "a file of something else": "nbsync.yaml",
        "a symbolic link": "link",
        "a folder": ".",
        "no folder": "x/y",
    }
    (folder / "link").symlink_to("elsewhere")
    outcome = account.apply("groups: {a: }", "--journal", targets[what])
    assert (outcome.exit_code, outcome.writes, outcome.error.code) == (1, [], "NBS608")
    assert f"the journal {targets[what]} cannot be written: " in outcome.error.message
    assert (folder / "nbsync.yaml").read_text() == "version: 1\ngroups: {a: }"


def test_a_state_folder_that_cannot_be_written_is_said(account: Account, folder: Path) -> None:
    (folder / ".state").write_text("")
    outcome = account.apply("groups: {a: }")
    assert (outcome.exit_code, outcome.writes, outcome.error.code) == (1, [], "NBS608")
    assert "--journal FILE" in outcome.error.help


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no device that is always full")
def test_without_room_for_the_first_line_nothing_is_sent(account: Account) -> None:
    outcome = account.apply("groups: {a: }", "--journal", "/dev/full")
    assert (outcome.exit_code, outcome.writes) == (1, [])
    assert outcome.error.message == "the journal /dev/full cannot be written: no space left on device"


@pytest.mark.parametrize(("room", "statuses", "writes"), [
    (1, ["failed", "skipped"], 0),
    (2, ["applied", "failed"], 1),
    (3, ["applied", "failed"], 1),
    (4, ["applied", "failed"], 1),
    (5, ["applied", "failed"], 1),
    (6, ["applied", "applied"], 2),
])  # fmt: skip
def test_once_a_line_cannot_be_written_nothing_more_is_sent(
    account: Account, monkeypatch: pytest.MonkeyPatch, room: int, statuses: list[str], writes: int
) -> None:
    """The disk takes so many lines; the secret of the call that was answered is handed over all the same."""
    fill_up(monkeypatch, room)
    outcome = account.apply("setup_keys: {a: {type: reusable}, b: {type: reusable}}", "--secrets-out", "secrets")
    assert list(outcome.statuses.values()) == statuses
    assert len(outcome.writes) == writes
    assert outcome.exit_code == (7 if writes else 1)
    assert {error.code for error in outcome.errors} <= {"NBS608", "NBS606"}
    assert len((account.folder / "secrets").read_text().splitlines()) == writes


def run(
    account: Account, connect: Callable[[Any, str], None], number: int, do: Callable[[subprocess.Popen[bytes]], None]
) -> int:
    """Apply in a process of its own, to which something is done while the server has the nth write."""
    running: list[subprocess.Popen[bytes]] = []
    seen = 0

    def before(request: Request) -> None:
        nonlocal seen
        seen += request.method != "GET"
        if request.method != "GET" and seen == number:
            do(running[0])

    between = Between(account.simulator)
    between.before = before
    connect(between, account.token)
    command = [sys.executable, "-m", "reconciler", "apply", "--yes", "--quiet"]
    running.append(
        subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    )
    return running[0].wait(timeout=60)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_closes_the_journal_after_the_call_in_flight(
    account: Account, folder: Path, connect: Callable[[Any, str], None], number: signal.Signals, code: int
) -> None:
    account.write("version: 1\ngroups: {a: , b: }")
    assert run(account, connect, 1, lambda process: process.send_signal(number)) == code
    *_, answer, _, _, end = lines(journals(folder)[-1])
    assert answer["outcome"] == "taken"
    assert (end["line"], end["exit_code"], end["counts"]) == ("end", code, {"applied": 1, "skipped": 1})


def test_a_signal_after_the_last_call_changes_nothing_any_more(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Journal.end

    def signalled(self: Journal, report: Report) -> None:
        signal.raise_signal(signal.SIGINT)
        end(self, report)

    monkeypatch.setattr(Journal, "end", signalled)
    outcome = account.apply("groups: {a: }")
    assert (outcome.exit_code, outcome.statuses, outcome.findings) == (0, {"group/a": "applied"}, [])
    assert lines(journals(folder)[-1])[-1]["exit_code"] == 0


def test_a_kill_leaves_the_call_in_flight_without_an_answer(
    account: Account, folder: Path, connect: Callable[[Any, str], None]
) -> None:
    account.write("version: 1\ngroups: {a: , b: }")

    def kill(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    assert run(account, connect, 2, kill) == -signal.SIGKILL
    found = [line["line"] for line in lines(journals(folder)[-1])]
    assert found == ["begin", "call", "answer", "change", "call"]


def test_a_run_is_known_to_be_at_work_until_it_ends(account: Account, between: Between, folder: Path) -> None:
    seen = []

    def before(request: Request) -> None:
        if request.method == "POST":
            seen.extend(run.outcome for path in journals(folder) for run in runs_in(path))

    between.before = before
    account.applied("groups: {a: }")
    assert seen == ["running"]
    assert [run.outcome for run in runs_in(journals(folder)[0])] == ["done"]
