"""Whether an answer shows what was meant: an accepted write is not yet a kept one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reconciler.errors import AccountError, Diagnostic, NbsyncError, StalePlan
from reconciler.plan.change import Change
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.codec import comparable_specs, field_specs, plain
from schemas._core.effect import Effect, Use
from schemas._core.fields import JsonObject, Resource, seconds
from schemas._core.reading import CannotExpress

NOT_KEPT, STALE = "NBS604", "NBS630"
LIFETIME: Final = "expires_in"
"""Attribute of the models whose kinds have a lifetime."""
LEEWAY: Final = 60
"""Seconds by which a lifetime may differ from what was asked for: servers round."""


class NotKept(NbsyncError):
    """The server took a write and did not keep all of it."""


class BeyondWords(AccountError):
    """An answer shows an object of the right kind for which the files have no words.

    Attributes:
        said: how it differs from what was meant, for people.
        is_more: it does more than an object of one declaration can.
    """

    def __init__(self, change: Change, why: CannotExpress) -> None:
        self.said, self.is_more = f"it is one that the files have no words for: {why}", why.is_more
        message, advice = f"{change.address}: {self.said}", "run plan to see what is there"
        super().__init__(Diagnostic("NBS509", message, advice, address=str(change.address)))


@dataclass(frozen=True, slots=True)
class Written:
    """What a write was to make of an object.

    Attributes:
        planned: the change of the plan that asked for it.
        change: the same with the name that was written.
        desired: the object as it was to be, in view of the live one.
        writes: attributes that were laid over the object.
        base: the object before, as a request that changes nothing leaves it; None if there was none.
    """

    planned: Change
    change: Change
    desired: Resource
    writes: frozenset[str]
    base: Live | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is there beside what was meant.

    Attributes:
        there: the object as an answer shows it; None if the files have no words for it.
        meant: the same with all that differs as it was meant.
        said: what differs, for people: `from: meant ['a', 'b'], is ['a']`.
        has_more: something has come to it for which the files have no words.
    """

    there: Resource | None
    meant: Resource
    said: tuple[str, ...]
    has_more: bool


def shown(book: Book, change: Change, live: Live) -> Resource:
    """The object that an answer shows.

    Raises:
        BeyondWords: the files have no words for it.
        AccountError: it shows none.
    """
    kind = change.kind
    try:
        decoded: Resource = kind.decode(kind.model, live.seen, book)
        return decoded.model_copy(update={LIFETIME: kind.lifetime(live.seen)}) if kind.lifetime else decoded
    except CannotExpress as error:
        raise BeyondWords(change, error) from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise odd_answer(change) from error


def odd_answer(change: Change) -> AccountError:
    """The server said yes and showed something else than an object of this kind."""
    message = f"the server's answer to {change.action} {change.address} shows no such object"
    return AccountError(Diagnostic("NBS509", message, "run plan to see what is there", address=str(change.address)))


def unlike(
    book: Book, change: Change, desired: Resource, live: Live, writes: frozenset[str] | None = None
) -> list[str]:
    """Attributes that an answer does not show as they were meant; of all that were written, or of some."""
    there = shown(book, change, live)
    meant = change.kind.settle(desired, there, live.seen, book)
    wanted = change.writes if writes is None else writes
    return [name for name in _comparable(change.kind, wanted) if getattr(there, name) != getattr(meant, name)]


def name_differs(change: Change, seen: JsonObject) -> bool:
    """Tell whether an answer shows another name than the one that the change gives."""
    kind = change.kind
    return bool(kind.name_field) and kind.name_form(seen.get(kind.name_field) or "") != kind.name_form(change.name)


def compare(book: Book, written: Written, live: Live, *, whole: bool) -> Comparison:
    """Compare what is there with what was meant.

    Args:
        book: what is what.
        written: what was meant.
        live: what is there.
        whole: it comes from a list: all that was not written has to be as it was, too.
    """
    change = written.change
    try:
        there = shown(book, change, live)
    except BeyondWords as error:
        return Comparison(None, written.desired, (error.said,), has_more=error.is_more)
    writes = written.writes if whole else written.writes | _declared_besides(written)
    left = {name: getattr(written.desired, name) for name in unlike(book, change, written.desired, live, writes)}
    if written.base is None:
        left |= _otherwise_lasting(change.kind, written.desired, there)
    elif whole:
        left |= _lost(book, written, there)
    said = [
        f"{spec.said}: meant {plain(left[spec.name])}, is {plain(getattr(there, spec.name))}"
        for spec in field_specs(change.kind.model)
        if spec.name in left
    ]
    if name_differs(change, live.seen):
        said.append(f"name: meant {change.name}, is {live.name}")
    lost, come = _echoed_otherwise(change.kind, written, live) if whole else ([], [])
    return Comparison(there, there.model_copy(update=left), (*said, *lost, *come), has_more=bool(come))


