"""Text as Go's strings, strconv and fmt treat it."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

_NAMED_ESCAPES: Final = dict(
    zip('\a\b\f\n\r\t\v"\\', ("\\a", "\\b", "\\f", "\\n", "\\r", "\\t", "\\v", '\\"', "\\\\"), strict=True)
)
_STRAY_BYTE: Final = re.compile("[\udc80-\udcff]")
_FIRST_EXPONENT: Final = 1_000_000
_END_OF_ASCII: Final = 0x80
_END_OF_PLANE: Final = 0x10000


def from_utf8(data: bytes) -> str:
    """The text in UTF-8 bytes; each byte that belongs to no character becomes a U+FFFD of its own."""
    return _STRAY_BYTE.sub("\ufffd", data.decode("utf-8", "surrogateescape"))


def lowered(text: str) -> str:
    """Lower case, letter by letter: a final sigma is a sigma like any other, and a dotted I becomes a plain i."""
    return text.lower() if text.isascii() else "".join(character.lower()[0] for character in text)


def folded(text: str) -> str:
    """What texts have in common that differ in letter case only (Go's ``EqualFold``)."""
    return "".join(letter if len(letter := character.casefold()) == 1 else character for character in text)


def quoted(text: str) -> str:
    """The text in double quotes, with what cannot be printed escaped (``%q``)."""
    return f'"{"".join(_escaped(character) for character in text)}"'


def number_text(number: int) -> str:
    """An integer that has been through JSON, rendered with ``%v``: with an exponent from a million on."""
    if abs(number) < _FIRST_EXPONENT:
        return str(number)
    sign, digits, exponent = Decimal(repr(float(number))).normalize().as_tuple()
    assert isinstance(exponent, int), number
    first, *rest = map(str, digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' * sign}{mantissa}e+{len(rest) + exponent:02}"


def bool_text(value: object) -> str:
    """``true`` or ``false``, as ``%v`` renders a bool."""
    return "true" if value else "false"


def list_text(items: Sequence[str] | None) -> str:
    """A list rendered with ``%v``: blanks between its items, ``<nil>`` for none at all."""
    return "<nil>" if items is None else f"[{' '.join(items)}]"


def _escaped(character: str) -> str:
    if character in _NAMED_ESCAPES:
        return _NAMED_ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < _END_OF_ASCII:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _END_OF_PLANE else f"\\U{code:08x}"
