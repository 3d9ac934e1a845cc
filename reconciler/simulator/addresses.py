"""Addresses and DNS names of peers inside an account's ranges."""

import ipaddress
import re
from collections.abc import Iterable, Sequence

from .domains import DomainError, to_ascii
from .errors import PlainError
from .store import Row
from .world import Account

DEFAULT_DOMAIN = "netbird.selfhosted"
PATIENCE = 1000
"""Addresses that are tried before a range counts as full."""

MAX_LABEL = 59
"""Longest label made from a name, so that a suffix still fits into DNS's 63."""


def domain(account: Account) -> str:
    """The domain that the names of peers end with."""
    settings = account.settings
    return settings["dns_domain"] or DEFAULT_DOMAIN


def fqdn(account: Account, peer: Row) -> str:
    """The peer's name in DNS."""
    return f"{peer['label']}.{domain(account)}"


def label_of(name: str) -> str:
    """The DNS label that a name gives: what stands before its first dot, in punycode, other characters as ``-``.

    Raises:
        PlainError: the name is empty, or its label pretends to be punycode.
    """
    if not name:
        raise PlainError
    try:
        ascii_label = to_ascii(name.split(".", 1)[0])
    except DomainError:
        raise PlainError from None
    return re.sub("[^A-Za-z0-9-]+", "-", ascii_label).lower()[:MAX_LABEL]


def free_label(account: Account, name: str, ip: str, *, always_numbered: bool = False) -> str:
    """The label for a peer of this name: the plain one, or with the last two octets of its address if that is taken.

    A peer that changes only the letter case of its name finds its own label taken.

    Args:
        account: Whose peers count.
        name: The peer's name.
        ip: Its IPv4 address.
        always_numbered: For ephemeral peers, which never get the plain one.
    """
    label = label_of(name)
    if label and not account.where("peers", "label", label) and not always_numbered:
        return label
    return f"{label}-{ip.split('.')[2]}-{ip.split('.')[3]}"


def free_ipv4(account: Account) -> str:
    """A random address of the account's range that no peer has; any one if all are taken."""
    network = ipaddress.IPv4Network(account.row["network"]["v4"])
    last = network.num_addresses - 1
    ip = str(network[account.world.random.randrange(1, last)])
    for _ in range(PATIENCE):
        if not account.where("peers", "ip", ip):
            break
        ip = str(network[account.world.random.randrange(1, last)])
    return ip


def free_ipv6(account: Account) -> str:
    """A random address of the account's IPv6 range."""
    network = ipaddress.IPv6Network(account.row["network"]["v6"])
    return str(network[account.world.random.randrange(1, network.num_addresses)])


def reconcile_ipv6(account: Account, group_ids: Iterable[str], settings: Row | None = None) -> None:
    """Settle every peer if IPv6 is enabled for one of these groups, whose members may have changed.

    Args:
        account: Whose peers these are.
        group_ids: The groups.
        settings: Those that say for which groups it is enabled; the account's.
    """
    enabled = (settings or account.settings)["ipv6_enabled_groups"] or []
    if not set(group_ids).isdisjoint(enabled):
        settle_ipv6(account, [peer["id"] for peer in account.rows("peers")], enabled)


def settle_ipv6(account: Account, peer_ids: list[str], enabled: Sequence[str] | None = None) -> None:
    """Give an IPv6 address to those of these peers that are in an IPv6-enabled group, take it from the others.

    Args:
        account: Whose peers these are.
        peer_ids: The peers.
        enabled: The groups for which IPv6 is enabled; None for what the account's settings say.
    """
    enabled = account.settings["ipv6_enabled_groups"] or [] if enabled is None else enabled
    for peer_id in peer_ids:
        peer = account.find("peers", peer_id)
        if peer is None:
            continue
        memberships = account.where("memberships", "peer", peer_id)
        entitled = any(membership["group"] in enabled for membership in memberships)
        if entitled != bool(peer["ipv6"]):
            account.save("peers", {**peer, "ipv6": free_ipv6(account) if entitled else ""})
