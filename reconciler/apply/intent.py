"""Whether an answer shows what was meant: an accepted write is not yet a kept one."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.errors import AccountError, Diagnostic, NbsyncError
from reconciler.plan.change import Change
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas._core.codec import field_specs, plain
from schemas._core.fields import JsonObject, Resource, Trait
from schemas._core.kind import CannotExpress

NOT_KEPT = "NBS604"


class NotKept(NbsyncError):
    """The server took a write and did not keep all of it."""


def shown(book: Book, change: Change, live: Live) -> Resource:
    """The object that an answer shows.

    Raises:
        AccountError: it shows none that the files have words for.
    """
    kind = change.kind
    try:
        decoded: Resource = kind.decode(kind.model, live.seen, book)
    except (CannotExpress, LookupError, TypeError, ValueError, AttributeError) as error:
        raise odd_answer(change) from error
    return decoded


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
    return [name for name in _comparable(change, wanted) if getattr(there, name) != getattr(meant, name)]


def name_differs(change: Change, seen: JsonObject) -> bool:
    """Tell whether an answer shows another name than the one that the change gives."""
    kind = change.kind
    return bool(kind.name_field) and kind.name_form(seen.get(kind.name_field) or "") != kind.name_form(change.name)


def complain(book: Book, change: Change, desired: Resource, live: Live, left: list[str]) -> None:
    """Say what was not kept.

    Raises:
        NotKept: some attributes are left, or the name is another one.
    """
    there = shown(book, change, live)
    said = [
        f"{spec.said}: meant {plain(getattr(desired, spec.name))}, is {plain(getattr(there, spec.name))}"
        for spec in field_specs(change.kind.model)
        if spec.name in left
    ]
    if name_differs(change, live.seen):
        said.append(f"name: meant {change.name}, is {live.name}")
    if said:
        message = f"the server took {change.address} and did not keep all of it: {'; '.join(said)}"
        advice = "run plan to see where the account stands"
        raise NotKept(Diagnostic(NOT_KEPT, message, advice, address=str(change.address), place=change.cause))


def _comparable(change: Change, wanted: frozenset[str]) -> Iterator[str]:
    for spec in field_specs(change.kind.model):
        if spec.name in wanted and Trait.CREATE_ONLY not in spec.traits:
            yield spec.name
