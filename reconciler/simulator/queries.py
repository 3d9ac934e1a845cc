"""What the long lists have in common: query parameters, pages, and SQL's LIKE."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from .store import Row
from .text import from_utf8

DEFAULT_SIZE: Final = 50
MAX_SIZE: Final = 100
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_MAX_INT: Final = (1 << 63) - 1


def values(query: bytes, name: str) -> list[str]:
    """The values of a query parameter, as Go's net/url reads them: what has a ``;`` or a broken escape is dropped."""
    pairs = (pair.replace(b"+", b" ") for pair in query.split(b"&"))
    parts = [pair.partition(b"=") for pair in pairs if b";" not in pair and not _BROKEN_ESCAPE.search(pair)]
    return [from_utf8(unquote_to_bytes(value)) for key, _, value in parts if from_utf8(unquote_to_bytes(key)) == name]


def positive(text: str) -> int | None:
    """A positive whole number, as Go's strconv.Atoi reads it; None for anything else."""
    if not _INTEGER.fullmatch(text):
        return None
    return int(text) if 0 < int(text) <= _MAX_INT else None


def page(rows: Sequence[Row], number: str, size: str) -> Row:
    """One page of a list, with where it stands in the whole.

    Args:
        rows: All that were found, in order.
        number: ``page`` as the client gave it; the first one if it is unusable.
        size: ``page_size`` likewise; 50 if it is unusable, 100 if it is more.
    """
    place, length = positive(number) or 1, min(positive(size) or DEFAULT_SIZE, MAX_SIZE)
    first = (place - 1) * length
    return {
        "data": list(rows[first : first + length]),
        "page": place,
        "page_size": length,
        "total_records": len(rows),
        "total_pages": -(-len(rows) // length),
    }


def ordered(rows: list[Row], keys: Sequence[str], *, ascending: bool) -> list[Row]:
    """The rows by these fields; those that are equal stay as they are, by default (``timestamp``) the last one first."""
    latest_first = tuple(keys) == ("timestamp",) and not ascending
    return sorted(
        reversed(rows) if latest_first else rows, key=lambda row: [row[key] for key in keys], reverse=not ascending
    )


def like(pattern: str, text: str) -> bool:
    """Whether SQLite's ``text LIKE pattern`` is true: ``%`` is any text, ``_`` any character, ASCII in any case."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    translated = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    return re.compile(translated, re.DOTALL | re.IGNORECASE | re.ASCII)


def without_blanks(values: dict[str, Any]) -> Row:
    """The entries that have a value: optional texts and lists are left out of answers when they are empty."""
    return {key: value for key, value in values.items() if value}
