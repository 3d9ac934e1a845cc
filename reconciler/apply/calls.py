"""One change as calls: what is sent, and what the answer says about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.api.client import path
from reconciler.api.problems import CallFailed, Missing
from reconciler.apply.bindings import Bindings
from reconciler.apply.intent import complain, name_differs, odd_answer, shown, unlike
from reconciler.apply.outputs import Revealed, Sink
from reconciler.apply.wire import Wire
from reconciler.errors import AccountError, Diagnostic, NbsyncError
from reconciler.plan.change import Action, Change
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas._core.fields import JsonObject, Resource


class SecretLost(NbsyncError):
    """An object may have been made whose secret nobody knows."""

    def __init__(self, change: Change, reason: str) -> None:
        message = (
            f"the answer that held the secret of {change.address} was lost, and it could not be made again: {reason}"
        )
        super().__init__(
            Diagnostic("NBS605", message, f"if it is there, renew it: nbsync rotate {change.address.quoted}")
        )


class Calls:
    """Makes the changes of one plan."""

    def __init__(self, wire: Wire, book: Book, sink: Sink | None) -> None:
        self._wire = wire
        self._book = book
        self._ids = Bindings(book)
        self._sink = sink

    def make(self, change: Change) -> None:
        """Make one change, and see that the answer is what was meant.

        Raises:
            CallFailed: the server refused or failed, and the change was not made, or it is not known.
            NotKept: the server took the change and did not keep all of it.
            SecretLost: an object may have been made, and its secret was in an answer that did not arrive.
            SinkFailed: a secret could not be handed over.
        """
        if change.action is Action.DELETE:
            self._delete(change)
        elif change.action is Action.CREATE:
            self._create(change)
        elif change.action is Action.REPLACE:
            self._delete(change)
            self._create(change)
        else:
            self._update(change, change.name)

    def step_aside(self, change: Change, name: str) -> None:
        """Give an object a name for a while that stands in nobody's way; what is to be replaced goes at once."""
        if change.action is Action.REPLACE:
            self._delete(change)
            return
        self._update(replace(change, writes=frozenset()), name)

    def _delete(self, change: Change) -> None:
        """Delete an object; one that is gone already is deleted (groups: DELETE of a missing one is refused with 400)."""
        where = path(change.kind.endpoint.item_path, **self._place(change))
        try:
            self._wire.send(change, "DELETE", where)
        except Missing:
            return
        except CallFailed as error:
            if error.outcome == "not_processed" or change.id in {seen["id"] for seen in self._look(change, error)}:
                raise

    def _look(self, change: Change, error: CallFailed) -> list[JsonObject]:
        """Objects of the change's kind as they are now, after a write that failed.

        Raises:
            CallFailed: that error itself, where nothing can be seen.
        """
        kind = change.kind
        where = (
            kind.endpoint.path if kind.endpoint.singleton else path(kind.endpoint.create_path, **self._around(change))
        )
        try:
            answer = self._wire.get(where)
        except AccountError:
            raise error from None
        listed = answer if isinstance(answer, list) else [answer] if answer else []
        return [seen for seen in listed if kind.selects(seen)]

    def _create(self, change: Change) -> None:
        kind, desired = change.kind, _wanted(change)
        body = self._body(change, desired, {})
        where = path(kind.endpoint.create_path, **self._around(change))
        try:
            answer = self._wire.send(change, "POST", where, body)
        except CallFailed as error:
            if error.outcome != "unknown":
                raise
            answer = self._after_lost_answer(change, where, body, error)
        seen = answer.get(kind.revealed_in) if kind.revealed_in and isinstance(answer, dict) else answer
        live = self._learn(change, seen)
        self._reveal(change, answer, live)
        self._settle(change, desired, live)

    def _body(self, change: Change, desired: Resource, base: JsonObject) -> JsonObject:
        body: JsonObject = change.kind.encode(desired, change.writes, base, self._ids)
        return self._named(change, body, change.name)

    def _named(self, change: Change, body: JsonObject, name: str) -> JsonObject:
        kind = change.kind
        if not kind.name_field:
            return body
        return kind.named(body, name) if kind.named else {**body, kind.name_field: name}

    def _after_lost_answer(self, change: Change, where: str, body: JsonObject, error: CallFailed) -> Any:
        """Look whether the object was made. One whose secret was in the lost answer is worth nothing: it is made again."""
        try:
            made = [seen for seen in self._look(change, error) if self._is_new(change, seen)]
        except CallFailed:
            if change.kind.reveals:
                raise SecretLost(change, str(error)) from error
            raise
        if len(made) != 1:
            raise error
        return self._made_again(change, where, body, made[0]["id"]) if change.kind.reveals else made[0]

    def _made_again(self, change: Change, where: str, body: JsonObject, identifier: str) -> Any:
        try:
            self._wire.send(
                change, "DELETE", path(change.kind.endpoint.item_path, id=identifier, **self._around(change))
            )
            return self._wire.send(change, "POST", where, body)
        except CallFailed as error:
            raise SecretLost(change, str(error)) from error

    def _is_new(self, change: Change, seen: JsonObject) -> bool:
        """Not there when the account was read, and called as this object is."""
        kind = change.kind
        if seen["id"] in self._book.snapshot.of(kind.name):
            return False
        live = Live(kind, seen["id"], seen, self._around(change).get("parent", ""))
        return self._book.key_now(live) == change.address.key

    def _learn(self, change: Change, seen: Any) -> Live:
        if not isinstance(seen, dict) or not (change.kind.endpoint.singleton or isinstance(seen.get("id"), str)):
            raise odd_answer(change)
        live = Live(change.kind, seen.get("id", change.kind.name), seen, self._around(change).get("parent", ""))
        self._book.learn(change.address, live)
        return live

    def _reveal(self, change: Change, answer: Any, live: Live) -> None:
        kind = change.kind
        secret = answer.get(kind.reveals) if kind.reveals and isinstance(answer, dict) else None
        if not secret or self._sink is None:
            return
        expires = live.seen.get(kind.expires) if kind.expires else None
        self._sink.put(Revealed(str(change.address), kind.name, live.id, secret, _end(expires)))

    def _settle(self, change: Change, desired: Resource, live: Live) -> None:
        """Compare the answer with the intent; what the server takes only in an update is sent as one."""
        left = unlike(self._book, change, desired, live)
        if left and change.kind.endpoint.updates:
            live = self._put(change, desired, live, frozenset(left))
            left = unlike(self._book, change, desired, live)
        complain(self._book, change, desired, live, left)

    def _update(self, change: Change, name: str) -> None:
        change = replace(change, name=name)
        live = self._fresh(change)
        desired = self._in_view_of(change, live)
        live = self._put(change, desired, live, change.writes)
        complain(self._book, change, desired, live, unlike(self._book, change, desired, live, change.writes))

    def _fresh(self, change: Change) -> Live:
        """The object that an update starts from; read again where others write to it all the time."""
        live = self._book.pairs.get(change.address) or change.live
        if live is None:
            raise AssertionError(f"nothing to update for {change.address}")
        if not change.kind.volatile:
            return live
        seen = self._wire.get(path(change.kind.endpoint.item_path, id=live.id))
        return replace(live, seen=seen)

    def _in_view_of(self, change: Change, live: Live) -> Resource:
        kind, desired = change.kind, _wanted(change)
        settled: Resource = kind.settle(desired, shown(self._book, change, live), live.seen, self._book)
        return settled

    def _put(self, change: Change, desired: Resource, live: Live, writes: frozenset[str]) -> Live:
        kind = change.kind
        base = kind.request(kind.model, live.seen, kind.computed, self._book)
        body = self._named(change, kind.encode(desired, writes, base, self._ids), change.name)
        where = path(kind.endpoint.item_path, **{"id": live.id, **self._around(change)})
        try:
            seen = self._wire.send(change, "PUT", where, body)
        except CallFailed as error:
            if error.outcome != "unknown":
                raise
            seen = self._put_all_the_same(change, desired, live, writes, error)
        return self._learn(change, seen)

    def _put_all_the_same(
        self, change: Change, desired: Resource, live: Live, writes: frozenset[str], error: CallFailed
    ) -> JsonObject:
        """The object as it is now, if a write whose answer was lost took effect."""
        for seen in self._look(change, error):
            if (
                seen.get("id", live.id) == live.id
                and not unlike(self._book, change, desired, replace(live, seen=seen), writes)
                and not name_differs(change, seen)
            ):
                return seen
        raise error

    def _place(self, change: Change) -> dict[str, str]:
        """Id of a live object and of the one around it, as it stands now."""
        around = {"parent": change.live.parent} if change.live and change.live.parent else {}
        return {"id": change.id or "", **around}

    def _around(self, change: Change) -> dict[str, str]:
        """Id of the object in which this one is to stand."""
        if change.parent is None:
            return {}
        return {"parent": self._ids(change.parent.kind, change.parent.key)}


def _wanted(change: Change) -> Resource:
    if change.desired is None:
        raise AssertionError(f"{change.address} has no desired state")
    return change.desired


def _end(expires: Any) -> str | None:
    """NetBird writes the year 1 for never."""
    return None if not isinstance(expires, str) or expires.startswith("0001-") else expires
