"""Text for people: the plan by kind, field by field, and what an apply did."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console

from reconciler.apply.report import Result, Status
from reconciler.plan.change import Action, Change
from reconciler.render.diagnostics import render_diagnostics
from reconciler.render.sheet import COLOURS, Piece, Sheet
from reconciler.render.summary import DONE, STATUS_STYLES, summarize
from reconciler.render.values import INDENT, QUIET, field_rows, mark, said
from reconciler.render.view import View, by_kind
from schemas import AnyKind

__all__ = ["render_diagnostics", "render_result"]

WIDEST_TITLE = 48
"""Columns up to which the causes of one kind stand below one another."""


def render_result(view: View, console: Console, *, brief: bool = False) -> None:
    """Write what belongs on stdout: the changes by kind with their fields and, after an apply, how they ended; a summary.

    Args:
        view: the outcome.
        console: where it goes. Rows are broken on terminals only.
        brief: leave the changes out, for a person who has just seen them.
    """
    sheet = Sheet(console)
    if (view.changes or view.undeclared) and not brief:
        _header(sheet, view)
        results = view.results()
        for changes in by_kind(view.changes).values():
            _Section(sheet, changes, results).add()
            sheet.blank()
        _undeclared(sheet, view)
    summarize(sheet, view)
    sheet.show()


def _header(sheet: Sheet, view: View) -> None:
    if view.server_url:
        version = f" (NetBird {view.server_version})" if view.server_version else ""
        sheet.row((Piece(sheet.say(view.server_url + version), QUIET),))
        sheet.blank()


def _undeclared(sheet: Sheet, view: View) -> None:
    if not view.undeclared:
        return
    sheet.row((Piece(f"not in the files ({len(view.undeclared)})", "bold"),))
    for one in view.undeclared:
        sheet.row((Piece(f"  {sheet.glyphs.undeclared} {sheet.say(str(one.address))}", "cyan"),))
    sheet.blank()


def heading(kind: AnyKind, count: int) -> str:
    """What a person calls the objects of a kind: network resources (3)."""
    name = kind.title.replace("dns ", "DNS ")
    if kind.endpoint.singleton:
        return name
    plural = f"{name[:-1]}ies" if name.endswith("y") and not name.endswith("ey") else f"{name}s"
    return f"{plural} ({count})"


class _Section:
    """The changes of one kind, below a heading."""

    def __init__(self, sheet: Sheet, changes: Sequence[Change], results: dict[Change, Result]) -> None:
        self.sheet = sheet
        self.changes = sorted(changes, key=lambda change: change.address)
        self.results = results
        self.titles = {change: self._title(change) for change in self.changes}
        self.width = min(max(self._columns(change) for change in self.changes), WIDEST_TITLE)

    def add(self) -> None:
        self.sheet.row((Piece(heading(self.changes[0].kind, len(self.changes)), "bold"),))
        for change in self.changes:
            self._head(change)
            self._why(change)
            field_rows(self.sheet, change)
            self._falls(change)

    def _columns(self, change: Change) -> int:
        return sum(cell_len(piece.text) for piece in self.titles[change])

    def _title(self, change: Change) -> list[Piece]:
        colour, say = COLOURS[change.action], self.sheet.say
        title = [
            Piece(f"  {self.sheet.glyphs.of(change.action)} ", f"bold {colour}"),
            Piece(say(str(change.address)), f"bold {colour}"),
        ]
        if change.previous_key is not None:
            title.append(Piece(f"  was {said(self.sheet, change.previous_key)}"))
        return title

    def _head(self, change: Change) -> None:
        title, notes = self.titles[change], self._notes(change)
        gap = [Piece(" " * max(self.width - self._columns(change), 0) + "  ")]
        if not notes or self.sheet.fits(title, gap, notes):
            self.sheet.row((*title, *(gap if notes else ()), *notes))
        else:
            self.sheet.row(title)
            self.sheet.row((Piece(INDENT),), notes)

    def _notes(self, change: Change) -> list[Piece]:
        """How it ended, and the line that asks for it."""
        notes = []
        if result := self.results.get(change):
            word = DONE[change.action] if result.status is Status.APPLIED else str(result.status)
            is_last = not (change.cause or change.origin)
            notes.append(Piece(word if is_last else word.ljust(8), STATUS_STYLES[result.status]))
        if change.cause:
            place = self.sheet.say(f"{change.cause.file}:{change.cause.line}")
            notes.append(Piece(f"undeclared (manage: {place})" if change.action is Action.DELETE else place, QUIET))
        if change.origin:
            notes.append(mark(change.origin))
        return [part for note in notes for part in (Piece("  "), note)][1:]

    def _why(self, change: Change) -> None:
        if change.reason:
            order = "made anew, then the old deleted: " if change.beside else "deleted and made anew: "
            lead = INDENT if change.is_passing else f"{INDENT}{order}"
            self.sheet.row((Piece(lead, COLOURS[Action.REPLACE]),), (Piece(self.sheet.say(change.reason)),))

    def _falls(self, change: Change) -> None:
        if change.falls:
            fallen = ", ".join(self.sheet.say(str(address)) for address, _ in change.falls)
            self.sheet.row((Piece(f"{INDENT}goes with it: ", COLOURS[Action.DELETE]),), (Piece(fallen),))