def _declared_besides(written: Written) -> frozenset[str]:
    """Attributes of an object to which others write that the files give, and that were so already: lists may show more by now."""
    if not written.change.kind.volatile:
        return frozenset()
    desired = written.desired
    asked = (spec.name for spec in comparable_specs(written.change.kind.model) if spec.said not in desired.ignore)
    return frozenset(name for name in asked if getattr(desired, name) is not None) - written.planned.writes


def _lost(book: Book, written: Written, there: Resource) -> JsonObject:
    """Attributes that were not written and differ all the same, as they were."""
    kind = written.change.kind
    if written.base is None or kind.volatile:
        return {}
    before = shown(book, written.change, written.base)
    kept = {spec.name for spec in field_specs(kind.model) if spec.wire not in kind.computed} - written.writes
    names = _comparable(kind, frozenset(kept))
    return {name: getattr(before, name) for name in names if getattr(before, name) != getattr(there, name)}


def _otherwise_lasting(kind: AnyKind, desired: Resource, there: Resource) -> JsonObject:
    """The lifetime that a new object was to have, if it has another one."""
    if kind.lifetime is None:
        return {}
    meant, found = (seconds(getattr(one, LIFETIME)) for one in (desired, there))
    is_as_meant = abs(meant - found) <= LEEWAY and bool(meant) == bool(found)
    return {} if is_as_meant else {LIFETIME: getattr(desired, LIFETIME)}


def _echoed_otherwise(kind: AnyKind, written: Written, live: Live) -> tuple[list[str], list[str]]:
    """Parts of what an update sends as it is that are not there any more, and those that have come."""
    before = written.base.seen if written.base else {}
    parts = {key: (before.get(key) or [], live.seen.get(key) or []) for key in sorted(kind.echoes)}
    gone = {key: [part for part in was if part not in now] for key, (was, now) in parts.items()}
    come = {key: [part for part in now if part not in was] for key, (was, now) in parts.items()}
    return (
        [f"{key}: lost {found}" for key, found in gone.items() if found],
        [f"{key}: has {found} besides" for key, found in come.items() if found],
    )


class _Open:
    """Around one object of which nothing else is known: whatever has to do with it opens by it."""

    own = frozenset({Use.OPENS})
    moved = leads_on = False

    def of(self, _address: Address) -> frozenset[Use]:
        return self.own


def is_wider(kind: AnyKind, one: Resource | None, other: Resource | None) -> bool:
    """Tell whether the second of two states of an object gives access that the first one does not, or lets somebody do more."""
    is_more = one is not None and other is not None and kind.grants(one, other)
    return is_more or kind.effect(one, other, _Open()) in (Effect.WIDENS, Effect.MIXED)


def not_kept(change: Change, said: tuple[str, ...], note: str = "") -> NotKept:
    """The finding that something was not kept."""
    message = f"the server took {change.address} and did not keep all of it: {'; '.join(said)}{note}"
    advice = "run plan to see where the account stands"
    return NotKept(Diagnostic(NOT_KEPT, message, advice, address=str(change.address), place=change.cause))


def changed_since(change: Change, said: tuple[str, ...], deed: str) -> StalePlan:
    """The finding that somebody has changed an object after it was written; who and what is `deed`."""
    message = f"{change.address} was changed after this run had written it ({deed}): {'; '.join(said)}"
    advice = "it was left as it is now; run plan to see what would be done"
    return StalePlan(Diagnostic(STALE, message, advice, address=str(change.address), place=change.cause))


def _comparable(kind: AnyKind, wanted: frozenset[str]) -> Iterator[str]:
    return (spec.name for spec in comparable_specs(kind.model) if spec.name in wanted)
