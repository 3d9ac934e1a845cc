"""Waiting for the server's rate limit, which never says how long."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.pacing import Naps, Pace, Patience, retry_after
from reconciler.api.problems import OutOfTime, Stopped


@pytest.fixture
def pace(time: Any) -> Pace:
    return Pace(time.clock, Naps(time.sleep, time.on_wait), None)


def refuse(pace: Pace, patience: Patience | None = None, asked: float | None = None) -> None:
    closings = pace.enter(patience or Patience(math.inf))
    assert closings is not None
    pace.throttled(closings, asked)


def test_an_open_gate_costs_no_time(pace: Pace, time: Any) -> None:
    assert pace.enter(Patience(0)) == 0
    assert time.now == 1000


def test_the_first_pause_is_what_the_default_limit_needs_for_one_request(pace: Pace, time: Any) -> None:
    refuse(pace)
    pace.enter(Patience(math.inf))
    assert 10 <= time.now - 1000 <= 11
    assert [reason for _, reason in time.waits] == ["the server's rate limit"]


def test_pauses_double_up_to_a_minute_while_nothing_gets_through(pace: Pace, time: Any) -> None:
    for _ in range(5):
        refuse(pace)
    assert [round(seconds / 1.05, -1) for seconds, _ in time.waits] == [10, 20, 40, 60, 60]


def test_requests_that_were_under_way_together_close_the_gate_once(pace: Pace, time: Any) -> None:
    entered = [pace.enter(Patience(math.inf)) for _ in range(8)]
    for closings in entered:
        assert closings is not None
        pace.throttled(closings, None)
    assert len(time.waits) == 1


def test_what_the_server_asks_for_is_obeyed_but_never_less_than_a_second(pace: Pace, time: Any) -> None:
    refuse(pace, asked=33)
    refuse(pace, asked=0)
    assert 33 <= time.waits[0][0] <= 36.3
    assert 1 <= time.waits[1][0] <= 1.1


def test_impatience_counts_over_all_pauses_of_a_call(pace: Pace, time: Any) -> None:
    patience = Patience(60)
    refuse(pace, patience)
    refuse(pace, patience)
    refuse(pace, patience)
    before = time.now
    assert pace.enter(patience) is None, "10 + 20 + 40 seconds are more than 60"
    assert time.now == before, "nothing is waited for in vain"


def test_a_call_stays_patient_while_others_get_through(pace: Pace) -> None:
    patience = Patience(25)
    for _ in range(10):
        refuse(pace, patience)
        pace.answered()
    assert pace.enter(patience) is not None


def test_the_end_of_the_run_is_the_end_of_waiting(time: Any) -> None:
    pace = Pace(time.clock, Naps(time.sleep, None), 5)
    refuse(pace)
    with pytest.raises(OutOfTime):
        pace.enter(Patience(math.inf))
    assert time.now == 1000, "nothing is waited for in vain"
    with pytest.raises(OutOfTime):
        Pace(time.clock, Naps(time.sleep, None), 0).enter(Patience(math.inf))
    assert pace.enter(Patience(math.inf, overtime=30)) is not None, "what has begun is finished"
    assert time.now >= 1010
    time.sleep(30)
    with pytest.raises(OutOfTime):
        pace.enter(Patience(math.inf, overtime=30))


def test_a_gate_that_is_closed_again_during_the_pause_is_waited_for_again(time: Any) -> None:
    closed_again: list[float] = []

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if not closed_again:
            closed_again.append(time.now)
            gate.throttled(1, 100)

    gate = Pace(time.clock, Naps(sleep, None), None)
    refuse(gate)
    gate.enter(Patience(math.inf))
    assert time.now >= closed_again[0] + 100


def test_stop_ends_a_pause_at_once(time: Any) -> None:
    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        naps.stop()

    naps = Naps(sleep, None)
    pace = Pace(time.clock, naps, None)
    refuse(pace)
    with pytest.raises(Stopped) as caught:
        pace.enter(Patience(math.inf))
    assert time.now - 1000 < 1
    assert caught.value.exit_code == 130
    with pytest.raises(Stopped):
        naps.nap(0)


NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("Tue, 24 Nov 2026 12:01:30 GMT", 90),
        ("Tue, 24 Nov 2026 12:01:30 -0000", 90),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_survived(header: str) -> None:
    assert (retry_after(header) or 0) >= 0
