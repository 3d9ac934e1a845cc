"""Agent network: what users and groups have used up in each window of time (module ``agent_network.usage``).

Windows are aligned to the epoch. A request counts in the window of the policy that paid for it and in those of every
enabled budget rule that applies, once in each.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.clock import SECOND, rfc3339
from reconciler.simulator.encoding import number
from reconciler.simulator.permissions import READ
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.rpc import RpcError, call
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account, World

from . import agent_limits
from .proxy_clusters import account_of, proxy_of

KIND: Final = "agent_consumption"

Counter = tuple[str, str, int]
"""``user`` or ``group``, its id, and the length of the window in seconds."""


def _list(call: Call) -> Any:
    call.require("agent_network.usage", READ)
    rows = sorted(call.account.rows(KIND), key=_counter_of)
    return [_shown(row) for row in sorted(rows, key=lambda row: row["window_start_utc"], reverse=True)]


def _counter_of(row: Row) -> Counter:
    return row["dimension_kind"], row["dimension_id"], row["window_seconds"]


def _shown(row: Row) -> Row:
    times = {key: rfc3339(row[key]) for key in ("window_start_utc", "updated_at")}
    return {**{key: row[key] for key in row if key not in {"id", "account_id"}}, **times}


def _records(world: World, line: Mapping[str, Any]) -> Any:
    """A proxy books what a request has cost."""
    entry = line["entry"]
    used = {"tokens_input": int(entry.get("tokensInput", 0)), "tokens_output": int(entry.get("tokensOutput", 0))}
    window, cost = int(entry.get("windowSeconds", 0)), entry.get("costUsd", 0)
    proxy = proxy_of(world, line)
    if not entry.get("accountId"):
        raise RpcError("InvalidArgument", "account_id is required")
    account = account_of(proxy, world, entry["accountId"])
    if min(window, cost, *used.values()) < 0:
        raise RpcError("InvalidArgument", "usage counters must be non-negative and finite")
    for counter in _counters(account, entry, window):
        _book(account, counter, {**used, "cost_usd": cost})
    return {"ok": True}


def _counters(account: Account, entry: Row, window: int) -> Iterable[Counter]:
    user, groups = entry.get("userId", ""), entry.get("groupIds") or []
    counters = _pair(user, entry.get("groupId", ""), window)
    for rule in account.rows("agent_budget_rules"):
        if rule["enabled"] and _applies(rule, user, groups):
            paying = min(set(rule["target_groups"]) & set(groups), default="")
            for seconds in agent_limits.windows(rule["limits"]):
                counters += _pair(user, paying, seconds)
    return dict.fromkeys(counters)


def _pair(user: str, group: str, seconds: int) -> list[Counter]:
    both: list[Counter] = [("user", user, seconds), ("group", group, seconds)]
    return [counter for counter in both if counter[1] and seconds > 0]


def _applies(rule: Row, user: str, groups: Sequence[str]) -> bool:
    """A rule without targets is for everybody."""
    users, targets = rule["target_users"], rule["target_groups"]
    return not (users or targets) or (user and user in users) or bool(set(targets) & set(groups))


def _book(account: Account, counter: Counter, used: Row) -> None:
    kind, target, seconds = counter
    now = account.world.now()
    start = now // (seconds * SECOND) * (seconds * SECOND)
    row_id = f"{account.id} {kind} {target} {seconds} {start}"
    before = account.find(KIND, row_id) or dict.fromkeys(used, 0)
    row = {
        "id": row_id,
        "dimension_kind": kind,
        "dimension_id": target,
        "window_seconds": seconds,
        "window_start_utc": start,
        **{key: number(before[key] + value) for key, value in used.items()},
        "updated_at": now,
    }
    account.save(KIND, row)


AREA = Area(
    routes=(Route("GET", "/agent-network/consumption", _list),),
    happenings={"proxy_records_usage": call(_records)},
)
