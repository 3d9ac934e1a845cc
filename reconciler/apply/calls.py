"""One change as calls: what is sent, and what the answer says about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from reconciler.api.client import Api, path
from reconciler.api.problems import CallFailed, Missing
from reconciler.apply.bindings import Bindings
from reconciler.apply.outputs import Revealed, Sink
from reconciler.errors import AccountError, Diagnostic, NbsyncError
from reconciler.plan.change import Action, Change
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas._core.codec import field_specs, plain
from schemas._core.fields import JsonObject, Resource, Trait

NOT_KEPT, LOST_SECRET = "NBS604", "NBS605"


class NotKept(NbsyncError):
    """The server took a write and did not keep all of it."""


class Calls:
    """Makes the changes of one plan, given a client that may write."""

    def __init__(self, api: Api, book: Book, sink: Sink | None) -> None:
        self._api = api
        self._book = book
        self._ids = Bindings(book)
        self._sink = sink

    def make(self, change: Change) -> None:
        """Make one change, and see that the answer is what was meant.

        Raises:
            CallFailed: the server refused or failed, and the change was not made, or it is not known.
            NotKept: the server took the change and did not keep all of it.
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
        """Give an object a name for a while that stands in nobody's way."""
        self._update(replace(change, writes=frozenset()), name)

    def _delete(self, change: Change) -> None:
        where = path(change.kind.endpoint.item_path, **self._place(change))
        try:
            self._api.send("DELETE", where)
        except Missing:
            return
        except CallFailed as error:
            if error.outcome != "unknown" or self._is_there(change):
                raise

    def _is_there(self, change: Change) -> bool:
        return change.id in {seen["id"] for seen in self._listed(change)}

    def _create(self, change: Change) -> None:
        kind, desired = change.kind, _wanted(change)
        body = self._body(change, desired, {})
        where = path(kind.endpoint.create_path, **self._around(change))
        try:
            answer = self._api.send("POST", where, body)
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
        made = [seen for seen in self._listed(change) if self._is_new(change, seen)]
        if len(made) != 1:
            raise error
        if not change.kind.reveals:
            return made[0]
        self._api.send("DELETE", path(change.kind.endpoint.item_path, id=made[0]["id"], **self._around(change)))
        return self._api.send("POST", where, body)

    def _listed(self, change: Change) -> list[JsonObject]:
        answer = self._api.get(path(change.kind.endpoint.create_path, **self._around(change)))
        return [seen for seen in answer or () if change.kind.selects(seen)]

    def _is_new(self, change: Change, seen: JsonObject) -> bool:
        """Not there when the account was read, and called as this object is."""
        kind = change.kind
        if seen["id"] in self._book.snapshot.of(kind.name):
            return False
        live = Live(kind, seen["id"], seen, self._around(change).get("parent", ""))
        return self._book.key_now(live) == change.address.key

    def _learn(self, change: Change, seen: Any) -> Live:
        if not isinstance(seen, dict) or not (change.kind.endpoint.singleton or isinstance(seen.get("id"), str)):
            message = f"the server's answer to {change.action} {change.address} shows no object"
            raise AccountError(
                Diagnostic("NBS509", message, "run plan to see what is there", address=str(change.address))
            )
        live = Live(change.kind, seen.get("id", change.kind.name), seen, self._around(change).get("parent", ""))
        self._book.learn(change.address, live)
        return live

    def _reveal(self, change: Change, answer: Any, live: Live) -> None:
        kind = change.kind
        secret = answer.get(kind.reveals) if kind.reveals else None
        if not secret or self._sink is None:
            return
        expires = live.seen.get(kind.expires) if kind.expires else None
        self._sink.put(Revealed(str(change.address), kind.name, live.id, secret, _end(expires)))

    def _settle(self, change: Change, desired: Resource, live: Live) -> None:
        """Compare the answer with the intent; what the server takes only in an update is sent as one."""
        left = self._unlike(change, desired, live)
        if left and change.kind.endpoint.updates:
            live = self._put(change, desired, live, frozenset(left))
            left = self._unlike(change, desired, live)
        self._complain(change, desired, live, left)

    def _update(self, change: Change, name: str) -> None:
        live = self._fresh(change)
        desired = self._in_view_of(change, live)
        live = self._put(replace(change, name=name), desired, live, change.writes)
        self._complain(change, desired, live, self._unlike(change, desired, live, change.writes))

    def _fresh(self, change: Change) -> Live:
        """The object that an update starts from; read again where others write to it all the time."""
        live = self._book.pairs.get(change.address) or change.live
        if live is None:
            raise AssertionError(f"nothing to update for {change.address}")
        if not change.kind.volatile:
            return live
        seen = self._api.get(path(change.kind.endpoint.item_path, id=live.id))
        return replace(live, seen=seen)

    def _in_view_of(self, change: Change, live: Live) -> Resource:
        kind, desired = change.kind, _wanted(change)
        before = kind.decode(kind.model, live.seen, self._book)
        settled: Resource = kind.settle(desired, before, live.seen, self._book)
        return settled

    def _put(self, change: Change, desired: Resource, live: Live, writes: frozenset[str]) -> Live:
        kind = change.kind
        base = kind.request(kind.model, live.seen, kind.computed, self._book)
        body = self._named(change, kind.encode(desired, writes, base, self._ids), change.name)
        where = path(kind.endpoint.item_path, **{"id": live.id, **self._around(change)})
        try:
            seen = self._api.send("PUT", where, body)
        except CallFailed as error:
            seen = self._put_all_the_same(change, desired, live, writes, error)
        return self._learn(change, seen)

    def _put_all_the_same(
        self, change: Change, desired: Resource, live: Live, writes: frozenset[str], error: CallFailed
    ) -> JsonObject:
        """The object as it is now, if a write whose answer was lost took effect."""
        if error.outcome != "unknown" or change.kind.endpoint.singleton:
            raise error
        seen = next((seen for seen in self._listed(change) if seen["id"] == live.id), None)
        if (
            seen is None
            or self._unlike(change, desired, replace(live, seen=seen), writes)
            or self._name_differs(change, seen)
        ):
            raise error
        return seen

    def _name_differs(self, change: Change, seen: JsonObject) -> bool:
        kind = change.kind
        return bool(kind.name_field) and kind.name_form(seen.get(kind.name_field) or "") != kind.name_form(change.name)

    def _unlike(self, change: Change, desired: Resource, live: Live, writes: frozenset[str] | None = None) -> list[str]:
        """Attributes that the answer does not show as they were meant."""
        kind = change.kind
        shown = kind.decode(kind.model, live.seen, self._book)
        meant = kind.settle(desired, shown, live.seen, self._book)
        return [name for name in _comparable(change, writes) if getattr(shown, name) != getattr(meant, name)]

    def _complain(self, change: Change, desired: Resource, live: Live, left: list[str]) -> None:
        if not left:
            return
        kind = change.kind
        shown = kind.decode(kind.model, live.seen, self._book)
        said = "; ".join(
            f"{name}: meant {plain(getattr(desired, name))}, is {plain(getattr(shown, name))}" for name in left
        )
        message = f"the server took {change.address} and did not keep all of it: {said}"
        raise NotKept(
            Diagnostic(
                NOT_KEPT,
                message,
                "run plan to see where the account stands",
                address=str(change.address),
                place=change.cause,
            )
        )

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


def _comparable(change: Change, writes: frozenset[str] | None) -> Iterator[str]:
    wanted = change.writes if writes is None else writes
    for spec in field_specs(change.kind.model):
        if spec.name in wanted and Trait.CREATE_ONLY not in spec.traits:
            yield spec.name


def _end(expires: Any) -> str | None:
    """NetBird writes the year 1 for never."""
    return None if not isinstance(expires, str) or expires.startswith("0001-") else expires
