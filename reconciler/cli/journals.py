"""Journals of the command line: where a run keeps its own, and what it tells of the one before."""

from __future__ import annotations

import os

from reconciler.apply.journal import Journal, Occasion, Unrecorded, open_journal
from reconciler.apply.report import Report
from reconciler.cli.session import Session
from reconciler.errors import ExitCode
from reconciler.plan.change import Plan
from reconciler.plan.match import Book


def begin(session: Session, plan: Plan, book: Book) -> Unrecorded:
    """Begin the journal of a run; one that changes nothing has none, nor has one on a simulated account unless it is asked for.

    Raises:
        JournalFailed: it cannot be written.
    """
    file = session.options.journal
    if not plan.changes or (session.options.simulate is not None and file is None):
        return Unrecorded()
    occasion = Occasion(session.view.server_url or "", session.view.command, _account(book))
    journal: Journal = open_journal(occasion, plan.changes, os.environ, file)
    return journal


def end(session: Session, journal: Unrecorded, report: Report) -> ExitCode:
    """End the journal of a run and return the run's exit code; that of a run whose journal has no end is not 0."""
    journal.end(report)
    failed = journal.failure
    if failed and report.exit_code is ExitCode.DONE:
        session.view.diagnostics += failed.diagnostics
        return ExitCode.PARTIAL
    return report.exit_code


def _account(book: Book) -> str | None:
    """Id of the account, if it was read."""
    kinds = [
        kind for kind in book.desired.registry.values() if kind.endpoint.singleton and "{id}" in kind.endpoint.item
    ]
    return next((live.id for kind in kinds for live in book.snapshot.of(kind.name).values()), None)
