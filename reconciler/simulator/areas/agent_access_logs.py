"""Agent network: what has gone through the gateway, request by request, by session, and summed up over time.

A request leaves a record of usage always, and one in the log only while the account's settings say so. Its facts come
as metadata under fixed keys; counts and costs that are negative or no numbers are 0.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.clock import DAY, SECOND, Nanoseconds, rfc3339
from reconciler.simulator.encoding import number
from reconciler.simulator.permissions import READ
from reconciler.simulator.queries import ordered, page, without_blanks
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.timestamps import Timestamp
from reconciler.simulator.world import Account

from .agent_access_filter import Filter, read_filter
from .agent_access_sessions import COSTS, COUNTS, sessions_of, totals

LOGS: Final = "agent_access_logs"
USAGE: Final = "agent_usage"
LOOKBACK: Final = 90 * DAY
"""How far the overview looks back if it is not told."""
LONGEST: Final = 366 * DAY
"""The longest time that it covers."""

_SORTS: Final = ("timestamp", "model", "provider", "status_code", "cost_usd", "total_tokens", "user_id", "decision")
_SORT_FIELDS: Final = {**{name: name for name in _SORTS}, "duration": "duration_ms"}
_TEXTS: Final = {
    "provider": "llm.provider",
    "model": "llm.model",
    "session_id": "llm.session_id",
    "resolved_provider_id": "llm.resolved_provider_id",
    "selected_policy_id": "llm.selected_policy_id",
    "decision": "llm_policy.decision",
    "deny_reason": "llm_policy.reason",
    "request_prompt": "llm.request_prompt",
    "response_completion": "llm.response_completion",
}
_TRUE: Final = {"1", "t", "T", "TRUE", "true", "True"}
_COST_KEYS: Final = {
    "input_cost_usd": "cost.usd_input",
    "cached_input_cost_usd": "cost.usd_cached_input",
    "cache_creation_cost_usd": "cost.usd_cache_creation",
    "output_cost_usd": "cost.usd_output",
}


def _list_logs(call: Call) -> Any:
    wanted = read_filter(call)
    call.require("agent_network.logs", READ)
    field = _SORT_FIELDS.get(wanted.sort_by, "timestamp")
    rows = ordered(_found(call.account, LOGS, wanted), [field], ascending=wanted.ascending)
    return _paged(call, [_shown(row) for row in rows])


def _list_sessions(call: Call) -> Any:
    wanted = read_filter(call)
    call.require("agent_network.logs", READ)
    sessions = sessions_of(_found(call.account, LOGS, wanted), wanted.sort_by, ascending=wanted.ascending)
    return _paged(call, [{**session, "entries": [_shown(row) for row in rows]} for session, rows in sessions])


def _paged(call: Call, rows: list[Row]) -> Row:
    return page(rows, call.query("page").strip(), call.query("page_size").strip())


def _overview(call: Call) -> Any:
    wanted = read_filter(call)
    call.require("agent_network.usage", READ)
    bounded = _bounded(wanted, call.world.now())
    periods: dict[str, list[Row]] = {}
    for row in _found(call.account, USAGE, bounded):
        periods.setdefault(_period(row["timestamp"], call.query("granularity")), []).append(row)
    return [{"period_start": start, **totals(periods[start])} for start in sorted(periods)]


def _bounded(wanted: Filter, now: Nanoseconds) -> Filter:
    """An overview covers no more than a year and, if it is not told from when, 90 days."""
    end = wanted.end or Timestamp(now, 0)
    start = wanted.start or Timestamp(end.nanoseconds - LOOKBACK, end.offset)
    if end.nanoseconds - start.nanoseconds > LONGEST:
        start = Timestamp(end.nanoseconds - LONGEST, end.offset)
    return wanted._replace(search="", decision="", path="", start=start, end=end)


def _period(moment: Nanoseconds, granularity: str) -> str:
    """The day, Monday or first of the month that the moment belongs to."""
    day = datetime.fromtimestamp(moment // SECOND, UTC).date()
    if granularity == "week":
        day -= timedelta(days=day.weekday())
    return str(day.replace(day=1) if granularity == "month" else day)


def _found(account: Account, kind: str, wanted: Filter) -> list[Row]:
    return [row for row in account.rows(kind) if wanted.matches(row)]


def _shown(row: Row) -> Row:
    optional = ("user_id", "source_ip", "method", "host", "path", *_TEXTS, "group_ids")
    always = ("id", "service_id", "status_code", "duration_ms", "stream", *COUNTS, *COSTS)
    return {
        **{key: row[key] for key in always},
        "timestamp": rfc3339(row["timestamp"]),
        **without_blanks({key: row[key] for key in optional}),
    }


def ingest(account: Account, entry: Row) -> None:
    """Keep what a proxy tells of one request; a second report under the same id changes nothing."""
    row = _flat(entry)
    for kind in (USAGE, LOGS) if _is_logging(account) else (USAGE,):
        if account.world.store.table(kind).get(row["id"]) is None:
            account.save(kind, dict(row))


def _is_logging(account: Account) -> bool:
    settings = account.find("agent_settings", account.id)
    return settings is not None and settings["enable_log_collection"]


def _flat(entry: Row) -> Row:
    """The request with its metadata as fields; total cost and cost of the cache follow from the four parts."""
    metadata: dict[str, str] = entry["metadata"]
    plain = ("id", "service_id", "timestamp", "user_id", "source_ip", "method", "host", "path", "duration_ms")
    costs = {field: _number(metadata.get(key, "")) for field, key in _COST_KEYS.items()}
    cached, created = costs["cached_input_cost_usd"], costs["cache_creation_cost_usd"]
    groups = (part.strip() for part in metadata.get("llm.authorising_groups", "").split(","))
    return {
        **{key: entry[key] for key in (*plain, "status_code")},
        **{field: metadata.get(key, "") for field, key in _TEXTS.items()},
        **{field: _count(metadata.get(f"llm.{field}", "")) for field in COUNTS},
        **costs,
        "cost_usd": number(costs["input_cost_usd"] + cached + created + costs["output_cost_usd"]),
        "cache_cost_usd": number(cached + created),
        "stream": metadata.get("llm.stream", "").strip() in _TRUE,
        "group_ids": _distinct(groups),
    }


def _distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def _count(text: str) -> int:
    digits = text.strip().removeprefix("+")
    return int(digits) if digits.isascii() and digits.isdigit() and int(digits) < 1 << 63 else 0


def _number(text: str) -> float:
    try:
        value = float(text.strip().replace("_", "x"))
    except ValueError:
        return 0
    return number(value) if value >= 0 and math.isfinite(value) else 0


AREA = Area(
    routes=(
        Route("GET", "/agent-network/access-logs", _list_logs),
        Route("GET", "/agent-network/access-log-sessions", _list_sessions),
        Route("GET", "/agent-network/usage/overview", _overview),
    ),
)
