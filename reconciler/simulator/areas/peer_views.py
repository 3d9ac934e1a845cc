"""Peers as the API and the audit log show them."""

from reconciler.simulator import membership
from reconciler.simulator.addresses import domain, fqdn
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.expiry import has_expired
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

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


def shown(account: Account, peer: Row) -> Row:
    """One peer by itself: its groups are those of any account that name it."""
    store = account.world.store
    memberships = store.table("memberships").where("peer", peer["id"])
    found = [store.table("groups").get(membership["group"]) for membership in memberships]
    known = sorted(filter(None, found), key=lambda group: store.table("groups").place(group["id"]))
    return view(account, peer, [membership.minimum(account, group) for group in known])


def listed_groups(account: Account) -> dict[str, list[Row]]:
    """Short forms of the groups of each peer, by its id.

    In lists a group counts again for every one of its resources that has the peer's id.
    """
    listed: dict[str, list[Row]] = {}
    for group in account.rows("groups"):
        short = membership.minimum(account, group)
        for held in (
            *membership.member_ids(account, group["id"]),
            *(resource["id"] for resource in membership.resources_of(account, group["id"])),
        ):
            listed.setdefault(held, []).append(short)
    return listed


def accessible(account: Account, peer: Row) -> Row:
    """The peer as a neighbour of another one."""
    plain = ("id", "name", "ip", "connected", "os", "user_id", "country_code", "city_name", "geoname_id")
    shown = {name: peer[name] for name in plain}
    shown |= {"dns_label": fqdn(account, peer), "last_seen": rfc3339(peer["last_seen"])}
    return {**shown, "ipv6": peer["ipv6"]} if peer["ipv6"] else shown


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
