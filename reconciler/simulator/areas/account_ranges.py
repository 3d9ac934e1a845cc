"""The address ranges of an account: which ones the server accepts."""

import ipaddress

from reconciler.simulator.errors import invalid
from reconciler.simulator.netip import parse_prefix, text
from reconciler.simulator.netip_flaws import prefix_flaw
from reconciler.simulator.world import World

LONGEST_IPV4, LONGEST_IPV6, SHORTEST_IPV6 = 28, 120, 48
SPARE = 1.5
"""Addresses that a range must have for each peer."""
FEWEST = 10
"""Addresses that it must have in any case."""
ENDS = 2
"""Addresses of an IPv4 range that no peer can have."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def fresh(world: World) -> dict[str, str]:
    """Random ranges of a new account; ``set_v6`` is what a PUT has set, ``""`` for nothing."""
    octets = bytes(world.random.randrange(256) for _ in range(7)).hex()
    v6 = ipaddress.IPv6Network(f"fd{octets[:2]}:{octets[2:6]}:{octets[6:10]}:{octets[10:14]}::/64")
    return {"v4": f"100.{world.random.randrange(64, 128)}.0.0/16", "v6": str(v6), "set_v6": ""}


def parse_ipv4(given: str) -> str:
    """The range without host bits; refuses what is none for an account."""
    network = _parse(given)
    if network.version != 4:  # noqa: PLR2004 - IPv4
        raise invalid("network range must be an IPv4 address")
    _check_kind(network)
    if network.prefixlen > LONGEST_IPV4:
        raise invalid("network range too small: minimum size is /28 for IPv4")
    return str(network)


def parse_ipv6(given: str) -> str:
    """The same for IPv6."""
    network = _parse(given)
    if network.version != 6:  # noqa: PLR2004 - IPv6
        raise invalid("network range must be an IPv6 address")
    _check_kind(network)
    if network.prefixlen > LONGEST_IPV6:
        raise invalid("network range too small: minimum size is /120 for IPv6")
    if network.prefixlen < SHORTEST_IPV6:
        raise invalid("network range too large: maximum size is /48 for IPv6")
    return f"{text(network.network_address)}/{network.prefixlen}"


def check_capacity(network: str, peers: int) -> None:
    """Refuse a range that is too small for so many peers and some more."""
    parsed = ipaddress.ip_network(network)
    usable = parsed.num_addresses - (ENDS if parsed.version == 4 else 0)  # noqa: PLR2004 - IPv4
    needed = max(FEWEST, int(peers * SPARE))
    if usable < needed:
        raise invalid(
            f"network range too small: need at least {needed} addresses for {peers} peers + buffer, "
            f"but range provides {usable}"
        )


def _parse(given: str) -> Network:
    if flaw := prefix_flaw(given):
        raise invalid(f"invalid CIDR format: {flaw}")
    return ipaddress.ip_network(str(parse_prefix(given)), strict=False)


def _check_kind(network: Network) -> None:
    first = network.network_address
    if first.is_loopback:
        raise invalid("loopback address range not allowed")
    if first.is_multicast:
        raise invalid("multicast address range not allowed")
    if first.is_link_local:
        raise invalid("link-local address range not allowed")
