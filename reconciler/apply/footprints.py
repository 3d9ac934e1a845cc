"""The footprints of a run, and of rollbacks of it: their journals, and for calls without an answer what the account shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.apply.effect import Effect, effect_of, meant
from reconciler.apply.lines import Called, Image
from reconciler.apply.past import Call, Run
from reconciler.errors import Diagnostic, Severity
from reconciler.plan.footprint import Footprint, decoded
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.codec import comparable_specs, field_specs
from schemas._core.fields import JsonObject, Trait
from schemas._core.reading import CannotExpress

NOT_RESTORED = "NBS613"


def footprints(
    runs: Sequence[Run], rollbacks: Sequence[Run], book: Book, made_by_others: Collection[str] = ()
) -> tuple[list[Footprint], list[Diagnostic]]:
    """What runs have done, object by object in the order of their work; and warnings about what their journals do not tell.

    Args:
        runs: as their journals tell.
        rollbacks: of them: what these have made again stands for what the runs deleted.
        book: of the account as it is now, with all kinds that the journals name.
        made_by_others: ids of objects that these runs have not made, as is known.
    """
    trail = _Trail(book, made_by_others)
    calls = [call for run in (*runs, *rollbacks) for call in run.calls.values()]
    own = sum(len(run.calls) for run in runs)
    for number, call in enumerate(calls):
        trail.is_restoring = number >= own
        trail.follow(call, calls[number + 1 :] if call.is_open else ())
    left = [trail.whole(one) for place, one in trail.found.items() if place not in trail.untold]
    return [one for one in left if one.before or one.after], list(dict.fromkeys(trail.diagnostics))


@dataclass(slots=True)
class _Trail:
    """Footprints so far.

    Attributes:
        made_by_others: ids of objects that are not the run's.
        untold: places of objects of which the journal does not say how they were.
        is_restoring: what is followed is a rollback.
        again: id of a deleted object -> id of the one that a rollback has made in its place.
    """

    book: Book
    made_by_others: Collection[str]
    found: dict[tuple[str, str], Footprint] = field(default_factory=dict)
    untold: set[tuple[str, str]] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    is_restoring: bool = False
    again: dict[str, str] = field(default_factory=dict)

    def whole(self, one: Footprint) -> Footprint:
        """A footprint in view of all that was followed."""
        return replace(one, before=_renumbered(one.before, self.again)) if one.before and self.again else one

    def follow(self, call: Call, later: Sequence[Call]) -> None:
        """Take in what one call did; of one without an answer, later ones may tell."""
        called = call.called
        kind = self.book.desired.registry.get(called.kind)
        if kind is None:
            self._tell(called.address, f"this version of nbsync knows no kind {called.kind}")
        elif call.has_effect:
            self._answered(kind, call)
        elif call.is_open:
            self._open(kind, called, later)

    def _answered(self, kind: AnyKind, call: Call) -> None:
        called, answer = call.called, call.answer
        if called.method == "DELETE":
            self._gone(called)
        elif answer and (identifier := answer.id or called.id):
            seen = answer.after or {**meant(called), "id": identifier}
            self._enter(_touched(called, identifier), Live(kind, identifier, seen, answer.parent))

    def _open(self, kind: AnyKind, called: Called, later: Sequence[Call]) -> None:
        """Nobody knows the answer: the next call on the object shows what became of it, or the account does."""
        witness = next((one.called for one in later if _shows(one.called, called)), None)
        if witness and witness.id and called.method != "DELETE":
            after = Live(kind, witness.id, witness.before or {}, witness.parent)
            self._enter(_touched(called, after.id), after)
            return
        effect, live = effect_of(called, self.book)
        if effect is Effect.UNSEEN:
            self._tell(called.address, "whether its last change took effect cannot be told: it cannot be read")
        elif effect is not Effect.DID_NOT and called.method == "DELETE":
            self._gone(called)
        elif effect is not Effect.DID_NOT:
            after = self._as_meant(kind, called, live)
            is_odd = after.id in self.made_by_others or (self.is_restoring and after is not live)
            if called.method == "POST" and is_odd:
                return  # somebody else's, as far as anybody knows
            self._enter(_touched(called, after.id), after)

    def _as_meant(self, kind: AnyKind, called: Called, live: Live | None) -> Live:
        """The object as a call was to leave it: the live one, in all that it has, if that is what was meant."""
        if live is None:
            return Live(kind, called.id or "", meant(called), called.parent)
        body = called.body if isinstance(called.body, dict) else {}
        unseen = {spec.wire for spec in field_specs(kind.model) if Trait.CREATE_ONLY in spec.traits}
        unseen |= kind.decided_at_creation if called.method == "POST" else set()
        said = {key: value for key, value in body.items() if key not in unseen}
        as_meant = replace(live, seen={**live.seen, **said})
        wanted, now = (decoded(kind, one.seen, self.book) for one in (as_meant, live))
        if wanted is None or now is None:
            return as_meant
        with suppress(CannotExpress):
            wanted = kind.settle(wanted, now, live.seen, self.book)
        is_kept = all(getattr(wanted, spec.name) == getattr(now, spec.name) for spec in comparable_specs(kind.model))
        return live if is_kept else as_meant

    def _gone(self, called: Called) -> None:
        for image in (_touched(called, called.id or ""), *map(_of_image, called.falls)):
            self._enter(image, None)

    def _enter(self, touched: _Touched, after: Live | None) -> None:
        kind = self.book.desired.registry.get(touched.kind)
        if kind is None:
            self._tell(touched.address, f"this version of nbsync knows no kind {touched.kind}")
            return
        place = (touched.kind, touched.id)
        known = self.found.get(place) or self._made_again(kind, touched)
        before = known.before if known else self._before(kind, touched)
        self.found[place] = Footprint(Address.parse(touched.address), kind, touched.id, before, after)

    def _made_again(self, kind: AnyKind, touched: _Touched) -> Footprint | None:
        """The footprint of a deleted object in whose place a rollback has made this one."""
        if not (self.is_restoring and touched.is_new):
            return None
        address = Address.parse(touched.address)
        deleted = (one for one in self.found.values() if one.kind is kind and one.before and not one.after)
        gone = next((one for one in deleted if one.address == address), None)
        if gone is not None:
            del self.found[gone.place]
            self.again = {old: touched.id if new == gone.id else new for old, new in self.again.items()}
            self.again[gone.id] = touched.id
        return gone

    def _before(self, kind: AnyKind, touched: _Touched) -> Live | None:
        if touched.is_new:
            return None
        seen = touched.seen or {}
        is_named = not kind.name_field or isinstance(seen.get(kind.name_field), str)
        is_it = kind.endpoint.singleton or seen.get("id") == touched.id
        if is_named and is_it and decoded(kind, seen, self.book) is not None:
            return Live(kind, touched.id, seen, touched.parent)
        self.untold.add((touched.kind, touched.id))
        self._tell(touched.address, "the files have no words for it as it was")
        return None

    def _tell(self, address: str, why: str) -> None:
        message, advice = f"{address} is left out: {why}", "the journal has it as it was: change it by hand"
        self.diagnostics.append(Diagnostic(NOT_RESTORED, message, advice, Severity.WARNING, address))


@dataclass(frozen=True, slots=True)
class _Touched:
    """An object that a call was about, as it was; `is_new` if the run has made it."""

    address: str
    kind: str
    id: str
    seen: JsonObject | None
    parent: str
    is_new: bool = False


def _shows(later: Called, called: Called) -> bool:
    """Whether a call says how an earlier one has left its object."""
    if later.kind != called.kind or later.method == "POST" or later.before is None:
        return False
    return later.id == called.id if called.id else later.address == called.address


def _renumbered(live: Live, again: Mapping[str, str]) -> Live:
    """The same object with other ids, of its own and of what it refers to."""
    return Live(
        live.kind, again.get(live.id, live.id), _with_ids(live.seen, again), again.get(live.parent, live.parent)
    )


def _with_ids(value: Any, again: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {again.get(key, key): _with_ids(item, again) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_ids(item, again) for item in value]
    return again.get(value, value) if isinstance(value, str) else value


def _touched(called: Called, identifier: str) -> _Touched:
    is_new = called.method == "POST" or called.made
    return _Touched(called.address, called.kind, identifier, called.before, called.parent, is_new)


def _of_image(image: Image) -> _Touched:
    return _Touched(image.address, image.kind, image.id, image.seen, image.parent)
