"""Agent network: requests folded into the conversations that they belong to, and sums over several requests."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from reconciler.simulator.clock import rfc3339
from reconciler.simulator.encoding import number
from reconciler.simulator.queries import without_blanks
from reconciler.simulator.store import Row

COUNTS: Final = ("input_tokens", "output_tokens", "total_tokens", "cached_input_tokens", "cache_creation_tokens")
COSTS: Final = (
    "input_cost_usd",
    "cached_input_cost_usd",
    "cache_creation_cost_usd",
    "output_cost_usd",
    "cost_usd",
    "cache_cost_usd",
)

_SORTS: Final[dict[str, Callable[[Sequence[Row]], Any]]] = {
    "started_at": lambda rows: min(row["timestamp"] for row in rows),
    "cost_usd": lambda rows: sum(row["cost_usd"] for row in rows),
    "total_tokens": lambda rows: sum(row["total_tokens"] for row in rows),
    "duration": lambda rows: sum(row["duration_ms"] for row in rows),
    "request_count": len,
    "status_code": lambda rows: max(row["status_code"] for row in rows),
    "user_id": lambda rows: min(row["user_id"] for row in rows),
    "decision": lambda rows: max(row["decision"] for row in rows),
}


def _last_activity(rows: Sequence[Row]) -> Any:
    return max(row["timestamp"] for row in rows)


def totals(rows: Iterable[Row]) -> Row:
    """Tokens and costs of all the requests; totals follow from the summed parts."""
    sums = {key: sum(row[key] for row in rows) for key in (*COUNTS, *COSTS[:4])}
    cached, created = sums["cached_input_cost_usd"], sums["cache_creation_cost_usd"]
    cost = sums["input_cost_usd"] + cached + created + sums["output_cost_usd"]
    return {key: number(value) for key, value in {**sums, "cost_usd": cost, "cache_cost_usd": cached + created}.items()}


def sessions_of(rows: Iterable[Row], sort_by: str, *, ascending: bool) -> list[tuple[Row, list[Row]]]:
    """Each session with its requests, oldest first; a request without a session is one of its own.

    Args:
        rows: The requests that were found.
        sort_by: What the sessions are sorted by; their last activity if it is nothing known. Equal ones come by key.
        ascending: The direction.
    """
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["timestamp"]):
        groups.setdefault(row["session_id"] or row["id"], []).append(row)
    measure = _SORTS.get(sort_by, _last_activity)
    keys = sorted(sorted(groups), key=lambda key: measure(groups[key]), reverse=not ascending)
    return [(_session(groups[key]), groups[key]) for key in keys]


def _session(rows: list[Row]) -> Row:
    lists = {"providers": "provider", "models": "model"}
    optional = {
        "session_id": rows[0]["session_id"],
        "user_id": next((row["user_id"] for row in rows if row["user_id"]), ""),
        **{name: _distinct(row[field] for row in rows) for name, field in lists.items()},
        "group_ids": _distinct(group for row in rows for group in row["group_ids"]),
    }
    return {
        **totals(rows),
        **without_blanks(optional),
        "started_at": rfc3339(rows[0]["timestamp"]),
        "ended_at": rfc3339(rows[-1]["timestamp"]),
        "request_count": len(rows),
        "decision": "deny" if any(row["decision"] == "deny" for row in rows) else "allow",
    }


def _distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
