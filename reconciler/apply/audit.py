"""The server's audit log: who has changed what, and which of that was this very run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from reconciler.api.client import ReadApi
from reconciler.api.problems import NoSuchEndpoint
from reconciler.state.caller import strange

PATHS: Final = ("/events/audit", "/events")
"""Where the log is, and where servers before 0.39.0 have it."""
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
        key: code, target and details; what one call leaves in the log, it leaves there once.
        words: ids and names that the event is about.
    """

    number: int
    at: datetime
    initiator: str
    name: str
    email: str
    said: str
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
        datetime.fromisoformat(row["timestamp"]),
        row["initiator_id"],
        row.get("initiator_name") or "",
        row.get("initiator_email") or "",
        f"{row['activity']} ({name})" if name else row["activity"],
        (row["activity_code"], row["target_id"], *details),
        frozenset({row["target_id"], *found}),
    )


class Traces:
    """What this run has sent, and which events come of it.

    Args:
        account: id of the account, which is what events on settings are about; empty where it is not known.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._calls: list[set[str]] = []
        self._explained: Counter[tuple[str, ...]] = Counter()
        self.first: int | None = None
        """Number of the first event that this run caused."""

    @property
    def calls(self) -> int:
        """How many writes were sent."""
        return len(self._calls)

    def sent(self, where: str) -> None:
        """Note a write before it is sent: events are about the ids in its path."""
        self._calls.append(
            {part for part in where.split("/") if any(char.isdigit() for char in part)} or {self._account}
        )

    def answered(self, body: Any, answer: Any) -> None:
        """Note what was made: the answer's id, or, where no answer has it, the names that it was to have."""
        inner = answer.values() if isinstance(answer, dict) else ()
        shown = [one["id"] for one in (answer, *inner) if isinstance(one, dict) and isinstance(one.get("id"), str)]
        meant = body.values() if isinstance(body, dict) else ()
        self._calls[-1].update(shown or [value for value in meant if isinstance(value, str) and value])

    def unexplained(self, events: Iterable[Event]) -> list[Event]:
        """Those of these events, which were not seen before, that this run did not cause.

        Of equal ones more than this run can have caused, the oldest are taken for somebody else's: in doubt another run was first.
        """
        left = []
        for event in sorted(events, key=lambda event: event.number, reverse=True):
            causes = sum(1 for call in self._calls if call & event.words or "" in call)
            if self._explained[event.key] < causes:
                self._explained[event.key] += 1
                self.first = min(event.number, self.first or event.number)
            else:
                left.append(event)
        return left[::-1]
