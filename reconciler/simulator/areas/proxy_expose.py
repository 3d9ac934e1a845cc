"""Reverse proxy: services that a peer exposes by itself (``netbird expose``), for as long as it keeps renewing them.

They are ordinary services but for their ``source``, which the API does not show. A PUT over HTTP makes one permanent.
"""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from reconciler.simulator import membership
from reconciler.simulator.clock import SECOND
from reconciler.simulator.errors import Refusal, conflict, denied, invalid, not_found, precondition
from reconciler.simulator.ids import random_text
from reconciler.simulator.registry import Area
from reconciler.simulator.rpc import RpcError, call
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account, World

from .proxy_clusters import shared_addresses
from .proxy_service_body import SHAPE, service_of
from .proxy_service_ports import with_port
from .proxy_services import KIND, check_targets, initialised, meta, save, with_domain

LIFETIME: Final = 90 * SECOND
MAX_SESSIONS: Final = 10
EPHEMERAL: Final = "ephemeral"

_PROTOCOLS: Final = (("http", "http"), ("http", "https"), ("tcp", "tcp"), ("udp", "udp"), ("tls", "tcp"))
"""Mode of the service and protocol towards the peer, by the number that the peer sends."""

_PREFIX: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_PIN: Final = re.compile(r"[0-9]{6}")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_MAX_PORT: Final = 65535
_CODES: Final = {
    403: "PermissionDenied",
    404: "NotFound",
    409: "AlreadyExists",
    412: "ResourceExhausted",
    422: "InvalidArgument",
}

Action = Callable[[Account, Row, Mapping[str, Any]], Any]
"""What a peer of an account does; answered with the result."""


def _by_peer(action: Action) -> Callable[[World, Mapping[str, Any]], Any]:
    """The event of a peer, named by its ``hostname``; refusals become the gRPC errors that the peer sees."""

    @wraps(action)
    def happens(world: World, line: Mapping[str, Any]) -> Any:
        peer = next(iter(world.store.table("peers").where("machine", line["hostname"])), None)
        if peer is None:
            raise RpcError("PermissionDenied", "peer is not registered")
        try:
            return action(world.account(peer["account_id"]), peer, line)
        except Refusal as refusal:
            code = _CODES.get(refusal.status, "Internal")
            raise RpcError(code, str(refusal) if code != "Internal" else "internal error") from None

    return call(happens)


def _exposes(account: Account, peer: Row, line: Mapping[str, Any]) -> Any:
    """``peer_expose`` ``{hostname, port, protocol?, name_prefix?, domain?, pin?, password?, user_groups?, listen_port?}``.

    Checked in this order: ports, the request, whether the account lets this peer, groups, the cluster, the
    peer, the domain, the number of sessions, the port.
    """
    if line.get("protocol", 0) >= len(_PROTOCOLS):
        return {"error": f"invalid expose protocol: {line['protocol']}"}  # the client does not even ask
    mode, protocol = _check_request(line)
    _check_allowed(account, peer)
    name = _drawn_name(line.get("name_prefix", ""))
    domain = f"{name}.{line.get('domain') or _shared_cluster(account.world)}"
    service = {
        **_service(account, peer, line, (mode, protocol)),
        "name": name,
        "domain": domain,
        "source": EPHEMERAL,
        "source_peer": peer["id"],
        "renewed_at": account.world.now(),
    }
    service = initialised(account, service)
    check_targets(account, service)
    _check_sessions(account, peer, domain)
    service = save(account, with_port(account.world, service))
    _audit(account, peer, "service.peer.expose", service)
    where = f"{mode}://{domain}:{service['listen_port']}" if mode != "http" else f"https://{domain}"
    return {"service_name": name, "domain": domain, "url": where}


def _check_request(line: Mapping[str, Any]) -> tuple[str, str]:
    """The mode and the protocol towards the peer of a request that makes sense."""
    port, listen_port = line["port"], line.get("listen_port", 0)
    if port > _MAX_PORT:
        raise invalid(f"port out of range: {port}")
    if listen_port > _MAX_PORT:
        raise invalid(f"listen_port out of range: {listen_port}")
    mode, protocol = _PROTOCOLS[line.get("protocol", 0)]
    if flaw := _flaw(line, mode):
        raise invalid(f"validate expose request: {flaw}")
    return mode, protocol


def _flaw(line: Mapping[str, Any], mode: str) -> str | None:
    pin, prefix, user_groups = line.get("pin", ""), line.get("name_prefix", ""), line.get("user_groups") or []
    if not line["port"]:
        return "port must be between 1 and 65535, got 0"
    if mode != "http" and (pin or line.get("password") or user_groups):
        return f"authentication is not supported for {mode} mode"
    if pin and not _PIN.fullmatch(pin):
        return "invalid pin: must be exactly 6 digits"
    if "" in user_groups:
        return "user group name cannot be empty"
    if prefix and not _PREFIX.fullmatch(prefix):
        return f'invalid name prefix "{prefix}": must be lowercase alphanumeric with optional hyphens, 1-32 characters'
    return None


