"""Temporary access: a peer without a machine and one policy for each rule, until somebody deletes the peer.

The peer is made before the rules are read, and each policy before the next rule is: a bad rule leaves what came before.
"""

from typing import Any

from reconciler.simulator.addresses import label_of, settle_ipv6
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXT, TEXTS, Struct
from reconciler.simulator.errors import PlainError, internal, not_found, precondition
from reconciler.simulator.permissions import CREATE, READ
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import lowered

from .joining import LOCAL_FLAGS, new_peer
from .peer_views import BROWSER, NO_ADDRESS
from .policy_body import MAX_PORT, NUMBER, SSH

BODY = Struct({"name": TEXT, "wg_pub_key": TEXT, "rules": TEXTS})
ENDS = 2
SSH_PORT = 22_022
"""Where NetBird's own SSH server listens, whatever port a rule names."""


def grant(call: Call) -> Any:
    """``POST /peers/{id}/temporary-access``; the caller becomes the new peer's user."""
    body = call.body(BODY)
    target = _target(call)
    if call.world.store.table("peers").where("public_key", body["wg_pub_key"]):
        raise precondition("peer has been already registered")
    call.require("peers", CREATE)
    label_of(body["name"])
    peer = _new_peer(call, body)
    for rule in body["rules"] or []:
        _allow(call, peer, target, rule)
    return {"id": peer["id"], "name": peer["name"], "rules": body["rules"]}


def _target(call: Call) -> Row:
    """The peer to reach; a person who may not read peers gets to its own only."""
    peer_id = call.path["peer_id"]
    target = call.account.find("peers", peer_id)
    if target is None:
        raise not_found(f"peer not found: {peer_id}")
    if not call.may_in(call.account.id, "peers", READ) and target["user_id"] != call.user["id"]:
        raise internal(f"user {call.user['id']} has no access to peer {peer_id} under account {call.account.id}")
    return target


def _new_peer(call: Call, body: Row) -> Row:
    fields = {
        "name": body["name"],
        "hostname": body["name"],
        "public_key": body["wg_pub_key"],
        "user_id": call.user["id"],
        "ephemeral": True,
        "connection_ip": NO_ADDRESS,
        "goos": "js",
        "os": "js",
        "os_version": "",
        "kernel_version": BROWSER,
        "version": "",
        "serial_number": "",
        "addresses": [],
        "files": [],
        "local_flags": dict.fromkeys((*LOCAL_FLAGS, "server_ssh_allowed"), False),
    }
    peer = new_peer(call.account, fields, always_numbered=True)
    settle_ipv6(call.account, [peer["id"]])
    return peer


def _allow(call: Call, peer: Row, target: Row, text: str) -> None:
    protocol, span = _parse(text)
    policy_id = call.world.new_id()
    name = f"Temporary access policy for peer {peer['name']}"
    rule = {
        "id": policy_id,
        "name": "Temporary access rule",
        "description": "Temporary access rule",
        "enabled": True,
        "action": "accept",
        "bidirectional": False,
        "protocol": protocol,
        "ports": [],
        "port_ranges": [span],
        "authorized_groups": {},
        "sources": [],
        "destinations": [],
        "sourceResource": {"id": peer["id"], "type": "peer"},
        "destinationResource": {"id": target["id"], "type": "peer"},
    }
    head = {"id": policy_id, "name": name, "description": name, "enabled": True, "source_posture_checks": None}
    call.account.save("policies", {**head, "rules": [rule]})
    call.audit("policy.add", policy_id, name=name)


def _parse(text: str) -> tuple[str, dict[str, int]]:
    """Protocol and port range of ``tcp/80``, ``udp/1-9``, ``icmp``, ``all`` or ``netbird-ssh/22``."""
    protocol, *rest = (part.strip() for part in lowered(text).strip().split("/"))
    if protocol in {"icmp", "all"} and not rest:
        return protocol, {"start": 0, "end": 0}
    if protocol not in {"tcp", "udp", SSH} or len(rest) != 1:
        raise PlainError
    if protocol == SSH:
        return protocol, {"start": SSH_PORT, "end": SSH_PORT}
    ports = [_port(port.strip()) for port in rest[0].split("-")]
    if len(ports) > ENDS or ports[0] > ports[-1]:
        raise PlainError
    return protocol, {"start": ports[0], "end": ports[-1]}


def _port(text: str) -> int:
    if NUMBER.fullmatch(text) is None or not 1 <= int(text) <= MAX_PORT:
        raise PlainError
    return int(text)


def _public_key(peer: Row) -> list[str]:
    return [peer["public_key"]] if "public_key" in peer else []


AREA = Area(
    routes=(Route("POST", "/peers/<peer_id>/temporary-access", grant),),
    indexes={"peers": {"public_key": _public_key}},
)
