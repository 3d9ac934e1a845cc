"""What a change was planned on, looked at again just before it is sent: what somebody has changed since is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from math import inf

from reconciler.api.problems import Missing, NotPermitted
from reconciler.apply.around import Around, key_now
from reconciler.apply.bindings import Bindings
from reconciler.apply.fresh import AT_ONCE, SOON, Fresh, View
from reconciler.apply.intent import STALE
from reconciler.apply.neighbours import Unwatched
from reconciler.errors import AccountError, Diagnostic, NbsyncError, StalePlan
from reconciler.plan.change import Action, Change
from reconciler.plan.match import Book
from reconciler.plan.occupied import needed_alone, occupied_by
from reconciler.plan.stale import State, differences, state_of
from reconciler.state.observe import paths_of
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.codec import field_specs
from schemas._core.kind import Unique
from schemas._core.reading import CannotExpress


class Meanwhile:
    """Compares what changes were planned on with what is there now.

    Never somebody's change is what this run has done itself, to the object or, by another one, to its fields (`Kind.stirs`), nor
    a member that comes or goes by itself; whether somebody has changed one of these fields, too, the audit log tells. Of fields for which the files have no words that holds only until something was
    written: from then on they may be counters of what this run does.
    """

    def __init__(self, fresh: Fresh, book: Book, watch: Unwatched) -> None:
        self._fresh = fresh
        self._book = book
        self._watch = watch
        self._around = Around(fresh, book)
        self._ids = Bindings(book)
        self._registry = book.desired.registry
        self._newcomers: dict[tuple[str, str], tuple[View, list[Live]]] = {}

    def paths(self, change: Change) -> list[str]:
        """Lists to read for the check of a change."""
        found = self._around.paths(change)
        if self._stands_in_a_new_one(change):
            return found
        found += paths_of(change.kind, self._registry, self._parent(change))
        if change.removes:
            found += [path for kind in self._inside(change) for path in paths_of(kind, self._registry, change.id or "")]
        return found

    def require_same_around(self, change: Change) -> None:
        """See that what a change stands in or refers to is what it was planned on.

        Raises:
            StalePlan: a name means another object by now, or none.
            AccountError: it cannot be read.
        """
        self._refuse(change, self._around.differences(change))

    def base(self, change: Change) -> Live:
        """The object as it is now, on which an update is laid.

        Raises:
            StalePlan: it is another one than it was planned on, or gone.
            AccountError: it cannot be read.
        """
        live = self._book.pairs.get(change.address) or change.live
        if live is None:
            raise AssertionError(f"nothing to update for {change.address}")
        kind = change.kind
        view = self._fresh.now(kind, live.parent, limit=AT_ONCE if kind.volatile else SOON)
        own = self._fresh.own(kind, live.id)
        if own is not None and self._fresh.written_since(view, kind, live.id):
            if not kind.volatile:
                return own
            view = self._fresh.renewed(kind, live.parent)
        now = view.objects.get(live.id)
        if now is None:
            raise _stale(change, ["it is gone"])
        self._refuse(change, self._differences(own or live, now, view, change))
        return now

    def still_there(self, change: Change) -> Live | None:
        """The object that is to go as it is now; None if it has gone.

        Raises:
            StalePlan: it, or what goes with it, is another one than it was planned on.
            AccountError: it cannot be read.
        """
        live = change.live
        if live is None:
            raise AssertionError(f"nothing to delete for {change.address}")
        own = self._fresh.own(change.kind, live.id)
        if own is None and self._fresh.is_own(change.kind, live.id):
            return None
        view = self._fresh.now(change.kind, live.parent)
        is_ours = own is not None and self._fresh.written_since(view, change.kind, live.id)
        now = own if is_ours else view.objects.get(live.id)
        if now is None:
            self._require_gone(change, live)
            return None
        if not is_ours:
            self._refuse(change, self._differences(own or live, now, view, change))
        self._refuse(change, self._come_into(change))
        return now

    def _require_gone(self, change: Change, live: Live) -> None:
        """See that an object is gone that its list does not show: a list may be in part, and nobody would look again.

        Raises:
            StalePlan: it is there.
            AccountError: nobody knows; a caller who may not see single ones has to trust the list.
        """
        if not change.kind.endpoint.shows_one:
            return
        with suppress(Missing, NotPermitted):
            self._fresh.look(live.where)
            raise _stale(change, ["its list does not show it any more, and it is there"])

    def require_free(self, change: Change) -> None:
        """See that nobody has made an object of the name that this one is to have.

        Where the server would refuse a second one, an old read does.

        Raises:
            StalePlan: there is one.
            AccountError: it cannot be read.
        """
        if self._stands_in_a_new_one(change):
            return
        parent = self._parent(change)
        is_guarded = change.action is Action.CREATE and change.kind.unique is not Unique.NO
        view = self._fresh.now(change.kind, parent, limit=inf if is_guarded else SOON)
        needed = needed_alone(change)
        for live in self._new(change.kind, parent, view):
            if live.id == change.id or self._fresh.is_own(change.kind, live.id):
                continue
            if self._has_come(live, change):
                raise _stale(change, [f"it was not there when planned, is there now with the id {live.id}"])
            if needed and not needed.isdisjoint(occupied_by(live, self._book)):
                other = Address(live.kind.name, key_now(self._book, live))
                raise _stale(change, [f"{other} is there now, which excludes it"])

    def _stands_in_a_new_one(self, change: Change) -> bool:
        """The object around it is made by this run: nobody knows of it."""
        if change.parent is None or change.action is not Action.CREATE:
            return False
        return self._id_of(change.parent) not in self._book.snapshot.of(change.parent.kind)

    def _id_of(self, parent: Address) -> str:
        try:
            return self._ids(parent.kind, parent.key)
        except NbsyncError:
            return ""

    def _parent(self, change: Change) -> str:
        """Id of the object in whose list it stands."""
        if change.live is not None:
            return change.live.parent
        return self._id_of(change.parent) if change.parent else ""

    def _new(self, kind: AnyKind, parent: str, view: View) -> list[Live]:
        """Objects that were not there, or not by this name, when the account was read."""
        known = self._newcomers.get((kind.name, parent))
        if known is None or known[0] is not view:
            known = view, [live for live in view.objects.values() if self._is_new(live)]
            self._newcomers[kind.name, parent] = known
        return known[1]

    def _is_new(self, live: Live) -> bool:
        old = self._book.snapshot.of(live.kind.name).get(live.id)
        if old is None or (old.name, old.parent) != (live.name, live.parent):
            return True
        return live.kind.suffix is not None and old.seen != live.seen

    def _has_come(self, live: Live, change: Change) -> bool:
        old = self._book.snapshot.of(live.kind.name).get(live.id)
        keys = [key_now(self._book, one) for one in (live, old) if one is not None]
        return keys[0] == change.address.key and change.address.key not in keys[1:]

    def _inside(self, change: Change) -> list[AnyKind]:
        """Kinds whose objects go with this one, as far as they were read."""
        return [
            kind
            for kind in self._registry.values()
            if kind.parent == change.kind.name and self._book.snapshot.shows(kind, change.id or "")
        ]

    def _come_into(self, change: Change) -> Iterator[str]:
        """What somebody has made, or changed, inside an object that is to go."""
        for kind in self._inside(change):
            view = self._fresh.now(kind, change.id or "")
            for now in view.objects.values():
                if now.parent == change.id and not self._fresh.is_own(kind, now.id):
                    then = self._book.snapshot.of(kind.name).get(now.id)
                    said = self._differences(then, now, view) if then else ["it was not there when planned"]
                    yield from (
                        f"{Address(kind.name, key_now(self._book, now))} goes with it, and {one}" for one in said
                    )

    def _differences(self, then: Live, now: Live, view: View, change: Change | None = None) -> list[str]:
        if (then.seen, then.parent) == (now.seen, now.parent):
            return []
        try:
            old, new = (state_of(self._book, live, change) for live in (then, now))
        except (CannotExpress, LookupError, TypeError, ValueError, AttributeError) as error:
            raise _odd(now) from error
        removes, stirred = change is not None and change.removes, self._fresh.stirred(now.kind)
        said = differences(*self._comparable(now.kind, old, new, stirred, removes=removes))
        if said or not stirred:
            return said
        said = differences(*self._comparable(now.kind, old, new, set(), removes=removes))
        if not said:
            return []
        self._fresh.await_answers()
        deed = self._watch.by_others(now, view.until - SOON)  # the log is as good as a list is
        return [f"{one} ({deed})" for one in said] if deed else []

    def _comparable(
        self, kind: AnyKind, then: State, now: State, stirred: set[str], *, removes: bool
    ) -> tuple[State, State]:
        """The two states without what this run may have changed by the way (`stirred`), and what changes by itself."""
        specs = field_specs(kind.model)
        left_out = set(stirred)
        if kind.volatile and removes:
            left_out |= {spec.wire for spec in specs if spec.many and spec.ref and _is_part(now, then, spec.wire)}
        words = {spec.wire for spec in specs} | {kind.name_field} | kind.echoes
        if kind.volatile and self._fresh.has_written:
            left_out |= (now.sent.keys() | then.sent.keys()) - words
        said = {spec.said for spec in specs if spec.wire in left_out}
        then, now = (_without(state, left_out, said) for state in (then, now))
        if self._fresh.has_written and then.fields == now.fields != {}:
            now = replace(now, sent=then.sent)
        return then, now

    def _refuse(self, change: Change, reasons: Iterable[str]) -> None:
        if found := list(reasons):
            raise _stale(change, found)


def _without(state: State, wires: set[str], said: set[str]) -> State:
    return replace(
        state,
        fields={key: value for key, value in state.fields.items() if key not in said},
        sent={key: value for key, value in state.sent.items() if key not in wires},
    )


def _is_part(now: State, then: State, wire: str) -> bool:
    """Whether nothing has come to a list."""
    before = then.sent.get(wire) or ()
    return all(item in before for item in now.sent.get(wire) or ())


def _odd(live: Live) -> AccountError:
    message = f"the list of {live.kind.title}s shows something that is none (id {live.id})"
    return AccountError(Diagnostic("NBS509", message, "run plan to see what is there"))


def _stale(change: Change, reasons: list[str]) -> StalePlan:
    message = f"{change.address} has changed since the plan was made: {'; '.join(reasons)}"
    advice = "nothing was done to it; run plan to see what would be done now"
    return StalePlan(Diagnostic(STALE, message, advice, address=str(change.address), place=change.cause))
