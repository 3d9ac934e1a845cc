"""A sheet of rows for a terminal, a pipe or a file: width, colour and characters as the console has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    ok: str = "✓"
    warning: str = "!"
    failed: str = "✗"
    not_checked: str = "·"
    undeclared: str = "?"

    def of(self, action: Action) -> str:
        """Symbol of an action."""
        symbol: str = getattr(self, action.value)
        return symbol


ASCII = Glyphs(rename=">", replace="!", arrow="->", ok="+", failed="x", not_checked="-")
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
        # Where a window says that it has no columns (COLUMNS=0), rich prints nothing at all.
        console.width = max(console.width, NARROWEST)
        self.width = console.width if console.file.isatty() else None
        # Not `console.encoding`: for stdout and stderr rich takes UTF-8 for granted.
        self._encoding = getattr(console.file, "encoding", None) or "utf-8"
        self.glyphs = Glyphs() if _can_print("→±✓✗", self._encoding) else ASCII
        self._console = console
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
        indent = min(columns(lead), width // 2)
        first, rest = list(map(self._segment, lead)), [Segment(" " * indent)]
        if columns(lead) > indent or not body:
            self._segments += [part for line in self._wrapped(lead, width) for part in (*line, Segment.line())]
            first = rest
        for line in self._wrapped(body, width - indent):
            self._segments += (*first, *line, Segment.line())
            first = rest

    def _wrapped(self, pieces: Sequence[Piece], width: int) -> Iterator[list[Segment]]:
        text = Text(overflow="fold", end="")
        for piece in pieces:
            text.append(piece.text, self._style(piece.style))
        for line in text.wrap(self._console, width) if pieces else ():
            line.rstrip()
            # The start of a line is where CI runners, some of which have a terminal, look for commands.
            guard = [Segment("\\")] if line.plain.lstrip().startswith("::") else []
            yield [*guard, *line.render(self._console)]

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
