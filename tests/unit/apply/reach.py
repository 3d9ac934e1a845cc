"""Who can reach whom, computed from what the API shows of an account; it shares nothing with nbsync.

Peer to peer: what some policy lets through and no policy drops. Behind routing peers: what a machine has a way to, and the
gateway at the end of that way lets through; a drop there beats what is let through, also for addresses of other objects that
lie in it. A routing peer stands in its network and reaches it whatever NetBird says: NetBird gives it no way there.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Read = Callable[[str], Any]
Fact = tuple[str, str, str]
"""Who, whom (a peer, or an address behind a gateway) and over what, as `tcp/443`."""
Traffic = frozenset[str]

PORTS = (1, 3, 5, 22, 53, 443, 22022, 65535)
"""One port of each stretch in which all ports that a test uses are treated alike."""
FULL: Traffic = frozenset({"icmp", "other", *(f"{protocol}/{port}" for protocol in ("tcp", "udp") for port in PORTS)})
SSH, SSH_DAEMON = 22, 22022


@dataclass(frozen=True)
class Rule:
    """What one policy in force says; `near` are its sources towards peers, `far` those towards what gateways lead to."""

    accepts: bool
    traffic: Traffic
    passes_gateways: bool
    near: frozenset[str]
    far: frozenset[str]
    to: frozenset[str]
    groups: frozenset[str]
    resource: str
    both_ways: bool


@dataclass(frozen=True)
class Passage:
    """What a gateway lets through, or drops, on the way to an address or name."""

    target: str
    accepts: bool
    sources: frozenset[str] | None
    traffic: Traffic


@dataclass(frozen=True)
class Reach:
    """What is possible in an account.

    Attributes:
        given: connections that NetBird makes possible.
        standing: those of routing peers into the networks in which they stand.
    """

    given: frozenset[Fact]
    standing: frozenset[Fact]

    @property
    def all(self) -> frozenset[Fact]:
        """Everything that is possible, whoever gives it."""
        return self.given | self.standing


def reach(read: Read, points: Iterable[str]) -> Reach:
    """All connections that are possible in an account.

    Args:
        read: GET of a path of the API.
        points: addresses and names behind gateways that are looked at.
    """
    account, points = _Account(read), tuple(points)
    return Reach(frozenset(account.given(points)), frozenset(account.standing(points)))


class _Account:
    def __init__(self, read: Read) -> None:
        self.peers = {peer["id"]: peer for peer in read("/peers")}
        groups = read("/groups")
        self.members = {group["id"]: frozenset(one["id"] for one in group["peers"] or ()) for group in groups}
        self.holders: dict[str, set[str]] = defaultdict(set)
        for group in groups:
            for resource in group["resources"] or ():
                self.holders[resource["id"]].add(group["id"])
        self.checks = {check["id"]: check["checks"] for check in read("/posture-checks")}
        self.rules = [rule for policy in read("/policies") for rule in self._rules(policy)]
        self.networks = read("/networks")
        self.resources = {one["id"]: one for one in read("/networks/resources") or ()}
        self.routers = {one["id"]: one for one in read("/networks/routers") or ()}
        self.routes = read("/routes")
        assert read("/accounts")[0]["settings"]["routing_peer_dns_resolution_enabled"]
        self.ways: set[tuple[str, str, str]] = set()
        self.passages: dict[str, list[Passage]] = defaultdict(list)
        self.on_the_spot: set[tuple[str, str]] = set()
        self._lay_resources()
        self._lay_routes()

    def _in(self, groups: Iterable[str] | None) -> frozenset[str]:
        return frozenset().union(*(self.members.get(group, frozenset()) for group in groups or ()))

    def _rules(self, policy: Json) -> Iterator[Rule]:
        for rule in policy["rules"] or ():
            if policy["enabled"] and rule["enabled"]:
                near, far = self._sources(policy, rule)
                aim = rule.get("destinationResource") or {}
                groups = frozenset(one["id"] for one in rule.get("destinations") or ())
                yield Rule(
                    accepts=rule["action"] == "accept",
                    traffic=_traffic(rule),
                    passes_gateways=rule["protocol"] != "netbird-ssh",
                    near=near,
                    far=far,
                    to=frozenset({aim["id"]}) if aim.get("type") == "peer" else self._in(groups),
                    groups=groups,
                    resource=aim.get("id", ""),
                    both_ways=rule["bidirectional"],
                )

    def _sources(self, policy: Json, rule: Json) -> tuple[frozenset[str], frozenset[str]]:
        """A single peer is not asked for its posture by other peers, but it is by gateways."""
        single = rule.get("sourceResource") or {}
        if single.get("type") == "peer":
            near = frozenset({single["id"]}) & self.peers.keys()
        else:
            near = self._in(one["id"] for one in rule.get("sources") or ())
        passing = frozenset(peer for peer in near if self._passes(policy, peer))
        return (near if single else passing), passing

    def _passes(self, policy: Json, peer: str) -> bool:
        checks = [self.checks[check] for check in policy["source_posture_checks"] or () if check in self.checks]
        return all(_passes(self.peers[peer], part, asked) for check in checks for part, asked in check.items() if asked)

    def _lay_resources(self) -> None:
        for network in self.networks:
            routers = [self.routers[one] for one in network["routers"] or ()]
            standing = self._gateways(routers)
            for resource in (self.resources[one] for one in network["resources"] or ()):
                self.on_the_spot |= {(peer, resource["address"]) for peer in standing}
                if resource["enabled"]:
                    self._lay_resource(resource, self._gateways(one for one in routers if one["enabled"]))

    def _gateways(self, routers: Iterable[Json]) -> frozenset[str]:
        found = (frozenset({one["peer"]}) if one.get("peer") else self._in(one.get("peer_groups")) for one in routers)
        return frozenset().union(*found) & self.peers.keys()

    def _lay_resource(self, resource: Json, gateways: frozenset[str]) -> None:
        holders = self.holders[resource["id"]]
        rules = [rule for rule in self.rules if rule.resource == resource["id"] or rule.groups & holders]
        clients = frozenset().union(*(rule.far for rule in rules)) - gateways
        for gateway in gateways:
            self.ways |= {(client, gateway, resource["address"]) for client in clients}
            self.passages[gateway] += [
                Passage(resource["address"], rule.accepts, rule.far, rule.traffic)
                for rule in rules
                if rule.passes_gateways
            ]

    def _lay_routes(self) -> None:
        neighbours = {
            frozenset(pair) for rule in self.rules for one in rule.near for pair in ((one, other) for other in rule.to)
        }
        standing: dict[tuple[str, str], set[str]] = defaultdict(set)
        for route in self.routes:
            for target in _targets(route):
                standing[route["network_id"], str(_targets(route))] |= self._gateways([route])
                self.on_the_spot |= {(peer, target) for peer in self._gateways([route])}
        for route in self.routes:
            if route["enabled"]:
                clients = self._in(route["groups"]) - standing[route["network_id"], str(_targets(route))]
                for gateway in self._gateways([route]):
                    near = {client for client in clients if frozenset({client, gateway}) in neighbours}
                    for target in _targets(route):
                        self.ways |= {(client, gateway, target) for client in near}
                        self.passages[gateway] += self._guards(route, target, gateway)

    def _guards(self, route: Json, target: str, gateway: str) -> list[Passage]:
        guards = frozenset(route.get("access_control_groups") or ())
        if not guards:
            return [Passage(target, accepts=True, sources=None, traffic=FULL)]
        given = self._in(route["groups"])
        return [
            Passage(target, rule.accepts, (rule.far & given) - {gateway}, rule.traffic)
            for rule in self.rules
            if rule.groups & guards and rule.passes_gateways
        ]

    def given(self, points: tuple[str, ...]) -> Iterator[Fact]:
        """Every connection that NetBird makes possible, in names."""
        for (one, other), traffic in self._between_peers().items():
            yield from ((self.peers[one]["name"], self.peers[other]["name"], part) for part in traffic)
        for point in points:
            for peer, row in self.peers.items():
                yield from ((row["name"], point, part) for part in self._through_gateways(peer, point))

    def standing(self, points: tuple[str, ...]) -> Iterator[Fact]:
        """Every connection of a routing peer into its network."""
        for peer, target in self.on_the_spot:
            for point in points:
                if _holds(target, point):
                    yield from ((self.peers[peer]["name"], point, part) for part in FULL)

    def _between_peers(self) -> dict[tuple[str, str], Traffic]:
        said: dict[bool, dict[tuple[str, str], set[str]]] = {True: defaultdict(set), False: defaultdict(set)}
        for rule in self.rules:
            for one in rule.near:
                for other in rule.to - {one}:
                    said[rule.accepts][one, other] |= rule.traffic
                    if rule.both_ways:
                        said[rule.accepts][other, one] |= rule.traffic
        dropped = said[False]
        return {
            pair: frozenset(traffic - dropped.get(pair, set()))
            for pair, traffic in said[True].items()
            if self.peers.keys() >= set(pair)
        }

    def _through_gateways(self, peer: str, point: str) -> Traffic:
        gateways = {gateway for client, gateway, target in self.ways if client == peer and _holds(target, point)}
        return frozenset().union(*(self._let_through(gateway, peer, point) for gateway in gateways))

    def _let_through(self, gateway: str, peer: str, point: str) -> Traffic:
        said: dict[bool, set[str]] = {True: set(), False: set()}
        for passage in self.passages[gateway]:
            if _holds(passage.target, point) and (passage.sources is None or peer in passage.sources):
                said[passage.accepts] |= passage.traffic
        return frozenset(said[True] - said[False])


def _targets(route: Json) -> list[str]:
    return route["domains"] or [route["network"]]


def _holds(target: str, point: str) -> bool:
    """An address lies in a network; a name is itself."""
    if target == point:
        return True
    try:
        return ipaddress.ip_network(point).subnet_of(ipaddress.ip_network(target, strict=False))  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False


def _traffic(rule: Json) -> Traffic:
    protocol = "tcp" if rule["protocol"] == "netbird-ssh" else rule["protocol"]
    if protocol == "all":
        return FULL
    if protocol == "icmp":
        return frozenset({"icmp"})
    spans = [(int(port), int(port)) for port in rule.get("ports") or ()]
    spans += [(one["start"], one["end"]) for one in rule.get("port_ranges") or ()]
    spans = spans or [(1, 65535)]
    if rule["protocol"] == "netbird-ssh" and any(first <= SSH <= last for first, last in spans):
        spans.append((SSH_DAEMON, SSH_DAEMON))
    return frozenset(f"{protocol}/{port}" for port in PORTS for first, last in spans if first <= port <= last)


def _passes(peer: Json, part: str, asked: Json) -> bool:
    if part == "nb_version_check":
        return _numbers(peer["version"]) >= _numbers(asked["min_version"])
    if part == "geo_location_check":
        here = peer["country_code"], peer["city_name"]
        found = any(
            p["country_code"] == here[0] and p.get("city_name", "") in ("", here[1]) for p in asked["locations"]
        )
        return any(here) and found is (asked["action"] == "allow")
    if part == "os_version_check":
        asked_for = asked.get("linux", {}).get("min_kernel_version")
        return bool(asked_for) and _numbers(peer["kernel_version"]) >= _numbers(asked_for)
    raise AssertionError(f"no test uses {part}")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.partition("-")[0].split(".")]
