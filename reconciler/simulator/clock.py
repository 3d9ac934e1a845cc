"""The simulated time: the machine's clock plus whatever the ``time_passes`` events have added."""

import time
from datetime import UTC, datetime

Nanoseconds = int
SECOND: Nanoseconds = 1_000_000_000
DAY: Nanoseconds = 86_400 * SECOND
_SIGN = 1 << 63
NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time, as the API shows a moment that has not come (``last_login``, ``last_used``, ``expires``)."""


class Clock:
    """Nanoseconds since 1970, never the same twice.

    Attributes:
        offset: Nanoseconds that events have added to the machine's clock.
    """

    def __init__(self) -> None:
        self.offset: Nanoseconds = 0
        self._last: Nanoseconds = 0

    def now(self) -> Nanoseconds:
        """The time, later than every time given before (events and ids are ordered by it)."""
        self._last = max(time.time_ns() + self.offset, self._last + 1)
        return self._last

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self.offset += round(seconds * SECOND)


def of_seconds(seconds: int) -> Nanoseconds:
    """Seconds in nanoseconds as an int64 holds them: from 9223372037 on they come out as something else."""
    return (seconds * SECOND + _SIGN) % (2 * _SIGN) - _SIGN


def whole_seconds(given: int) -> int:
    """Seconds as they come back from a duration that was multiplied in floating point: beyond 292 years the least one."""
    product = float(SECOND) * float(given)
    duration = int(product) if abs(product) < _SIGN else -_SIGN
    whole, rest = divmod(abs(duration), SECOND)
    return int(whole + rest / SECOND) * (-1 if duration < 0 else 1)


def rfc3339(moment: Nanoseconds | None) -> str:
    """The moment as Go writes it: UTC, trailing zeros of the fraction left out; None is Go's zero time."""
    if moment is None:
        return NEVER
    seconds, fraction = divmod(moment, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"
