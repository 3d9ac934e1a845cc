"""Desired states drawn at random that are about access: groups with machines, what policies say of them, and ways into networks."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.unit.apply.drawn import Draw, Json

MACHINES = {"m1": "0.50.0", "m2": "0.60.0", "m3": "0.70.0", "m4": "0.60.0"}
"""Peers and the versions of their clients."""
PERSON, LAPTOP = "ana@acme.io", "laptop"
"""Somebody whose machine is in the groups in which she is."""
HERS = ["u1", "u2"]
"""Groups without declared members: whose machines are in them, the server says."""
ADDRESSES = ["10.0.0.1", "10.0.0.0/16", "10.1.0.1", "a.example"]
NETWORKS = ["192.168.1.0/24", "192.168.2.0/24"]
POINTS = ["10.0.0.1/32", "10.0.0.2/32", "10.1.0.1/32", "a.example", "192.168.1.1/32", "192.168.2.1/32"]
"""One address of each part of the networks in which all are treated alike."""


class DrawAccess(Draw):
    """One desired state; `denies` is the share of policies that deny."""

    def __init__(self, random: Random, denies: float = 0.2) -> None:
        super().__init__(random)
        self.denies = denies

    def document(self) -> Json:
        """A whole document, in which what it does not declare is to go."""
        groups, checks, networks = self._groups(), self._posture_checks(), self._networks()
        return {
            "version": 1,
            "manage": {"default": "full"},
            "guards": {"max_delete": {"percent": 100}},
            "groups": groups,
            "posture_checks": checks,
            "networks": networks,
            "policies": self._policies(),
            "routes": self._routes(),
            "users": {PERSON: {"auto_groups": self.some(HERS), "blocked": False}},
        }

    def of_members(self) -> Json:
        """A whole document; only groups that say who is in them change."""
        self.groups, self.checks = ["g1", "g2", "g3", "g4"], []
        groups: Json = {name: {} for name in self.groups}
        self.fill(groups)
        return {
            "version": 1,
            "manage": {"default": "full"},
            "groups": groups,
            "networks": self._networks(),
            "policies": {name: self._policy() for name in ("p1", "p2", "p3", "p4", "p5")},
            "routes": self._routes(),
        }

    def fill(self, groups: Json) -> None:
        """Put others into groups."""
        for group in groups.values():
            group["peers"] = self.some(MACHINES, most=3)

    def _groups(self) -> Json:
        pool = ["g1", "g2", "g3", "g4", "g5"]
        self.groups = self.some(pool, least=2)
        found = {
            name: self._renamed({"peers": self.some(MACHINES, most=3)}, name, pool) if self.maybe(0.8) else {}
            for name in self.groups
        }
        self.groups += HERS
        return found | {name: {} for name in HERS}

    def _posture_checks(self) -> Json:
        pool = ["c1", "c2"]
        self.checks = self.some(pool)
        return {name: self._renamed(self._check(), name, pool) for name in self.checks}

    def _check(self) -> Json:
        parts: Json = {
            "netbird_version": self.one("0.40.0", "0.55.0", "0.65.0"),
            "os_version": {"linux_kernel": self.one("5.0.0", "7.0.0")},
        }
        return {name: parts[name] for name in self.some(parts, least=1)}

    def _ways(self) -> list[Json]:
        return [{"peer": name} for name in MACHINES] + [{"peer_groups": [name]} for name in self.groups]

    def _resource(self) -> Json:
        return {**super()._resource(), "address": self.one(*ADDRESSES)}

    def _end(self) -> Any:
        if self.maybe(0.1):
            return {"peer": self.one(*MACHINES)}
        if self.resources and self.maybe(0.2):
            return {"resource": self.one(*self.resources)}
        return self.some(self.groups, least=1, most=2)

    def _policies(self) -> Json:
        pool = ["p1", "p2", "p3", "p4"]
        return {name: self._renamed(self._policy(), name, pool) for name in self.some(pool, least=1)}

    def _policy(self) -> Json:
        body = {"from": self._end(), "to": self._end(), "enabled": not self.maybe(0.15)}
        body["posture"] = self.some(self.checks, most=1) if self.maybe(0.5) else []
        if isinstance(body["from"], list) and self.maybe(0.1):
            return {**body, "ssh": {group: ["root"] for group in body["from"]}}
        traffic = self.one("all", "icmp", "tcp", "tcp/1", "tcp/1-5", "udp/53", ["tcp/443", "tcp/22"])
        return {**body, "deny" if self.maybe(self.denies) else "allow": traffic, "bidirectional": self.maybe()}

    def _routes(self) -> Json:
        targets: list[Json] = [{"network": network} for network in NETWORKS] + [{"domains": ["a.example"]}]
        self.random.shuffle(targets)
        return {name: [self._route(targets.pop())] for name in self.some(["i1", "i2"])}

    def _route(self, target: Json) -> Json:
        guards = self.some(self.groups, most=2) if self.maybe(0.6) else []
        way = self.one(*self._ways())
        groups = self.some(self.groups, 1, 2)
        return {**way, **target, "groups": groups, "access_control_groups": guards, "enabled": not self.maybe(0.2)}


def allowances(document: Json) -> list[str]:
    """Flags that let all sections of a document be empty."""
    sections = ["groups", "posture_checks", "networks", "policies", "routes"]
    sections += [f"network/{name}" for name in document["networks"]]
    return [word for section in sections for word in ("--allow-empty", section)]
