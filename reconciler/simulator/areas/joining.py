"""Machines that join, log in again and go: what NetBird clients do over gRPC, as events.

A machine is known by its hostname; once its peer has been deleted it joins as a new one.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.simulator import membership
from reconciler.simulator.addresses import fqdn, free_ipv4, free_label, label_of, settle_ipv6
from reconciler.simulator.clock import SECOND
from reconciler.simulator.domains import DomainError, is_name, to_ascii
from reconciler.simulator.errors import PlainError
from reconciler.simulator.expiry import has_expired
from reconciler.simulator.ids import hashed
from reconciler.simulator.registry import Area
from reconciler.simulator.store import Row
from reconciler.simulator.text import folded, lowered
from reconciler.simulator.world import Account, World

from . import setup_keys
from .peer_views import meta as audit_meta

LOCAL_FLAGS = (
    "block_inbound",
    "block_lan_access",
    "disable_client_routes",
    "disable_dns",
    "disable_firewall",
    "disable_server_routes",
    "lazy_connection_enabled",
    "rosenpass_enabled",
    "rosenpass_permissive",
)
KEY_INVALID = "rpc error: code = NotFound desc = couldn't add peer: setup key is invalid"
LABELS_REFUSED = (
    "rpc error: code = FailedPrecondition desc = couldn't {verb} peer: setup key doesn't allow extra DNS labels"
)
FAILED = "rpc error: code = Internal desc = failed handling request"
NO_METHOD = (
    "rpc error: code = PermissionDenied desc = no peer auth method provided, please use a setup key or interactive SSO "
    "login"
)
EXPIRED = "rpc error: code = PermissionDenied desc = peer login has expired, please log in once more"


def join(world: World, line: Mapping[str, Any]) -> Any:
    """``peer_joins`` ``{hostname, setup_key | user, connected?, meta?}``: a machine registers, or is back.

    ``user`` is the e-mail of a person who logs in on the machine. ``meta`` may hold ``goos``, ``os``, ``os_version``,
    ``kernel_version``, ``version``, ``addresses``, ``files``, ``ssh``, ``serial`` and ``labels``.

    Returns:
        ``{"address", "fqdn", "id"}``, or ``{"error"}`` as the client would print it.
    """
    known = _machine(world, line["hostname"])
    if known is not None:
        return _log_in(world, known, line)
    if line.get("user"):
        return _join_by_login(world, line)
    key = next(iter(world.store.table("setup_keys").where("hash", hashed((line.get("setup_key") or "").upper()))), None)
    if key is None:
        return {"error": KEY_INVALID if line.get("setup_key") else NO_METHOD}
    account = world.account(key["account_id"])
    if refusal := _refusal(account, key, line):
        return {"error": refusal}
    return _answer(account, _join_by_key(account, key, line))


def join_quietly(world: World, line: Mapping[str, Any]) -> Any:
    """``peer_join`` ``{hostname, setup_key}``: a client that stays connected and tells no more than its name."""
    answer = join(world, {**line, "connected": True, "meta": {"kernel_version": "6.8.0"}})
    return answer if "error" in answer else {"joined": line["hostname"]}


def log_in(world: World, line: Mapping[str, Any]) -> Any:
    """``peer_logs_in`` ``{hostname, connected?, meta?}``: a machine that has joined before comes back."""
    return join(world, {**line, "setup_key": None})


def disconnect(world: World, line: Mapping[str, Any]) -> Any:
    """``peer_disconnects`` ``{hostname}``: its stream ends, if it has one."""
    peer = _machine(world, line["hostname"])
    if peer is not None and peer["connected"]:
        world.account(peer["account_id"]).save("peers", {**peer, **_stream(world, connected=False)})
    return {}


def new_peer(account: Account, fields: Row, *, always_numbered: bool = False) -> Row:
    """Store a peer with these fields over those of a machine that says nothing; in group All, without an IPv6 yet."""
    now = account.world.now()
    ip = free_ipv4(account)
    blank: Row = {
        "id": account.world.new_id(),
        "ip": ip,
        "ipv6": "",
        "label": free_label(account, fields["name"], ip, always_numbered=always_numbered),
        "user_id": "",
        "ephemeral": False,
        "connected": False,
        "created_at": now,
        "last_seen": now,
        "last_login": now,
        "connection_ip": "127.0.0.1",
        "ssh_enabled": False,
        "login_expiration_enabled": False,
        "inactivity_expiration_enabled": False,
        "login_expired": False,
        "extra_dns_labels": [],
        "ui_version": "",
        "country_code": "",
        "city_name": "",
        "geoname_id": 0,
    }
    peer = account.save("peers", {**blank, **fields})
    if user := account.find("users", peer["user_id"]):
        account.save("users", {**user, "last_login": peer["last_login"]})
    membership.add_member(account, membership.all_group(account)["id"], peer["id"])
    return peer


def machine_fields(hostname: str, told: Mapping[str, Any]) -> Row:
    """What a client tells of its machine, with the defaults of the one that the recordings were made with."""
    flags = {**dict.fromkeys(LOCAL_FLAGS, False), "server_ssh_allowed": bool(told.get("ssh"))}
    return {
        "hostname": hostname,
        "goos": told.get("goos") or "linux",
        "os": told.get("os") or "Ubuntu",
        "os_version": told.get("os_version") or "24.04",
        "kernel_version": told.get("kernel_version") or "6.8.0-31-generic",
        "version": told.get("version") or "0.77.1",
        "serial_number": told.get("serial") or "",
        "addresses": told.get("addresses") or [],
        "files": told.get("files") or [],
        "local_flags": flags,
    }


def _refusal(account: Account, key: Row, line: Mapping[str, Any]) -> str | None:
    """What keeps a new machine out that has this key."""
    if setup_keys.state(account, key) != "valid":
        return KEY_INVALID
    if _labels(line) and not key["allow_extra_dns_labels"]:
        return LABELS_REFUSED.format(verb="add")
    try:
        label_of(line["hostname"])
    except PlainError:
        return FAILED
    return None if all(is_name(label, wildcard=True) for label in _labels(line)) else FAILED


def _join_by_key(account: Account, key: Row, line: Mapping[str, Any]) -> Row:
    fields = {"ephemeral": key["ephemeral"], "extra_dns_labels": _labels(line)}
    fields["allow_extra_dns_labels"] = key["allow_extra_dns_labels"]
    peer = _register(account, line, fields, key["auto_groups"])
    account.save("setup_keys", {**key, "used_times": key["used_times"] + 1, "last_used": account.world.now()})
    account.audit(key["id"], "peer.setupkey.add", peer["id"], **audit_meta(account, peer), setup_key_name=key["name"])
    return peer


def _join_by_login(world: World, line: Mapping[str, Any]) -> Any:
    """A peer of a person: in the person's groups, with a login that expires."""
    user = next(iter(world.store.table("users").where("mail", folded(line["user"]))), None)
    if user is None or user["is_blocked"]:
        return {"error": NO_METHOD}
    account = world.account(user["account_id"])
    fields = {"user_id": user["id"], "login_expiration_enabled": True, "inactivity_expiration_enabled": True}
    peer = _register(account, line, fields, user["auto_groups"])
    account.audit(user["id"], "user.peer.add", peer["id"], **audit_meta(account, peer))
    return _answer(account, peer)


