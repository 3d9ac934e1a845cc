"""What the server's rate limit means for the rest of a run, in words."""

from __future__ import annotations

import math
from typing import Final

from reconciler.api.rate import Limit

_MANY: Final = 100  # of a unit: from here on the next one says enough
_FEW: Final = 2


def forecast(limit: Limit) -> str:
    """One line: how fast the server lets requests through, how long the rest takes, and whether there is time for it."""
    if limit.is_known:
        return f"the server lets {_pace(limit.interval)} through{_rest(limit)}"
    return (
        f"the server's rate limit is reached; if it lets NetBird's usual {_pace(limit.interval)} through{_rest(limit)}"
    )


def _pace(interval: float) -> str:
    a_minute = 60 / interval
    number = round(a_minute) if a_minute >= _FEW else round(a_minute, 1)
    return f"{number:g} request{'' if number == 1 else 's'} a minute"


def _rest(limit: Limit) -> str:
    if not limit.calls:
        return ""
    seconds = limit.calls * limit.interval
    left = "1 call is left" if limit.calls == 1 else f"{limit.calls} calls are left"
    return f": {left}, about {_length(seconds)}{_end(limit) if seconds > limit.time_left else ''}"


def _end(limit: Limit) -> str:
    fit = max(0, math.floor(limit.time_left / limit.interval))
    after = "the next one" if not fit else f"about {fit} of them"
    return f"; --timeout ends the run before that, {'before' if not fit else 'after'} {after}"


def _length(seconds: float) -> str:
    if seconds < _MANY:
        return _counted(math.ceil(seconds), "second")
    if seconds < _MANY * 60:
        return _counted(round(seconds / 60), "minute")
    return _counted(round(seconds / 3600, 1), "hour")


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit}{'' if number == 1 else 's'}"
