"""What plan, apply and drift have in common: read the account, make the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from reconciler.api.client import ReadApi
from reconciler.cli.journals import tell_of_the_last
from reconciler.cli.progress import Progress
from reconciler.cli.session import Session
from reconciler.errors import Diagnostic, UsageError
from reconciler.load.desired import Desired
from reconciler.load.messages import near
from reconciler.plan import make_plan
from reconciler.plan.change import Plan
from reconciler.plan.match import Book
from reconciler.state.observe import look_further, observe
from reconciler.state.snapshot import Snapshot

if TYPE_CHECKING:
    from reconciler.cli.since import Since


def make(session: Session, desired: Desired, api: ReadApi, *, in_order: bool = True) -> tuple[Plan, Book]:
    """Read the account and plan; the view gets the plan, with the origins of its changes if that is asked for.

    Args:
        session: what the command was given.
        desired: what the files ask for.
        api: reads the account.
        in_order: the order of the work counts, and what it depends on is read.

    Raises:
        UsageError: `--allow-empty` names something that no file has, or git cannot help, before anything is read.
    """
    options = session.options
    _check_sections(options.allowances.empty, desired)
    earlier = _earlier(session)
    snapshot = read_account(session, desired, api, *([earlier.desired] if earlier else []))

    def plan_now() -> tuple[Plan, Book]:
        return make_plan(desired, snapshot, options.allowances, options.targets)

    plan, book = looked_further(plan_now, api, desired, snapshot) if in_order else plan_now()
    if earlier:
        plan = earlier.trace(plan, book)
        session.view.since = earlier.revision
    session.view.plan = plan
    return plan, book


def looked_further(
    plan: Callable[[], tuple[Plan, Book]], api: ReadApi, desired: Desired, snapshot: Snapshot
) -> tuple[Plan, Book]:
    """Plan, and once more where the order depends on what was not read."""
    made = plan()
    return plan() if made[0].guessed and look_further(api, desired, snapshot) else made


def _earlier(session: Session) -> Since | None:
    if session.options.since is None:
        return None
    from reconciler.cli.since import Since

    return Since(session, session.options.since)


def read_account(session: Session, desired: Desired, api: ReadApi, *others: Desired) -> Snapshot:
    """Read what plans have to know, and tell how it goes, and what runs did that were cut off."""
    with session.telling(Progress("reading the account", quiet=session.options.quiet)):
        snapshot = observe(api, desired, *others)
    session.view.server_version = snapshot.server_version
    tell_of_the_last(session, desired, snapshot)
    return snapshot


def _check_sections(named: Iterable[str], desired: Desired) -> None:
    known = {".".join(kind.section) for kind in desired.registry.values() if not kind.parent}
    known |= {str(parent) for _, parent in desired.parts}
    unknown = sorted(set(named) - known)
    if unknown:
        raise UsageError(
            Diagnostic(
                "NBS901",
                f"--allow-empty: no section is called '{name}'",
                near(name, known) or "write it as the guard's help does: groups, dns.zones, network/dc1",
            )
            for name in unknown
        )
