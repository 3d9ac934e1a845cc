"""One account is one, however its server is spelled, and no other one: for the lock, the journals and saved plans."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Simulator
from tests.unit.apply.journals import cut, journals, lines
from tests.unit.harness import Account, Between, Outcome, json_answer

SINK = ("--secrets-out", "secrets")
KEY = "setup_keys: {k: {type: reusable}}"
ACCOUNTS = "GET /api/accounts"


@pytest.fixture
def other(
    account: Account, folder: Path, capsys: pytest.CaptureFixture[str], connect: Callable[[Any, str], None]
) -> Account:
    """Another account of the same server; `go` leads to one of the two."""
    simulator = Simulator()
    return Account(folder, capsys, simulator, simulator.bootstrap())


@pytest.fixture
def go(connect: Callable[[Any, str], None]) -> Callable[[Account], None]:
    """Work on this account from now on."""
    return lambda account: connect(account.simulator, account.token)


def identifier(account: Account) -> str:
    """Id of the account."""
    return str(account.read("/accounts")[0]["id"])


def rollback(account: Account, *flags: str) -> Outcome:
    """Take back a run."""
    return account.nbsync("rollback", "--yes", "-o", "json", *flags)


def told(account: Account, text: str) -> list[str]:
    """Codes of what a plan tells of the runs before."""
    return [found.code for found in account.plan(text).warnings]


def forget_account(path: Path) -> None:
    """Leave of a journal what an earlier version wrote, which seldom knew the account."""
    told = lines(path)[0]["account"]
    path.write_text(path.read_text().replace(f'"account": "{told}", ', ""))
    assert "account" not in lines(path)[0]


def closed(request: Any, status: int = 403) -> Any:
    """The account is not shown."""
    return json_answer({"message": "no", "code": status}, status) if request.path == "/api/accounts" else None


def locks(folder: Path) -> list[str]:
    """Names of all lock files."""
    return sorted(path.name for path in (folder / ".state/nbsync/locks").iterdir())


@pytest.fixture
def between(account: Account, connect: Callable[[Any, str], None]) -> Between:
    """What stands between nbsync and the account's server."""
    front = Between(account.simulator)
    connect(front, account.token)
    return front


