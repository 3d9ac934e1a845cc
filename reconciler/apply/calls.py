"""One change as calls: what is sent, and what the answer says about it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from reconciler.api.client import path
from reconciler.api.problems import CallFailed, Missing, OutOfTime, Stopped
from reconciler.apply.bindings import Bindings
from reconciler.apply.fresh import Fresh
from reconciler.apply.intent import BeyondWords, Written, compare, not_kept, odd_answer, shown, unlike
from reconciler.apply.lost import LostAnswers
from reconciler.apply.meanwhile import Meanwhile
from reconciler.apply.neighbours import Unwatched
from reconciler.apply.outputs import Revealed, Sink
from reconciler.apply.readback import ReadBack
from reconciler.apply.undo import Undo
from reconciler.apply.wire import Wire
from reconciler.plan.change import Action, Change
from reconciler.plan.match import Book
from reconciler.plan.narrowing import narrowed
from reconciler.state.snapshot import Live
from schemas._core.address import Address
from schemas._core.fields import JsonObject, Resource


class Calls:
    """Makes the changes of one plan.

    Attributes:
        fresh: what has been read since the plan was made.
        meanwhile: what somebody else has changed since.
        readback: what was written and is to be read again.
    """

    def __init__(self, wire: Wire, book: Book, sink: Sink | None, watch: Unwatched) -> None:
        self._wire = wire
        self._book = book
        self._ids = Bindings(book)
        self._sink = sink
        self._lost = LostAnswers(wire, book)
        self.fresh = Fresh(wire, book)
        self.meanwhile = Meanwhile(self.fresh, book, watch)
        self.readback = ReadBack(book, self.fresh, Undo(wire, self.fresh, book), watch)
        self._begun: set[Address] = set()

    def make(self, change: Change) -> None:
        """Make one change, and see that the answer is what was meant.

        Raises:
            StalePlan: somebody has changed since what it was planned on; nothing was sent.
            CallFailed: the server refused or failed, and the change was not made, or it is not known.
            NotKept: the server took the change and did not keep all of it.
            SecretLost: an object may have been made, and its secret was in an answer that did not arrive.
            SinkFailed: a secret could not be handed over.
        """
        if change.address in self._begun:
            self._update(change, change)
            return
        if change.action not in (Action.UPDATE, Action.DELETE):
            self.meanwhile.require_free(change)
        if change.removes:
            self._delete(change)
        if change.action in (Action.CREATE, Action.REPLACE):
            self._create(change, change)
        elif change.action is not Action.DELETE:
            self._update(change, change)

    def step_aside(self, change: Change, name: str) -> None:
        """Give an object a name for a while that stands in nobody's way; what is to be replaced goes at once.

        Raises:
            StalePlan, CallFailed, NotKept: as `make`.
        """
        if change.action is Action.REPLACE:
            self._delete(change)
            return
        self._update(change, replace(change, writes=frozenset(), name=name))

    def narrow(self, change: Change, common: Resource) -> None:
        """Make of a change what does not widen: what is new is made switched off, what is there gives less.

        Raises:
            StalePlan, CallFailed, NotKept: as `make`.
        """
        part = narrowed(change, common)
        if change.action is Action.CREATE:
            self.meanwhile.require_free(change)
            self._create(change, part)
            self._begun.add(change.address)
        elif change.action is Action.DELETE:
            self._switch_off(change, part, common)
        else:
            live = self._book.pairs.get(change.address) or change.live
            if live is None:
                raise AssertionError(f"nothing to narrow for {change.address}")
            parent = change.parent or self._book.addresses.get((change.kind.parent, live.parent))
            self._update(change, replace(part, name=live.name, parent=parent))

    def _switch_off(self, change: Change, part: Change, off: Resource) -> None:
        """Switch off an object that goes later; its address may be that of one that comes, and is left to that."""
        live = self.meanwhile.still_there(change)
        if live is None:
            return
        part = replace(part, name=live.name)
        live = replace(live, seen=self._answer_to_put(part, off, live, part.writes))
        self.fresh.wrote(change.kind, live.id, live)
        written = Written(change, part, off, part.writes)
        if said := compare(self._book, written, live, whole=False).said:
            raise not_kept(change, said)

    def _delete(self, change: Change) -> None:
        """Delete an object; one that is gone already is deleted (groups: DELETE of a missing one is refused with 400)."""
        live = self.meanwhile.still_there(change)
        if live is None:
            return
        self._wire.saw(live.where, live.seen)
        try:
            self._wire.send(change, "DELETE", live.where)
        except Missing:
            return
        except CallFailed as error:
            listed = [] if error.outcome == "not_processed" else self._lost.look(change, error)
            if error.outcome == "not_processed" or live.id in {seen["id"] for seen in listed}:
                raise
        self.fresh.wrote(change.kind, live.id, None)
        self.readback.gone(change, live)

    def _create(self, planned: Change, change: Change) -> None:
        kind, desired = change.kind, _wanted(change)
        self.meanwhile.require_same_around(change)
        around = self._lost.around(change)
        body = self._named(change, kind.encode(desired, change.writes, {}, self._ids))
        body = kind.starts_shut(desired, body, around.get("parent", ""))
        where = path(kind.endpoint.create_path, **around)
        try:
            answer = self._wire.send(change, "POST", where, body)
        except CallFailed as error:
            if error.outcome != "unknown":
                raise
            answer = self._lost.made(change, where, body, error)
        live = self._learn(change, kind.shown_in(answer))
        self._reveal(change, answer, live)
        self._settle(Written(planned, change, desired, change.writes), live)

    def _named(self, change: Change, body: JsonObject) -> JsonObject:
        kind = change.kind
        if not kind.name_field:
            return body
        return kind.named(body, change.name) if kind.named else {**body, kind.name_field: change.name}

    def _learn(self, change: Change, seen: Any) -> Live:
        if not isinstance(seen, dict) or not (change.kind.endpoint.singleton or isinstance(seen.get("id"), str)):
            raise odd_answer(change)
        parent = self._lost.around(change).get("parent", "")
        live = Live(change.kind, seen.get("id", change.kind.name), seen, parent)
        self._book.learn(change.address, live)
        self.fresh.wrote(change.kind, live.id, live)
        return live

    def _reveal(self, change: Change, answer: Any, live: Live) -> None:
        kind = change.kind
        secret = kind.secret_in(answer)
        if secret and self._sink is not None:
            self._sink.put(Revealed(str(change.address), kind.name, live.id, secret, kind.end_of(live.seen)))

    def _settle(self, written: Written, live: Live) -> None:
        """Compare the answer with the intent; what the server takes only in an update is sent as one."""
        change, desired = written.change, written.desired
        left: list[str] = []
        with suppress(BeyondWords):  # that is told, and taken back, when the answer is judged
            left = unlike(self._book, change, desired, live)
        if left and change.kind.endpoint.updates:
            try:
                live = self._put(change, desired, live, frozenset(left))
            except (CallFailed, OutOfTime, Stopped) as error:
                raise self.readback.widened(written, live) or error from error
        self.readback.answered(written, live)

    def _update(self, planned: Change, change: Change) -> None:
        base = self.meanwhile.base(change)
        self.meanwhile.require_same_around(change)
        desired = change.kind.settle(_wanted(change), shown(self._book, change, base), base.seen, self._book)
        live = self._put(change, desired, base, change.writes)
        before = replace(base, seen={**base.seen, **self._unchanged(base)})
        self.readback.answered(Written(planned, change, _wanted(change), change.writes, before), live)

    def _unchanged(self, live: Live) -> JsonObject:
        """The request that would change nothing."""
        body: JsonObject = live.kind.request(live.kind.model, live.seen, live.kind.computed, self._book)
        return body

    def _put(self, change: Change, desired: Resource, live: Live, writes: frozenset[str]) -> Live:
        return self._learn(change, self._answer_to_put(change, desired, live, writes))

    def _answer_to_put(self, change: Change, desired: Resource, live: Live, writes: frozenset[str]) -> Any:
        kind = change.kind
        body = self._named(change, kind.encode(desired, writes, self._unchanged(live), self._ids))
        where = path(kind.endpoint.item_path, **{"id": live.id, **self._lost.around(change)})
        self._wire.saw(where, live.seen)
        try:
            seen = self._wire.send(change, "PUT", where, body)
        except CallFailed as error:
            if error.outcome != "unknown":
                raise
            return self._lost.updated(change, desired, live, writes, error)
        return seen


def _wanted(change: Change) -> Resource:
    if change.desired is None:
        raise AssertionError(f"{change.address} has no desired state")
    return change.desired
