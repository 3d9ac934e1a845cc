"""Who has to wait for the server is told why and for how long, whatever the command does meanwhile; nobody waits for ever."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.api.client import ReadApi
from reconciler.apply import work
from reconciler.simulator import Simulator
from tests.unit.apply.journals import journals, lines
from tests.unit.harness import Account, Between, json_answer

LIMITED = re.compile(r"^waiting \d+ s: the server's rate limit$", re.MULTILINE)
BURST = 40
USUAL = {"NB_API_RATE_LIMITING_ENABLED": "true"}
SHORT = {**USUAL, "NB_API_RATE_LIMITING_BURST": str(BURST)}


def groups(number: int) -> str:
    return "version: 1\ngroups:\n" + "".join(f"  g{number:03}:\n" for number in range(number))


GROUPS = groups(100)


@pytest.mark.parametrize(
    ("command", "method"), [("plan", "GET"), ("drift", "GET"), ("apply", "POST"), ("export", "GET")]
)
def test_waits_are_told_on_stderr(account: Account, command: str, method: str) -> None:
    account.write("version: 1\ngroups: {a: }\n")
    account.fault(method, "/api/groups", "status:429")
    files = () if command == "export" else ("nbsync.yaml",)
    outcome = account.nbsync(command, *files, *(["--yes"] if command == "apply" else []))
    assert outcome.exit_code == 0, outcome.stderr
    assert LIMITED.search(outcome.stderr), outcome.stderr


class Hours:
    """The simulator's time, in which nbsync lives, too: it passes only while somebody sleeps."""

    def __init__(self, simulator: Simulator) -> None:
        self._clock = simulator.world.clock
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self._clock.advance(seconds)

    def clock(self) -> float:
        return self.slept


