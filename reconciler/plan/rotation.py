"""`nbsync rotate`: a new secret for one object, by making it anew."""

from __future__ import annotations

from dataclasses import replace

from reconciler.errors import DesiredStateError, Diagnostic, UsageError
from reconciler.load.desired import Declared, Desired
from reconciler.load.messages import near
from reconciler.plan.change import Action, Change, Plan, Step
from reconciler.plan.diff import creation
from reconciler.plan.guard import Allowances, guard
from reconciler.plan.match import Book
from reconciler.plan.resolve import resolve
from reconciler.state.snapshot import Snapshot
from schemas._core.address import Address

REASON = "a new secret was asked for"


def plan_rotation(desired: Desired, snapshot: Snapshot, text: str, allowances: Allowances) -> tuple[Plan, Book]:
    """Plan to delete one declared object and to make it again as declared. Everything else is left as it is.

    The old one goes first: should the work be cut in between, the next apply makes what is missing.

    Raises:
        UsageError: no file declares it, it is not in the account, or it has no secret that can be renewed.
        DesiredStateError: the object, or a name in it, is ambiguous or unknown.
    """
    book = Book(desired, snapshot)
    resolved = resolve(book)
    declared = _renewable(book, text)
    wrong = [found for found in (*book.problems, *resolved.diagnostics) if found.address == str(declared.address)]
    model, live = resolved.models.get(declared.address), book.pairs.get(declared.address)
    if wrong or model is None:
        raise DesiredStateError(wrong)
    if live is None:
        message = f"{text} is not in the account yet"
        raise UsageError(Diagnostic("NBS901", message, "nbsync apply makes it, with a secret"))
    before = live.kind.decode(live.kind.model, live.seen, book)
    made = creation(book, declared, model)
    change: Change = replace(
        made, action=Action.REPLACE, id=live.id, live=live, before=before, fields=(), reason=REASON
    )
    return guard(book, Plan((Step(change),)), allowances), book


def _renewable(book: Book, text: str) -> Declared:
    kind, _, key = text.partition("/")
    declared = book.desired.objects.get(Address(kind, key))
    known = [str(one.address) for one in book.desired.objects.values() if one.kind.renewable]
    if declared is None:
        advice = near(text, known) or "name a setup key or a token that the files declare"
        raise UsageError(Diagnostic("NBS901", f"no file declares '{text}'", advice))
    if not declared.kind.renewable:
        message = f"a {declared.kind.title} has no secret that could be renewed"
        raise UsageError(Diagnostic("NBS901", message, near(text, known) or "setup keys and tokens have one"))
    return declared
