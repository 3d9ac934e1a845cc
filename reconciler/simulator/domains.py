"""Domain names: which ones the server accepts, and how it spells them.

All kinds share one pattern, matched against the lower-cased name: a label has up to 63 letters, digits, ``-`` and ``_``,
not counting an ``xn--`` before it; it starts with a letter, a digit or (all but the last) ``_`` and ends with a letter
or a digit. Lists of domains (routes, resources, nameserver groups) are turned into punycode before.
"""

import re
from collections.abc import Sequence
from typing import Final, Never

from .text import lowered, quoted

MAX_DOMAINS: Final = 32

_ACE_PREFIX: Final = "xn--"
_NAME: Final = r"(?:(?:xn--)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*(?:xn--)?[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_PLAIN: Final = re.compile(_NAME)
_WILDCARD: Final = re.compile(rf"(?:\*\.)?{_NAME}")


class DomainError(ValueError):
    """A name that the server refuses; the text says why, in the server's words."""


def is_name(text: str, *, wildcard: bool = False) -> bool:
    """Whether the text is a domain name in ASCII or punycode, of any case.

    Args:
        text: What to look at; a trailing dot is not part of a name.
        wildcard: Whether its first label may be ``*``.
    """
    return (_WILDCARD if wildcard else _PLAIN).fullmatch(lowered(text)) is not None


def from_list(names: Sequence[str]) -> list[str]:
    """The names as the server stores them: punycode in lower case, in the same order.

    Raises:
        DomainError: none, too many, or one that is no name.
    """
    if not names:
        raise DomainError("domains list is empty")
    if len(names) > MAX_DOMAINS:
        raise DomainError(f"domains list exceeds maximum allowed domains: {MAX_DOMAINS}")
    return [from_text(name) for name in names]


def from_text(name: str) -> str:
    """One name as the server stores it; a wildcard as first label is allowed.

    Raises:
        DomainError: it is no name.
    """
    spelled = lowered(to_ascii(name))
    if not is_name(spelled, wildcard=True):
        raise DomainError(f"invalid domain format: {name}")
    return spelled


def to_unicode(name: str) -> str:
    """A stored name as responses show it: each punycode label decoded where that is possible."""
    return ".".join(_shown(label) for label in name.split("."))


def to_ascii(name: str) -> str:
    """The name in punycode where it needs to be; raises DomainError for a label that only looks like punycode."""
    try:
        labels = [_decoded(label) for label in name.split(".")]
    except ValueError as error:
        raise DomainError(f"convert domain to punycode: {name}: {error}") from None
    return ".".join(label if label.isascii() else _encoded(label) for label in labels)


def _encoded(label: str) -> str:
    return _ACE_PREFIX + label.encode("punycode").decode()


def _decoded(label: str) -> str:
    encoded = label.removeprefix(_ACE_PREFIX)
    if encoded in {label, ""}:
        return encoded
    try:
        return encoded.encode("ascii").decode("punycode") if encoded.strip("-") == encoded else _refused(encoded)
    except UnicodeError:
        return _refused(encoded)


def _refused(encoded: str) -> Never:
    raise ValueError(f"idna: invalid label {quoted(encoded)}")


def _shown(label: str) -> str:
    try:
        return _decoded(label)
    except ValueError:
        return label
