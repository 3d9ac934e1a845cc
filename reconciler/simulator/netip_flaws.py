"""Why a text is no IP address or prefix, in the words of Go's net/netip, which reach clients inside 422 messages."""

import string
from typing import Final

from .text import quoted

_FIELDS_OF_IPV4: Final = 4
_BYTES: Final = 16
_MAX_OCTET: Final = 255
_MAX_DIGITS: Final = 4


class Flaw(ValueError):
    """What is wrong; ``rest`` is the part of the text where it was found, ``""`` if no part is to blame."""

    def __init__(self, message: str, rest: str = "") -> None:
        super().__init__(message)
        self.message = message + (f" (at {quoted(rest)})" if rest else "")


def address_flaw(text: str) -> str | None:
    """The text of ``netip.ParseAddr``'s error, None if it would accept the address."""
    try:
        _check(text)
    except Flaw as flaw:
        return f"ParseAddr({quoted(text)}): {flaw.message}"
    return None


def prefix_flaw(text: str) -> str | None:
    """The text of ``netip.ParsePrefix``'s error, None if it would accept the prefix."""
    if message := _prefix_message(text):
        return f"netip.ParsePrefix({quoted(text)}): {message}"
    return None


def _prefix_message(text: str) -> str | None:
    address, slash, bits = text.rpartition("/")
    if not slash:
        return "no '/'"
    if flaw := address_flaw(address):
        return flaw
    if "%" in address:
        return "IPv6 zones cannot be present in a prefix"
    is_number = bits.isascii() and bits.isdigit() and (len(bits) == 1 or bits[0] != "0")
    if not is_number:
        return f"bad bits after slash: {quoted(bits)}"
    return None if int(bits) <= (128 if ":" in address else 32) else "prefix length out of range"


def _check(text: str) -> None:
    first = next((character for character in text if character in ".:%"), "")
    if first == ".":
        _check_ipv4(text)
    elif first == ":":
        _check_ipv6(text)
    elif first == "%":
        raise Flaw("missing IPv6 address")
    else:
        raise Flaw("unable to parse IP")


def _check_ipv4(text: str) -> None:
    value, digits, dots = 0, 0, 0
    for place, character in enumerate(text):
        if character in string.digits:
            if digits == 1 and value == 0:
                raise Flaw("IPv4 field has octet with leading zero")
            value, digits = value * 10 + int(character), digits + 1
            if value > _MAX_OCTET:
                raise Flaw("IPv4 field has value >255")
        elif character == ".":
            if place in {0, len(text) - 1} or text[place - 1] == ".":
                raise Flaw("IPv4 field must have at least one digit", text[place:])
            if dots == _FIELDS_OF_IPV4 - 1:
                raise Flaw("IPv4 address too long")
            value, digits, dots = 0, 0, dots + 1
        else:
            raise Flaw("unexpected character", text[place:])
    if dots < _FIELDS_OF_IPV4 - 1:
        raise Flaw("IPv4 address too short")


def _check_ipv6(text: str) -> None:
    rest, mark, zone = text.partition("%")
    if mark and not zone:
        raise Flaw("zone must be a non-empty string")
    elided = rest.startswith("::")
    rest = rest[2:] if elided else rest
    filled = 0
    while rest and filled < _BYTES:
        field = _hex_field(rest)
        if rest[len(field) :].startswith("."):
            _check_embedded(rest, filled, elided=elided)
            rest, filled = "", filled + 4
            break
        rest, filled = rest[len(field) :], filled + 2
        if rest:
            rest, elided = _after_colon(rest, elided=elided)
    if rest:
        raise Flaw("trailing garbage after address", rest)
    if filled < _BYTES and not elided:
        raise Flaw("address string too short")
    if filled == _BYTES and elided:
        raise Flaw("the :: must expand to at least one field of zeros")


def _hex_field(rest: str) -> str:
    length = 0
    while length < len(rest) and rest[length] in string.hexdigits:
        length += 1
        if length > _MAX_DIGITS:
            raise Flaw("each group must have 4 or less digits", rest)
    if length == 0:
        raise Flaw("each colon-separated field must have at least one digit", rest)
    return rest[:length]


def _check_embedded(rest: str, filled: int, *, elided: bool) -> None:
    if not elided and filled != _BYTES - 4:
        raise Flaw("embedded IPv4 address must replace the final 2 fields of the address", rest)
    if filled + 4 > _BYTES:
        raise Flaw("too many hex fields to fit an embedded IPv4 at the end of the address", rest)
    _check_ipv4(rest)


def _after_colon(rest: str, *, elided: bool) -> tuple[str, bool]:
    """What stands after the colon, and whether a ``::`` has been seen."""
    if not rest.startswith(":"):
        raise Flaw("unexpected character, want colon", rest)
    if len(rest) == 1:
        raise Flaw("colon must be followed by more characters", rest)
    if not rest.startswith("::"):
        return rest[1:], elided
    if elided:
        raise Flaw("multiple :: in address", rest[1:])
    return rest[2:], True