def _check_allowed(account: Account, peer: Row) -> None:
    if not account.settings["peer_expose_enabled"]:
        raise denied("peer expose is not enabled for this account")
    allowed = account.settings["peer_expose_groups"]
    if not allowed:
        raise denied("no group is set for peer expose")
    if not set(allowed) & set(membership.group_ids_of(account, peer["id"])):
        raise denied("peer is not in an allowed expose group")


def _drawn_name(prefix: str) -> str:
    """Twelve random characters, or the prefix and four."""
    return f"{prefix}-{random_text(4, _LETTERS)}" if prefix else random_text(12, _LETTERS)


def _shared_cluster(world: World) -> str:
    """A shared cluster for a peer that asks for no domain; an account's own clusters are not offered."""
    shared = shared_addresses(world)
    if not shared:
        raise RpcError("Internal", "internal error")
    return world.random.choice(shared)


def _service(account: Account, peer: Row, line: Mapping[str, Any], protocols: tuple[str, str]) -> Row:
    mode, protocol = protocols
    group_ids = [_group_id(account, name) for name in line.get("user_groups") or []]
    auth = {
        "password_auth": {"enabled": True} if line.get("password") else None,
        "pin_auth": {"enabled": True} if line.get("pin") else None,
        "bearer_auth": {"enabled": True, "distribution_groups": group_ids} if group_ids else None,
    }
    target = {
        "target_id": peer["id"],
        "target_type": "peer",
        "protocol": protocol,
        "host": "",
        "port": line["port"],
        "path": None,
        "enabled": True,
        "options": None,
    }
    listen_port = (line.get("listen_port") or line["port"]) if mode != "http" else 0
    body = {**SHAPE.zero(), "enabled": True, "mode": mode, "listen_port": listen_port, "targets": [target]}
    return service_of({**body, "auth": {**auth, "header_auths": None}})


def _group_id(account: Account, name: str) -> str:
    named = account.where("groups", "name", name)
    if not named:
        raise not_found(f"group: {name} not found")
    return str(max(named, key=lambda group: len(membership.member_ids(account, group["id"])))["id"])


def _check_sessions(account: Account, peer: Row, domain: str) -> None:
    if with_domain(account.world, domain):
        raise conflict("domain already taken")
    sessions = [row for row in account.where(KIND, "source_peer", peer["id"]) if row["source"] == EPHEMERAL]
    if len(sessions) >= MAX_SESSIONS:
        raise precondition(f"peer has reached the maximum number of active expose sessions ({MAX_SESSIONS})")


def _renews(account: Account, peer: Row, line: Mapping[str, Any]) -> Any:
    """``peer_renew`` ``{hostname, domain}``."""
    service = _named(account.world, line["domain"])
    if (service["source"], service["source_peer"]) != (EPHEMERAL, peer["id"]):
        raise not_found(f"no active expose session for service {service['id']}")
    account.save(KIND, {**service, "renewed_at": account.world.now()})
    return {"renewed": line["domain"]}


def _stops(account: Account, peer: Row, line: Mapping[str, Any]) -> Any:
    """``peer_stop`` ``{hostname, domain}``."""
    service = _named(account.world, line["domain"])
    if service["account_id"] != account.id:
        raise not_found(f"service {service['id']} not found")
    if service["source"] != EPHEMERAL:
        raise denied("cannot delete API-created service via peer expose")
    if service["source_peer"] != peer["id"]:
        raise denied("cannot delete service exposed by another peer")
    _end(account, service, "service.peer.unexpose")
    return {"stopped": line["domain"]}


def _named(world: World, domain: str) -> Row:
    """The service of a domain; in an event of a recording the random part of its name may be masked."""
    if not domain:
        raise RpcError("Internal", "internal error")
    found = with_domain(world, domain)
    if "random>" in domain:
        mask = re.escape(domain).replace(r"<random>", "[a-z0-9]{4}").replace(r"<12\ random>", "[a-z0-9]{12}")
        found = [row for row in world.store.table(KIND).all() if re.fullmatch(mask, row["domain"])]
    if not found:
        raise not_found(f"service with domain {domain} not found")
    return found[0]


def _end(account: Account, service: Row, code: str) -> None:
    account.remove(KIND, service["id"])
    _audit(account, account.find("peers", service["source_peer"]), code, service)


def _audit(account: Account, peer: Row | None, code: str, service: Row) -> None:
    told = {"peer_name": peer["name"], "peer_ip": peer["ip"]} if peer else {}
    account.audit(service["source_peer"], code, service["id"], **meta(service), **told)


def end_overdue(world: World) -> None:
    """Take away what has not been renewed in time."""
    for service in world.store.table(KIND).where("source", EPHEMERAL):
        if service["renewed_at"] < world.now() - LIFETIME:
            _end(world.account(service["account_id"]), service, "service.peer.expose.expire")


AREA = Area(
    activities={
        "service.peer.expose": "Peer exposed service",
        "service.peer.unexpose": "Peer unexposed service",
        "service.peer.expose.expire": "Peer exposed service expired",
    },
    happenings={
        "peer_expose": _by_peer(_exposes),
        "peer_renew": _by_peer(_renews),
        "peer_stop": _by_peer(_stops),
    },
    overdue=end_overdue,
)
