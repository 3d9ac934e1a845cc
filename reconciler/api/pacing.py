"""How long to wait, and how all threads of a client wait together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

from reconciler.api.problems import OutOfTime, Stopped
from reconciler.api.rate import LONGEST_WAIT, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

_SLICE: Final = 0.25


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number or an HTTP date; None where it says neither."""
    if not header:
        return None
    digits = header.strip()
    if digits.isascii() and digits.isdigit():
        return float(digits)
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds())


class Naps:
    """Every wait of a client: announced through `on_wait(seconds, reason)`, and ended by `stop`."""

    def __init__(self, sleep: Callable[[float], None], on_wait: Callable[[float, str], None] | None) -> None:
        self._sleep = sleep
        self._on_wait = on_wait
        self._stopped = False

    def stop(self) -> None:
        """End all waits, present and future; may be called from a signal handler, as it takes no lock."""
        self._stopped = True

    def announce(self, seconds: float, reason: str) -> None:
        """Tell the one who watches that nothing will happen for `seconds`."""
        if self._on_wait:
            self._on_wait(seconds, reason)

    def nap(self, seconds: float) -> None:
        """Wait, in slices short enough for `stop` to be noticed.

        Raises:
            Stopped: `stop` was called. The request that would have come next was not sent.
        """
        while seconds > 0 and not self._stopped:
            self._sleep(min(seconds, _SLICE))
            seconds -= _SLICE
        if self._stopped:
            raise Stopped


@dataclass(slots=True)
class Patience:
    """How long one call waits for the rate limit.

    Attributes:
        limit: Seconds that it waits at most while nothing gets through, of no thread.
        overtime: Seconds that it may go on after the end of the run.
        total: Seconds that it has waited.
        waited: Likewise, since something last got through.
        answers: How many requests of all threads had got through by then.
    """

    limit: float
    overtime: float = 0.0
    total: float = 0.0
    waited: float = 0.0
    answers: int = 0


class Pace:
    """The gate that all requests of a client pass: it opens for one at a time once a 429 has shown that there is a limit.

    Args:
        clock: Seconds, monotonic.
        naps: How to wait.
        max_run_time: Seconds until the end of the run; None: it has none.
        on_limit: Told when the limit is met, and when what is known of it has changed.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        naps: Naps,
        max_run_time: float | None,
        on_limit: Callable[[Rate], None] | None = None,
    ) -> None:
        self._clock = clock
        self._naps = naps
        self._max_run_time = max_run_time
        self._end = math.inf if max_run_time is None else clock() + max_run_time
        self._on_limit = on_limit
        self._lock = Lock()
        self._rate = Rate()
        self._opens = -math.inf
        self._entered = -math.inf
        self._closings = 0
        self._answers = 0

    @property
    def is_limited(self) -> bool:
        """Whether the server's rate limit has been met, and requests wait for it."""
        return self._rate.interval > 0

    @property
    def time_left(self) -> float:
        """Seconds until the time of the run is over; negative afterwards."""
        return self._end - self._clock()

    def enter(self, patience: Patience) -> int | None:
        """Wait until a request may go.

        Returns:
            How often the gate had been closed, for `throttled`; None if the wait would be too long.

        Raises:
            OutOfTime: The time of the run is over, or would be after the wait.
            Stopped: The client was stopped.
        """
        passed = -math.inf
        while True:
            with self._lock:
                now = self._clock()
                opens = max(self._opens, self._entered + self._rate.interval)
                closings, answers = self._closings, self._answers
                wait = 0.0 if opens == passed else opens - now
                if wait <= 0:
                    self.require_time(patience)
                    self._entered = now
                    return closings
            if answers != patience.answers:
                patience.answers, patience.waited = answers, 0.0
            if patience.waited + wait > patience.limit or wait > LONGEST_WAIT:
                return None
            self.require_time(patience, wait)
            self._naps.nap(wait)
            patience.total += wait
            patience.waited += wait
            passed = opens

    def require_time(self, patience: Patience, wait: float = 0.0) -> None:
        """See that the time of the run, with a call's overtime, is not over after a wait of some seconds.

        Raises:
            OutOfTime: It is.
        """
        if self.time_left + patience.overtime <= wait:
            raise OutOfTime(self._max_run_time or 0.0, wait)

    def throttled(self, closings: int, asked: float | None) -> None:
        """Close the gate after a 429.

        Args:
            closings: What `enter` returned for the refused request. Those that were under way together close the gate once.
            asked: Seconds, if the server said how long.
        """
        with self._lock:
            if closings != self._closings:
                return
            now = self._clock()
            pause = self._rate.refused(now, asked)
            self._closings += 1
            self._opens = now + pause
            is_news = self._rate.is_news()
        if is_news and self._on_limit:
            self._on_limit(self._rate)
        if pause <= LONGEST_WAIT:
            self._naps.announce(pause, "the server's rate limit")

    def answered(self) -> None:
        """Note that the limiter let a request through."""
        with self._lock:
            self._answers += 1
            self._rate.answered()
