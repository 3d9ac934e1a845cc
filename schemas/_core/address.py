"""Addresses: how a person names one object, `policy/dev-to-erp` or `network_resource/dc1/nas`."""

from __future__ import annotations

import shlex
from typing import NamedTuple
from urllib.parse import unquote

# `%` first, so that what the others become is not encoded again.
_ENCODED = (("%", "%25"), ("/", "%2F"), ("+", "%2B"), (":", "%3A"))


def encode_part(text: str) -> str:
    """Percent-encode what separates the parts of a key."""
    if text.isalnum():
        return text
    for character, code in _ENCODED:
        text = text.replace(character, code)
    return text


def decode_part(text: str) -> str:
    """Undo `encode_part`."""
    return unquote(text) if "%" in text else text


class Address(NamedTuple):
    """Kind and key of one object; `key` is made of percent-encoded parts with `/` between them."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"

    @property
    def quoted(self) -> str:
        """The address as a word of a command line."""
        return shlex.quote(str(self))

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read what `str` gives; the kind alone means the one object of a kind that has one."""
        kind, _, key = text.partition("/")
        return cls(kind, key or kind)

    @classmethod
    def of(cls, kind: str, *parts: str) -> Address:
        """Make an address from parts as they are, not encoded yet."""
        return cls(kind, "/".join(map(encode_part, parts)))
