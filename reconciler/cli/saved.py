"""Plan files: where they are kept, for which server they are, and what becomes of them."""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path

from reconciler import atomic, private
from reconciler.api.client import ReadApi
from reconciler.cli.journals import tell_of_this_plan
from reconciler.cli.planning import looked_further, read_account
from reconciler.cli.session import Session
from reconciler.errors import (
    DesiredStateError,
    Diagnostic,
    NbsyncError,
    NotAuthorized,
    Severity,
    StalePlan,
    UsageError,
    reason,
)
from reconciler.load.archive import archived, restored
from reconciler.load.desired import Desired
from reconciler.load.document import understand
from reconciler.plan.again import plan_again
from reconciler.plan.change import Plan
from reconciler.plan.match import Book
from reconciler.plan.savefile import DAMAGED, START, SavedPlan, Target, damaged, decode, digest, encode, save
from reconciler.settings import url_of
from schemas import KINDS

FOREIGN, NOT_SAVED, SAVED, IN_THE_WAY, SHOWN = "NBS622", "NBS624", "NBS625", "NBS626", "NBS627"


def check_free(path: Path) -> None:
    """See that a plan may be written there: nothing is, or an empty file, or an earlier plan.

    Raises:
        UsageError: something else is there.
    """
    try:
        why = "" if not path.exists() else _why_not(path)
    except OSError as error:
        why = reason(error)
    if why:
        message = f"--save {path} would overwrite what is no plan of nbsync: {why}"
        raise UsageError(Diagnostic(IN_THE_WAY, message, "name another file, or move that one away"))


def _why_not(path: Path) -> str:
    if not path.is_file():
        return "it is no file"
    with path.open("rb") as file:
        start = file.read(len(START))
    return "" if start in (b"", START) else "it is a file of something else"


def save_plan(session: Session, plan: Plan, book: Book, path: Path) -> None:
    """Save a plan, unless a guard refuses it; tell what became of it.

    Raises:
        NbsyncError: the file cannot be written, or nobody knows for which account it is.
    """
    view = session.view
    left = "the file there is left as it is" if path.exists() else "no file was written"
    if plan.verdicts:
        message, advice = f"the plan was not saved to {path}: a guard refuses it; {left}", "see what the guards say"
        view.diagnostics.append(Diagnostic(NOT_SAVED, message, advice, Severity.WARNING))
        return
    if not (account := session.account()):
        message = f"the plan was not saved to {path}: the server does not let this token know its account; {left}"
        raise NotAuthorized(Diagnostic(NOT_SAVED, message, "plan with the token of a user who may see the account"))
    assert session.document is not None, "the plan was made from files"
    saved = save(
        plan,
        book,
        archived(session.document),
        Target(url=view.server_url or "", version=view.server_version, account=account),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        since=view.since,
        allowances=session.options.allowances,
    )
    try:
        atomic.replace(path, encode(saved), lambda descriptor: os.fchmod(descriptor, private.FILE))
    except OSError as error:
        message = f"{path} cannot be written: {reason(error)}"
        raise NbsyncError(Diagnostic("NBS902", message, "choose another file for --save")) from None
    message, advice = (
        f"the plan is saved in {path}",
        f"carry out just this: nbsync apply --plan {shlex.quote(str(path))}",
    )
    view.diagnostics.append(Diagnostic(SAVED, message, advice, Severity.INFO))


def load_plan(path: Path) -> SavedPlan:
    """Read a plan file.

    Raises:
        DesiredStateError: it cannot be read or used.
    """
    try:
        if path.exists() and not path.is_file():
            raise damaged(str(path), "it is no file")
        data = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {reason(error)}"
        raise DesiredStateError(Diagnostic(DAMAGED, message, "make it with nbsync plan --save FILE")) from None
    return decode(data, str(path), KINDS)


def tell_whose(session: Session, saved: SavedPlan) -> None:
    """Tell for which account a plan was made, when, and by which version."""
    target = saved.target
    message = f"this plan was made by nbsync {saved.nbsync_version} at {saved.made_at} for the account {target.account} of {target.url}"
    advice = "nbsync apply --plan carries it out, unless something that it touches has changed since"
    session.view.diagnostics.append(Diagnostic(SHOWN, message, advice, Severity.INFO))


def meant_by(saved: SavedPlan, path: Path) -> Desired:
    """Understand the desired state of a plan file.

    Raises:
        DesiredStateError: it cannot be understood; another version of nbsync has written it.
    """
    try:
        root, sources, removed = restored(saved.desired)
        desired = understand(root, sources, removed, KINDS)
    except (ValueError, RecursionError):
        raise damaged(str(path), "its desired state has no places") from None
    wrong = next((found for found in desired.diagnostics if found.severity is Severity.ERROR), None)
    if wrong:
        raise damaged(str(path), f"this version of nbsync does not accept its desired state: {wrong.message}")
    return desired


def require_server(session: Session, saved: SavedPlan) -> None:
    """See, before anybody is asked, that the server is the one for which the plan was made.

    Raises:
        DesiredStateError: it is another one.
        UsageError: its URL is refused.

    A simulated account is told from others by its id.
    """
    url = url_of(os.environ) if session.options.simulate is None else saved.target.url
    if url != saved.target.url:
        raise _foreign(f"the plan was made for the server {saved.target.url}, and this is {url}")


def make_again(session: Session, api: ReadApi, saved: SavedPlan, desired: Desired) -> tuple[Plan, Book]:
    """Find the changes of a saved plan in the account as it is now; the view gets the plan.

    Raises:
        DesiredStateError: the plan is for another account.
        StalePlan: something that it touches has changed since.
    """
    account = session.account()
    if account != saved.target.account:
        this = account or "one that the server does not let this token know"
        raise _foreign(f"the plan was made for the account {saved.target.account}, and this is {this}")
    session.plan_digest, session.view.is_of_file = digest(saved), True
    snapshot = read_account(session, desired, api)
    try:
        plan, book = looked_further(lambda: plan_again(saved, desired, snapshot), api, desired, snapshot)
    except StalePlan:
        tell_of_this_plan(session, session.plan_digest)
        raise
    session.view.plan = plan
    return plan, book


def _foreign(message: str) -> DesiredStateError:
    advice = "give the server and token of the account for which it was made, or make a plan for this one"
    return DesiredStateError(Diagnostic(FOREIGN, message, advice))
