"""Runs that are over, as their journals tell: a list, or every call of one; for people and for machines."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from reconciler.apply.past import Call, Outcome, Run
from reconciler.render.sheet import Piece, Sheet

STYLES = {
    Outcome.DONE: "green",
    Outcome.FAILED: "bold red",
    Outcome.INTERRUPTED: "yellow",
    Outcome.CUT_OFF: "bold magenta",
    Outcome.RUNNING: "cyan",
}
STATUSES = ("applied", "failed", "skipped", "unknown")


def add_runs(sheet: Sheet, runs: list[Run], *, with_calls: bool) -> None:
    """Add runs by server, in the order given, or one run after the other with its calls; of several accounts each says its own."""
    if not runs:
        sheet.row((Piece("No journals: no apply has changed anything from here."),))
    for server, group in groupby(runs, key=lambda run: run.begin.server):
        sheet.row((Piece(sheet.say(server), "bold"),))
        of_server = list(group)
        has_several = len({run.begin.account for run in of_server}) > 1
        for run in of_server:
            _run(sheet, run, with_account=has_several)
            if with_calls:
                _calls(sheet, run)
        sheet.blank()


def _run(sheet: Sheet, run: Run, *, with_account: bool) -> None:
    begin, outcome = run.begin, run.outcome
    lead = (
        Piece(f"  {sheet.say(begin.time)}  {sheet.say(begin.command):<8}  "),
        Piece(f"{outcome:<11}", STYLES[outcome]),
        Piece(f"  {run.made} of {len(begin.changes)} changes  "),
    )
    account = f"account {begin.account or 'not known'}  " if with_account else ""
    sheet.row(lead, (Piece(sheet.say(account)), Piece(sheet.say(str(run.path)), "dim")))


def _calls(sheet: Sheet, run: Run) -> None:
    width = max((len(sheet.say(call.called.address)) for call in run.calls.values()), default=0)
    for call in run.calls.values():
        called = call.called
        address = sheet.say(called.address)
        lead = (Piece(f"  {called.number:>5}  {address:<{width}}  "), Piece(f"{_said(call)}", _style(call)))
        secret = "  secret safe" if _is_safe(run, call) else ""
        sheet.row(lead, (Piece(f"  {sheet.say(called.method)} /api{sheet.say(called.path)}{secret}"),))
    if run.damaged:
        lines = "line" if run.damaged == 1 else "lines"
        sheet.row((Piece(f"  {run.damaged} {lines} of this journal cannot be read", "yellow"),))


def _said(call: Call) -> str:
    """How a call ended, in few words of one width."""
    answer = call.answer
    if answer is None:
        return f"{'no answer':<13}"
    words = answer.outcome.replace("_", " ")
    return f"{words:<13}" if answer.status is None else f"{words:<9} {answer.status:<3}"


def _style(call: Call) -> str:
    if call.is_open:
        return "bold magenta"
    return "green" if call.has_effect else "bold red"


def _is_safe(run: Run, call: Call) -> bool:
    return call.answer is not None and (call.called.address, call.answer.id or "") in run.safe


def run_object(run: Run, *, with_calls: bool) -> dict[str, Any]:
    """A run as data."""
    begin, end = run.begin, run.end
    counts = {status: sum(1 for one in run.settled.values() if one.status == status) for status in STATUSES}
    shown: dict[str, Any] = {
        "path": str(run.path),
        "run": begin.run,
        "server": begin.server,
        "account": begin.account,
        "command": begin.command,
        "time": begin.time,
        "ended": end.time if end else None,
        "outcome": str(run.outcome),
        "exit_code": end.exit_code if end else None,
        "counts": {"planned": len(begin.changes), **counts},
        "damaged_lines": run.damaged,
    }
    return {**shown, "calls": [_call(run, call) for call in run.calls.values()]} if with_calls else shown


def _call(run: Run, call: Call) -> dict[str, Any]:
    called, answer = call.called, call.answer
    return {
        "number": called.number,
        "time": called.time,
        "address": called.address,
        "action": str(called.action),
        "request": f"{called.method} /api{called.path}",
        "id": called.id or (answer.id if answer else None),
        "outcome": answer.outcome if answer else None,
        "status": answer.status if answer else None,
        "code": answer.code if answer else None,
        "secret_safe": _is_safe(run, call),
    }