def _register(account: Account, line: Mapping[str, Any], fields: Row, group_ids: list[str]) -> Row:
    hostname = line["hostname"]
    told = machine_fields(hostname, line.get("meta") or {})
    told |= {"name": hostname, "machine": hostname, **fields}
    if line.get("connected"):
        told |= _stream(account.world, connected=True)
    peer = new_peer(account, told, always_numbered=bool(fields.get("ephemeral")))
    for group_id in group_ids:
        if account.find("groups", group_id):
            membership.add_member(account, group_id, peer["id"])
    settle_ipv6(account, [peer["id"]])
    return account.find("peers", peer["id"]) or peer


def _labels(line: Mapping[str, Any]) -> list[str]:
    """Extra DNS labels, as clients spell them; if there is one that they cannot spell they send none."""
    try:
        return [lowered(to_ascii(label)) for label in (line.get("meta") or {}).get("labels") or []]
    except DomainError:
        return []


def _log_in(world: World, peer: Row, line: Mapping[str, Any]) -> Any:
    """A machine that is known: what it tells is only kept once it has a stream."""
    account = world.account(peer["account_id"])
    changes: Row = {}
    if line.get("user"):
        changes = {"last_login": world.now(), "login_expired": False}
    elif has_expired(account, peer):
        return {"error": EXPIRED}
    if _labels(line) and not peer.get("allow_extra_dns_labels"):
        return {"error": LABELS_REFUSED.format(verb="login")}
    if line.get("connected"):
        changes |= machine_fields(line["hostname"], line.get("meta") or {}) | _stream(world, connected=True)
    return _answer(account, account.save("peers", {**peer, **changes}))


def _stream(world: World, *, connected: bool) -> Row:
    """A stream begins or ends: only that counts as being seen, and the database notes it in whole seconds."""
    return {"connected": connected, "last_seen": world.now() // SECOND * SECOND}


def _answer(account: Account, peer: Row) -> Row:
    bits = account.row["network"]["v4"].partition("/")[2]
    return {"address": f"{peer['ip']}/{bits}", "fqdn": fqdn(account, peer), "id": peer["id"]}


def _machine(world: World, hostname: str) -> Row | None:
    return next(iter(world.store.table("peers").where("machine", hostname)), None)


def _machine_of(peer: Row) -> list[str]:
    return [peer["machine"]] if "machine" in peer else []


AREA = Area(
    indexes={"peers": {"machine": _machine_of}},
    activities={"peer.setupkey.add": "Peer added", "user.peer.add": "Peer added"},
    happenings={"peer_joins": join, "peer_join": join_quietly, "peer_logs_in": log_in, "peer_disconnects": disconnect},
)
