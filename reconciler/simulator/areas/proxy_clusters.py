"""Reverse proxy: clusters, which are nothing but the addresses of the proxies that have connected.

A proxy belongs to the account whose token it came with, or to nobody (shared); the latter serve every account.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.clock import SECOND
from reconciler.simulator.domains import DomainError, from_text
from reconciler.simulator.errors import not_found
from reconciler.simulator.permissions import DELETE, READ
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account, World

from .proxy_tokens import TokenError, holder_of

KIND: Final = "proxies"
FORGOTTEN_AFTER: Final = 3600 * SECOND
"""How long a proxy that has gone is still listed."""

_PORTS, _SUBDOMAIN, _CROWDSEC, _PRIVATE = "supports_custom_ports", "require_subdomain", "supports_crowdsec", "private"


def capability(world: World, address: str, name: str) -> bool | None:
    """Whether a connected proxy of the cluster has the capability; None if no proxy has told.

    ``supports_crowdsec`` needs every connected proxy to have it: one that has not told counts as one that has not.
    """
    told = [row["capabilities"].get(name) for row in _connected(world.store.table(KIND).where("address", address))]
    if all(value is None for value in told):
        return None
    return all(told) if name == _CROWDSEC else any(told)


def capabilities(world: World, address: str, names: Mapping[str, str]) -> Row:
    """The cluster's known capabilities under the names that an answer gives them, ``{capability: key}``."""
    known = {key: capability(world, address, name) for name, key in names.items()}
    return {key: value for key, value in known.items() if value is not None}


def addresses(account: Account) -> list[str]:
    """Clusters that the account may use now: its own before the shared ones.

    The address of a gateway that serves only the account's agent network is not offered for anything else.
    """
    settings = account.find("agent_settings", account.id)
    reserved = settings["proxy_address"] if settings and settings["endpoint"] == settings["proxy_address"] else None
    own, shared = _active(account.world, account.id), shared_addresses(account.world)
    return [address for address in dict.fromkeys(own + shared) if address != reserved]


def shared_addresses(world: World) -> list[str]:
    """Clusters with a connected proxy that belongs to no account."""
    return _active(world, None)


def is_served(world: World, hostname: str) -> bool:
    """Whether any connected proxy has this address, in whatever letter case."""
    return any(row["address"].lower() == hostname.lower() for row in _connected(_all(world)))


def _active(world: World, account_id: str | None) -> list[str]:
    """Oldest first: where a domain fits several clusters, the one whose first proxy came first serves it."""
    return list(dict.fromkeys(row["address"] for row in _connected(_all(world)) if row["account_id"] == account_id))


def _connected(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["connected"]]


def _all(world: World) -> list[Row]:
    """Every proxy, without those that have been gone for an hour."""
    table = world.store.table(KIND)
    for row in table.all():
        if not row["connected"] and row["last_seen"] < world.now() - FORGOTTEN_AFTER:
            table.remove(row["id"])
    return table.all()


def _list(call: Call) -> Any:
    call.require("services", READ)
    visible = [row for row in _all(call.world) if row["account_id"] in {None, call.account.id}]
    clusters: dict[str, list[Row]] = {}
    for row in visible:
        clusters.setdefault(row["address"], []).append(row)
    return [_shown(call.world, address, clusters[address]) for address in sorted(clusters)]


def _shown(world: World, address: str, rows: list[Row]) -> Row:
    names = {name: name for name in (_PORTS, _SUBDOMAIN, _CROWDSEC, _PRIVATE)}
    connected = len(_connected(rows))
    return {
        "id": min(row["id"] for row in rows),
        "address": address,
        "type": "account" if any(row["account_id"] for row in rows) else "shared",
        "online": connected > 0,
        "connected_proxies": connected,
        **capabilities(world, address, names),
    }


def _delete(call: Call) -> Any:
    call.require("services", DELETE)
    own = call.account.where(KIND, "address", call.path["address"])
    if not own:
        raise not_found("cluster not found")
    for row in own:
        call.account.remove(KIND, row["id"])
    return {}


def proxy_of(world: World, line: Mapping[str, Any]) -> Row:
    """The connected proxy that an event speaks of, by its ``id``.

    Raises:
        TokenError: it is not connected, or its token is not valid any more.
    """
    row = world.store.table(KIND).get(line["id"])
    if row is None:
        raise TokenError("rpc error: code = Unauthenticated desc = missing authorization header")
    holder_of(world, row["token"])
    return row


def _connects(world: World, line: Mapping[str, Any]) -> Any:
    """A proxy opens its control stream; one that uses the id of another takes its place."""
    try:
        account_id = holder_of(world, line["token"])["account_id"]
        _check_claim(world, line["id"], line["address"], account_id)
    except TokenError as error:
        return {"error": str(error)}
    row = {
        "id": line["id"],
        "account_id": account_id,
        "address": line["address"],
        "token": line["token"],
        "capabilities": line.get("capabilities") or {},
        "connected": True,
        "last_seen": world.now(),
    }
    world.store.table(KIND).put(row)
    return {"connected": line["id"]}


def _check_claim(world: World, proxy_id: str, address: str, account_id: str | None) -> None:
    """Refuse a proxy without an id, with an impossible address, or with one that others than its account use."""
    if not proxy_id:
        raise TokenError("rpc error: code = InvalidArgument desc = proxy_id is required")
    if not _is_address(address):
        raise TokenError("rpc error: code = InvalidArgument desc = proxy address is invalid")
    others = [row for row in _all(world) if row["address"] == address and row["account_id"] != account_id]
    if account_id is not None and others:
        raise TokenError(f"rpc error: code = AlreadyExists desc = cluster address {address} is already in use")


def _is_address(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return _is_name(address)
    return "%" not in address


def _is_name(address: str) -> bool:
    try:
        from_text(address)
    except DomainError:
        return False
    return True


def _disconnects(world: World, line: Mapping[str, Any]) -> Any:
    table = world.store.table(KIND)
    if (row := table.get(line["id"])) is not None:
        table.put({**row, "connected": False, "last_seen": world.now()})
    return {"disconnected": line["id"]}


AREA = Area(
    routes=(
        Route("GET", "/reverse-proxies/clusters", _list),
        Route("DELETE", "/reverse-proxies/clusters/<address>", _delete),
    ),
    happenings={"proxy_connects": _connects, "proxy_disconnects": _disconnects},
)
