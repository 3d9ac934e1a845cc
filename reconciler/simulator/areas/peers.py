"""Peers (module ``peers``): machines that have joined; `joining` says how they come.

PUT is not one step: the IPv4 address is written before the IPv6 one, and both before the rest is checked.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_network
from typing import Any

from reconciler.simulator import reachability
from reconciler.simulator.addresses import domain, fqdn, free_label
from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.decoding import BOOL, TEXT, Nullable, Struct
from reconciler.simulator.errors import denied, internal, invalid, not_found, precondition, prefixed
from reconciler.simulator.expiry import has_expired
from reconciler.simulator.netip import Address, parse_address, text
from reconciler.simulator.netip_flaws import address_flaw
from reconciler.simulator.permissions import DELETE, READ, UPDATE, allowed
from reconciler.simulator.registry import Area, Route, areas
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

from . import groups

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

NO_ADDRESS = "<nil>"
"""How a missing connection address is shown: temporary peers have none."""

BROWSER = "wasm"
"""Kernel of the peers that temporary access makes: they come and go without an event of their own."""

PLAIN = (
    "id",
    "name",
    "hostname",
    "ip",
    "connection_ip",
    "kernel_version",
    "version",
    "ui_version",
    "serial_number",
    "user_id",
    "ephemeral",
    "ssh_enabled",
    "login_expiration_enabled",
    "inactivity_expiration_enabled",
    "local_flags",
    "country_code",
    "city_name",
    "geoname_id",
)


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
    listed = _listed_groups(account) if permitted else {}
    shown = [view(account, peer, listed.get(peer["id"], [])) for peer in found]
    return [{**peer, "accessible_peers_count": 0} for peer in sorted(shown, key=lambda peer: peer["dns_label"])]


def get_peer(call: Call) -> Any:
    """``GET /peers/{id}``: a person without the permission sees its own."""
    peer = _existing(call)
    if not _may_read(call) and peer["user_id"] != call.user["id"]:
        raise internal(f"user {call.user['id']} has no access to peer {peer['id']} under account {call.account.id}")
    return _shown(call.account, peer)


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
    return [_accessible(call.account, neighbour) for neighbour in reachability.neighbours(call.account, peer)]


def update_peer(call: Call) -> Any:
    """``PUT /peers/{id}``."""
    body = call.body(BODY, null_panics=True)
    if body["ip"] is not None:
        _move(call, body["ip"])
    if body["ipv6"] is not None:
        _move_ipv6(call, body["ipv6"])
    call.require("peers", UPDATE)
    peer = _existing(call)
    renamed = body["name"] != peer["name"]
    label = free_label(call.account, body["name"], peer["ip"]) if renamed else peer["label"]
    changes = {name: body[name] for name in ("name", "ssh_enabled", *_expirations(body, peer))}
    updated = call.account.save("peers", {**peer, **changes, "label": label})
    _audit_changes(call, peer, updated)
    return _shown(call.account, updated)


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
    for group_id in groups.group_ids_of(account, peer["id"]):
        groups.remove_member(account, group_id, peer["id"])
    account.remove("peers", peer["id"])
    if peer["kernel_version"] != BROWSER:
        account.audit(initiator_id, "user.peer.delete", peer["id"], **meta(account, peer))


def meta(account: Account, peer: Row) -> dict[str, object]:
    """What audit events tell of a peer."""
    told: dict[str, object] = {
        "name": peer["name"],
        "fqdn": fqdn(account, peer),
        "ip": peer["ip"],
        "created_at": rfc3339(peer["created_at"]),
        "location_city_name": peer["city_name"],
        "location_country_code": peer["country_code"],
        "location_geo_name_id": peer["geoname_id"],
        "location_connection_ip": peer["connection_ip"].replace(NO_ADDRESS, ""),
    }
    return {**told, "ipv6": peer["ipv6"]} if peer["ipv6"] else told


def view(account: Account, peer: Row, in_groups: list[Row]) -> Row:
    """The peer as the API shows it, with these short forms of groups."""
    shown = {name: peer[name] for name in PLAIN}
    shown |= {name: rfc3339(peer[name]) for name in ("created_at", "last_seen", "last_login")}
    suffix = domain(account)
    expired = has_expired(account, peer)
    shown |= {
        "login_expired": expired,
        "connected": peer["connected"] and not expired,
        "os": f"{peer['os']} {peer['os_version']}",
        "groups": in_groups or None,
        "dns_label": f"{peer['label']}.{suffix}",
        "extra_dns_labels": [f"{label}.{suffix}" for label in peer["extra_dns_labels"]],
        "approval_required": False,
    }
    return {**shown, "ipv6": peer["ipv6"]} if peer["ipv6"] else shown


def _shown(account: Account, peer: Row) -> Row:
    """One peer by itself: its groups are those of any account that name it."""
    store = account.world.store
    memberships = store.table("memberships").where("peer", peer["id"])
    found = [store.table("groups").get(membership["group"]) for membership in memberships]
    known = sorted(filter(None, found), key=lambda group: store.table("groups").place(group["id"]))
    return view(account, peer, [groups.minimum(account, group) for group in known])


def _listed_groups(account: Account) -> dict[str, list[Row]]:
    """Short forms of the groups of each peer, by its id.

    In lists a group counts again for every one of its resources that has the peer's id.
    """
    listed: dict[str, list[Row]] = {}
    for group in account.rows("groups"):
        short = groups.minimum(account, group)
        for held in (
            *groups.member_ids(account, group["id"]),
            *(resource["id"] for resource in groups.resources_of(account, group["id"])),
        ):
            listed.setdefault(held, []).append(short)
    return listed


def _accessible(account: Account, peer: Row) -> Row:
    plain = ("id", "name", "ip", "connected", "os", "user_id", "country_code", "city_name", "geoname_id")
    shown = {name: peer[name] for name in plain}
    shown |= {"dns_label": fqdn(account, peer), "last_seen": rfc3339(peer["last_seen"])}
    return {**shown, "ipv6": peer["ipv6"]} if peer["ipv6"] else shown


def _may_read(call: Call) -> bool:
    return call.may_in(call.account.id, "peers", READ)


def _existing(call: Call) -> Row:
    peer = call.account.find("peers", call.path["peer_id"])
    if peer is None:
        raise not_found(f"peer not found: {call.path['peer_id']}")
    return peer


def _like(part: str) -> re.Pattern[str]:
    """``LIKE '%part%'`` of SQLite: ASCII letters match in any case, ``%`` and ``_`` are wildcards."""
    pieces = {"%": ".*", "_": "."}
    pattern = "".join(pieces.get(character, re.escape(character)) for character in part)
    return re.compile(pattern, re.IGNORECASE | re.DOTALL | (re.ASCII if part.isascii() else 0))


def _address(given: str, name: str) -> Address:
    if flaw := address_flaw(given):
        raise invalid(f"invalid {name} address {given}: {flaw}")
    return parse_address(given)


def _require_to_move(call: Call) -> None:
    with prefixed("validate user permissions: "):
        permitted = allowed(call.user, call.account.id, "peers", UPDATE)
    if not permitted:
        raise denied()


def _move(call: Call, given: str) -> None:
    address = _address(given, "IP")
    _require_to_move(call)
    account = call.account
    with prefixed("update peer IP transaction: "):
        with prefixed("get peer: "):
            peer = _existing(call)
        if peer["ip"] == text(address):
            return
        network = account.row["network"]["v4"]
        if address.version != 4 or address not in ip_network(network):  # noqa: PLR2004 - IPv4
            raise invalid(f"IP {given} is not within the account network range {network}")
        for other in account.where("peers", "ip", text(address)):
            raise invalid(f"IP {given} is already assigned to peer {other['id']}")
    moved = account.save("peers", {**peer, "ip": text(address)})
    call.audit("peer.ip.update", peer["id"], **meta(account, moved), old_ip=peer["ip"])


def _move_ipv6(call: Call, given: str) -> None:
    address = _address(given, "IPv6")
    if not isinstance(address, IPv6Address) or address.ipv4_mapped:
        raise invalid(f"address {given} is not IPv6")
    _require_to_move(call)
    account = call.account
    network = account.row["network"]["v6"]
    if address not in ip_network(network):
        raise invalid(f"IP {given} is not within the account IPv6 range {network}")
    peer_id = call.path["peer_id"]
    enabled = set(account.settings["ipv6_enabled_groups"] or [])
    if not enabled & set(groups.group_ids_of(account, peer_id)):
        raise precondition("peer is not in any IPv6-enabled group")
    peer = _existing(call)
    for other in account.where("peers", "ipv6", text(address)):
        if other["id"] != peer_id:
            raise invalid(f"IPv6 {given} is already assigned to peer {other['name']}")
    account.save("peers", {**peer, "ipv6": text(address)})


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
