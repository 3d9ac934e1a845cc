"""The server's rate limit: found out from refusals alone, and kept to."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from reconciler.api.pacing import Naps, Pace, Patience
from reconciler.api.rate import Rate
from reconciler.simulator.ratelimit import Buckets

LATENCY = 0.03


@pytest.fixture(autouse=True)
def _same_jitter_each_time() -> None:
    random.seed(1)


class Server:
    """A limiter as the server's, by the test's time."""

    def __init__(self, time: Any, per_minute: float, burst: int) -> None:
        self._time = time
        self._buckets = Buckets(self, per_minute, burst)  # type: ignore[arg-type]
        self.refused = 0

    def now(self) -> int:
        return round(self._time.now * 1e9)

    def takes(self) -> bool:
        self._time.sleep(LATENCY)
        taken = self._buckets.take("token")
        self.refused += not taken
        return taken


def work(pace: Pace, server: Server, calls: int, asked: float | None = None) -> None:
    for _ in range(calls):
        patience = Patience(math.inf)
        while True:
            closings = pace.enter(patience)
            assert closings is not None
            if server.takes():
                pace.answered()
                break
            pace.throttled(closings, asked)


@pytest.mark.parametrize("per_minute", [1, 3, 6, 7, 12, 30, 60, 120, 600])
def test_any_rate_is_found_and_used_to_the_full_with_few_refusals(per_minute: int, time: Any) -> None:
    told: list[float] = []
    pace = Pace(time.clock, Naps(time.sleep, None), None, lambda rate: told.append(60 / rate.interval))
    server = Server(time, per_minute, 500)
    started = time.now
    work(pace, server, 600)
    least = (600 - 500) * 60 / per_minute
    assert least - 60 / per_minute <= time.now - started <= max(1.1 * least, 600 * LATENCY + 20)
    assert server.refused <= 10
    assert per_minute in (6, 600) or per_minute == pytest.approx(told[-1], rel=0.3)


def test_six_hundred_requests_at_six_a_minute_after_five_hundred_take_a_thousand_seconds(time: Any) -> None:
    told: list[tuple[float, bool]] = []
    pace = Pace(
        time.clock, Naps(time.sleep, time.on_wait), None, lambda rate: told.append((rate.interval, rate.is_known))
    )
    server = Server(time, 6, 500)
    started = time.now
    work(pace, server, 600)
    assert 990 <= time.now - started <= 1030
    assert len(time.waits) == server.refused <= 8
    assert told == [(10, False), (10, True)]


def test_a_limit_that_is_gone_slows_nobody_for_long(time: Any) -> None:
    pace = Pace(time.clock, Naps(time.sleep, None), None)
    work(pace, Server(time, 6, 1), 30)
    started = time.now
    work(pace, Server(time, 6000, 5000), 2000)
    assert time.now - started < 700


def test_a_server_that_says_when_is_asked_again_then_and_soon_at_full_speed(time: Any) -> None:
    pace = Pace(time.clock, Naps(time.sleep, time.on_wait), None)
    server = Server(time, 60, 10)
    started = time.now
    work(pace, server, 100, asked=5)
    assert time.waits[0][0] >= 5
    assert time.now - started <= 120


def test_only_what_changes_the_forecast_is_news() -> None:
    rate = Rate()
    rate.refused(0, None)
    assert (rate.is_news(), rate.is_news()) == (True, False)
    rate.answered()
    rate.refused(12, None)
    assert (rate.interval, rate.is_known, rate.is_news()) == (10, True, True), "known is more than thought"
    rate.answered()
    rate.refused(22, None)
    assert not rate.is_news()
    rate.refused(32, None)
    assert (rate.interval, rate.is_news()) == (20, True)
