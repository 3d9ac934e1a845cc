"""What plan, apply and drift have in common: read the account, make the plan."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.api.client import ReadApi
from reconciler.cli.progress import Progress
from reconciler.cli.session import Session
from reconciler.errors import Diagnostic, UsageError
from reconciler.load.desired import Desired
from reconciler.load.messages import near
from reconciler.plan import make_plan
from reconciler.plan.change import Plan
from reconciler.plan.match import Book
from reconciler.state.observe import observe
from reconciler.state.snapshot import Snapshot


def make(session: Session, desired: Desired, api: ReadApi) -> tuple[Plan, Book]:
    """Read the account and plan; the view gets the plan.

    Raises:
        UsageError: `--allow-empty` names something that no file has, before anything is read.
    """
    _check_sections(session.options.allowances.empty, desired)
    snapshot = read_account(session, desired, api)
    plan, book = make_plan(desired, snapshot, session.options.allowances, session.options.targets)
    session.view.plan = plan
    return plan, book


def read_account(session: Session, desired: Desired, api: ReadApi) -> Snapshot:
    """Read what a plan has to know, and tell how it goes."""
    with session.telling(Progress("reading the account", quiet=session.options.quiet)):
        snapshot = observe(api, desired)
    session.view.server_version = snapshot.server_version
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
