"""What JSON Schema says of a type or a model, in the words of JSON Schema; the validators beside it say the same.

Patterns are written without anchors, in what the regular expressions of Python, ECMAScript and Rust have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JsonSchema = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What the values of a type look like.

    Attributes:
        name: of its definition; types without one are written out where they stand.
        pattern: of the whole text.
        hint: what to tell a person whose text is another.
        examples: of what an editor may offer.
        keywords: whatever else JSON Schema can say of it.
    """

    name: str = ""
    pattern: str = ""
    hint: str = ""
    examples: tuple[str, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A type as the files write it, where validators turn that into something else first."""

    type: Any


SOME = Shape(keywords={"minItems": 1})
"""A list that is not empty."""

_FILLED: JsonSchema = {"not": {"enum": [None, []]}}


def _has(name: str) -> JsonSchema:
    return {"required": [name], "properties": {name: _FILLED}}


def exactly_one(*names: str) -> JsonSchema:
    """One of these keys has a value, the others have none."""
    return {"oneOf": [_has(name) for name in names]}


def at_least_one(*names: str) -> JsonSchema:
    """Some of these keys have a value."""
    return {"anyOf": [_has(name) for name in names]}


def only_with(name: str, other: str) -> JsonSchema:
    """The first of these keys stands only beside the second."""
    return {"dependencies": {name: [other]}}


def where(name: str, value: Any, then: JsonSchema) -> JsonSchema:
    """What holds where a key has this value."""
    return {"if": {"required": [name], "properties": {name: {"const": value}}}, "then": then}


_LITERAL = r"[^$]|\$(?!\$?\{)|\$\$\{"
_INSIDE = r"(?:[^}$]|\$(?!\{))"
REFERENCE = rf"\$\{{(?:(?:var|file):{_INSIDE}+|env:[A-Za-z_][A-Za-z0-9_]*(?::-{_INSIDE}*)?)\}}"
"""A value from elsewhere, and nothing else."""

VARIABLE = rf"\$\{{var:{_INSIDE}+\}}"
"""A variable, which can be a list or a mapping."""

TEMPLATE = rf"(?:{_LITERAL})*{REFERENCE}(?:{_LITERAL}|{REFERENCE})*"
"""Text with values from elsewhere in it."""

ANY_TEXT = rf"(?:{_LITERAL}|{REFERENCE})"
"""A piece of text, with or without values from elsewhere."""

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4 = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
_H = r"[0-9A-Fa-f]{1,4}"
_LAST_32 = rf"(?:{_H}:{_H}|{IPV4})"


def _shortened(before: int, after: str) -> str:
    """An IPv6 address with `::` after at most so many groups."""
    return rf"(?:(?:{_H}:){{0,{before - 1}}}{_H})?::{after}" if before else rf"::{after}"


_ENDS = [*(rf"(?:{_H}:){{{5 - n}}}{_LAST_32}" for n in range(6)), _H, ""]
IPV6 = rf"(?:(?:{_H}:){{6}}{_LAST_32}|{'|'.join(_shortened(*pair) for pair in enumerate(_ENDS))})"
BITS4, BITS6 = r"(?:3[0-2]|[12]?[0-9])", r"(?:12[0-8]|1[01][0-9]|[1-9]?[0-9])"
CIDR4, CIDR6 = rf"{IPV4}/{BITS4}", rf"{IPV6}/{BITS6}"

LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
DOMAIN = rf"(?:{LABEL}\.)*{LABEL}"
VERSION = r"v?[0-9]+(?:\.[0-9]+)*(?:-[0-9A-Za-z.~-]+)?(?:\+[0-9A-Za-z.~-]+)?"
DURATION = r"(?=[^1-9]*[1-9])(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?"
COUNTRY = "[A-Z]{2}"
_TO_65535 = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
PORT = rf"(?=[0-9]{{1,5}}(?![0-9]))0*{_TO_65535}"
PORTS = rf"{PORT}(?:-{PORT})?"
