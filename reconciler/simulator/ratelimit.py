"""Token buckets, as golang.org/x/time/rate keeps them."""

from .clock import SECOND, Clock, Nanoseconds


class Buckets:
    """One bucket for each key, full at first.

    Args:
        clock: The simulated time, by which they refill.
        per_minute: Tokens that a bucket gains in a minute.
        burst: Tokens that a full bucket holds.
    """

    def __init__(self, clock: Clock, per_minute: float, burst: int) -> None:
        self._clock = clock
        self._per_nanosecond = per_minute / (60 * SECOND)
        self._burst = burst
        self._levels: dict[str, tuple[float, Nanoseconds]] = {}

    def take(self, key: str) -> bool:
        """Take one token out of the key's bucket; False if it holds less than one, which then costs nothing."""
        now = self._clock.now()
        level, since = self._levels.get(key, (float(self._burst), now))
        level = min(self._burst, level + (now - since) * self._per_nanosecond)
        allowed = level >= 1
        self._levels[key] = (level - 1 if allowed else level, now)
        return allowed
