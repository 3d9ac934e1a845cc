"""What stands inside of `${…}`."""

from __future__ import annotations

import re
from typing import NamedTuple

_PIECE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_ENVIRONMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class Reference(NamedTuple):
    """One interpolation: the source is `var`, `env` or `file`; only `env` has defaults."""

    source: str
    name: str
    default: str | None = None


class Malformed(Exception):
    """Something that begins like an interpolation and is none."""


def pieces(text: str) -> list[str | Reference]:
    """Return `text` cut into literal text and references, in order; no piece is empty.

    Raises:
        Malformed: a `${` that is not closed, or does not say what it refers to.
    """
    found: list[str | Reference] = []
    end = 0
    for match in _PIECE.finditer(text):
        found += [text[end : match.start()], _piece(match)]
        end = match.end()
    return [piece for piece in (*found, text[end:]) if piece]


def _piece(match: re.Match[str]) -> str | Reference:
    inner, closed = match.groups()
    if inner is None:
        return "${"
    if not closed:
        raise Malformed("`${` is never closed")
    if "${" in inner:
        raise Malformed(f"{match[0]} holds another interpolation")
    return _reference(inner)


def _reference(inner: str) -> Reference:
    source, _, name = inner.partition(":")
    if source not in {"var", "env", "file"} or not name:
        raise Malformed(f"${{{inner}}} says neither var:NAME nor env:NAME nor file:PATH")
    if source != "env":
        return Reference(source, name)
    match = _ENVIRONMENT.fullmatch(name)
    if match is None:
        raise Malformed(f"${{{inner}}} names no environment variable")
    return Reference(source, match[1], match[2])
