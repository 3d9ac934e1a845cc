"""Whether a call whose answer nobody has took effect: the account shows it."""

from __future__ import annotations

from enum import StrEnum

from reconciler.apply.lines import Called
from reconciler.plan.footprint import decoded
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.fields import JsonObject, Resource


class Effect(StrEnum):
    """What the account says of a call."""

    TOOK = "it took effect"
    DID_NOT = "it did not take effect"
    OTHERWISE = "the object is neither as it was nor as it was meant by now"
    GONE = "the object is not there any more"
    UNSEEN = "whether it took effect cannot be told from what was read"


def effect_of(called: Called, book: Book) -> tuple[Effect, Live | None]:
    """What became of a call, and the object that it was about, if that is there."""
    kind = book.desired.registry.get(called.kind)
    if kind is None:
        return Effect.UNSEEN, None
    found = _of_key(called, book) if called.method == "POST" else [book.snapshot.of(kind.name).get(called.id or "")]
    live = found[0] if len(found) == 1 else None
    if len(found) > 1 or (live is None and not book.snapshot.shows(kind, called.parent)):
        return Effect.UNSEEN, None
    if called.method == "POST":
        return (Effect.TOOK if live else Effect.DID_NOT), live
    if called.method == "DELETE":
        return (Effect.DID_NOT if live else Effect.TOOK), live
    return (_of_update(kind, called, live, book), live) if live else (Effect.GONE, None)


def _of_key(called: Called, book: Book) -> list[Live]:
    """Objects of the key that a create was to make, but for those beside which it was to stand: there was none before."""
    key = Address.parse(called.address).key
    found = (live for live in book.snapshot.of(called.kind).values() if live.id not in called.beside)
    return [live for live in found if book.key_now(live) == key or _has_begun(called, live)]


def _has_begun(called: Called, live: Live) -> bool:
    """A create was only to begin an object there, and this one has only begun."""
    body = called.body if isinstance(called.body, dict) else {}
    begun = (live.kind.is_begun(seen, called.parent) for seen in (body, live.seen))
    return called.parent == live.parent and all(begun)


def _of_update(kind: AnyKind, called: Called, live: Live, book: Book) -> Effect:
    before, after = called.before or {}, meant(called)
    now = _said(kind, live.seen, book)
    if now is not None and now == _said(kind, after, book):
        return Effect.TOOK
    if now is not None and now == _said(kind, before, book):
        return Effect.DID_NOT
    return Effect.OTHERWISE


def meant(called: Called) -> JsonObject:
    """The object as an update was to make it: as it was, with the body of the request laid over it."""
    body = called.body if isinstance(called.body, dict) else {}
    return {**(called.before or {}), **body}


def _said(kind: AnyKind, seen: JsonObject, book: Book) -> tuple[str, Resource] | None:
    model = decoded(kind, seen, book)
    name = seen.get(kind.name_field) if kind.name_field else ""
    return None if model is None or not isinstance(name, str) else (kind.name_form(name), model)
