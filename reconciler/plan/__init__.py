"""From desired and observed state to a plan: match, resolve, compare, order, guard. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import DesiredStateError, Severity
from reconciler.load.desired import Desired
from reconciler.plan.change import Plan
from reconciler.plan.diff import diff
from reconciler.plan.guard import Allowances, guard
from reconciler.plan.match import Book
from reconciler.plan.order import order
from reconciler.plan.resolve import resolve
from reconciler.plan.target import only
from reconciler.state.snapshot import Snapshot


def make_plan(
    desired: Desired, snapshot: Snapshot, allowances: Allowances | None = None, targets: Sequence[str] = ()
) -> tuple[Plan, Book]:
    """Plan how the account becomes what the files ask for; with targets, only as far as these need.

    Returns:
        The plan, with the guards' verdicts, and the book of what is what, which an apply goes on with.

    Raises:
        DesiredStateError: the files do not fit this account; all reasons at once.
        UsageError: a target is not known.
    """
    book = Book(desired, snapshot)
    resolved = resolve(book)
    found = diff(book, resolved)
    diagnostics = [*desired.diagnostics, *book.problems, *resolved.diagnostics, *found.diagnostics]
    if any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        raise DesiredStateError(diagnostics)
    changes = only(found.changes, targets, book) if targets else found.changes
    steps, warnings, guessed = order(changes, book, () if targets else None)
    undeclared = () if targets else tuple(found.undeclared)
    plan = Plan(
        steps,
        unmanaged=found.unmanaged,
        undeclared=undeclared,
        diagnostics=(*diagnostics, *warnings),
        guessed=guessed,
    )
    return guard(book, plan, allowances or Allowances()), book
