"""What is wrong or odd, for people: where, what, and what to do."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from rich.console import Console

from reconciler.errors import Diagnostic, Severity
from reconciler.render.sheet import Piece, Sheet
from reconciler.render.view import View
from reconciler.render.wording import sentence

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}


def render_diagnostics(view: View, console: Console) -> None:
    """Write all errors, warnings and remarks, errors first; their number, where there are several.

    What a check has found stands with the check. Neighbours with the same advice share it: it stands below the last of them.
    """
    shown = {one for check in view.checks for one in check.diagnostics}
    found = [one for one in view.all_diagnostics() if one not in shown]
    sheet = Sheet(console)
    for (_, advice), neighbours in groupby(found, key=lambda one: (one.code, one.help)):
        for diagnostic in neighbours:
            _diagnostic(sheet, diagnostic)
        if advice:
            sheet.row((Piece("  help: ", "bold"),), (Piece(sheet.say(advice)),))
    if len(found) > 1:
        sheet.row((Piece(_totals(found)),))
    sheet.show()


def _diagnostic(sheet: Sheet, diagnostic: Diagnostic) -> None:
    place = diagnostic.place
    body = [Piece(f"{sheet.say(str(place))} ", "bold")] if place else []
    body.append(Piece(sheet.say(sentence(diagnostic))))
    tag = f"{diagnostic.severity}[{sheet.say(diagnostic.code)}]"
    sheet.row((Piece(tag, STYLES[diagnostic.severity]), Piece(" ")), body)
    if diagnostic.request:
        sheet.row((Piece("  request: "),), (Piece(sheet.say(diagnostic.request)),))


def _totals(found: list[Diagnostic]) -> str:
    counts = Counter(diagnostic.severity for diagnostic in found)
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "remark"}
    said = [f"{counts[one]} {word}{'' if counts[one] == 1 else 's'}" for one, word in words.items() if counts[one]]
    return ", ".join(said)
