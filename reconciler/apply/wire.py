"""The one way on which the changes of a plan reach the server; what is sent and what is answered goes into the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from reconciler.api.client import Api
from reconciler.api.problems import CallFailed, OutOfTime, Stopped
from reconciler.apply.audit import Traces
from reconciler.apply.journal import Unrecorded
from reconciler.apply.lines import Image
from reconciler.apply.masking import masked
from reconciler.plan.change import Change
from reconciler.state.snapshot import Live, Snapshot
from schemas._core.fields import JsonObject

TAKEN = 200


class Wire:
    """Sends what a change asks for, given a client that may write.

    What has begun is finished: once a change may have had an effect, its other calls are made also after the end of the run.

    Attributes:
        done: how many writes the server has taken.
    """

    def __init__(self, api: Api, snapshot: Snapshot, journal: Unrecorded, traces: Traces) -> None:
        self._api = api
        self._snapshot = snapshot
        self._journal = journal
        self._traces = traces
        self._last: dict[str, JsonObject] = {}
        self._has_begun = False
        self.done = 0

    def begin(self, calls: int) -> None:
        """Turn to the next change; so many calls are left, with its own."""
        self._has_begun = False
        self._api.expect(calls)

    def get(self, where: str) -> Any:
        """Read what is at a path now.

        Raises:
            AccountError: as `ReadApi.get`.
        """
        answer = self._api.get(where, overtime=self._has_begun)
        self._remember(where, answer)
        return answer

    def get_many(self, places: Sequence[str], *, overtime: bool = False) -> list[Any]:
        """Read what is at several paths now, together; one by one after the end of the run's time.

        Raises:
            AccountError: as `ReadApi.get_many`.
        """
        if overtime:
            return [self._api.get(where, overtime=True) for where in places]
        return self._api.get_many(places)

    def saw(self, where: str, seen: JsonObject) -> None:
        """Note what an object at a path is like now: the next call to it changes that."""
        self._last[where] = seen

    def send(self, change: Change, method: str, where: str, body: Any = None) -> Any:
        """Make one call for a change, and return the answer.

        Raises:
            CallFailed: as `Api.send`.
            OutOfTime: likewise.
            JournalFailed: it could not be noted, and was not sent.
        """
        number = self._announce(change, method, where, body)
        self._traces.sent(method, where)
        try:
            answer = self._api.send(method, where, body, overtime=self._has_begun)
        except (CallFailed, OutOfTime, Stopped) as error:
            self._has_begun = self._has_begun or (isinstance(error, CallFailed) and error.outcome == "unknown")
            self._note_failure(number, error)
            self._traces.answered(body, None)
            raise
        self._has_begun = True
        self.done += 1
        self._traces.answered(body, answer)
        self._note(number, change, method, where, answer)
        return answer

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
        secret = answer.get(kind.reveals) if kind.reveals and isinstance(answer, dict) else None
        shown = answer.get(kind.revealed_in) if kind.revealed_in and isinstance(answer, dict) else answer
        seen = shown if isinstance(shown, dict) else None
        identifier = seen.get("id", kind.name) if seen is not None else None
        self._remember(where if method == "PUT" else f"{where}/{identifier}", seen)
        self._journal.answer(
            number,
            "taken",
            status=TAKEN,
            id=identifier if isinstance(identifier, str) else None,
            after=masked(seen, kind.reveals, secret if isinstance(secret, str) else ""),
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
