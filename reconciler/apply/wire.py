"""The one way on which the changes of a plan reach the server; what is sent and what is answered goes into the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Lock, local
from typing import Any
from urllib.parse import unquote

from reconciler.api.client import Api
from reconciler.api.problems import CallFailed, OutOfTime, Stopped
from reconciler.apply.audit import Traces
from reconciler.apply.journal import Unrecorded
from reconciler.apply.lines import Image
from reconciler.apply.masking import masked
from reconciler.apply.own import require_made, require_updated
from reconciler.plan.change import Change
from reconciler.state.snapshot import Live, Snapshot
from schemas import AnyKind
from schemas._core.fields import JsonObject

TAKEN = 200


class _Here(local):
    """What one thread is about: whether the change that it makes may have had an effect."""

    has_begun = False


class Wire:
    """Sends what a change asks for, given a client that may write.

    What has begun is finished: once a change may have had an effect, its other calls are made also after the end of the run.
    Several threads may make changes, but only one at a time does anything but wait for the answer to a write: the one that has
    the turn. Nothing is read while a write is under way: NetBird fails to list what is being deleted.

    Args:
        api: sends.
        snapshot: the account as it was read.
        journal: what all is noted in.
        traces: of what is sent, for the audit log.
        hear: told of every write that fails, at once: whoever has the turn meanwhile may have to know.

    Attributes:
        turn: to be held by whoever works on a plan; it is let go while a write is under way.
        done: how many writes the server has taken.
    """

    def __init__(
        self,
        api: Api,
        snapshot: Snapshot,
        journal: Unrecorded,
        traces: Traces,
        hear: Callable[[CallFailed], None],
    ) -> None:
        self._api = api
        self._snapshot = snapshot
        self._journal = journal
        self._traces = traces
        self._hear = hear
        self._last: dict[str, JsonObject] = {}
        self._made: set[str] = set()
        self._here = _Here()
        self._under_way = 0
        self._answered = Condition()
        self.turn = Lock()
        self.done = 0

    def begin(self, calls: int) -> None:
        """Turn to the next change; so many calls are left, with its own."""
        self._here.has_begun = False
        self._api.expect(calls)

    @property
    def is_limited(self) -> bool:
        """Whether every request waits for the server's rate limit."""
        return self._api.is_limited

    @property
    def has_begun(self) -> bool:
        """Whether the change that this thread makes may have had an effect."""
        return self._here.has_begun

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let others have the turn until the end of the block."""
        self.turn.release()
        try:
            yield
        finally:
            self.turn.acquire()

    def await_answers(self) -> None:
        """Wait until no write is under way; as the turn is kept, no other one begins."""
        with self._answered:
            self._answered.wait_for(lambda: not self._under_way)

    def get(self, where: str) -> Any:
        """Read what is at a path now.

        Raises:
            AccountError: as `ReadApi.get`.
        """
        self.await_answers()
        answer = self._api.get(where, overtime=self._here.has_begun)
        self._remember(where, answer)
        return answer

    def get_many(self, places: Sequence[str], *, overtime: bool = False) -> list[Any]:
        """Read what is at several paths now, together; one by one after the end of the run's time.

        Raises:
            AccountError: as `ReadApi.get_many`.
        """
        self.await_answers()
        if overtime:
            return [self._api.get(where, overtime=True) for where in places]
        return self._api.get_many(places)

    def saw(self, where: str, seen: JsonObject) -> None:
        """Note what an object at a path is like now: the next call to it changes that."""
        self._last[where] = seen

    def send(self, change: Change, method: str, where: str, body: Any = None, *, overtime: bool = False) -> Any:
        """Make one call for a change, and return the answer; after the end of the run's time if it has to.

        Raises:
            CallFailed: as `Api.send`; a `BadAnswer` where it shows another object than the one that was written.
            OutOfTime: likewise.
            JournalFailed: it could not be noted, and was not sent.
        """
        number = self._announce(change, method, where, body)
        try:
            answer = self._sent(change, method, where, body, overtime=overtime or self._here.has_begun)
        except (CallFailed, OutOfTime, Stopped) as error:
            may_have_effect = isinstance(error, CallFailed) and error.outcome == "unknown"
            self._here.has_begun = self._here.has_begun or may_have_effect
            self._note_failure(number, error)
            raise
        self._here.has_begun = True
        self.done += 1
        self._note(number, change, method, where, answer)
        return answer

    def _sent(self, change: Change, method: str, where: str, body: Any, *, overtime: bool) -> Any:
        """The answer to a write, which shows what was written; whoever waits for it knows what has come of the write."""
        with self._answered:
            number = self._traces.sent(method, where)
            self._under_way += 1
        with self.aside():
            answer = None
            try:
                found = self._api.send(method, where, body, overtime=overtime)
                self._require_own(change.kind, method, where, body, found)
                answer = found
            except CallFailed as error:
                self._hear(error)
                raise
            finally:
                with self._answered:
                    self._traces.answered(number, body, answer)
                    self._under_way -= 1
                    self._answered.notify_all()
        return answer

    def _require_own(self, kind: AnyKind, method: str, where: str, body: Any, answer: Any) -> None:
        if method == "PUT":
            require_updated(kind, where, answer)
        elif method == "POST":
            known = self._snapshot.of(kind.name).keys() | self._made
            self._made.add(require_made(kind, where, body, answer, known))

    def _announce(self, change: Change, method: str, where: str, body: Any) -> int:
        kind, identifier = change.kind, "" if method == "POST" else _named(change.kind.endpoint.item_path, where, "id")
        is_planned = change.live is not None and (kind.endpoint.singleton or change.live.id == identifier)
        live = change.live if is_planned and method != "POST" else None
        before = self._last.get(where, live.seen if live else None)
        falls = change.falls if live and method == "DELETE" else ()
        return self._journal.call(
            change,
            id=live.id if live else identifier or None,
            method=method,
            path=where,
            body=masked(body, kind.reveals),
            made=live is None and method != "POST",
            beside=tuple(old.id for old in change.beside) if method == "POST" else (),
            before=masked(before, kind.reveals) if method != "POST" else None,
            parent=live.parent if live else _named(kind.endpoint.create_path, where, "parent"),
            falls=tuple(
                self._image(str(address), self._snapshot.of(address.kind)[fallen])
                for address, fallen in falls
                if fallen in self._snapshot.of(address.kind)
            ),
        )

    def _image(self, address: str, live: Live) -> Image:
        seen = masked(live.seen, live.kind.reveals)
        return Image(kind=live.kind.name, address=address, id=live.id, seen=seen, parent=live.parent)

    def _note_failure(self, number: int, error: CallFailed | OutOfTime | Stopped) -> None:
        code = error.diagnostics[0].code
        if isinstance(error, CallFailed):
            self._journal.answer(number, error.outcome, status=error.status, code=code)
        else:
            self._journal.answer(number, "not_processed", code=code)

    def _note(self, number: int, change: Change, method: str, where: str, answer: Any) -> None:
        if method == "DELETE":
            self._journal.answer(number, "taken", status=TAKEN)
            return
        kind = change.kind
        shown = kind.shown_in(answer)
        seen = shown if isinstance(shown, dict) else None
        identifier = seen.get("id", kind.name) if seen is not None else None
        self._remember(where if method == "PUT" else f"{where}/{identifier}", seen)
        self._journal.answer(
            number,
            "taken",
            status=TAKEN,
            id=identifier if isinstance(identifier, str) else None,
            after=masked(seen, kind.reveals, kind.secret_in(answer)),
            parent=_named(kind.endpoint.create_path, where, "parent"),
        )

    def _remember(self, where: str, seen: Any) -> None:
        """Keep what an object is like now, for the next call to the same place."""
        if isinstance(seen, dict):
            self.saw(where, seen)


def _named(template: str, where: str, name: str) -> str:
    """What stands in a path where its template has `{name}`; empty if the template has it not."""
    pairs = zip(template.split("/"), where.split("/"), strict=False)
    return next((unquote(part) for slot, part in pairs if slot == f"{{{name}}}"), "")
