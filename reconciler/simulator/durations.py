"""Durations as Go writes and reads them (`1h30m0s`); the unit here is the nanosecond."""

import re
from typing import Final

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,  # U+03BC, the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_SECOND: Final = _UNITS["s"]
_MAX: Final = 2**63 - 1
_PART: Final = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)")


class DurationError(ValueError):
    """A text that is no duration; the message is Go's own."""


def parse(text: str) -> int:
    """Nanoseconds of a Go duration such as `-1.5h` or `90m`.

    Raises:
        DurationError: with Go's wording for a missing or unknown unit, and for anything else that is no duration.
    """
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not rest:
        raise DurationError(f"time: invalid duration {quoted(text)}")
    total = 0
    while rest:
        value, rest = _part(rest, text)
        total += value
        if total > _MAX + (sign < 0):
            raise DurationError(f"time: invalid duration {quoted(text)}")
    return sign * total


def _part(rest: str, whole: str) -> tuple[int, str]:
    """The first number with its unit in nanoseconds, and what follows it."""
    found = _PART.match(rest)
    assert found is not None
    digits, dot, fraction, unit = found.group(1), found.group(2), found.group(3) or "", found.group(4)
    if not (digits or (dot and fraction)):
        raise DurationError(f"time: invalid duration {quoted(whole)}")
    if not unit:
        raise DurationError(f"time: missing unit in duration {quoted(whole)}")
    if unit not in _UNITS:
        raise DurationError(f"time: unknown unit {quoted(unit)} in duration {quoted(whole)}")
    scale = _UNITS[unit]
    value = int(digits or "0") * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)
    return value, rest[found.end() :]


def quoted(text: str) -> str:
    """The text as Go's package time quotes it: byte by byte outside printable ASCII."""
    return '"' + "".join(_escaped(byte) for byte in text.encode()) + '"'


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x80 else f"\\x{byte:02x}"  # noqa: PLR2004 - the bounds of ASCII


def render(nanoseconds: int) -> str:
    """A duration in Go's canonical form: `0s`, `1.5ms`, `1m0s`, `1h30m0s`."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < _SECOND:
        unit = next(u for u in ("ms", "µs", "ns") if rest >= _UNITS[u])
        return f"{sign}{_decimal(rest, _UNITS[unit])}{unit}"
    minutes, rest = divmod(rest, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_decimal(rest, _SECOND)}s"


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    digits = len(str(scale)) - 1
    fraction = f"{rest:0{digits}d}".rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)
