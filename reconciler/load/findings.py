"""What is wrong with the files, and how much of them is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import Diagnostic
from reconciler.load.tree import Sources

MAX_DEPTH = 100
MAX_ERRORS = 1000


class TooManyErrors(Exception):
    """There are `MAX_ERRORS` errors; nobody reads more."""


class Findings:
    """The diagnostics of one reading, in the order in which they were found."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.diagnostics: list[Diagnostic] = []

    def error(self, code: str, message: str, advice: str, at: int | None = None) -> None:
        """Add an error; `at` is the mark that it points to, if it points into a file.

        Raises:
            TooManyErrors: this one is the last.
        """
        place = None if at is None else self.sources.place(at)
        self.extend([Diagnostic(code, message, advice, place=place)])

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add diagnostics from elsewhere.

        Raises:
            TooManyErrors: there are as many as are shown.
        """
        for diagnostic in diagnostics:
            if len(self.diagnostics) == MAX_ERRORS:
                message = f"more than {MAX_ERRORS} errors; the others are not shown"
                self.diagnostics.append(Diagnostic("NBS004", message, "solve these first", place=diagnostic.place))
                raise TooManyErrors
            self.diagnostics.append(diagnostic)


@dataclass
class Budget:
    """How many more values all files together may hold; aliases and variables count as what they stand for."""

    nodes: int = 2_000_000


def weight(text: str) -> int:
    """Return what a scalar costs of a budget: long text counts as many values."""
    return 1 + (len(text) >> 7)
