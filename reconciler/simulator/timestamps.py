"""RFC 3339 times in query parameters, read as Go's package time reads them."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from .clock import SECOND, Nanoseconds
from .durations import quoted

LAYOUT: Final = "2006-01-02T15:04:05Z07:00"

_PARTS: Final = (
    ("", "2006", re.compile(r"[0-9]{4}"), None),
    ("-", "01", re.compile(r"[0-9]{2}"), ("month", 1, 12)),
    ("-", "02", re.compile(r"[0-9]{2}"), None),
    ("T", "15", re.compile(r"[0-9]{1,2}"), ("hour", 0, 23)),
    (":", "04", re.compile(r"[0-9]{2}"), ("minute", 0, 59)),
    (":", "05", re.compile(r"[0-9]{2}"), ("second", 0, 59)),
)
"""What stands before each part, the part in the layout, its form, and its name and range."""

_FRACTION: Final = re.compile(r"[.,]([0-9]+)")
_ZONE: Final = re.compile(r"Z|(.)([0-9]{2}):([0-9]{2})", re.DOTALL)
_MAX_ZONE_HOUR: Final = 24
_MAX_ZONE_MINUTE: Final = 60
_NANO_DIGITS: Final = 9


class TimestampError(ValueError):
    """A text that is no RFC 3339 time; the message is Go's."""


class Timestamp(NamedTuple):
    """A moment, and how far the clock that it was read from is ahead of UTC (seconds)."""

    nanoseconds: Nanoseconds
    offset: int

    def stored(self) -> str:
        """The text that the database compares: the clock's own time and its offset, not UTC."""
        return stored(self.nanoseconds, self.offset)


def stored(moment: Nanoseconds, offset: int = 0) -> str:
    """A time as the database keeps it, ``2026-11-24 06:40:00.5+00:00``."""
    seconds, fraction = divmod(moment + offset * SECOND, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(sep=" ")
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    minutes = abs(offset) // 60
    return f"{text}{digits}{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def parse(given: str) -> Timestamp:
    """The moment in a text.

    Raises:
        TimestampError: with Go's wording of what does not fit.
    """
    fail = _failures(given)
    rest, numbers = given, []
    for before, layout, form, limits in _PARTS:
        if not rest.startswith(before):
            raise fail(rest, before)
        rest = rest[len(before) :]
        found = form.match(rest)
        if found is None:
            raise fail(rest, layout)
        rest = rest[found.end() :]
        numbers.append(int(found.group()))
        if limits and not limits[1] <= numbers[-1] <= limits[2]:
            raise _out_of_range(given, limits[0])
    fraction, rest = _fraction(rest)
    offset, rest = _offset(given, rest, fail)
    if rest:
        raise TimestampError(f"parsing time {quoted(given)}: extra text: {quoted(rest)}")
    year, month, day, hour, minute, second = numbers
    if not 1 <= day <= calendar.monthrange(max(year, 1), month)[1]:
        raise _out_of_range(given, "day")
    seconds = calendar.timegm((max(year, 1), month, day, hour, minute, second))
    return Timestamp((seconds - offset) * SECOND + fraction, offset)


def _failures(given: str) -> Callable[[str, str], TimestampError]:
    def fail(rest: str, layout: str) -> TimestampError:
        text = f"parsing time {quoted(given)} as {quoted(LAYOUT)}: cannot parse {quoted(rest)} as {quoted(layout)}"
        return TimestampError(text)

    return fail


def _out_of_range(given: str, name: str) -> TimestampError:
    return TimestampError(f"parsing time {quoted(given)}: {name} out of range")


def _fraction(rest: str) -> tuple[Nanoseconds, str]:
    """A fraction of a second, which any number of digits may give, and what follows it."""
    found = _FRACTION.match(rest)
    if found is None:
        return 0, rest
    return int(found.group(1)[:_NANO_DIGITS].ljust(_NANO_DIGITS, "0")), rest[found.end() :]


def _offset(given: str, rest: str, fail: Callable[[str, str], TimestampError]) -> tuple[int, str]:
    found = _ZONE.match(rest)
    if found is None or (found.group() != "Z" and found.group(1) not in "+-"):
        raise fail(rest, "Z07:00")
    if found.group() == "Z":
        return 0, rest[1:]
    hours, minutes = int(found.group(2)), int(found.group(3))
    if hours > _MAX_ZONE_HOUR:
        raise _out_of_range(given, "time zone offset hour")
    if minutes > _MAX_ZONE_MINUTE:
        raise _out_of_range(given, "time zone offset minute")
    seconds = (hours * 60 + minutes) * 60
    return -seconds if found.group(1) == "-" else seconds, rest[found.end() :]
