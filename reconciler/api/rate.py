"""How fast the server's rate limit lets requests through, as far as it has shown it: NetBird itself never says."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

USUAL: Final = 10.0  # seconds between two requests: NetBird refills 6 a minute unless told otherwise
LONGEST: Final = 60.0
LONGEST_WAIT: Final = 86400.0  # seconds; a server that asks for more does not mean this run
SHORTEST_PAUSE: Final = 1.0
_JITTER: Final = 0.1
_SEARCHING: Final = 0.5
_PROBING: Final = 0.995
_SURPRISING: Final = 50  # answers without a refusal: a bucket that is as slow as thought would have been empty by then
_NEWS: Final = 0.15


@dataclass(frozen=True, slots=True)
class Limit:
    """What a client that has met the limit can say of the time to come.

    Attributes:
        interval: Seconds that one request takes.
        is_known: The server has shown it; otherwise it is what a NetBird server has unless its operator says otherwise.
        calls: How many requests are still to come, as far as that is known.
        time_left: Seconds until the run has to be over.
    """

    interval: float
    is_known: bool
    calls: int
    time_left: float


class Rate:
    """An estimate of a token bucket's refill, made from when it was found empty.

    Between two refusals the bucket has gained as many tokens as requests got through, give or take one. A refusal costs no
    token, and what is not used during a pause is there after it. So requests go evenly at the rate that was measured, a little
    faster with each, until a refusal measures it anew; that costs a twentieth of refusals and next to no time.

    Attributes:
        interval: Seconds between two requests; 0 while no limit has been met.
        is_known: It was measured.
    """

    def __init__(self) -> None:
        self.interval = 0.0
        self.is_known = False
        self._answers = 0
        self._since = 0.0
        self._told = (0.0, False)

    def answered(self) -> None:
        """Note that a request got through."""
        self._answers += 1
        is_wrong = not self.is_known or self._answers > _SURPRISING
        self.interval *= _SEARCHING if is_wrong else _PROBING

    def refused(self, now: float, asked: float | None) -> float:
        """Note that a request was refused, and return for how many seconds the next one should wait.

        Args:
            now: Seconds, by a monotonic clock.
            asked: Seconds, if the server said how long.
        """
        if not self.interval:
            self.interval = USUAL if asked is None else min(max(asked, SHORTEST_PAUSE), USUAL)
        elif self._answers:
            self.interval = _measured(self._answers, now - self._since)
            self.is_known = True
        else:
            self.interval = min(2 * self.interval, LONGEST)
        self._since, self._answers = now, 0
        pause = self.interval if asked is None else max(asked, SHORTEST_PAUSE)
        return pause * (1 + random.uniform(0, _JITTER))  # noqa: S311 - jitter, no secret

    def is_news(self) -> bool:
        """Whether the estimate differs from what it was when this was last true."""
        interval, was_known = self._told
        if was_known == self.is_known and abs(self.interval - interval) <= _NEWS * interval:
            return False
        self._told = (self.interval, self.is_known)
        return True


def _measured(answers: int, seconds: float) -> float:
    """Seconds for one request; the usual ones as long as what was counted does not speak against them."""
    return USUAL if abs(answers - seconds / USUAL) < 1 else min(seconds / answers, LONGEST)
