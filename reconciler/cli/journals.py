"""Journals of the command line: where a run keeps its own, and what it tells of the one before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from reconciler.apply.aftermath import aftermath
from reconciler.apply.journal import Journal, Occasion, Unrecorded, open_journal
from reconciler.apply.past import Unreadable, cut_off
from reconciler.apply.report import Report
from reconciler.apply.shelf import on_any_shelf
from reconciler.cli.session import Session
from reconciler.errors import ExitCode, Severity
from reconciler.plan.change import Plan
from reconciler.plan.match import Book


def begin(session: Session, plan: Plan) -> Unrecorded:
    """Begin the journal of a run.

    One that changes nothing has none, unless it comes after one that was cut off, which is history then; nor has one on a
    simulated account, unless it is asked for.

    Raises:
        JournalFailed: it cannot be written.
    """
    file = session.options.journal
    if not (plan.changes or session.goes_on) or (session.options.simulate is not None and file is None):
        return Unrecorded()
    occasion = Occasion(session.view.server_url or "", session.view.command, session.account() or None)
    journal: Journal = open_journal(occasion, plan.changes, os.environ, file)
    return journal


def named(journal: str, environ: Mapping[str, str]) -> Path:
    """The journal that a person names: a file, or the name of one in the state folder."""
    path = Path(journal)
    if path.exists():
        return path
    with suppress(OSError, RuntimeError):
        return next((one for one in on_any_shelf(environ) if journal in (one.name, one.stem)), path)
    return path


def tell_of_the_last(session: Session, book: Book) -> None:
    """Tell what the last runs on the account did, if they were cut off; journals that cannot be read are warned of.

    A run on a simulated account is told of only if its journal is asked for.
    """
    file, view = session.options.journal, session.view
    if session.options.simulate is not None and file is None:
        return
    try:
        runs = cut_off(view.server_url or "", session.account, os.environ, file)
    except Unreadable as error:
        view.diagnostics += [replace(found, severity=Severity.WARNING) for found in error.diagnostics]
        return
    if runs:
        view.diagnostics += aftermath(runs, book)
        session.goes_on = True


def end(session: Session, journal: Unrecorded, report: Report) -> ExitCode:
    """End the journal of a run and return the run's exit code; that of a run whose journal has no end is not 0."""
    journal.end(report)
    failed = journal.failure
    if failed and report.exit_code is ExitCode.DONE:
        session.view.diagnostics += failed.diagnostics
        return ExitCode.PARTIAL
    return report.exit_code
