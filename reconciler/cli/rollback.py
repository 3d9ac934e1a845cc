"""`nbsync rollback`: take back what a run has changed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click

from reconciler.api.client import ReadApi
from reconciler.apply.footprints import footprints
from reconciler.apply.lines import TakenBack
from reconciler.apply.past import Outcome, Run, Unreadable, newest_first, rollbacks_of, runs_in
from reconciler.cli.apply import apply_made
from reconciler.cli.journals import named, tell_of_the_last
from reconciler.cli.options import collect, for_rollbacks, for_the_record
from reconciler.cli.progress import Progress
from reconciler.cli.session import Session, run_session
from reconciler.errors import DesiredStateError, Diagnostic, ExitCode, NbsyncError, Severity, UsageError
from reconciler.load.desired import Desired
from reconciler.plan.change import Plan
from reconciler.plan.match import Book
from reconciler.plan.restore import nothing_asked, plan_restoration
from reconciler.state.observe import observe_around
from schemas import KINDS

THE_RUN, FOREIGN = "NBS614", "NBS615"
TAKEN_BACK = ("apply", "rollback")
"""Commands whose last run a rollback takes back; a rotation only where its journal is named."""


@click.command()
@click.argument("of", metavar="[JOURNAL]", required=False)
@for_rollbacks
@click.option("--leave", multiple=True, metavar="ADDRESS", help="Leave this object as it is.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; needed without a terminal.")
@click.option("--secrets-out", metavar="SINK", help="Where new secrets go: FILE, exec:COMMAND, or - for stdout.")
@for_the_record
def rollback(
    *, of: str | None, leave: tuple[str, ...], dry_run: bool, yes: bool, secrets_out: str | None, **given: Any
) -> int:
    """Put back what the last apply has changed: show the plan, ask, and change it. No files are needed.

    What that run has made is deleted, what it deleted is made again, what it changed is as before; what has changed since is
    not overwritten. A rollback has a journal, too, and can itself be rolled back. One that did not come to its end is gone on
    with, unless its own journal is named.

    JOURNAL is a file, or the name of one in the state folder, as nbsync history lists them; of several runs the last one counts.
    """

    def work(session: Session) -> ExitCode:
        nothing = nothing_asked(KINDS)

        def make(session: Session, _desired: Desired, api: ReadApi) -> tuple[Plan, Book]:
            run = _run(session, of)
            session.takes_back = TakenBack(run=run.begin.run, path=str(run.path.absolute()))
            rollbacks = rollbacks_of(run, os.environ, session.options.journal)
            _tell_which(session, run, is_begun=bool(rollbacks))
            return _plan(session, api, [run, *rollbacks], leave)

        if dry_run:
            plan, _ = make(session, nothing, session.reader())
            return ExitCode.REFUSED if plan.verdicts else ExitCode.DONE
        return apply_made(session, make, yes=yes, secrets_out=secrets_out, desired=nothing)

    return run_session("rollback", collect(given), work)


def _run(session: Session, journal: str | None) -> Run:
    """The run that is to be taken back.

    Raises:
        UsageError: there is none.
        DesiredStateError: its journal cannot be read, is of another account, or not at its end yet.
    """
    if journal is None:
        found = (run for run in _newest(session) if run.begin.command in TAKEN_BACK)
        run = next(filter(_has_changed, found), None)
        run = _gone_on_with(run) if run else None
        where = f"no apply against {session.view.server_url} has left a journal of this account here"
    else:
        path = named(journal, os.environ)
        run = next(filter(_has_changed, reversed(runs_in(path))), None)
        where = f"no run in {path} has changed anything"
    if run is None:
        raise UsageError(Diagnostic(THE_RUN, where, "nbsync history lists the journals; name one"))
    _require_account(session, run, is_named=journal is not None)
    if run.outcome is Outcome.RUNNING:
        raise Unreadable(run.path, "its run is still at work", "wait until it has ended")
    return run


def _gone_on_with(run: Run) -> Run:
    """The run itself; of a rollback that did not come to its end, the one that it was to take back.

    Raises:
        UsageError: that one's journal is not there any more.
    """
    wanted = run.begin.takes_back
    if wanted is None or run.outcome in (Outcome.DONE, Outcome.RUNNING):
        return run
    path = Path(wanted.path)
    found = next((one for one in (runs_in(path) if path.exists() else ()) if one.begin.run == wanted.run), None)
    if found is None:
        message = (
            f"the last rollback did not come to its end, and {path}, the journal of what it was to take back, is gone"
        )
        advice = f"take that rollback itself back: nbsync rollback {shlex.quote(str(run.path))}; or change by hand what is left"
        raise UsageError(Diagnostic(THE_RUN, message, advice))
    return found


def _newest(session: Session) -> Iterator[Run]:
    """Runs that were on this account, or may have been, newest first."""
    if session.options.simulate is not None:
        return iter(())
    account = session.account()
    return (run for run in newest_first(session.view.server_url or "", os.environ) if run.may_be_on(account))


def _require_account(session: Session, run: Run, *, is_named: bool) -> None:
    """See that a run was on this account; where nobody knows, a person has to name it.

    Raises:
        DesiredStateError: it was on another one, or may have been and was not named.
    """
    begin, url, account = run.begin, session.view.server_url or "", session.account()
    if begin.server != url:
        raise _foreign(f"the run was on {begin.server}, and this is {url}")
    if not (begin.account and account):
        _require_name(session, run, is_named=is_named)
    elif begin.account != account:
        raise _foreign(f"the run was on the account {begin.account} of {url}, and this is {account}")


def _require_name(session: Session, run: Run, *, is_named: bool) -> None:
    message = f"nobody knows on which account of {run.begin.server} the run at {run.begin.time} was"
    if not is_named:
        advice = f"if it was on this one, name its journal: nbsync rollback {shlex.quote(str(run.path))}"
        raise DesiredStateError(Diagnostic(FOREIGN, message, advice))
    advice = "see by the plan that it was on this one"
    session.view.diagnostics.append(Diagnostic(FOREIGN, message, advice, Severity.WARNING))


def _foreign(message: str) -> DesiredStateError:
    return DesiredStateError(
        Diagnostic(FOREIGN, message, "give the server and token of the account on which the run was")
    )


def _has_changed(run: Run) -> bool:
    return any(call.has_effect or call.is_open for call in run.calls.values())


def _tell_which(session: Session, run: Run, *, is_begun: bool) -> None:
    begin = run.begin
    does = "goes on taking back" if is_begun else "takes back"
    message = f"this {does} nbsync {begin.command} at {begin.time}, of which {run.made} of {len(begin.changes)} changes were made"
    session.view.diagnostics.append(
        Diagnostic(THE_RUN, message, f"nbsync history {run.path} shows its calls", Severity.INFO)
    )


def _plan(session: Session, api: ReadApi, runs: list[Run], leave: tuple[str, ...]) -> tuple[Plan, Book]:
    calls = [call.called for run in runs for call in run.calls.values()]
    kinds = {called.kind for called in calls} | {
        image.kind for image in chain.from_iterable(one.falls for one in calls)
    }
    with session.telling(Progress("reading the account", quiet=session.options.quiet)):
        snapshot = observe_around(api, KINDS, kinds & KINDS.keys())
    session.view.server_version = snapshot.server_version
    tell_of_the_last(session, nothing_asked(KINDS), snapshot)
    now = Book(nothing_asked(KINDS), snapshot)
    try:
        touched, untold = footprints(runs, now)
        plan, book = plan_restoration(touched, now, session.options.allowances, leave)
    except NbsyncError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # People can edit journals: objects in them need not be such as any server shows.
        if "NBSYNC_DEBUG" in os.environ:
            raise
        raise Unreadable(runs[0].path, f"it holds what no run writes ({type(error).__name__})") from error
    session.view.diagnostics += untold
    session.view.plan = plan
    return plan, book
