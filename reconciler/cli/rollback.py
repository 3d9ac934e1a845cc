"""`nbsync rollback`: take back what a run has changed."""

from __future__ import annotations

import os
import shlex
from itertools import chain
from typing import Any

import click

from reconciler.api.client import ReadApi
from reconciler.apply.footprints import footprints
from reconciler.apply.past import Outcome, Run, Unreadable, known_runs
from reconciler.apply.taking_back import Lost, Target, last, of_journal
from reconciler.cli import journals
from reconciler.cli.apply import apply_made
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
            target = _target(session, of)
            session.takes_back, session.goes_on = target.taken_back(leave), target.is_gone_on_with
            _tell_which(session, target)
            return _plan(session, api, target, session.takes_back.leave)

        if dry_run:
            plan, _ = make(session, nothing, session.reader())
            return ExitCode.REFUSED if plan.verdicts else ExitCode.DONE
        return apply_made(session, make, yes=yes, secrets_out=secrets_out, desired=nothing)

    return run_session("rollback", collect(given), work)


def _target(session: Session, journal: str | None) -> Target:
    """What is to be taken back.

    Raises:
        UsageError: there is nothing.
        DesiredStateError: its journal cannot be read, is of another account, or not at its end yet.
    """
    options, url = session.options, session.view.server_url or ""
    path = journals.named(journal, os.environ) if journal is not None else None
    is_nowhere = options.simulate is not None and path is None
    seen = [] if is_nowhere else known_runs(url, os.environ, options.journal, path)
    try:
        if path is None:
            found = last(seen, session.account())
            where = f"no apply against {url} has left a journal of this account here"
        else:
            found = of_journal(path, seen)
            where = f"no run in {path} has changed anything"
    except Lost as error:
        raise _lost(error.rollback) from None
    if found is None:
        raise UsageError(Diagnostic(THE_RUN, where, "nbsync history lists the journals; name one"))
    _require_account(session, found.run, is_named=journal is not None)
    if found.run.outcome is Outcome.RUNNING:
        raise Unreadable(found.run.path, "its run is still at work", "wait until it has ended")
    return found


def _lost(rollback: Run) -> UsageError:
    wanted = rollback.begin.takes_back
    path = wanted.path if wanted else "the file"
    message = f"the last rollback did not come to its end, and {path}, the journal of what it was to take back, is gone"
    advice = f"take that rollback itself back: nbsync rollback {shlex.quote(str(rollback.path))}; or change by hand what is left"
    return UsageError(Diagnostic(THE_RUN, message, advice))


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


def _tell_which(session: Session, target: Target) -> None:
    run, begin = target.run, target.run.begin
    does = "goes on taking back" if target.is_gone_on_with else "takes back"
    message = f"this {does} nbsync {begin.command} at {begin.time}, of which {run.made} of {len(begin.changes)} changes were made"
    if count := len(target.runs) - 1:
        message += f"; and what it went on with, {count} before it"
    session.view.diagnostics.append(
        Diagnostic(THE_RUN, message, f"nbsync history {run.path} shows its calls", Severity.INFO)
    )


def _plan(session: Session, api: ReadApi, target: Target, leave: tuple[str, ...]) -> tuple[Plan, Book]:
    calls = [call.called for run in (*target.runs, *target.rollbacks) for call in run.calls.values()]
    kinds = {called.kind for called in calls} | {
        image.kind for image in chain.from_iterable(one.falls for one in calls)
    }
    with session.telling(Progress("reading the account", quiet=session.options.quiet)):
        snapshot = observe_around(api, KINDS, kinds & KINDS.keys())
    session.view.server_version = snapshot.server_version
    journals.tell_of_the_last(session, nothing_asked(KINDS), snapshot)
    now = Book(nothing_asked(KINDS), snapshot)
    try:
        touched, untold = footprints(target.runs, target.rollbacks, now, target.made_by_others())
        plan, book = plan_restoration(touched, now, session.options.allowances, leave)
    except NbsyncError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # People can edit journals: objects in them need not be such as any server shows.
        if "NBSYNC_DEBUG" in os.environ:
            raise
        raise Unreadable(target.run.path, f"it holds what no run writes ({type(error).__name__})") from error
    session.view.diagnostics += untold
    session.view.plan = plan
    return plan, book
