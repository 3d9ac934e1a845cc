"""How long to wait, and how all threads of a client wait together."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

from reconciler.api.problems import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_PAUSE: Final = 10.0  # seconds: NetBird refills 6 requests a minute unless told otherwise, and does not say so
LONGEST_PAUSE: Final = 60.0
SHORTEST_PAUSE: Final = 1.0
_JITTER: Final = 0.1
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
        total: Seconds that it has waited.
        waited: Likewise, since something last got through.
        answers: How many requests of all threads had got through by then.
    """

    limit: float
    total: float = 0.0
    waited: float = 0.0
    answers: int = 0


class Pace:
    """The gate that all requests of a client pass; a 429 closes it for all of them.

    NetBird's limiter is a bucket of tokens: what is refused costs nothing, and what is not used during a pause is there after
    it. So after a pause requests go at full speed until the next 429, and no rate has to be guessed; a pause after which
    nothing got through doubles the next one.
    """

    def __init__(self, clock: Callable[[], float], naps: Naps, max_run_time: float | None) -> None:
        self._clock = clock
        self._naps = naps
        self._end = math.inf if max_run_time is None else clock() + max_run_time
        self._lock = Lock()
        self._opens = -math.inf
        self._closings = 0
        self._answers = 0
        self._pause = FIRST_PAUSE

    @property
    def time_left(self) -> float:
        """Seconds until the time of the run is over; negative afterwards."""
        return self._end - self._clock()

    def enter(self, patience: Patience) -> int | None:
        """Wait until a request may go.

        Returns:
            How often the gate had been closed, for `throttled`; None if the wait would be too long, or the run's time is over.

        Raises:
            Stopped: The client was stopped.
        """
        passed = -math.inf
        while self.time_left > 0:
            with self._lock:
                opens, closings, answers = self._opens, self._closings, self._answers
            wait = opens - self._clock()
            if wait <= 0 or opens == passed:
                return closings
            if answers != patience.answers:
                patience.answers, patience.waited = answers, 0.0
            if patience.waited + wait > patience.limit or wait > self.time_left:
                return None
            self._naps.nap(wait)
            patience.total += wait
            patience.waited += wait
            passed = opens
        return None

    def throttled(self, closings: int, asked: float | None) -> None:
        """Close the gate after a 429.

        Args:
            closings: What `enter` returned for the refused request. Those that were under way together close the gate once.
            asked: Seconds, if the server said how long.
        """
        with self._lock:
            if closings != self._closings:
                return
            pause = self._pause if asked is None else max(asked, SHORTEST_PAUSE)
            pause *= 1 + random.uniform(0, _JITTER)  # noqa: S311 - jitter, no secret
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._closings += 1
            self._opens = self._clock() + pause
        self._naps.announce(pause, "the server's rate limit")

    def answered(self) -> None:
        """Note that the limiter let a request through."""
        with self._lock:
            self._answers += 1
            self._pause = FIRST_PAUSE
