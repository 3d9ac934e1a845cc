"""Peers (module ``peers``): machines that have joined; `joining` says how they come.

PUT is not one step: the IPv4 address is written before the IPv6 one, and both before the rest is checked.
"""

import re
from collections.abc import Iterable
from typing import Any

from reconciler.simulator import membership, reachability
from reconciler.simulator.addresses import free_label
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, TEXT, Nullable, Struct
from reconciler.simulator.errors import denied, internal, not_found, precondition
from reconciler.simulator.permissions import DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route, areas
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

from .peer_moves import existing, move, move_ipv6
from .peer_views import BROWSER, accessible, listed_groups, meta, shown, view

BODY = Struct(
    {
        "name": TEXT,
        "ssh_enabled": BOOL,
        "login_expiration_enabled": BOOL,
        "inactivity_expiration_enabled": BOOL,
        "approval_required": Nullable(BOOL),
        "ip": Nullable(TEXT),
        "ipv6": Nullable(TEXT),
    }
)
HOLDERS = ("proxy_services", "routers")
"""Areas that may hold a peer, in the order in which a deletion asks them."""


def list_peers(call: Call) -> Any:
    """``GET /peers``, by DNS label; ``?name=`` and ``?ip=`` are SQL LIKE patterns for a part."""
    account = call.account
    if permitted := _may_read(call):
        peers = account.rows("peers")
    elif account.settings["regular_users_view_blocked"]:
        peers = []
    else:
        peers = account.where("peers", "user_id", call.user["id"])
    name, ip = _like(call.query("name")), _like(call.query("ip"))
    found = [peer for peer in peers if name.search(peer["name"]) and ip.search(peer["ip"])]
    listed = listed_groups(account) if permitted else {}
    views = [view(account, peer, listed.get(peer["id"], [])) for peer in found]
    return [{**peer, "accessible_peers_count": 0} for peer in sorted(views, key=lambda peer: peer["dns_label"])]


def get_peer(call: Call) -> Any:
    """``GET /peers/{id}``: a person without the permission sees its own."""
    peer = existing(call)
    if not _may_read(call) and peer["user_id"] != call.user["id"]:
        raise internal(f"user {call.user['id']} has no access to peer {peer['id']} under account {call.account.id}")
    return shown(call.account, peer)


def list_accessible(call: Call) -> Any:
    """``GET /peers/{id}/accessible-peers``: its neighbours by policy; of an unknown peer none.

    A person without the permission sees them of its own peers, and only while regular users may see peers.
    """
    permitted = _may_read(call)
    if not permitted and call.account.settings["regular_users_view_blocked"]:
        return []
    peer = call.account.find("peers", call.path["peer_id"])
    if peer is None and not permitted:
        raise not_found("peer not found")
    if peer is None or (not permitted and peer["user_id"] != call.user["id"]):
        return []
    return [accessible(call.account, neighbour) for neighbour in reachability.neighbours(call.account, peer)]


def update_peer(call: Call) -> Any:
    """``PUT /peers/{id}``."""
    body = call.body(BODY, null_panics=True)
    if body["ip"] is not None:
        move(call, body["ip"])
    if body["ipv6"] is not None:
        move_ipv6(call, body["ipv6"])
    call.require("peers", UPDATE)
    peer = existing(call)
    renamed = body["name"] != peer["name"]
    label = free_label(call.account, body["name"], peer["ip"]) if renamed else peer["label"]
    changes = {name: body[name] for name in ("name", "ssh_enabled", *_expirations(body, peer))}
    updated = call.account.save("peers", {**peer, **changes, "label": label})
    _audit_changes(call, peer, updated)
    return shown(call.account, updated)


def delete_peer(call: Call) -> Any:
    """``DELETE /peers/{id}``: takes along the policies that name it as a single end."""
    call.require("peers", DELETE)
    peer_id = call.path["peer_id"]
    peer = call.world.store.table("peers").get(peer_id)
    if peer is None:
        raise not_found(f"peer {peer_id} account not found")
    if peer["account_id"] != call.account.id:
        raise denied("peer is not part of this account")
    for name in HOLDERS:
        area = areas().get(name)
        if area and area.holds_peer and (holder := area.holds_peer(call.account, peer)):
            raise precondition(holder)
    remove(call.account, peer, call.user["id"])
    return {}


def remove(account: Account, peer: Row, initiator_id: str) -> None:
    """Delete a peer with its memberships, its jobs, and the policies that have it as a source or destination."""
    for area in areas().values():
        if area.peer_left:
            area.peer_left(account, peer)
    for policy in account.where("policies", "end", peer["id"]):
        account.remove("policies", policy["id"])
        account.audit(initiator_id, "policy.delete", peer["id"], name=policy["name"])
    for group_id in membership.group_ids_of(account, peer["id"]):
        membership.remove_member(account, group_id, peer["id"])
    account.remove("peers", peer["id"])
    if peer["kernel_version"] != BROWSER:
        account.audit(initiator_id, "user.peer.delete", peer["id"], **meta(account, peer))


def _may_read(call: Call) -> bool:
    return call.may_in(call.account.id, "peers", READ)


def _like(part: str) -> re.Pattern[str]:
    """``LIKE '%part%'`` of SQLite: ASCII letters match in any case, ``%`` and ``_`` are wildcards."""
    pieces = {"%": ".*", "_": "."}
    pattern = "".join(pieces.get(character, re.escape(character)) for character in part)
    return re.compile(pattern, re.IGNORECASE | re.DOTALL | (re.ASCII if part.isascii() else 0))


def _expirations(body: Row, peer: Row) -> Iterable[str]:
    """The two expiry switches, which only peers of people have."""
    for kind in ("login", "inactivity"):
        name = f"{kind}_expiration_enabled"
        if body[name] != peer[name] and not peer["user_id"]:
            raise precondition(
                f"this peer hasn't been added with the SSO login, therefore the {kind} expiration can't be updated"
            )
        yield name


def _audit_changes(call: Call, before: Row, after: Row) -> None:
    told = meta(call.account, after)
    if after["ssh_enabled"] != before["ssh_enabled"]:
        call.audit(f"peer.ssh.{_switched(after['ssh_enabled'])}", after["ip"], **told)
    if after["name"] != before["name"]:
        call.audit("peer.rename", after["id"], **told)
    for kind in ("login", "inactivity"):
        name = f"{kind}_expiration_enabled"
        if after[name] != before[name]:
            call.audit(f"peer.{kind}.expiration.{_switched(after[name])}", after["ip"], **told)


def _switched(on: bool) -> str:
    return "enable" if on else "disable"


AREA = Area(
    routes=(
        Route("GET", "/peers", list_peers),
        Route("GET", "/peers/<peer_id>", get_peer),
        Route("PUT", "/peers/<peer_id>", update_peer),
        Route("DELETE", "/peers/<peer_id>", delete_peer),
        Route("GET", "/peers/<peer_id>/accessible-peers", list_accessible),
    ),
    activities={
        "peer.rename": "Peer renamed",
        "peer.ssh.enable": "Peer SSH server enabled",
        "peer.ssh.disable": "Peer SSH server disabled",
        "peer.ip.update": "Peer IP updated",
        "peer.login.expiration.enable": "Peer login expiration enabled",
        "peer.login.expiration.disable": "Peer login expiration disabled",
        "peer.inactivity.expiration.enable": "Peer inactivity expiration enabled",
        "peer.inactivity.expiration.disable": "Peer inactivity expiration disabled",
        "user.peer.delete": "Peer deleted",
    },
)
