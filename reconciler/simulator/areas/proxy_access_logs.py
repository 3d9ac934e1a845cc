"""Reverse proxy: the requests that proxies have let through or turned away (module ``services``).

Newest first. Parameters that cannot be used are ignored. The database compares texts, which shows twice: a time with an
offset is compared as it is written, and an address is kept in quotation marks, so that ``source_ip`` finds it only if
they are given.
"""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.simulator import timestamps
from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.netip import parse_address, text
from reconciler.simulator.permissions import READ
from reconciler.simulator.queries import like, ordered, page, positive, without_blanks
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.rpc import RpcError, call
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account, World

from . import agent_access_logs
from .proxy_clusters import account_of, proxy_of

KIND: Final = "proxy_access_logs"

_SORTS: Final = {
    "timestamp": ("timestamp",),
    "url": ("host", "path"),
    "host": ("host",),
    "path": ("path",),
    "method": ("method",),
    "status_code": ("status_code",),
    "duration": ("duration_ms",),
    "source_ip": ("source_ip",),
    "user_id": ("user_id",),
    "auth_method": ("auth_method_used",),
    "reason": ("reason",),
}
_EXACT: Final = {"host": "host", "user_id": "user_id", "method": "method"}
_SUCCESS: Final = range(200, 400)
_FIRST_FAILURE: Final = 400


def _list(call: Call) -> Any:
    call.require("services", READ)
    found = [row for row in call.account.rows(KIND) if _matches(row, _filters(call))]
    keys = _SORTS.get(call.query("sort_by"), ("timestamp",))
    rows = ordered(found, keys, ascending=call.query("sort_order").lower() == "asc")
    answer = page(rows, call.query("page"), call.query("page_size"))
    return {**answer, "data": [_shown(row) for row in answer["data"]]}


def _filters(call: Call) -> Row:
    """The parameters that are given; a part of a person's name or address stands for the first person that has it."""
    given = {name: call.query(name) for name in (*_EXACT, "search", "source_ip", "path", "status")}
    if (user_id := _user_id(call)) is not None:
        given["user_id"] = user_id
    filters: Row = {name: value for name, value in given.items() if value}
    if (code := positive(call.query("status_code"))) is not None:
        filters["status_code"] = code
    for name in ("start_date", "end_date"):
        try:
            filters[name] = timestamps.parse(call.query(name)).stored()
        except timestamps.TimestampError:
            continue
    return filters


def _user_id(call: Call) -> str | None:
    wanted = {"email": call.query("user_email").lower(), "name": call.query("user_name").lower()}
    for user in call.account.rows("users"):
        if user["is_service_user"]:
            continue
        if any(part and part in (user[field] or "").lower() for field, part in wanted.items()):
            return str(user["id"])
    return None


def _matches(row: Row, filters: Row) -> bool:
    moment = timestamps.stored(row["timestamp"])
    checks = (
        "search" not in filters or _contains(row, f"%{filters['search']}%"),
        "source_ip" not in filters or filters["source_ip"] == _quoted(row["source_ip"]),
        "path" not in filters or like(f"%{filters['path']}%", row["path"]),
        all(filters.get(name, row[field]) == row[field] for name, field in _EXACT.items()),
        filters.get("status") != "success" or row["status_code"] in _SUCCESS,
        filters.get("status") != "failed" or row["status_code"] not in _SUCCESS,
        filters.get("status_code", row["status_code"]) == row["status_code"],
        filters.get("start_date", moment) <= moment <= filters.get("end_date", moment),
    )
    return all(checks)


def _contains(row: Row, pattern: str) -> bool:
    """Names and addresses of users are encrypted in the database, so that a search does not find them."""
    places = (row["id"], _quoted(row["source_ip"]), row["host"], row["path"], row["host"] + row["path"])
    return any(like(pattern, place) for place in places)


def _quoted(address: str) -> str:
    return f'"{address}"'


def _shown(row: Row) -> Row:
    optional = ("source_ip", "reason", "user_id", "auth_method_used", "protocol", "metadata")
    always = ("id", "service_id", "method", "host", "path", "duration_ms", "status_code", "bytes_upload")
    return {
        **{key: row[key] for key in (*always, "bytes_download")},
        "timestamp": rfc3339(row["timestamp"]),
        **without_blanks({key: row[key] for key in optional}),
    }


def _sends(world: World, line: Mapping[str, Any]) -> Any:
    """A proxy tells of a request; those to an agent network's gateway are kept with that."""
    entry = {_snake(key): value for key, value in line["entry"].items()}
    account = account_of(proxy_of(world, line), world, entry.get("account_id", ""), entry.get("service_id", ""))
    if entry.get("agent_network"):
        agent_access_logs.ingest(account, _entry(entry))
    else:
        _keep(account, _entry(entry))
    return {"ok": True}


def _keep(account: Account, row: Row) -> None:
    if account.world.store.table(KIND).get(row["id"]) is not None:
        raise RpcError("Internal", "save access log: failed to create access log entry in store")
    account.save(KIND, row)


def _snake(name: str) -> str:
    """``responseCode`` as ``response_code``: JSON of a protobuf message may have either."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def _entry(entry: Row) -> Row:
    protocol, code = entry.get("protocol", ""), int(entry.get("response_code", 0))
    given = entry.get("timestamp")
    return {
        "id": entry.get("log_id", ""),
        "service_id": entry.get("service_id", ""),
        "timestamp": timestamps.parse(given).nanoseconds if given else 0,
        "method": entry.get("method", ""),
        "host": entry.get("host", ""),
        "path": entry.get("path", ""),
        "duration_ms": int(entry.get("duration_ms", 0)),
        "status_code": code,
        "source_ip": _address(entry.get("source_ip", "")),
        "user_id": entry.get("user_id", ""),
        "auth_method_used": entry.get("auth_mechanism", ""),
        "bytes_upload": int(entry.get("bytes_upload", 0)),
        "bytes_download": int(entry.get("bytes_download", 0)),
        "protocol": protocol,
        "metadata": entry.get("metadata") or {},
        "reason": _reason(code, allowed=bool(entry.get("auth_success"))) if protocol in {"", "http"} else "",
    }


def _reason(code: int, *, allowed: bool) -> str:
    if not allowed:
        return "Authentication failed"
    return "Request failed" if code >= _FIRST_FAILURE else ""


def _address(given: str) -> str:
    """The address in its plain form, IPv4 inside IPv6 as IPv4; nothing if it is none."""
    try:
        address = parse_address(given)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return text(mapped or address)


AREA = Area(
    routes=(Route("GET", "/events/proxy", _list),),
    happenings={"proxy_sends_access_log": call(_sends)},
)