@pytest.fixture
def limits(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    connect: Callable[[Any, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[dict[str, str]], Any]:
    """An account whose server has the rate limit of an environment; nobody really waits there."""

    def build(environ: dict[str, str]) -> Account:
        simulator = Simulator(environ)
        token = simulator.bootstrap()
        connect(simulator, token)
        hours = Hours(simulator)
        defaults = ReadApi.__init__.__kwdefaults__
        assert defaults
        monkeypatch.setitem(defaults, "sleep", hours.sleep)
        monkeypatch.setitem(defaults, "clock", hours.clock)
        monkeypatch.setattr(work, "AT_A_TIME", 1)  # this time passes twice for two who sleep together
        account: Any = Account(folder, capsys, simulator, token)
        account.hours = hours
        return account

    return build


@pytest.fixture
def limited(limits: Callable[[dict[str, str]], Any]) -> Any:
    """An account whose server lets 6 requests a minute through after the first `BURST`."""
    return limits(SHORT)


def refusals(account: Account) -> int:
    return sum(status == 429 for _, _, status in account.simulator.requests)


def test_a_server_with_the_usual_limit_is_worked_to_the_end(limits: Callable[[dict[str, str]], Any]) -> None:
    account = limits(USUAL)
    account.write(groups(600))
    outcome = account.nbsync("apply", "nbsync.yaml", "--yes")
    assert outcome.exit_code == 0, outcome.stderr
    assert "(600/600)" in outcome.stderr
    over = len(account.simulator.requests) - refusals(account) - 500
    assert over >= 100
    assert 9.5 * over <= account.hours.slept <= 11 * over
    assert refusals(account) <= 20


def test_how_long_the_rest_takes_is_told_when_the_limit_is_met_and_not_with_every_call(limited: Any) -> None:
    limited.write(GROUPS)
    told = limited.nbsync("apply", "nbsync.yaml", "--yes").stderr.splitlines()
    assert "applying: 102 calls to make" in told
    thought, *known = (line for line in told if "a minute" in line)
    assert re.fullmatch(
        r"the server's rate limit is reached; if it lets NetBird's usual 6 requests a minute through: "
        r"\d\d calls are left, about 1\d minutes",
        thought,
    )
    assert re.fullmatch(
        r"the server lets 6 requests a minute through: \d\d calls are left, about 1\d minutes", known[0]
    )
    assert len(known) <= 3, "again only when more is known of it"
    assert len([line for line in told if line.startswith("waiting")]) <= refusals(limited)


def test_what_changes_refer_to_is_read_and_counted_unless_it_is_new(account: Account) -> None:
    text = "groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: all}}"
    account.write("version: 1\n" + text)
    assert "applying: 7 calls to make" in account.nbsync("apply", "--yes").stderr
    account.write("version: 1\n" + text.replace("all}", "icmp}").replace("to: b", "to: a"))
    outcome = account.nbsync("apply", "--yes")
    assert "applying: 4 calls to make" in outcome.stderr
    reads = [sent for sent in outcome.sent if sent in ("GET /api/groups", "GET /api/policies")]
    assert sorted(reads[-3:]) == ["GET /api/groups", "GET /api/policies", "GET /api/policies"]
    assert outcome.writes[0].startswith("PUT /api/policies/")


def test_a_reading_tells_how_many_lists_are_left(limited: Any) -> None:
    limited.write(GROUPS)
    for _ in range(BURST):
        limited.read("/groups")
    outcome = limited.nbsync("plan", "nbsync.yaml")
    assert outcome.exit_code == 0
    assert re.search(
        r"usual 6 requests a minute through: \d calls are left, about \d+ seconds$", outcome.stderr, re.MULTILINE
    )


def test_the_end_of_the_time_ends_an_apply_with_everything_recorded(limited: Any) -> None:
    outcome = limited.apply(GROUPS, "--timeout", "5m")
    assert outcome.exit_code == 9
    assert limited.hours.slept <= 300
    statuses = list(outcome.statuses.values())
    applied = statuses.count("applied")
    assert 40 <= applied <= 70
    assert statuses.count("skipped") == 100 - applied
    assert [found.code for found in outcome.errors if found.code != "NBS606"] == ["NBS513", "NBS633"]
    limited.hours.sleep(60)
    assert len(limited.names("/groups")) == applied + 1
    error = outcome.change("group/g099")["error"]
    assert error["code"] == "NBS606"
    assert "the 300 s of this run (--timeout) end before" in error["message"]
    assert re.search(r"; --timeout ends the run before that, after about \d+ of them$", outcome.stderr, re.MULTILINE)


def test_the_journal_says_of_every_call_that_the_end_of_the_time_kept_back_that_it_was_not_made(
    limited: Any, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    limited.apply(GROUPS, "--timeout", "5m", "--journal", str(journal))
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    outcomes = [line["outcome"] for line in lines if line["line"] == "answer"]
    assert len(outcomes) == sum(line["line"] == "call" for line in lines)
    kept_back = outcomes.count("not_processed")
    assert 1 <= kept_back <= 4, "as many as are sent at a time"
    assert outcomes.count("taken") == len(outcomes) - kept_back
    assert (lines[-1]["line"], lines[-1]["exit_code"]) == ("end", 9)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_a_list_is_waited_for_ends_the_run_with_all_that_it_did_recorded(
    limits: Callable[[dict[str, str]], Any],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    code: int,
) -> None:
    account = limits({**USUAL, "NB_API_RATE_LIMITING_BURST": "20"})
    sleep, left = account.hours.sleep, [number]

    def signalled(seconds: float) -> None:
        is_reading = threading.current_thread() is not threading.main_thread()
        if is_reading and left and any(request[0] == "POST" for request in account.simulator.requests):
            os.kill(os.getpid(), left.pop())
            time.sleep(0.2)  # the main thread has to wake up
        sleep(seconds)

    monkeypatch.setitem(ReadApi.__init__.__kwdefaults__, "sleep", signalled)
    outcome = account.apply("groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: all}}\nnetworks: {n: , m: }")
    assert (outcome.exit_code, outcome.statuses["group/a"]) == (code, "applied")
    assert set(outcome.statuses.values()) == {"applied", "skipped"}
    end = lines(journals(folder)[-1])[-1]
    assert (end["line"], end["exit_code"]) == ("end", code)
    assert account.nbsync("plan", "-o", "json").warnings == []


def test_the_next_run_goes_on_where_the_time_ended(limited: Any) -> None:
    limited.apply(GROUPS, "--timeout", "5m")
    assert limited.apply(GROUPS).exit_code == 0
    limited.hours.sleep(60)
    assert len(limited.names("/groups")) == 101


def test_time_that_suffices_changes_nothing(limited: Any) -> None:
    assert limited.apply(GROUPS, "--timeout", "1h").exit_code == 0


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "export"])
def test_the_end_of_the_time_while_reading_writes_nothing(limited: Any, command: str) -> None:
    limited.write(GROUPS)
    for _ in range(BURST):
        limited.read("/groups")
    files = () if command == "export" else ("nbsync.yaml",)
    outcome = limited.nbsync(command, *files, "--timeout", "5s", *(["--yes"] if command == "apply" else []))
    assert outcome.exit_code == 9
    assert not outcome.writes
    assert limited.hours.slept <= 5
    assert "error[NBS513] the 5 s of this run (--timeout) end before the server lets the next request" in outcome.stderr


def test_what_the_server_asks_for_is_waited_for(
    account: Account, connect: Callable[[Any, str], None], impatient: list[float]
) -> None:
    between = Between(account.simulator)
    refused: list[str] = []

    def before(request: Any) -> Any:
        if request.method != "POST" or refused:
            return None
        refused.append(request.path)
        answer = json_answer({"message": "too many requests", "code": 429}, 429)
        answer.headers["Retry-After"] = "77"
        return answer

    between.before = before
    connect(between, account.token)
    outcome = account.apply("groups: {a: }\n")
    assert outcome.exit_code == 0
    assert sum(impatient) >= 77
    assert re.search(r"^waiting \d+ s: the server's rate limit$", outcome.stderr, re.MULTILINE)


@pytest.mark.parametrize(("busy", "became"), [(65, "applied"), (200, "failed")])
def test_a_replacement_that_has_begun_is_finished_up_to_half_a_minute_after_the_end_of_the_time(
    limited: Any, connect: Callable[[Any, str], None], busy: int, became: str
) -> None:
    keys = "setup_keys: {a: {type: TYPE}, b: {type: TYPE}}\n"
    limited.applied(keys.replace("TYPE", "reusable"), "--secrets-out", "keys")
    between = Between(limited.simulator)
    began = limited.hours.slept
    end = began + busy

    def before(request: Any) -> Any:
        is_busy = request.method == "POST" and limited.hours.slept < end
        return json_answer({"message": "too many requests", "code": 429}, 429) if is_busy else None

    between.before = before
    connect(between, limited.token)
    outcome = limited.apply(keys.replace("TYPE", "one-off"), "--secrets-out", "keys", "--timeout", "60s")
    assert (outcome.exit_code, outcome.statuses) == (9, {"setup_key/a": became, "setup_key/b": "skipped"})
    assert 60 < limited.hours.slept - began <= 90
    if became == "failed":
        assert "setup_key/a was begun and not ended: the 60 s of this run" in outcome.stdout
    limited.hours.sleep(200)
    limited.applied(keys.replace("TYPE", "one-off"), "--secrets-out", "keys")
    assert len(limited.names("/setup-keys")) == 2


@pytest.mark.parametrize("text", ["0s", "never", "10", "soon", "1.5h", "-1m", ""])
def test_a_length_of_time_that_is_none_is_refused(account: Account, text: str) -> None:
    account.write("version: 1\n")
    outcome = account.nbsync("plan", "nbsync.yaml", "--timeout", text)
    assert outcome.exit_code == 64
    assert "is no length of time; write 90s, 10m, 1h or 1h30m" in outcome.stderr
    assert not outcome.sent
