"""Journals of the command line: where a run keeps its own, and what it tells of the one before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from reconciler.apply.aftermath import aftermath
from reconciler.apply.journal import Journal, Occasion, Unrecorded, open_journal
from reconciler.apply.past import Run, Unreadable, exists, known_runs, left_open, whole
from reconciler.apply.report import Report
from reconciler.apply.shelf import on_any_shelf
from reconciler.cli.session import Session
from reconciler.errors import Diagnostic, ExitCode, Severity
from reconciler.load.desired import Desired
from reconciler.plan.change import Plan
from reconciler.plan.match import Book
from reconciler.state.snapshot import Snapshot

CARRIED_OUT = "NBS628"


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
    view, account = session.view, session.account() or None
    occasion = Occasion(view.server_url or "", view.command, account, session.takes_back, session.plan_digest)
    journal: Journal = open_journal(occasion, plan.changes, os.environ, file)
    return journal


def named(journal: str, environ: Mapping[str, str]) -> Path:
    """The journal that a person names: a file, or the name of one in the state folder."""
    path = Path(journal)
    if exists(path):
        return path
    with suppress(OSError, RuntimeError):
        return next((one for one in on_any_shelf(environ) if journal in (one.name, one.stem)), path)
    return path


def tell_of_the_last(session: Session, desired: Desired, snapshot: Snapshot) -> None:
    """Tell what the last runs on the account did, if they were cut off, and which secrets may be lost; journals that cannot be read are warned of.

    It is told before anything is planned: what was left half-way may keep a plan from being made. A run on a simulated account is told of only if its journal is asked for.
    """
    file, view = session.options.journal, session.view
    if session.options.simulate is not None and file is None:
        return
    try:
        runs = left_open(view.server_url or "", session.account, os.environ, file)
    except Unreadable as error:
        view.diagnostics += [replace(found, severity=Severity.WARNING) for found in error.diagnostics]
        return
    told = aftermath(runs, Book(desired, snapshot)) if runs else []
    view.diagnostics += told
    session.goes_on = session.goes_on or bool(told)


def tell_of_this_plan(session: Session, digest: str) -> None:
    """Tell of the last run here that has carried out a plan file, if one has: what has changed since may be its own work."""
    try:
        seen = known_runs(session.view.server_url or "", os.environ, session.options.journal)
        runs = (whole(one) for one in seen if isinstance(one, Run) and one.begin.plan == digest)
        run = next((one for one in runs if one.calls), None)
    except Unreadable:
        return  # that is told where a journal is needed
    if run is not None:
        begin = run.begin
        message = f"this plan was carried out by nbsync {begin.command} at {begin.time}: {run.made} of {len(begin.changes)} changes were made"
        advice = "what has changed since may be what that run did; plan anew"
        session.view.diagnostics.append(Diagnostic(CARRIED_OUT, message, advice, Severity.INFO))


def end(session: Session, journal: Unrecorded, report: Report) -> ExitCode:
    """End the journal of a run and return the run's exit code; that of a run whose journal has no end is not 0."""
    journal.end(report)
    failed = journal.failure
    if failed and report.exit_code is ExitCode.DONE:
        session.view.diagnostics += failed.diagnostics
        return ExitCode.PARTIAL
    return report.exit_code
