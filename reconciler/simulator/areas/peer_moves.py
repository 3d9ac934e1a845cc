"""Addresses that ``PUT /peers/{id}`` gives: each is checked and written in a step of its own."""

from ipaddress import IPv6Address, ip_network

from reconciler.simulator import membership
from reconciler.simulator.call import Call
from reconciler.simulator.errors import denied, invalid, not_found, precondition, prefixed
from reconciler.simulator.netip import Address, parse_address, text
from reconciler.simulator.netip_flaws import address_flaw
from reconciler.simulator.permissions import UPDATE, allowed
from reconciler.simulator.store import Row

from .peer_views import meta


def move(call: Call, given: str) -> None:
    """Give the peer another IPv4 address: one of the account's range that no other peer has.

    An IPv4 address inside an IPv6 one is taken, too, and is another one than the plain address.
    """
    address = _address(given, "IP")
    _require_to_move(call)
    account = call.account
    with prefixed("update peer IP transaction: "):
        with prefixed("get peer: "):
            peer = existing(call)
        shown = _shown(given, address)
        if peer["ip"] == shown:
            return
        network = account.row["network"]["v4"]
        if _as_ipv4(address) not in ip_network(network):
            raise invalid(f"IP {shown} is not within the account network range {network}")
        for other in account.where("peers", "ip", shown):
            raise invalid(f"IP {shown} is already assigned to peer {other['id']}")
    moved = account.save("peers", {**peer, "ip": shown})
    call.audit("peer.ip.update", peer["id"], **meta(account, moved), old_ip=peer["ip"])


def move_ipv6(call: Call, given: str) -> None:
    """The same for IPv6; the range is checked before the peer is looked up."""
    address = _address(given, "IPv6")
    if not isinstance(address, IPv6Address) or address.ipv4_mapped:
        raise invalid(f"address {given} is not IPv6")
    _require_to_move(call)
    account = call.account
    shown = _shown(given, address)
    network = account.row["network"]["v6"]
    if address not in ip_network(network):
        raise invalid(f"IP {shown} is not within the account IPv6 range {network}")
    peer_id = call.path["peer_id"]
    enabled = set(account.settings["ipv6_enabled_groups"] or [])
    if not enabled & set(membership.group_ids_of(account, peer_id)):
        raise precondition("peer is not in any IPv6-enabled group")
    peer = existing(call)
    for other in account.where("peers", "ipv6", shown):
        if other["id"] != peer_id:
            raise invalid(f"IPv6 {shown} is already assigned to peer {other['name']}")
    account.save("peers", {**peer, "ipv6": shown})


def existing(call: Call) -> Row:
    """The peer that the path names, if it is this account's."""
    peer = call.account.find("peers", call.path["peer_id"])
    if peer is None:
        raise not_found(f"peer not found: {call.path['peer_id']}")
    return peer


def _address(given: str, name: str) -> Address:
    if flaw := address_flaw(given):
        raise invalid(f"invalid {name} address {given}: {flaw}")
    return parse_address(given)


def _shown(given: str, address: Address) -> str:
    """The address in its canonical form, with the zone that it was given with."""
    _, mark, zone = given.partition("%")
    return text(address) + mark + zone


def _as_ipv4(address: Address) -> Address:
    """What Go's net package makes of it before it looks whether a range has it."""
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _require_to_move(call: Call) -> None:
    with prefixed("validate user permissions: "):
        permitted = allowed(call.user, call.account.id, "peers", UPDATE)
    if not permitted:
        raise denied()
