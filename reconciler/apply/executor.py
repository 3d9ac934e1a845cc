"""Carries out a plan: what has to be there before the first call, and what is told after the last one."""

from __future__ import annotations

from reconciler.api.client import Api
from reconciler.apply.calls import Calls
from reconciler.apply.course import Course
from reconciler.apply.forecast import calls_of, stages
from reconciler.apply.journal import MarkedSink
from reconciler.apply.outputs import NO_SINK, Sink
from reconciler.apply.renewal import Renewal, Witness
from reconciler.apply.report import Report
from reconciler.apply.wire import Wire
from reconciler.apply.work import Run, Work
from reconciler.errors import Diagnostic, PlanRefused
from reconciler.plan.change import Action, Plan
from reconciler.plan.match import Book


def require_sink(plan: Plan, sink: Sink | None) -> None:
    """Refuse a plan that makes secrets which would have no place to go.

    Raises:
        PlanRefused: there are such, each is named.
    """
    if sink is not None:
        return
    makers = [
        change for change in plan.changes if change.kind.reveals and change.action in (Action.CREATE, Action.REPLACE)
    ]
    advice = "say where it goes: --secrets-out FILE, --secrets-out exec:COMMAND, or --secrets-out - at a terminal"
    if makers:
        raise PlanRefused(
            Diagnostic(
                NO_SINK,
                f"{change.address} makes a secret that the server shows once",
                advice,
                address=str(change.address),
                place=change.cause,
            )
            for change in makers
        )


def execute(api: Api, book: Book, plan: Plan, run: Run) -> Report:
    """Make all changes of a plan, in its order, for as long as no other run is seen at work that was there first.

    Raises:
        PlanRefused: a guard refuses the plan, or a secret would have no place to go; nothing was sent.
    """
    if plan.verdicts:
        raise PlanRefused(verdict.diagnostic for verdict in plan.verdicts)
    require_sink(plan, run.sink)
    course = Course(run.journal, run.progress, run.interruption)
    wire = Wire(api, book.snapshot, run.journal, run.watch.traces, course.hear)
    safe = MarkedSink(run.sink, run.journal) if run.sink else None
    witness = Witness(safe)
    changes = Calls(wire, book, witness, run.watch)
    work = Work(wire, changes, Renewal(wire, api, book, changes, witness), run, calls_of(plan), course)
    with wire.turn:
        for stage in stages(plan):
            work.work_through(stage)
        work.look_back()
    position = {change: place for place, change in enumerate(plan.changes)}
    report = course.report
    report.results.sort(key=lambda result: position[result.change])
    if plan.steps:
        report.diagnostics += run.watch.findings()
    report.written = course.touched
    return report
