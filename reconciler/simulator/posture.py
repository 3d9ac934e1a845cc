"""Whether a peer passes posture checks, as far as it takes to say who its neighbours are."""

import ipaddress

from .netip import parse_prefix
from .store import Row
from .versions import at_least


def passes(peer: Row, checks: Row) -> bool:
    """Whether the peer passes every part of one posture check."""
    parts = {
        "nb_version_check": _version,
        "os_version_check": _os,
        "geo_location_check": _place,
        "peer_network_range_check": _networks,
        "process_check": _processes,
    }
    return all(parts[name](peer, part) for name, part in checks.items())


def _version(peer: Row, part: Row) -> bool:
    return at_least(_release(peer["version"]), _release(part["min_version"]))


def _os(peer: Row, part: Row) -> bool:
    system = peer["goos"]
    if system not in {"android", "darwin", "ios", "linux", "windows"}:
        return True
    if system not in part:
        return False
    wanted = part[system]
    if system == "linux":
        return at_least(_release(peer["kernel_version"]), wanted["min_kernel_version"])
    if system == "windows":
        return at_least(peer["kernel_version"], wanted["min_kernel_version"])
    return at_least(peer["os_version"], wanted["min_version"])


def _place(peer: Row, part: Row) -> bool:
    country, city = peer["country_code"], peer["city_name"]
    if not country and not city:
        return False
    matched = any(
        place["country_code"] == country and place.get("city_name", "") in {"", city} for place in part["locations"]
    )
    return matched is (part["action"] == "allow")


def _networks(peer: Row, part: Row) -> bool:
    own = [ipaddress.ip_network(address, strict=False) for address in peer["addresses"]]
    own += [ipaddress.ip_network(peer["connection_ip"])] if peer["connection_ip"] != "<nil>" else []
    ranges = [ipaddress.ip_network(str(parse_prefix(text)), strict=False) for text in part["ranges"]]
    if not own:
        return False
    matched = any(_within(network, wider) for network in own for wider in ranges)
    return matched is (part["action"] == "allow")


def _within(network: ipaddress.IPv4Network | ipaddress.IPv6Network, wider: object) -> bool:
    if isinstance(network, ipaddress.IPv4Network) and isinstance(wider, ipaddress.IPv4Network):
        return network.subnet_of(wider)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(wider, ipaddress.IPv6Network):
        return network.subnet_of(wider)
    return False


def _processes(peer: Row, part: Row) -> bool:
    names = {"linux": "linux_path", "darwin": "mac_path", "windows": "windows_path"}
    if peer["goos"] not in names:
        return False
    wanted = [process[names[peer["goos"]]] for process in part["processes"]]
    return all(path and path in peer["files"] for path in wanted)


def _release(version: str) -> str:
    return version.split("-", 1)[0]
