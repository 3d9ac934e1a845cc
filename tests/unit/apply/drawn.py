"""Desired states drawn at random: small, valid, and about the same few names, so that they rename, swap and take over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
Json = dict[str, Any]

PEERS = ["m1", "m2"]
GROUPS = ["g1", "g2", "g3", "g4"]
PARTS = [
    *("groups", "posture_checks", "networks", "policies", "routes", "setup_keys", "service_users"),
    *("dns.nameservers", "dns.zones"),
]


class Draw:
    """One desired state; the same random numbers make the same one."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.groups: list[str] = []
        self.checks: list[str] = []
        self.resources: list[str] = []

    def document(self) -> Json:
        """A whole document, in which what it does not declare is to go."""
        groups, checks, networks = self._groups(), self._posture_checks(), self._networks()
        return {
            "version": 1,
            "manage": {"default": "full"},
            "guards": {"max_delete": {"percent": 100}},
            "unmanaged": ["policy/Default"],
            "groups": groups,
            "posture_checks": checks,
            "networks": networks,
            "policies": self._policies(),
            "routes": self._routes(),
            "dns": {
                "nameservers": self._nameservers(),
                "zones": self._zones(),
                "disabled_management_groups": self.some(self.groups, most=1),
            },
            "setup_keys": {
                name: {"type": self.one("reusable", "one-off"), "auto_groups": self.some(self.groups)}
                for name in self.some(["k1", "k2"])
            },
            "service_users": {"nbsync": {"role": "admin"}, **self._service_users()},
        }

    def some(self, pool: Iterable[T], least: int = 0, most: int = 99) -> list[T]:
        """Some of these, in any order."""
        pool = list(pool)
        return self.random.sample(pool, self.random.randint(least, max(least, min(most, len(pool)))))

    def one(self, *pool: T) -> T:
        """One of these."""
        return self.random.choice(pool)

    def maybe(self, chance: float = 0.3) -> bool:
        """True, now and then."""
        return self.random.random() < chance

    def _renamed(self, body: Json, name: str, pool: Sequence[str]) -> Json:
        return {**body, "previously": self.one(*(other for other in pool if other != name))} if self.maybe() else body

    def _groups(self) -> Json:
        self.groups = self.some(GROUPS, least=1)
        members: list[Json] = [{}, {"peers": self.some(PEERS)}, {"peers": {"at_least": self.some(PEERS)}}]
        return {name: self._renamed(self.one(*members), name, GROUPS) for name in self.groups}

    def _posture_checks(self) -> Json:
        pool = ["c1", "c2"]
        self.checks = self.some(pool)
        return {
            name: self._renamed({"netbird_version": self.one("1.0.0", "2.0.0")}, name, pool) for name in self.checks
        }

    def _networks(self) -> Json:
        pool, resources, networks = ["n1", "n2", "n3"], self.some(["r1", "r2", "r3", "r4"]), {}
        for name in self.some(pool):
            here = [resources.pop() for _ in range(self.random.randint(0, len(resources)))]
            body: Json = {"description": self.one("", "x"), "routers": self._routers()}
            body["resources"] = {
                resource: self._renamed(self._resource(), resource, ["r1", "r2", "r3", "r4"]) for resource in here
            }
            self.resources += [f"{name}/{resource}" for resource in here]
            networks[name] = self._renamed(body, name, pool)
        return networks

    def _ways(self) -> list[Json]:
        return [{"peer": name} for name in PEERS] + [{"peer_groups": [name]} for name in self.groups]

    def _routers(self) -> list[Json]:
        return [
            {**way, "metric": self.one(1, 9999), "enabled": not self.maybe()} for way in self.some(self._ways(), most=2)
        ]

    def _resource(self) -> Json:
        address = self.one("10.0.0.1", "10.1.0.0/16", "a.example", "*.b.example")
        return {"address": address, "groups": self.some(self.groups, most=2), "enabled": not self.maybe()}

    def _end(self) -> Any:
        if self.maybe(0.2):
            return {"peer": self.one(*PEERS)}
        if self.resources and self.maybe(0.2):
            return {"resource": self.one(*self.resources)}
        return self.some(self.groups, least=1)

    def _policies(self) -> Json:
        pool = ["p1", "p2", "p3"]
        return {name: self._renamed(self._policy(), name, pool) for name in self.some(pool)}

    def _policy(self) -> Json:
        source = self._end()
        body = {
            "from": source,
            "to": self._end(),
            "enabled": not self.maybe(),
            "posture": self.some(self.checks, most=1),
        }
        if isinstance(source, list) and self.maybe(0.2):
            return {**body, "ssh": {group: ["root"] for group in source}}
        traffic = self.one("all", "icmp", "tcp", "tcp/1", "tcp/1-5", "udp/53")
        return {**body, self.one("allow", "deny"): traffic, "bidirectional": self.maybe()}

    def _routes(self) -> Json:
        targets: list[Json] = [
            {"network": "192.168.1.0/24"},
            {"network": "192.168.2.0/24"},
            {"domains": ["a.example"]},
            {"domains": ["b.example"]},
        ]
        self.random.shuffle(targets)
        return {
            name: [
                {**way, **targets.pop(), "groups": self.some(self.groups, 1, 2), "enabled": not self.maybe()}
                for way in self.some(self._ways(), 1, 2)
            ]
            for name in self.some(["i1", "i2"])
        }

    def _nameservers(self) -> Json:
        pool = ["s1", "s2"]
        scopes: list[Json] = [{"primary": True}, {"domains": ["d.example"]}]
        bodies = {
            name: {
                "servers": self.some(["9.9.9.9", "1.1.1.1:5353"], 1),
                "groups": self.some(self.groups, 1),
                **self.one(*scopes),
            }
            for name in self.some(pool)
        }
        return {name: self._renamed(body, name, pool) for name, body in bodies.items()}

    def _zones(self) -> Json:
        return {
            name: {"groups": self.some(self.groups, 1), "records": self._records()}
            for name in self.some(["a.x", "b.x"])
        }

    def _records(self) -> Json:
        aliases: list[Json] = [{"CNAME": "t.example"}, {"CNAME": "u.example"}]
        hosts: list[Json] = [{"A": self.some(["10.0.0.1", "10.0.0.2"], 1), "ttl": self.one(60, 300)} for _ in range(2)]
        return {
            label: self.one(*hosts, *(aliases if label != "@" else [])) for label in self.some(["@", "*", "w", "v"])
        }

    def _service_users(self) -> Json:
        return {
            name: {
                "role": self.one("user", "auditor"),
                "auto_groups": self.some(self.groups, most=1),
                "tokens": {token: {"expires_in": "9d"} for token in self.some(["t1", "t2"])},
            }
            for name in self.some(["u1", "u2"])
        }


def allowances(document: Json) -> list[str]:
    """Flags that let all sections of a document be empty."""
    sections = [*PARTS]
    sections += [f"network/{name}" for name in document["networks"]]
    sections += [f"dns_zone/{name}" for name in document["dns"]["zones"]]
    sections += [f"service_user/{name}" for name, body in document["service_users"].items() if "tokens" in body]
    return [word for section in sorted(sections) for word in ("--allow-empty", section)]
