"""Writes whose answers were lost: the account is asked whether they took effect."""

from __future__ import annotations

from typing import Any

from reconciler.api.client import path
from reconciler.api.problems import CallFailed, OutOfTime
from reconciler.apply.bindings import Bindings
from reconciler.apply.intent import name_differs, unlike
from reconciler.apply.wire import Wire
from reconciler.errors import AccountError, Diagnostic, NbsyncError
from reconciler.plan.change import Change
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


class LostAnswers:
    """Finds out what became of a write."""

    def __init__(self, wire: Wire, book: Book) -> None:
        self._wire = wire
        self._book = book
        self._ids = Bindings(book)

    def around(self, change: Change) -> dict[str, str]:
        """Id of the object in which this one is to stand."""
        if change.parent is None:
            return {}
        return {"parent": self._ids(change.parent.kind, change.parent.key)}

    def look(self, change: Change, error: CallFailed) -> list[JsonObject]:
        """Objects of the change's kind as they are now, after a write that failed.

        Raises:
            CallFailed: that error itself, where nothing can be seen.
        """
        kind = change.kind
        where = (
            kind.endpoint.path if kind.endpoint.singleton else path(kind.endpoint.create_path, **self.around(change))
        )
        try:
            answer = self._wire.get(where)
        except (AccountError, OutOfTime):
            raise error from None
        listed = answer if isinstance(answer, list) else [answer] if answer else []
        return [seen for seen in listed if kind.selects(seen)]

    def made(self, change: Change, where: str, body: JsonObject, error: CallFailed) -> Any:
        """Look whether an object was made. One whose secret was in the lost answer is worth nothing: it is made again.

        Returns:
            What the answer would have been.

        Raises:
            CallFailed: it was not made, or nobody knows.
            SecretLost: it may have been made, and its secret is gone.
        """
        try:
            made = [seen for seen in self.look(change, error) if self._is_new(change, body, seen)]
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
                change, "DELETE", path(change.kind.endpoint.item_path, id=identifier, **self.around(change))
            )
            return self._wire.send(change, "POST", where, body)
        except (CallFailed, OutOfTime) as error:
            raise SecretLost(change, str(error)) from error

    def _is_new(self, change: Change, body: JsonObject, seen: JsonObject) -> bool:
        """Not there when the account was read, and called as this object is, or only begun, as it was to be."""
        kind = change.kind
        if seen["id"] in self._book.snapshot.of(kind.name):
            return False
        parent = self.around(change).get("parent", "")
        if kind.is_begun(body, parent):
            return kind.is_begun(seen, parent)
        return self._book.key_now(Live(kind, seen["id"], seen, parent)) == change.address.key

    def updated(
        self, change: Change, desired: Resource, live: Live, writes: frozenset[str], error: CallFailed
    ) -> JsonObject:
        """The object as it is now, if an update took effect.

        Raises:
            CallFailed: it did not, or nobody knows.
        """
        for seen in self.look(change, error):
            if (
                seen.get("id", live.id) == live.id
                and not unlike(self._book, change, desired, Live(live.kind, live.id, seen, live.parent), writes)
                and not name_differs(change, seen)
            ):
                return seen
        raise error
