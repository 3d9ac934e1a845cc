"""Version texts as hashicorp/go-version reads and compares them."""

import re
from dataclasses import dataclass
from typing import Final

_PATTERN: Final = (
    r"v?([0-9]+(\.[0-9]+)*?)"
    r"(-([0-9]+[0-9A-Za-z\-~]*(\.[0-9A-Za-z\-~]+)*)|({hyphen}([A-Za-z\-~]+[0-9A-Za-z\-~]*(\.[0-9A-Za-z\-~]+)*)))?"
    r"(\+([0-9A-Za-z\-~]+(\.[0-9A-Za-z\-~]+)*))?"
)
_LOOSE: Final = re.compile(_PATTERN.format(hyphen="-?"))
_STRICT: Final = re.compile(_PATTERN.format(hyphen="-"))
_MAX_SEGMENT: Final = (1 << 63) - 1


@dataclass(frozen=True)
class Version:
    """A version: its numbers without trailing zeros, and what follows a ``-`` or a letter."""

    numbers: tuple[int, ...]
    prerelease: str


def parse(text: str, *, strict: bool = False) -> Version | None:
    """The version in a text, None if it cannot be read as one.

    Args:
        text: For example ``v0.60.0-rc1``.
        strict: Whether words need a ``-`` before them.
    """
    found = (_STRICT if strict else _LOOSE).fullmatch(text)
    if found is None:
        return None
    numbers = [int(part) for part in found[1].split(".")]
    if max(numbers) > _MAX_SEGMENT:
        return None
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return Version(tuple(numbers), found[7] or found[4] or "")


def at_least(text: str, minimum: str) -> bool:
    """Whether a version satisfies ``>= minimum``; one with a prerelease never satisfies a plain minimum."""
    version, wanted = parse(text), parse(minimum)
    if version is None or wanted is None:
        return False
    if version.prerelease and not wanted.prerelease:
        return False
    if version.prerelease and version.numbers != wanted.numbers:
        return False
    if version.numbers != wanted.numbers:
        return version.numbers > wanted.numbers
    return not version.prerelease or _prerelease_key(version.prerelease) >= _prerelease_key(wanted.prerelease)


def _prerelease_key(text: str) -> list[tuple[int, int, str]]:
    """Numbers before words, part by part."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in text.split(".")]
