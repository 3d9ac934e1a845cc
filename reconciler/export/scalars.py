"""Scalars of YAML: plain where the loader reads the very same text from it and a person sees all of it, else quoted."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from reconciler.load.scalars import plain

_SIMPLE = re.compile(r"[A-Za-z0-9/][\w./@%+-]*(?: [\w(][\w./@%+()-]*)*", re.ASCII)
"""Text of words that is plain everywhere, unless it is a number or a constant."""
_RUNNERS_MARK = re.compile(r"##(?=\w*\[)")
_COMMAND = re.compile(rf"^\s*::|{_RUNNERS_MARK.pattern}", re.MULTILINE)
"""What a CI runner would take for a command where it sees it in a log: an export on stdout is in one."""
_BASIC_PLANE = 0xFFFF


def key_text(key: str, *, flow: bool = False) -> str:
    """A key. Keys are not interpolated."""
    return _text(key, flow)


def value_text(value: Any, *, flow: bool) -> str:
    """A scalar; text of which the loader takes nothing for an interpolation. `flow`: between brackets."""
    if isinstance(value, str):
        return _text(value.replace("${", "$${"), flow)
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


@lru_cache(maxsize=100_000)
def _text(text: str, flow: bool) -> str:
    if _SIMPLE.fullmatch(text) and isinstance(plain(text), str):
        return text
    if any(map(_is_hidden, text)) or _COMMAND.search(text):
        shown = "".join(_escaped(char) if _is_hidden(char) else char for char in _dumped_in_double_quotes(text))
        return _RUNNERS_MARK.sub(r"#\\x23", shown)
    # Between brackets some parsers trip over colons, as in fd00::/8, and over `? `, although YAML 1.2 lets them stand there.
    if not isinstance(plain(text), str) or (flow and (":" in text or text.startswith("?"))):
        return _quoted(text)
    return _emitted(text, flow)


def _emitted(text: str, flow: bool) -> str:
    """Text as ruamel writes it, but for the choice of quotes."""
    yaml = _writer()
    yaml.default_flow_style = flow
    found = _dumped(yaml, [text])
    found = found[1:-1] if flow else found.removeprefix("- ")
    return _quoted(text) if found.startswith("'") else found


def _quoted(text: str) -> str:
    """Text in double quotes, unless single ones spare backslashes."""
    if text.isprintable() and set(text) & set('"\\') and "'" not in text:
        return f"'{text}'"
    return _dumped_in_double_quotes(text)


def _dumped_in_double_quotes(text: str) -> str:
    return _dumped(_writer(), DoubleQuotedScalarString(text)).removesuffix("\n...")


def _is_hidden(char: str) -> bool:
    """It is no more than a mark, such as one that turns the direction of reading: two names could look alike.

    Or nobody knows what it is: a character of a later Unicode than this Python's.
    """
    return not char.isprintable() and char not in "\n\t" and unicodedata.category(char) != "Cc"


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04X}" if ord(char) <= _BASIC_PLANE else f"\\U{ord(char):08X}"


def _writer() -> YAML:
    yaml = YAML()
    yaml.width = 2**31
    return yaml


def _dumped(yaml: YAML, value: Any) -> str:
    stream = StringIO()
    yaml.dump(value, stream)
    return stream.getvalue().removesuffix("\n")
