"""`nbsync history`: what was changed from here, run by run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.apply.past import runs_in
from tests.unit.apply.journals import cut, journals, lines
from tests.unit.harness import Account, Desk


def listed(desk: Desk, *arguments: str) -> list[dict[str, Any]]:
    outcome = desk.nbsync("history", *arguments, "-o", "json")
    assert outcome.exit_code == 0, outcome.stdout
    found: list[dict[str, Any]] = outcome.document["journals"]
    return found


def test_without_journals_there_is_nothing_to_list(desk: Desk) -> None:
    assert listed(desk) == []
    assert desk.nbsync("history").stdout == "No journals: no apply has changed anything from here.\n"


def test_runs_are_listed_the_newest_first_with_how_they_ended(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    account.fault("POST", "/api/groups", "status:422", nth=2)
    account.apply("groups: {a: , b: , c: }")
    account.applied("groups: {a: , b: , c: , d: }")
    cut(journals(folder)[-1], "call")
    runs = listed(account)
    assert [(run["command"], run["outcome"], run["exit_code"]) for run in runs] == [
        ("apply", "cut off", None),
        ("apply", "failed", 7),
        ("apply", "done", 0),
    ]
    assert runs[1]["counts"] == {"planned": 2, "applied": 1, "failed": 1, "skipped": 0, "unknown": 0}
    assert [run["path"] for run in runs] == [str(path) for path in reversed(journals(folder))]
    assert "calls" not in runs[0]
    shown = account.nbsync("history").stdout
    assert "1 of 2 changes" in shown
    assert "cut off" in shown


def test_a_run_is_shown_call_by_call(account: Account, folder: Path) -> None:
    account.fault("POST", "/api/groups", "status:422", nth=1)
    account.apply("groups: {a: }\nsetup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    (path,) = journals(folder)
    for name in (str(path), path.name, path.stem):
        (run,) = listed(account, name)
        failed, made = run["calls"]
        assert (failed["address"], failed["outcome"], failed["status"], failed["code"]) == (
            "group/a",
            "refused",
            422,
            "NBS506",
        )
        assert (made["request"], made["outcome"], made["secret_safe"]) == ("POST /api/setup-keys", "taken", True)
        assert made["id"] == account.named("/setup-keys", "k")["id"]
    rows = account.nbsync("history", path.name).stdout.splitlines()
    assert rows[2].split() == ["1", "group/a", "refused", "422", "POST", "/api/groups"]
    assert rows[3].split() == ["2", "setup_key/k", "taken", "200", "POST", "/api/setup-keys", "secret", "safe"]


def test_a_file_with_several_runs_shows_all_of_them(account: Account) -> None:
    account.applied("groups: {a: }", "--journal", "runs.jsonl")
    account.applied("groups: {a: , b: }", "--journal", "runs.jsonl")
    assert [[call["address"] for call in run["calls"]] for run in listed(account, "runs.jsonl")] == [
        ["group/a"],
        ["group/b"],
    ]


def test_a_call_without_an_answer_is_shown_as_such(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    cut(journals(folder)[0], "call")
    (run,) = listed(account, journals(folder)[0].name)
    assert run["calls"][0]["outcome"] is None
    assert "no answer" in account.nbsync("history", journals(folder)[0].name).stdout


def test_lines_that_are_damaged_are_passed_over_and_counted(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    (path,) = journals(folder)
    whole = path.read_text()
    path.write_text(whole.replace("\n", '\n{"line": "call", "numb\n\x00\n[1]\n', 1) + '{"line": "end", "ru')
    (run,) = listed(account, path.name)
    assert (run["damaged_lines"], run["outcome"], len(run["calls"])) == (4, "done", 1)
    assert "4 lines of this journal cannot be read" in account.nbsync("history", path.name).stdout


def test_journals_that_cannot_be_read_are_said(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    (path,) = journals(folder)
    (folder / "empty").write_text("")
    os.mkfifo(folder / "pipe")
    os.mkfifo(path.with_name("pipe.jsonl"))
    for name, why in (
        ("nowhere.jsonl", "no such file or directory"),
        (".", "is a directory"),
        ("nbsync.yaml", "no line of it is the first one of a journal"),
        ("empty", "no line of it is the first one of a journal"),
        ("pipe", "it is a pipe"),
    ):
        outcome = account.nbsync("history", name, "-o", "json")
        assert (outcome.exit_code, outcome.error.code) == (3, "NBS611")
        assert outcome.error.message == f"the journal {name} cannot be read: {why}"
    assert account.nbsync("history", "empty").stdout == ""
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    outcome = account.nbsync("history", path.name, "-o", "json")
    assert (outcome.exit_code, outcome.error.help) == (3, "use that version")
    assert [found.code for found in account.nbsync("history", "-o", "json").warnings] == ["NBS611"]


def test_what_a_journal_holds_reaches_no_terminal_as_a_command(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    (path,) = journals(folder)
    for name in ("server", "command", "time"):
        changed = lines(path)
        changed[0][name] = "\x1b[2J\n::error::x"
        changed[1]["path"] = changed[1]["address"] = changed[1]["method"] = "\x1b[2J\n::error::x\u202e"
        path.write_text("".join(json.dumps(line) + "\n" for line in changed))
        outcome = account.nbsync("history", path.name)
        assert outcome.exit_code == 0
        assert not {"\x1b", "\u202e"} & set(outcome.stdout)
        assert not [line for line in outcome.stdout.splitlines() if line.lstrip().startswith("::")]
        listed(account, path.name)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "line",
    "run",
    "format",
    "number",
    "changes",
    "kind",
    "address",
    "outcome",
    "after",
    "before",
    "falls",
    "counts",
    "id",
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=3))
        | st.binary(max_size=20),
        max_size=6,
    )
)
def test_no_content_of_a_journal_breaks_its_reader(account: Account, folder: Path, edits: list[Any]) -> None:
    path = folder / "journal"
    if not path.exists():
        account.applied("groups: {a: }", "--journal", "journal")
        (folder / "whole").write_bytes(path.read_bytes())
    whole = lines(folder / "whole")
    texts = [json.dumps(line).encode() for line in whole]
    texts += [edit if isinstance(edit, bytes) else json.dumps({**whole[edit[0]], **edit[1]}).encode() for edit in edits]
    path.write_bytes(b"\n".join(texts))
    outcome = account.nbsync("history", "journal", "-o", "json")
    assert outcome.exit_code in (0, 3)
    assert outcome.document
    if outcome.exit_code == 0:
        assert runs_in(path)
        assert account.nbsync("history", "journal").exit_code == 0


def test_deep_nesting_is_one_damaged_line(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }", "--journal", "journal")
    with (folder / "journal").open("a") as file:
        file.write("[" * 200_000 + "\n")
        file.write('{"line": "call", "run": ' + "9" * 10_000 + "}\n")
    assert listed(account, "journal")[0]["damaged_lines"] == 2
