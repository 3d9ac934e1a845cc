"""A sheet of rows for a terminal, a pipe or a file: width, colour and characters as the console has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

from reconciler.plan.change import Action
from reconciler.redact import clean

NARROWEST = 40
"""Columns; on a terminal that is narrower still, the terminal breaks the lines."""


class Piece(NamedTuple):
    """Some text of one style; the text is clean and can be printed."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Characters beyond the alphabet, each one column wide."""

    create: str = "+"
    update: str = "~"
    rename: str = "→"
    replace: str = "±"
    delete: str = "-"
    arrow: str = "→"

    def of(self, action: Action) -> str:
        """Symbol of an action."""
        symbol: str = getattr(self, action.value)
        return symbol


ASCII = Glyphs(rename=">", replace="!", arrow="->")
COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.RENAME: "cyan",
    Action.REPLACE: "magenta",
    Action.DELETE: "red",
}


class Sheet:
    """Collects rows and prints them at once.

    Attributes:
        width: columns at which rows are broken; None where nobody looks at a window (pipe, file, CI log).
        glyphs: symbols that the console's encoding has.
    """

    def __init__(self, console: Console) -> None:
        self.width = max(console.width, NARROWEST) if console.file.isatty() else None
        self.glyphs = Glyphs() if _can_print("→±", console.encoding) else ASCII
        self._console = console
        self._encoding = console.encoding
        self._styled = console.color_system is not None and not console.no_color
        self._segments: list[Segment] = []

    def say(self, text: str) -> str:
        """Text from outside, fit to be printed: harmless, and in characters that the console's encoding has."""
        text = clean(text)
        if text.isascii():
            return text
        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def fits(self, *pieces: Iterable[Piece]) -> bool:
        """Tell whether these pieces have room in one row."""
        return self.width is None or sum(map(columns, pieces)) <= self.width

    def row(self, lead: Sequence[Piece], body: Sequence[Piece] = ()) -> None:
        """Add a row. Where it is too long, the body goes on below, as far to the right as it began."""
        if self.width is None or self.fits(lead, body):
            self._put((*lead, *body))
        else:
            self._broken(lead, body, self.width)

    def blank(self) -> None:
        """Add an empty row."""
        self._segments.append(Segment.line())

    def show(self) -> None:
        """Print all rows."""
        self._console.print(Segments(self._segments), end="", soft_wrap=True)
        self._segments = []

    def _broken(self, lead: Sequence[Piece], body: Sequence[Piece], width: int) -> None:
        start = columns(lead)
        indent = min(start, width // 2)
        if start > indent or not body:
            self._fold(lead, width)
            lead = (Piece(" " * indent),)
        if body:
            lines = self._wrapped(body, width - indent)
            for line in lines:
                self._segments += (*map(self._segment, lead), *line, Segment.line())
                lead = (Piece(" " * indent),)

    def _fold(self, pieces: Sequence[Piece], width: int) -> None:
        for line in self._wrapped(pieces, width):
            self._segments += (*line, Segment.line())

    def _wrapped(self, pieces: Sequence[Piece], width: int) -> list[list[Segment]]:
        text = Text(overflow="fold", end="")
        for piece in pieces:
            text.append(piece.text, self._style(piece.style))
        return [list(line.render(self._console)) for line in text.wrap(self._console, width)]

    def _put(self, pieces: Iterable[Piece]) -> None:
        self._segments += (*map(self._segment, pieces), Segment.line())

    def _segment(self, piece: Piece) -> Segment:
        return Segment(piece.text, self._style(piece.style))

    def _style(self, style: str) -> Style | None:
        return Style.parse(style) if style and self._styled else None


def columns(pieces: Iterable[Piece]) -> int:
    """Columns that some pieces take."""
    return sum(cell_len(piece.text) for piece in pieces)


@lru_cache(maxsize=8)
def _can_print(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
