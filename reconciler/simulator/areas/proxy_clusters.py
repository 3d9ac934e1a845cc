"""Reverse proxy: clusters, which are nothing but the addresses of the proxies that have connected.

A proxy belongs to the account whose token it came with, or to nobody (shared); the latter serve every account.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.clock import SECOND
from reconciler.simulator.domains import DomainError, from_text
from reconciler.simulator.errors import not_found
from reconciler.simulator.permissions import DELETE, READ
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.rpc import RpcError, call
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account, World

from .proxy_tokens import holder_of

KIND: Final = "proxies"
FORGOTTEN_AFTER: Final = 3600 * SECOND
"""How long a proxy that has gone is still listed."""

_ID: Final = re.compile(r"[0-9a-v]{20}")
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
        RpcError: it is not connected, or its token is not valid any more.
    """
    row = world.store.table(KIND).get(line["id"])
    if row is None:
        raise RpcError("Unauthenticated", "missing authorization header")
    holder_of(world, row["token"])
    return row


def account_of(proxy: Row, world: World, account_id: str, service_id: str = "") -> Account:
    """The account that a proxy's report is about.

    Nothing tells a proxy's account but its own answers, so whoever replays an event need not know it: an id that the
    server has never given stands for the account of the service, else for the only one there is.

    Raises:
        RpcError: the proxy came with another account's token.
    """
    known = [account.id for account in world.accounts()]
    if account_id not in known and (not account_id or _ID.fullmatch(account_id)):
        service = world.store.table("proxy_services").get(service_id)
        account_id = service["account_id"] if service else known[0] if len(known) == 1 else account_id
    if proxy["account_id"] not in {None, account_id}:
        raise RpcError("PermissionDenied", f"account-scoped token cannot access account {account_id}")
    return world.account(account_id)


def _connects(world: World, line: Mapping[str, Any]) -> Any:
    """A proxy opens its control stream; one that uses the id of another takes its place."""
    account_id = holder_of(world, line["token"])["account_id"]
    _check_claim(world, line["id"], line["address"], account_id)
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
        raise RpcError("InvalidArgument", "proxy_id is required")
    if not _is_address(address):
        raise RpcError("InvalidArgument", "proxy address is invalid")
    others = [row for row in _all(world) if row["address"] == address and row["account_id"] != account_id]
    if account_id is not None and others:
        raise RpcError("AlreadyExists", f"cluster address {address} is already in use")


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
    happenings={"proxy_connects": call(_connects), "proxy_disconnects": _disconnects},
)
