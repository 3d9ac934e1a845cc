"""`nbsync rotate`: a new secret for one object, by making another beside it."""

from __future__ import annotations

from dataclasses import replace

from reconciler.errors import DesiredStateError, Diagnostic, Severity, UsageError
from reconciler.load.desired import Declared, Desired
from reconciler.load.messages import near
from reconciler.plan.change import Action, Change, Plan, Step
from reconciler.plan.diff import creation
from reconciler.plan.guard import Allowances, guard
from reconciler.plan.match import Book
from reconciler.plan.resolve import resolve
from reconciler.state.snapshot import Live, Snapshot
from schemas._core.address import Address

REASON = "a new secret was asked for"
IN_USE = "NBS650"


def plan_rotation(desired: Desired, snapshot: Snapshot, text: str, allowances: Allowances) -> tuple[Plan, Book]:
    """Plan to make one declared object again, as declared, and then to delete all live ones of its name. Nothing else changes.

    Several live ones are what a rotation leaves that was cut off: nobody knows for sure whose secret was handed over, so
    all of them go.

    Raises:
        UsageError: no file declares it, it is not in the account, or it has no secret that can be renewed.
        DesiredStateError: a name in it, or the object around it, is ambiguous or unknown.
    """
    book = Book(desired, snapshot)
    declared = _renewable(book, text)
    olds = _olds(book, declared)
    if olds:
        book.learn(declared.address, olds[0])
        book.refused.discard(declared.address)
    resolved = resolve(book)
    model = resolved.models.get(declared.address)
    about = {str(declared.parent)} if olds else {str(declared.address), str(declared.parent)}
    wrong = [found for found in book.problems if found.address in about]
    wrong += [found for found in resolved.diagnostics if found.address == str(declared.address)]
    if wrong or model is None:
        raise DesiredStateError(wrong)
    if not olds:
        message = f"{text} is not in the account yet"
        raise UsageError(Diagnostic("NBS901", message, "nbsync apply makes it, with a secret"))
    live, made = olds[0], creation(book, declared, model)
    before = live.kind.decode(live.kind.model, live.seen, book)
    change: Change = replace(
        made,
        action=Action.REPLACE,
        id=live.id,
        live=live,
        before=before,
        fields=(),
        reason=_reason(olds),
        beside=tuple(olds),
    )
    return guard(book, Plan((Step(change),), diagnostics=_own(book, change)), allowances), book


def _reason(olds: list[Live]) -> str:
    ids = ", ".join(live.id for live in olds)
    return REASON if len(olds) == 1 else f"{REASON}; {len(olds)} live objects of this name go: {ids}"


def _olds(book: Book, declared: Declared) -> list[Live]:
    """Live objects that go; last the one that the caller needs until then."""
    if live := book.pairs.get(declared.address):
        return [live]
    around = book.pairs.get(declared.parent) if declared.parent else None
    if declared.parent and around is None:
        return []
    found = [live for live in book.found(declared.address) if around is None or live.parent == around.id]
    return sorted(found, key=lambda live: _is_needed(book, live))


def _is_needed(book: Book, live: Live) -> bool:
    """Its kind would not let it go: the caller works with it."""
    return bool(live.kind.vetoes(live.seen, None, frozenset(), book))


def _own(book: Book, change: Change) -> tuple[Diagnostic, ...]:
    if not any(_is_needed(book, live) for live in change.beside):
        return ()
    message = f"nbsync may be working with {change.address} now: the old one is deleted last, once the new one has been seen to work"
    advice = "give whoever uses it the new secret; nbsync reads it from NB_PAT or --token-file"
    return (Diagnostic(IN_USE, message, advice, Severity.WARNING, str(change.address), change.cause),)


def _renewable(book: Book, text: str) -> Declared:
    declared = book.desired.objects.get(Address.parse(text))
    known = [str(one.address) for one in book.desired.objects.values() if one.kind.renewable]
    if declared is None:
        advice = near(text, known) or "name a setup key or a token that the files declare"
        raise UsageError(Diagnostic("NBS901", f"no file declares '{text}'", advice))
    if not declared.kind.renewable:
        message = f"a {declared.kind.title} has no secret that could be renewed"
        raise UsageError(Diagnostic("NBS901", message, near(text, known) or "setup keys and tokens have one"))
    if declared.model.id is not None:
        message = f"{text} is declared with an id, and a new one has another"
        advice = "take the id out of the files; then rotate removes every live object of this name"
        raise UsageError(Diagnostic("NBS901", message, advice))
    return declared