def test_a_server_is_one_however_its_address_is_spelled(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, port = os.environ["NB_MANAGEMENT_URL"].rpartition(":")
    monkeypatch.setenv("NB_MANAGEMENT_URL", f"http://localhost:{port}")
    account.applied("groups: {a: }")
    account.plan("groups: {a: , b: }", "--save", "plan.json")
    monkeypatch.setenv("NB_MANAGEMENT_URL", f"HTTP://LocalHost:0{port}/api/")
    assert account.nbsync("apply", "--plan", "plan.json").exit_code == 0
    monkeypatch.setenv("NB_MANAGEMENT_URL", f"http://LOCALHOST:{port}/")
    assert account.nbsync("rollback", "--yes").exit_code == 0
    assert account.names("/groups") == ["All", "a"]
    assert len(locks(folder)) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_where_the_server_lets_nobody_know_the_account_a_run_goes_on(
    account: Account, between: Between, folder: Path, status: int
) -> None:
    between.before = lambda request: closed(request, status)
    account.applied("groups: {a: }")
    assert "account" not in lines(journals(folder)[0])[0]


def test_a_failure_to_learn_the_account_is_no_other_account(account: Account, between: Between, folder: Path) -> None:
    """With another lock than a neighbour's, the two would be at work at once."""
    account.applied("groups: {a: }")
    for answer in (json_answer({"message": "boom", "code": 500}, 500), json_answer([]), json_answer([{}, {}])):
        between.before = lambda request, answer=answer: answer if request.path == "/api/accounts" else None  # type: ignore[misc]
        outcome = account.apply("groups: {a: , b: }")
        assert (outcome.exit_code, outcome.error.request, outcome.writes) == (1, ACCOUNTS, [])
    account.fault("GET", "/api/accounts", "status:503")
    between.before = lambda _request: None
    account.applied("groups: {a: , b: }")
    assert len(locks(folder)) == 1


def test_a_run_asks_once_whose_account_it_is_and_its_journal_says_it(account: Account, folder: Path) -> None:
    outcome = account.applied("groups: {a: }")
    account.plan("groups: {b: }", "--save", "plan.json")
    carried_out = account.nbsync("apply", "--plan", "plan.json")
    assert (carried_out.exit_code, len(carried_out.writes)) == (0, 1)
    assert (outcome.sent.count(ACCOUNTS), carried_out.sent.count(ACCOUNTS)) == (1, 1)
    assert [lines(path)[0]["account"] for path in journals(folder)] == [identifier(account)] * 2


def test_a_plan_asks_whose_account_it_is_only_where_a_run_was_cut_off(account: Account, folder: Path) -> None:
    for number in range(3):
        account.applied(f"groups: {{a{number}: }}")
    cut(journals(folder)[0], "call")
    assert account.plan("groups: {a: }").sent.count(ACCOUNTS) == 0
    cut(journals(folder)[2], "call")
    assert account.plan("groups: {a: }").sent.count(ACCOUNTS) == 1


def test_a_rollback_takes_back_the_last_run_of_its_own_account(
    account: Account, other: Account, go: Callable[[Account], None]
) -> None:
    account.applied("groups: {a: , victim: }")
    go(other)
    outcome = rollback(other)
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (64, "NBS614", [])
    other.applied("groups: {x: , y: }")
    go(account)
    account.applied("manage: {default: full}\ngroups: {a: }", "--allow", "delete:9")
    go(other)
    assert rollback(other).exit_code == 0
    assert (other.names("/groups"), account.names("/groups")) == (["All"], ["All", "a"])
    go(account)
    assert rollback(account).exit_code == 0
    assert account.names("/groups") == ["All", "a", "victim"]


def test_a_run_on_another_account_is_not_taken_back_even_where_it_is_named(
    account: Account, other: Account, go: Callable[[Account], None], folder: Path
) -> None:
    account.applied("groups: {a: }")
    go(other)
    outcome = rollback(other, journals(folder)[0].name)
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (3, "NBS615", [])
    assert f"the run was on the account {identifier(account)} of " in outcome.error.message
    assert outcome.error.message.endswith(f", and this is {identifier(other)}")
    assert "GET /api/groups" not in outcome.sent


def test_a_run_of_which_nobody_knows_the_account_has_to_be_named(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    account.applied("groups: {a: , b: }")
    path = journals(folder)[1]
    forget_account(path)
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (3, "NBS615", [])
    assert outcome.error.help == f"if it was on this one, name its journal: nbsync rollback {path}"
    outcome = rollback(account, str(path))
    assert (outcome.exit_code, outcome.warning.code) == (0, "NBS615")
    assert account.names("/groups") == ["All", "a"]


def test_what_the_server_does_not_tell_makes_no_run_ones_own(account: Account, between: Between, folder: Path) -> None:
    account.applied("groups: {a: }")
    between.before = closed
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (3, "NBS615", [])
    assert f"nbsync rollback {journals(folder)[0]}" in outcome.error.help


@pytest.mark.parametrize("journal", [(), ("--journal", "runs.jsonl")])
def test_a_clean_run_on_another_account_hides_no_crash(
    account: Account, other: Account, go: Callable[[Account], None], folder: Path, journal: tuple[str, ...]
) -> None:
    account.applied(KEY, *SINK, *journal)
    cut(folder / journal[1] if journal else journals(folder)[0], "answer")
    go(other)
    assert [found.code for found in other.applied("groups: {x: }", *journal).warnings] == []
    go(account)
    outcome = account.applied(KEY, *SINK, *journal)
    assert [(found.code, found.address) for found in outcome.warnings] == [("NBS609", None), ("NBS610", "setup_key/k")]
    assert account.applied(KEY, *SINK, *journal).warnings == []
    go(other)
    assert other.applied("groups: {x: , y: }", *journal).warnings == []


def test_a_run_of_which_nobody_knows_the_account_counts_for_every_one(
    account: Account, other: Account, go: Callable[[Account], None], folder: Path
) -> None:
    account.applied("groups: {a: }")
    (first,) = journals(folder)
    cut(first, "call")
    forget_account(first)
    go(other)
    assert told(other, "groups: {a: }") == ["NBS609"]
    other.applied("groups: {a: }")
    assert told(other, "groups: {a: }") == []
    go(account)
    assert told(account, "groups: {a: }") == ["NBS609"]
    forget_account(journals(folder)[1])
    assert told(account, "groups: {a: }") == []


def test_a_journal_that_cannot_be_read_is_warned_of_until_a_later_run_on_the_account_has_ended(
    account: Account, other: Account, go: Callable[[Account], None], folder: Path
) -> None:
    account.applied("groups: {a: }")
    journals(folder)[0].write_text('{"line": "begin", "format": 2}\n')
    go(other)
    other.applied("groups: {x: }")
    assert told(other, "groups: {x: }") == []
    go(account)
    assert account.applied("groups: {a: , b: }").warning.code == "NBS611"
    assert told(account, "groups: {a: , b: }") == []


def test_a_plan_is_not_saved_for_an_account_that_nobody_knows(account: Account, between: Between, folder: Path) -> None:
    account.plan("groups: {a: }", "--save", "plan.json")
    between.before = closed
    outcome = account.nbsync("apply", "--plan", "plan.json", "-o", "json")
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (3, "NBS622", [])
    outcome = account.plan("groups: {b: }", "--save", "another.json")
    assert (outcome.exit_code, outcome.error.code, (folder / "another.json").exists()) == (8, "NBS624", False)


def test_history_says_the_accounts_where_there_are_several(
    account: Account, other: Account, go: Callable[[Account], None]
) -> None:
    account.applied("groups: {a: }")
    assert identifier(account) not in account.nbsync("history").stdout
    go(other)
    other.applied("groups: {x: }")
    shown = other.nbsync("history").stdout
    assert f"account {identifier(account)}" in shown
    assert f"account {identifier(other)}" in shown
