"""What plan, apply and drift have in common: read the account, make the plan."""

from __future__ import annotations

from reconciler.api.client import ReadApi
from reconciler.cli.progress import Progress
from reconciler.cli.session import Session
from reconciler.load.desired import Desired
from reconciler.plan import make_plan
from reconciler.plan.change import Plan
from reconciler.plan.match import Book
from reconciler.state.observe import observe


def make(session: Session, desired: Desired, api: ReadApi) -> tuple[Plan, Book]:
    """Read the account and plan; the view gets the plan."""
    with session.telling(Progress("reading the account", quiet=session.options.quiet)):
        snapshot = observe(api, desired)
    session.view.server_version = snapshot.server_version
    plan, book = make_plan(desired, snapshot, session.options.allowances, session.options.targets)
    session.view.plan = plan
    return plan, book
