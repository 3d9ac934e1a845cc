"""The scalars of YAML 1.2's core schema: what a plain scalar means.

Only what the core schema lists is typed. `NO`, `on`, `yes`, dates, `1_000` and `12:30:45` are text, and `010` is the integer 10.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(NULLS),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + text: float(sign + "inf") for sign in ("", "+", "-") for text in (".inf", ".Inf", ".INF")},
}
_FIRST = frozenset("0123456789+-.tTfFnN~")
# Longer numbers are text: Python refuses to print them, and no field holds them.
_INTEGER = re.compile(r"[-+]?[0-9]{1,1000}")
_PREFIXED = re.compile(r"0o[0-7]{1,1000}|0x[0-9a-fA-F]{1,1000}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def plain(text: str) -> Scalar:
    """Return the value of a plain scalar."""
    if not text:
        return None
    if text[0] not in _FIRST:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return _number(text)


def _number(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


class Text(str):
    """A scalar with the tag `!!str`: text, whatever its interpolation looks like."""

    __slots__ = ()


_TYPES: dict[str, tuple[type, ...]] = {
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (float, int),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
}


def tagged(tag: str, text: str) -> Scalar:
    """Return the value of a scalar with one of the core tags.

    Raises:
        KeyError: the tag is not a core tag of scalars.
        ValueError: the text is not what the tag says.
    """
    if tag in {"!", "tag:yaml.org,2002:str"}:
        return Text(text) if "$" in text else text
    types = _TYPES[tag]
    value = plain(text)
    if type(value) not in types:
        raise ValueError(text)
    return float(value) if float in types and value is not None else value
