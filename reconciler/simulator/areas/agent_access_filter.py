"""Agent network: which requests a list of them is asked for."""

from typing import Final, NamedTuple

from reconciler.simulator import timestamps
from reconciler.simulator.call import Call
from reconciler.simulator.errors import invalid
from reconciler.simulator.queries import like
from reconciler.simulator.store import Row
from reconciler.simulator.timestamps import Timestamp, TimestampError

_SEARCHED: Final = ("id", "host", "path", "model")


class Filter(NamedTuple):
    """The parameters of a list; empty ones do not filter, of several values one must fit."""

    search: str = ""
    user_id: str = ""
    session_id: str = ""
    decision: str = ""
    path: str = ""
    group_ids: tuple[str, ...] = ()
    provider_ids: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    start: Timestamp | None = None
    end: Timestamp | None = None
    sort_by: str = ""
    ascending: bool = False

    def matches(self, row: Row) -> bool:
        """Whether the request is one of those asked for; times are compared as the texts that the database keeps."""
        moment = timestamps.stored(row["timestamp"])
        return all(
            (
                not self.search or any(like(f"%{self.search}%", row[field]) for field in _SEARCHED),
                self.user_id in {"", row["user_id"]},
                self.session_id in {"", row["session_id"]},
                self.decision in {"", row["decision"]},
                not self.path or like(f"{self.path}%", row["path"]),
                not self.group_ids or bool(set(self.group_ids) & set(row["group_ids"])),
                not self.provider_ids or row["resolved_provider_id"] in self.provider_ids,
                not self.models or row["model"] in self.models,
                self.start is None or moment >= self.start.stored(),
                self.end is None or moment <= self.end.stored(),
            )
        )


def read_filter(call: Call) -> Filter:
    """The request's parameters.

    Raises:
        Refusal: 422 for a date that is none; everything else that cannot be used is ignored.
    """
    return Filter(
        search=call.query("search").strip(),
        user_id=call.query("user_id").strip(),
        session_id=call.query("session_id").strip(),
        decision=call.query("decision").strip(),
        path=call.query("path").strip(),
        group_ids=_several(call, "group_id"),
        provider_ids=_several(call, "provider_id"),
        models=_several(call, "model"),
        start=_date(call, "start_date"),
        end=_date(call, "end_date"),
        sort_by=call.query("sort_by"),
        ascending=call.query("sort_order").lower() == "asc",
    )


def _several(call: Call, name: str) -> tuple[str, ...]:
    """Repeated parameters and comma-separated values alike."""
    parts = (part.strip() for given in call.query_values(name) for part in given.split(","))
    return tuple(part for part in parts if part)


def _date(call: Call, name: str) -> Timestamp | None:
    given = call.query(name).strip()
    if not given:
        return None
    try:
        return timestamps.parse(given)
    except TimestampError as error:
        raise invalid(f"invalid {name}: {error}") from None
