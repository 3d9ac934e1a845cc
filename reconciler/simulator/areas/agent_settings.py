"""Agent network: the account's gateway and what it records (module ``agent_network.settings``).

A singleton that is made with POST, which fixes its names, and that reads as defaults before. Its endpoint is either
a name of the account's own (dedicated), or one that the server draws below the address of a shared cluster.
"""

from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.decoding import BOOL, INT, TEXT, Nullable, Struct
from reconciler.simulator.errors import PlainError, conflict, invalid, not_found, precondition
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import bool_text, lowered, quoted
from reconciler.simulator.world import World

from .agent_hostnames import HostnameError, draw_label, normalised
from .proxy_clusters import is_served

KIND: Final = "agent_settings"
MODULE: Final = "agent_network.settings"

_DEFAULTS: Final[Row] = {
    "enable_log_collection": True,
    "enable_prompt_collection": False,
    "redact_pii": False,
    "access_log_retention_days": 30,
}
_TOGGLES: Final = ("enable_log_collection", "enable_prompt_collection", "redact_pii")
_NAMES: Final = ("endpoint", "proxy_address")
_NEW: Final = Struct(
    {
        **dict.fromkeys(_NAMES, Nullable(TEXT)),
        **dict.fromkeys(_TOGGLES, Nullable(BOOL)),
        "access_log_retention_days": Nullable(INT),
    }
)
_ALL: Final = Struct({**dict.fromkeys(_NAMES, TEXT), **dict.fromkeys(_TOGGLES, BOOL), "access_log_retention_days": INT})
_ATTEMPTS: Final = 10


def _get(call: Call) -> Any:
    call.require(MODULE, READ)
    return _shown(call.account.find(KIND, call.account.id) or {"endpoint": "", "proxy_address": "", **_DEFAULTS})


def _create(call: Call) -> Any:
    body = call.body(_NEW)
    call.require(MODULE, CREATE)
    proxy_address, endpoint = body["proxy_address"] or "", body["endpoint"] or ""
    if bool(proxy_address.strip()) == bool(endpoint.strip()):
        raise invalid("exactly one of proxy_address and endpoint is required")
    if call.account.find(KIND, call.account.id):
        raise conflict(f"agent network settings already bootstrapped for account {call.account.id}")
    names = _claimed(call.world, endpoint) if endpoint.strip() else _drawn(call.world, proxy_address)
    now = call.world.now()
    given = {key: value for key, value in body.items() if key in _DEFAULTS and value is not None}
    row = {"id": call.account.id, **_DEFAULTS, **given, **names, "created_at": now, "updated_at": now}
    call.account.save(KIND, row)
    told = {"bootstrapped": "true", "endpoint": row["endpoint"], "dedicated": bool_text(_is_dedicated(row))}
    call.audit("agent_network.settings.update", call.account.id, **told)
    return _shown(row)


def _claimed(world: World, endpoint: str) -> Row:
    """A name of the account's own, whether a proxy has it already or not."""
    try:
        hostname = normalised(endpoint)
    except HostnameError as error:
        raise invalid(f"invalid endpoint: {error}") from None
    if world.store.table(KIND).count("endpoint", hostname):
        raise conflict(f"endpoint {hostname} is already taken")
    return {"endpoint": hostname, "proxy_address": hostname}


def _drawn(world: World, proxy_address: str) -> Row:
    """A name below a cluster's address that nobody has."""
    try:
        parent = normalised(proxy_address)
    except HostnameError as error:
        raise invalid(f"invalid proxy_address: {error}") from None
    for _ in range(_ATTEMPTS):
        try:
            hostname = normalised(f"{draw_label(world.random)}.{parent}")
        except HostnameError as error:
            raise invalid(f"proxy_address leaves no room for a label: {error}") from None
        if not world.store.table(KIND).count("endpoint", hostname):
            return {"endpoint": hostname, "proxy_address": parent}
    raise PlainError


def _update(call: Call) -> Any:
    body = call.body(_ALL)
    call.require(MODULE, UPDATE)
    row = call.account.find(KIND, call.account.id)
    if row is None:
        advice = "POST /api/agent-network/settings to bootstrap them"
        raise not_found(f"agent network settings have not been bootstrapped yet; {advice}")
    for key in _NAMES:
        _check_echo(key, body[key], row[key])
    row = {**row, **{key: body[key] for key in _DEFAULTS}, "updated_at": call.world.now()}
    call.account.save(KIND, row)
    toggles = {key.removeprefix("enable_"): bool_text(row[key]) for key in _TOGGLES}
    call.audit("agent_network.settings.update", call.account.id, **toggles)
    return _shown(row)


def _check_echo(key: str, given: str, assigned: str) -> None:
    """Names are fixed: a PUT must repeat them, in whatever letter case."""
    if lowered(given.strip()) != assigned:
        words = key.replace("_", " ")
        release = "delete the settings to release it and bootstrap again"
        raise invalid(f"{key} is immutable: it must match the assigned {words} {quoted(assigned)}; {release}")


def _delete(call: Call) -> Any:
    call.require(MODULE, DELETE)
    row = call.account.find(KIND, call.account.id)
    if row is None:
        raise not_found("agent network settings have not been bootstrapped yet; there is nothing to delete")
    refused = "agent network settings cannot be deleted while"
    if providers := len(call.account.rows("agent_providers")):
        raise precondition(f"{refused} {providers} provider(s) exist; delete the providers first")
    if is_served(call.world, row["endpoint"]):
        raise precondition(f"{refused} a proxy is actively serving the endpoint {quoted(row['endpoint'])}")
    call.account.remove(KIND, row["id"])
    names = {key: row[key] for key in _NAMES}
    call.audit("agent_network.settings.delete", call.account.id, **names)
    return {}


def _is_dedicated(row: Row) -> bool:
    return bool(row["endpoint"]) and row["endpoint"] == row["proxy_address"]


def _shown(row: Row) -> Row:
    times: Row = {key: rfc3339(row[key]) for key in ("created_at", "updated_at") if key in row}
    return {**{key: row[key] for key in (*_NAMES, *_DEFAULTS)}, "dedicated": _is_dedicated(row), **times}


AREA = Area(
    routes=(
        Route("GET", "/agent-network/settings", _get),
        Route("POST", "/agent-network/settings", _create),
        Route("PUT", "/agent-network/settings", _update),
        Route("DELETE", "/agent-network/settings", _delete),
    ),
    activities={
        "agent_network.settings.update": "Agent Network settings updated",
        "agent_network.settings.delete": "Agent Network settings deleted",
    },
)
