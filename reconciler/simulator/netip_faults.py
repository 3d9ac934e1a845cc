"""Why a text is no network prefix, in the words of Go's net/netip."""

import re
from typing import Final

from .text import quoted

_FIELDS_BEFORE_LAST: Final = 3
_GROUPS: Final = 8
_GROUPS_BEFORE_IPV4: Final = 6
_MAX_OCTET: Final = 255
_GROUP_DIGITS: Final = 4
_HEX: Final = re.compile(r"[0-9A-Fa-f]*")
_BITS: Final = re.compile(r"[0-9]|[1-9][0-9]+|[+-][0-9]+")


class _FlawError(Exception):
    """What is wrong with an address, and where."""

    def __init__(self, message: str, at: str = "") -> None:
        super().__init__(f"{message} (at {quoted(at)})" if at else message)


def prefix_fault(given: str) -> str | None:
    """What ``netip.ParsePrefix`` says about a text; None if it is a prefix."""
    address, slash, bits = given.rpartition("/")
    reason: str | None = "no '/'"
    if slash:
        reason = address_fault(address) or _bits_fault(address, bits)
    return f"netip.ParsePrefix({quoted(given)}): {reason}" if reason else None


def address_fault(given: str) -> str | None:
    """What ``netip.ParseAddr`` says about a text; None if it is an address."""
    try:
        _check_address(given)
    except _FlawError as fault:
        return f"ParseAddr({quoted(given)}): {fault}"
    return None


def _check_address(given: str) -> None:
    first = next((c for c in given if c in ".:%"), "")
    if first == ".":
        _check_ipv4(given)
    elif first == ":":
        _check_ipv6(given)
    else:
        raise _FlawError("missing IPv6 address" if first else "unable to parse IP")


def _bits_fault(address: str, bits: str) -> str | None:
    if "%" in address:
        return "IPv6 zones cannot be present in a prefix"
    if not _BITS.fullmatch(bits) or (len(bits) > 1 and not "1" <= bits[0] <= "9"):
        return f"bad bits after slash: {quoted(bits)}"
    if len(bits) > len(str(1 << 63)) - 1:
        return f"bad bits after slash: {quoted(bits)}"
    return "prefix length out of range" if int(bits) > (128 if ":" in address else 32) else None


def _check_ipv4(text: str) -> None:
    digits, fields = "", 0
    for place, c in enumerate(text):
        if c in "0123456789":
            if digits == "0":
                raise _FlawError("IPv4 field has octet with leading zero")
            digits += c
            if int(digits) > _MAX_OCTET:
                raise _FlawError("IPv4 field has value >255")
        elif c != ".":
            raise _FlawError("unexpected character", text[place:])
        elif not digits or place == len(text) - 1:
            raise _FlawError("IPv4 field must have at least one digit", text[place:])
        elif fields == _FIELDS_BEFORE_LAST:
            raise _FlawError("IPv4 address too long")
        else:
            digits, fields = "", fields + 1
    if fields < _FIELDS_BEFORE_LAST:
        raise _FlawError("IPv4 address too short")


def _check_ipv6(given: str) -> None:
    text, mark, zone = given.partition("%")
    if mark and not zone:
        raise _FlawError("zone must be a non-empty string")
    gap = text.startswith("::")
    rest = text[2:] if gap else text
    groups = 0
    while rest or not groups:
        if gap and not rest:
            break
        if groups == _GROUPS:
            raise _FlawError("trailing garbage after address", rest)
        taken, rest, found_gap = _group(rest, groups, has_gap=gap)
        groups, gap = groups + taken, gap or found_gap
    if groups < _GROUPS and not gap:
        raise _FlawError("address string too short")
    if groups == _GROUPS and gap:
        raise _FlawError("the :: must expand to at least one field of zeros")


def _group(rest: str, groups: int, *, has_gap: bool) -> tuple[int, str, bool]:
    """Read one group: how many it fills, what follows it and its colon, and whether that colon was doubled."""
    digits = len(_HEX.match(rest).group())  # type: ignore[union-attr]
    if digits > _GROUP_DIGITS:
        raise _FlawError("each group must have 4 or less digits", rest)
    if not digits:
        raise _FlawError("each colon-separated field must have at least one digit", rest)
    if rest[digits : digits + 1] == ".":
        _check_embedded(rest, groups, has_gap=has_gap)
        return 2, "", False
    after = rest[digits:]
    if not after:
        return 1, "", False
    if after[0] != ":":
        raise _FlawError("unexpected character, want colon", after)
    if after == ":":
        raise _FlawError("colon must be followed by more characters", after)
    if after[1] != ":":
        return 1, after[1:], False
    if has_gap:
        raise _FlawError("multiple :: in address", after[1:])
    return 1, after[2:], True


def _check_embedded(rest: str, groups: int, *, has_gap: bool) -> None:
    if not has_gap and groups != _GROUPS_BEFORE_IPV4:
        raise _FlawError("embedded IPv4 address must replace the final 2 fields of the address", rest)
    if groups > _GROUPS_BEFORE_IPV4:
        raise _FlawError("too many hex fields to fit an embedded IPv4 at the end of the address", rest)
    _check_ipv4(rest)
