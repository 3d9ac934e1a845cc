"""What came out with more access than meant is put back, disabled or deleted at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from reconciler.apply.bindings import Bindings
from reconciler.apply.fresh import Fresh
from reconciler.apply.intent import Comparison, NotKept, Written, is_wider, not_kept, shown
from reconciler.apply.wire import Wire
from reconciler.errors import Diagnostic, NbsyncError
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas._core.fields import JsonObject, Resource

UNDONE, STILL_WIDER = "NBS631", "NBS632"
TRIES: Final = 2
SWITCH = "enabled"
"""Attribute of a model that turns an object off."""


class Undo:
    """Takes back what a write has opened that was not meant to be."""

    def __init__(self, wire: Wire, fresh: Fresh, book: Book) -> None:
        self._wire = wire
        self._fresh = fresh
        self._book = book
        self._ids = Bindings(book)

    def undo(self, written: Written, live: Live, found: Comparison) -> NbsyncError:
        """Put an object back as it was before; a new one is disabled, or deleted. The server is asked whether that was kept.

        Args:
            written: what was meant.
            live: the object as it came out.
            found: how the two differ.

        Returns:
            The finding, with what was done.
        """
        if written.base is not None:
            return self._put_back(written, written.base, live, found, "put back as it was")
        if found.there is None:
            return self._delete(written, live, found.said)
        if found.has_more and not is_wider(written.change.kind, found.meant, found.there):
            return self._put_back(written, _without_more(live), live, found, "cleared of it")
        return self._take_away(written, live, found.there, found.said)

    def _put_back(self, written: Written, base: Live, live: Live, found: Comparison, done: str) -> NbsyncError:
        change, kind, said = written.change, written.change.kind, found.said
        before = shown(self._book, change, base)
        if not (found.has_more or is_wider(kind, before, found.there)):
            return not_kept(change, said, "; it gives no more access than before")
        body = kind.request(kind.model, base.seen, kind.computed, self._book)
        failure = self._until(
            written,
            live,
            lambda: self._send(written, "PUT", base, body),
            lambda now: not is_wider(kind, before, now),
        )
        return _found(written, said, done, failure)

    def _take_away(self, written: Written, live: Live, there: Resource, said: tuple[str, ...]) -> NbsyncError:
        change, kind = written.change, written.change.kind
        if SWITCH in kind.model.model_fields and kind.endpoint.updates:
            off = there.model_copy(update={SWITCH: False})
            if is_wider(kind, there, off):
                return not_kept(change, said, "; it is left so, because without it there would be more access")
            if not self._disable(written, live, off):
                return _found(written, said, "disabled", "")
        return self._delete(written, live, said)

    def _delete(self, written: Written, live: Live, said: tuple[str, ...]) -> NbsyncError:
        failure = "NetBird can neither disable nor delete it"
        if written.change.kind.endpoint.deletes:
            failure = self._until(
                written,
                live,
                lambda: self._send(written, "DELETE", live),
                lambda now: now is None,
            )
        return _found(written, said, "deleted again", failure)

    def _disable(self, written: Written, live: Live, off: Resource) -> str:
        kind = written.change.kind
        base = kind.request(kind.model, live.seen, kind.computed, self._book)
        body = kind.encode(off, frozenset({SWITCH}), base, self._ids)
        return self._until(
            written,
            live,
            lambda: self._send(written, "PUT", live, body),
            lambda now: not is_wider(kind, off, now),
        )

    def _send(self, written: Written, method: str, live: Live, body: JsonObject | None = None) -> None:
        self._wire.send(written.planned, method, live.where, body, overtime=True)

    def _until(
        self, written: Written, live: Live, send: Callable[[], None], is_done: Callable[[Resource | None], bool]
    ) -> str:
        """Send until the account shows that it is done.

        Returns:
            Why it is not; nothing if it is.
        """
        failure = ""
        for _ in range(TRIES):
            try:
                send()
            except NbsyncError as error:
                failure = error.diagnostics[0].message
            try:
                now = self._look(written, live)
                if is_done(now):
                    return ""
            except NbsyncError as error:
                failure = failure or error.diagnostics[0].message
        return failure or "the server took that and did not do it"

    def _look(self, written: Written, live: Live) -> Resource | None:
        kind = written.change.kind
        now = self._fresh.renewed(kind, live.parent, overtime=True).objects.get(live.id)
        self._fresh.wrote(kind, live.id, now)
        return shown(self._book, written.change, now) if now else None


def _without_more(live: Live) -> Live:
    """A new object without what came to it for which the files have no words; the server deletes none that has it."""
    return replace(live, seen={**live.seen, **{key: [] for key in live.kind.echoes}})


def _found(written: Written, said: tuple[str, ...], done: str, failure: str) -> NotKept:
    change, differences = written.change, "; ".join(said)
    if failure:
        message = f"{change.address} gives more access than meant, and could not be {done}: {failure}; {differences}"
        advice = "look at it in the dashboard now: it is open wider than the files say"
        code = STILL_WIDER
    else:
        message = f"{change.address} came out with more access than meant and was {done}: {differences}"
        advice, code = "run plan to see where the account stands", UNDONE
    return NotKept(Diagnostic(code, message, advice, address=str(change.address), place=change.cause))
