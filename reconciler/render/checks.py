"""The doctor's checks for people: a line for each, and what to do."""

from __future__ import annotations

from reconciler.doctor.check import Check, Status
from reconciler.render.sheet import Piece, Sheet
from reconciler.render.view import View

STYLES = {Status.OK: "green", Status.WARNING: "bold yellow", Status.FAILED: "bold red", Status.NOT_CHECKED: "dim"}
OUTCOMES = {Status.FAILED: "failed", Status.WARNING: "with a warning", Status.NOT_CHECKED: "not checked"}


def add_checks(sheet: Sheet, view: View) -> None:
    """Add all checks, in their order, and how many did not pass."""
    width = max(len(check.name) for check in view.checks)
    for check in view.checks:
        _line(sheet, check, width)
    sheet.blank()
    counts = [(sum(check.status is status for check in view.checks), word) for status, word in OUTCOMES.items()]
    told = ", ".join(f"{count} {word}" for count, word in counts if count)
    sheet.row((Piece("Checked: ", "bold"),), (Piece(f"{told}." if told else "all is well."),))


def _line(sheet: Sheet, check: Check, width: int) -> None:
    style = STYLES[check.status]
    lead = (Piece(f"{getattr(sheet.glyphs, check.status)} ", style), Piece(f"{check.name:<{width}}  ", style))
    sheet.row(lead, (Piece(sheet.say(check.message)),))
    advices = [check.diagnostics[0].help] if check.diagnostics else []
    if len(check.diagnostics) > 1:
        advices.append("nbsync validate shows all of them")
    for advice in filter(None, advices):
        sheet.row((Piece(" " * (width + 4)), Piece("help: ", "bold")), (Piece(sheet.say(advice)),))
