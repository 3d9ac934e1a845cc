"""The server's audit log: who has changed what, and which of that was this very run."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.api.client import ReadApi
from reconciler.api.problems import NoSuchEndpoint
from reconciler.state.caller import strange
from reconciler.state.snapshot import Live
from schemas._core.fields import JsonObject

PATHS: Final = ("/events/audit", "/events")
"""Where the log is, and where servers before 0.39.0 have it."""
DEEPEST: Final = 2
"""A network takes its resources along, and these their places in groups."""
_WORDS = re.compile(r"[\w.:-]+")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log.

    Attributes:
        number: grows with every event of a server.
        at: when, by the server's clock.
        initiator: id of who did it: a user, or a peer, a setup key, the account.
        name: of the initiator, if that is a user; else empty.
        email: likewise; empty for service users.
        said: what was done, for people.
        target: id of what it is about first.
        key: code, target and details; what one call leaves in the log, it leaves there once.
        words: ids and names that the event is about.
    """

    number: int
    at: datetime
    initiator: str
    name: str
    email: str
    said: str
    target: str
    key: tuple[str, ...]
    words: frozenset[str]

    @property
    def is_by_program(self) -> bool:
        """A service user did it."""
        return bool(self.name) and not self.email


class Log:
    """Reads the log. There are no pages and no filters: every look gets the newest 10,000 events."""

    def __init__(self, api: ReadApi) -> None:
        self._api = api
        self._paths = list(PATHS)

    def read(self) -> list[Event]:
        """All events that the server shows, oldest first.

        Raises:
            AccountError: the caller may not, the server does not have it, or it failed.
        """
        try:
            rows = self._api.get(self._paths[0])
        except NoSuchEndpoint:
            del self._paths[0]
            if not self._paths:
                raise
            return self.read()
        try:
            return sorted((_event(row) for row in rows), key=lambda event: event.number)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise strange(self._paths[0]) from None


def _event(row: Any) -> Event:
    meta = {name: str(value) for name, value in (row.get("meta") or {}).items()}
    details = [part for pair in sorted(meta.items()) for part in pair]
    found = {word for value in meta.values() for word in (value, *_WORDS.findall(value))}
    name = meta.get("name", "")
    return Event(
        int(row["id"]),
        _moment(row["timestamp"]),
        row["initiator_id"],
        row.get("initiator_name") or "",
        row.get("initiator_email") or "",
        f"{row['activity']} ({name})" if name else row["activity"],
        row["target_id"],
        (row["activity_code"], row["target_id"], *details),
        frozenset({row["target_id"], *found}),
    )


def _moment(text: str) -> datetime:
    """A time that names no zone is one of UTC, in which NetBird writes."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


NAMED_BY = ("id", "ip")
"""Fields of an answer that events name as their target; those on a peer's SSH server and expirations name its address."""


def _named_by(seen: JsonObject) -> list[str]:
    return [word for key in NAMED_BY if isinstance(word := seen.get(key), str)]


class Traces:
    """What this run has sent, and which events come of it.

    Args:
        account: id of the account, which is what events on settings are about; empty where it is not known.

    Attributes:
        calls: how many writes were sent.
        first: number of the first event that this run is known to have caused.
        unexplained: events that it has not caused, as far as is known by now, oldest first.
    """

    def __init__(self, account: str) -> None:
        self.first: int | None = None
        self.unexplained: list[Event] = []
        self.calls = 0
        self._account = account
        self._about: defaultdict[str, set[int]] = defaultdict(set)
        self._deletes: set[int] = set()
        self._explained: Counter[tuple[str, ...]] = Counter()

    def words_of(self, live: Live) -> set[str]:
        """What events on an object may name it by; those on settings name the account."""
        if live.kind.endpoint.singleton:
            return {live.id, self._account} - {""}
        return {live.id, *_named_by(live.seen)}

    def sent(self, method: str, where: str) -> int:
        """Note a write before it is sent, and return its number: events are about the ids in its path."""
        self.calls += 1
        ids = {part for part in where.split("/") if any(char.isdigit() for char in part)}
        self._is_about(self.calls, ids or {self._account})
        if method == "DELETE":
            self._deletes.add(self.calls)
        return self.calls

    def answered(self, number: int, body: Any, answer: Any) -> None:
        """Note what a write made: what its events can name, or, where no answer has that, the names that it was to have."""
        inner = answer.values() if isinstance(answer, dict) else ()
        objects = [one for one in (answer, *inner) if isinstance(one, dict)]
        shown = [word for one in objects for word in _named_by(one)]
        meant = body.values() if isinstance(body, dict) else ()
        self._is_about(number, shown or [value for value in meant if isinstance(value, str) and value])

    def _is_about(self, number: int, words: Iterable[str]) -> None:
        """Enter what a call is about; the empty word stands for whatever there is."""
        for word in words:
            self._about[word].add(number)

    def take(self, events: Iterable[Event]) -> None:
        """Look for the causes of these events, and again for those of which none was found before.

        Of equal ones more than this run can have caused, the oldest stay unexplained: in doubt another run was first.
        """
        found = sorted([*self.unexplained, *events], key=lambda event: event.number)
        for _ in range(DEEPEST):
            self._follow(found)
        left = [event for event in reversed(found) if not self._explains(event)]
        self.unexplained = left[::-1]

    def _causes(self, event: Event) -> set[int]:
        """Numbers of the calls that are about what an event is about."""
        return set().union(*(self._about[word] for word in (*event.words, "") if word in self._about))

    def _follow(self, events: list[Event]) -> None:
        """With an object others go; events on these may name the one between, and not the one that was deleted."""
        for event in events:
            if deletes := self._causes(event) & self._deletes:
                self._about[event.target] |= deletes

    def _explains(self, event: Event) -> bool:
        if self._explained[event.key] >= len(self._causes(event)):
            return False
        self._explained[event.key] += 1
        self.first = min(event.number, self.first or event.number)
        return True
