"""What a run has done to one object: how it was before, and how the run left it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.codec import FieldSpec, comparable_specs, plain
from schemas._core.fields import JsonObject, Resource
from schemas._core.reading import CannotExpress


@dataclass(frozen=True, slots=True)
class Footprint:
    """One object that a run has made, changed or deleted.

    Attributes:
        address: by which the run knew it.
        before: the object before the run; None if the run made it.
        after: the object as the run left it; None if the run deleted it.
    """

    address: Address
    kind: AnyKind
    id: str
    before: Live | None
    after: Live | None

    @property
    def place(self) -> tuple[str, str]:
        """Kind and id."""
        return self.kind.name, self.id


def decoded(kind: AnyKind, seen: JsonObject, book: Book) -> Resource | None:
    """The object that recorded JSON shows, in the files' words; None where there are none for it."""
    try:
        model: Resource = kind.decode(kind.model, seen, book)
    except (CannotExpress, LookupError, TypeError, ValueError, AttributeError):
        return None
    return model


def changed(footprint: Footprint, book: Book) -> list[FieldSpec]:
    """Fields that the run changed, of an object that it left in place."""
    before, after = (
        decoded(footprint.kind, live.seen, book) if live else None for live in (footprint.before, footprint.after)
    )
    return [
        spec
        for spec in comparable_specs(footprint.kind.model)
        if getattr(before, spec.name) != getattr(after, spec.name)
    ]


def was_renamed(footprint: Footprint) -> bool:
    """Tell whether the run has given the object another name."""
    before, after = footprint.before, footprint.after
    return before is not None and after is not None and before.name != after.name


def was_moved(footprint: Footprint) -> bool:
    """Tell whether the run has moved the object to another parent."""
    before, after = footprint.before, footprint.after
    return before is not None and after is not None and before.parent != after.parent


def since(footprint: Footprint, live: Live, book: Book, drawn: Collection[str] = ()) -> list[str]:
    """How an object differs from what the run made of it, and from what it was before, as far as the run has touched it.

    Args:
        footprint: what the run made of it.
        live: the object now.
        book: what is what now.
        drawn: names of members that have come by what else the run did.
    """
    after, before = footprint.after, footprint.before
    assert after is not None, "the run has left it in place"
    specs = changed(footprint, book) if before else list(comparable_specs(footprint.kind.model))
    then, now = decoded(footprint.kind, after.seen, book), decoded(footprint.kind, live.seen, book)
    first = decoded(footprint.kind, before.seen, book) if before else None
    values = [(spec.said, *(getattr(model, spec.name, None) for model in (then, now, first))) for spec in specs]
    values = [(said, left, _without(is_now, left, drawn), was) for said, left, is_now, was in values]
    if before is None or was_renamed(footprint):
        values.append(("name", after.name, live.name, before.name if before else None))
    if before is None or was_moved(footprint):
        values.append(
            ("parent", *(_around(one, book) for one in (after, live)), _around(before, book) if before else None)
        )
    return [
        f"{said} was {_shown(left)}, is {_shown(is_now)}"
        for said, left, is_now, was in values
        if is_now != left and (before is None or is_now != was)
    ]


def _without(members: Any, left: Any, drawn: Collection[str]) -> Any:
    """A list without those that were drawn in since."""
    if not isinstance(members, tuple):
        return members
    return tuple(member for member in members if member not in drawn or member in (left or ()))


def _around(live: Live, book: Book) -> str:
    return book.label(live.kind.parent, live.parent) if live.kind.parent else ""


def _shown(value: Any) -> str:
    return "(empty)" if value in (None, "", (), []) else str(plain(value))
