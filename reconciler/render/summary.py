"""The last words of a command: what would be done, or what was done, what was not, and what to do next."""

from __future__ import annotations

from collections import Counter

from reconciler.apply.report import Report, Status
from reconciler.errors import ExitCode
from reconciler.plan.change import Action, Origin, Plan
from reconciler.render.checks import add_checks
from reconciler.render.runs import add_runs
from reconciler.render.sheet import COLOURS, Piece, Sheet
from reconciler.render.view import View

DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.RENAME: "renamed",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
}
PLANNED = {action: f"to {action}" for action in Action}
DRIFTED = {
    Action.CREATE: "missing",
    Action.UPDATE: "different",
    Action.RENAME: "under another name",
    Action.REPLACE: "to be replaced",
    Action.DELETE: "undeclared",
}
ORIGINS = {
    Origin.FILES: "asked for by the files",
    Origin.ACCOUNT: "changed in the account",
    Origin.BOTH: "both",
}
STATUS_STYLES = {
    Status.APPLIED: "green",
    Status.FAILED: "bold red",
    Status.SKIPPED: "yellow",
    Status.UNKNOWN: "bold magenta",
}
LISTED = 20
"""Changes that were not made and are named in the summary; more are counted."""


def summarize(sheet: Sheet, view: View) -> None:
    """Add the summary."""
    if view.report is not None and view.changes:
        _after_apply(sheet, view, view.report)
    elif view.plan is not None:
        _planned(sheet, view)
        _refused(sheet, view.plan)
    elif view.runs is not None:
        add_runs(sheet, view.runs, with_calls=view.shows_calls)
    elif view.checks:
        add_checks(sheet, view)
    elif view.command == "validate" and view.exit_code is ExitCode.DONE:
        sheet.row((Piece("The files are valid."),))


def _planned(sheet: Sheet, view: View) -> None:
    drift = view.command == "drift"
    rest = _origins(view) + _left_alone(view.unmanaged - len(view.undeclared))
    if drift and view.since is not None:
        _drifted_since(sheet, view, view.since)
    elif view.changes or view.undeclared:
        counts = _drifted(view) if drift else _counts(view, PLANNED)
        sheet.row((Piece("Drift: " if drift else "Plan: ", "bold"),), (*counts, Piece(sheet.say(rest))))
    else:
        lead = Piece("No drift: " if drift else "No changes: ", "bold green")
        said = (
            "the account is as it was before that run"
            if view.command == "rollback"
            else "the account is as the files say"
        )
        sheet.row((lead,), (Piece(f"{said}{rest}"),))


def _drifted_since(sheet: Sheet, view: View, since: str) -> None:
    """What the files ask for by now is no drift, and is counted only."""
    rest = _left_alone(view.unmanaged - len(view.undeclared))
    if view.asked_for:
        rest = f"; {_number(view.asked_for, 'change')} that the files ask for {_is(view.asked_for)} not shown{rest}"
    counts = _drifted(view) or [Piece("nothing was changed in the account")]
    lead = Piece("Drift: ", "bold") if view.changes or view.undeclared else Piece("No drift: ", "bold green")
    sheet.row((lead,), (*counts, Piece(sheet.say(f" since {since}")), Piece(rest)))


def _origins(view: View) -> str:
    """How many changes are of which origin; nothing unless earlier files were compared."""
    if view.since is None or not view.changes:
        return ""
    counts = Counter(change.origin for change in view.changes)
    said = [
        f"{counts[origin]} {words}" for origin, words in ORIGINS.items() if counts[origin] or origin is not Origin.BOTH
    ]
    return f" (since {view.since}: {', '.join(said)})"


def _counts(view: View, words: dict[Action, str]) -> list[Piece]:
    counts = view.counts
    found = [Piece(f"{counts[action]} {words[action]}", COLOURS[action]) for action in Action if counts[action]]
    if fallen := sum(len(change.falls) for change in view.changes):
        found[-1] = Piece(f"{found[-1].text} with {_number(fallen, 'object')} inside", found[-1].style)
    return [part for piece in found for part in (Piece(", "), piece)][1:]


def _drifted(view: View) -> list[Piece]:
    counts = _counts(view, DRIFTED)
    if count := len(view.undeclared):
        counts += [*([Piece(", ")] if counts else []), Piece(f"{count} not in the files", "cyan")]
    return counts


def _left_alone(unmanaged: int) -> str:
    if not unmanaged:
        return "."
    return f"; {_number(unmanaged, 'unmanaged object')} {_is(unmanaged)} left alone."


def _refused(sheet: Sheet, plan: Plan) -> None:
    count = len(plan.verdicts)
    if not count:
        return
    text = f"{_number(count, 'guard')} {'says' if count == 1 else 'say'} no; nothing will be written."
    sheet.row((Piece("Refused: ", "bold red"),), (Piece(text),))
    allows = list(dict.fromkeys(verdict.allow for verdict in plan.verdicts))
    if all(allows):
        sheet.row((Piece("To allow it for one run: "),), (Piece(sheet.say(" ".join(allows)), "bold"),))


def _after_apply(sheet: Sheet, view: View, report: Report) -> None:
    applied, total = report.count(Status.APPLIED), len(report.results)
    if applied == total:
        counts = _counts(view, DONE)
        sheet.row((Piece("Applied: ", "bold green"),), (*counts, Piece(_left_alone(view.unmanaged))))
        return
    ended = [(report.count(status), status) for status in Status if status is not Status.APPLIED]
    rest = ", ".join(f"{count} {status}" for count, status in ended if count)
    sheet.row((Piece(f"Applied {applied} of {_number(total, 'change')}: ", "bold red"),), (Piece(f"{rest}."),))
    _not_done(sheet, report)
    for line in _next(view, report):
        sheet.row((), (Piece(line),))


def _not_done(sheet: Sheet, report: Report) -> None:
    missing = [result for result in report.results if result.status is not Status.APPLIED]
    for result in missing[:LISTED]:
        word = Piece(f"  {result.status:<7}  ", STATUS_STYLES[result.status])
        sheet.row((word,), (Piece(f"{result.change.action} {sheet.say(str(result.change.address))}"),))
    if len(missing) > LISTED:
        sheet.row((Piece(f"  and {len(missing) - LISTED} more"),))


def _next(view: View, report: Report) -> list[str]:
    """What to do next."""
    lines = []
    if report.count(Status.UNKNOWN):
        lines.append("Where the end is unknown, the answer was lost; the next plan shows whether the change was made.")
    before = "What was applied stays. " if report.written else "Nothing was written. "
    again = "plan anew" if view.is_of_file and report.written else f"run {view.command} again"
    first = again.capitalize() if report.stopped else f"Mend what the errors say and {again}"
    after = ": it goes on from there." if report.written else "."
    return [*lines, f"{before}{first}{after}"]


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
