"""What comes from outside is made harmless here, at the output boundary, before a terminal or a CI runner reads it."""

from __future__ import annotations

import re
from typing import Final

# Default-ignorable code points that `str.isprintable` lets through: they take no room, so two names could look alike.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# `##[command]` is run by GitHub's and Azure's runners anywhere in a line, `##vso[` and `##teamcity[` likewise.
_RUNNER_COMMAND = re.compile(r"##(?=\w*\[)")
MASK = "***"
# A personal access token in any case, a setup key as NetBird makes them (ids that look like it are in lower case).
_SECRET = re.compile(r"(?i:nbp_\w{8,})|\b[0-9A-F]{8}-(?:[0-9A-F]{4}-){3}[0-9A-F]{12}\b", re.ASCII)
_SHORTEST: Final = 8  # characters; what is shorter stands in any text by chance
_concealed: set[str] = set()


def clean(text: str) -> str:
    r"""Return `text` fit for one line of a terminal or a CI log, whatever it holds.

    What is unprintable or takes no room (ESC, C0, C1, newlines, bidi and zero-width marks, lone surrogates) becomes `\xNN`,
    `\uNNNN` or `\UNNNNNNNN`; `##[` and a leading `::`, with which CI runners take commands from a log, get a backslash.
    Clean text comes back as it was, so cleaning twice does no harm.
    """
    if not (text.isascii() and text.isprintable()):
        text = _INVISIBLE.sub(lambda found: _escaped(found[0]), text)
        text = "".join(char if char.isprintable() else _escaped(char) for char in text)
    text = _RUNNER_COMMAND.sub(r"#\\#", text)
    if text.lstrip().startswith("::"):
        text = text.replace("::", r"\::", 1)
    return text


def conceal(secret: str) -> None:
    """Have `hide` and `mask` cover this secret for the rest of the process, whoever repeats it."""
    if len(secret) >= _SHORTEST:
        _concealed.add(secret)


def hide(text: str, secret: str = "") -> str:
    """Return `text` with every copy of `secret` and of what was concealed masked; for data, which is to stay as it is else.

    In any case: NetBird lower-cases what it quotes.
    """
    lowered = text.lower()
    known = [one for one in {secret, *_concealed} if one and one.lower() in lowered]
    longest_first = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    return re.sub(longest_first, MASK, text, flags=re.IGNORECASE) if known else text


def mask(text: str, secret: str = "") -> str:
    """Return `text` with every copy of `secret`, of what was concealed, and of what looks like a secret of NetBird masked."""
    return _SECRET.sub(MASK, hide(text, secret))


def _escaped(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:  # noqa: PLR2004 - what two, and four, digits hold
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - what two, and four, digits hold
