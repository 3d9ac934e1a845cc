"""Two posture checks as one that passes whoever passes both, or fewer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any

from schemas._core.checks import CHECKS, OS_FIELDS, Locations, NetworkRanges, OsVersion


def both_checks(one: Any, other: Any) -> dict[str, Any] | None:
    """Values of all checks that ask for what two objects with checks ask for; None where that cannot be said."""
    found: dict[str, Any] = {}
    for check in CHECKS:
        old, new = getattr(one, check), getattr(other, check)
        value = _JOINS[check](old, new) if old and new and old != new else old or new
        if value is None and (old or new):
            return None
        found[check] = value
    return found


def _later(one: str, other: str) -> str | None:
    numbers = [re.fullmatch(r"v?([0-9]+(?:\.[0-9]+)*)", version) for version in (one, other)]
    if not all(numbers):
        return None
    return max((one, other), key=lambda version: [int(part) for part in version.removeprefix("v").split(".")])


def _systems(one: OsVersion, other: OsVersion) -> OsVersion | None:
    """A system without an entry does not pass."""
    pairs = {system: (getattr(one, system), getattr(other, system)) for system in OS_FIELDS}
    least = {system: old if old == new else _later(old, new) for system, (old, new) in pairs.items() if old and new}
    return OsVersion(**least) if least and all(least.values()) else None


def _in_places(inner: str, outer: str) -> bool:
    return inner == outer or ("/" not in outer and inner.startswith(f"{outer}/"))


def _in_ranges(inner: str, outer: str) -> bool:
    one, other = ipaddress.ip_network(inner, strict=False), ipaddress.ip_network(outer, strict=False)
    if isinstance(one, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return one.subnet_of(other)
    if isinstance(one, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network):
        return one.subnet_of(other)
    return False


def _entries(model: Any, within: Callable[[str, str], bool]) -> Callable[[Any, Any], Any]:
    """How two lists are joined: what both let in, or what either does not."""

    def join(one: Any, other: Any) -> Any:
        (action, entries), (other_action, others) = one.said, other.said
        if action != other_action:
            return None
        if action == "deny":
            return model(deny=tuple(sorted({*entries, *others})))
        common = {*_among(entries, others, within), *_among(others, entries, within)}
        return model(allow=tuple(sorted(common))) if common else None

    return join


def _among(inner: Iterable[str], outer: Iterable[str], within: Callable[[str, str], bool]) -> list[str]:
    return [entry for entry in inner if any(within(entry, wider) for wider in outer)]


_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    "netbird_version": _later,
    "os_version": _systems,
    "locations": _entries(Locations, _in_places),
    "network_ranges": _entries(NetworkRanges, _in_ranges),
    "processes": lambda one, other: tuple(
        sorted({*one, *other}, key=lambda process: (process.linux or "", process.macos or "", process.windows or ""))
    ),
}
