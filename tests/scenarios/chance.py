"""Documents made by chance: few names, so that objects change, swap and inherit names, places, ranges and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

PEERS = ("gw-1", "gw-2", "gw-3")
SECTIONS = ("groups", "posture_checks", "policies", "networks", "routes", "setup_keys", "service_users")
NETWORKS, ZONES, USERS = ("n1", "n2", "n3"), ("z1.test", "z2.test"), ("s1", "s2")
EMPTY = (
    *SECTIONS,
    "dns.nameservers",
    "dns.zones",
    *(f"network/{name}" for name in NETWORKS),
    *(f"dns_zone/{name}" for name in ZONES),
    *(f"service_user/{name}" for name in USERS),
)
"""All that may be empty in a document, as `--allow-empty` names it."""

Object = dict[str, Any]
Named = dict[str, Object]
Live = Mapping[str, Sequence[tuple[str, str]]]
"""Ids and names of live objects, by the path of their list."""


class Chance:
    """Makes documents; the same seed makes the same ones of the same account."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._groups: list[str] = []
        self._resources: list[str] = []

    def document(self, live: Live) -> Object:
        """All kinds that live in lists, owned in full; some objects claim a live one by id or earlier name."""
        self._groups = self._some(("a", "b", "c", "d"), least=1)
        networks = self._networks()
        self._resources = [f"{name}/{key}" for name, network in networks.items() for key in network["resources"]]
        checks = {name: {"netbird_version": self._one(("0.1.0", "0.2.0"))} for name in self._some(("p1", "p2"))}
        found: Object = {
            "groups": {name: self._group() for name in self._groups},
            "posture_checks": checks,
            "policies": {name: self._policy(list(checks)) for name in self._some(("w", "x", "y", "z"))},
            "networks": networks,
            "routes": self._routes(),
            "dns": {"nameservers": {name: self._nameservers() for name in self._some(("s1", "s2", "s3"))}},
            "setup_keys": {name: self._setup_key() for name in self._some(("k1", "k2"))},
            "service_users": {name: self._service_user() for name in self._some(USERS)},
        }
        found["dns"]["zones"] = {name: self._zone() for name in self._some(ZONES)}
        resources = {key: one for network in networks.values() for key, one in network["resources"].items()}
        for path, named in (("/networks/resources", resources), ("/dns/nameservers", found["dns"]["nameservers"])):
            self._claim(named, live[path])
        for section in ("groups", "posture_checks", "policies", "networks"):
            self._claim(found[section], live[f"/{section.replace('_', '-')}"])
        return {"manage": {"default": "full"}, "guards": {"max_delete": {"percent": 100}}, **found}

    def _some(self, names: Sequence[str], least: int = 0) -> list[str]:
        return self._random.sample(names, self._random.randint(min(least, len(names)), len(names)))

    def _one(self, values: Sequence[Any]) -> Any:
        return self._random.choice(values)

    def _often(self) -> bool:
        return self._random.random() < 0.7

    def _two(self, least: int = 0) -> list[str]:
        return self._some(self._groups, least)[:2]

    def _claim(self, named: Named, live: Sequence[tuple[str, str]]) -> None:
        """Let up to three objects be live ones."""
        chosen = self._random.sample(list(live), min(len(live), self._random.randint(0, 3)))
        for name, (identifier, earlier) in zip(self._some(list(named)), chosen, strict=False):
            named[name] |= self._one(({"id": identifier}, {"previously": earlier}))

    def _group(self) -> Object:
        return {"peers": self._some(PEERS)} if self._often() else {}

    def _via(self) -> Object:
        return {"peer_groups": self._two(1)} if self._often() else {"peer": self._one(PEERS)}

    def _end(self) -> Any:
        single: list[Object] = [{"peer": self._one(PEERS)}, *({"resource": key} for key in self._resources)]
        return self._two(1) if self._often() else self._one(single)

    def _policy(self, checks: list[str]) -> Object:
        action = self._one(({"allow": "all"}, {"allow": ["tcp/80", "tcp/90-99"]}, {"deny": "icmp"}, {"allow": "udp"}))
        switches = {"enabled": self._often(), "bidirectional": self._often()}
        return {"from": self._end(), "to": self._end(), "posture": self._some(checks), **switches, **action}

    def _networks(self) -> Named:
        found: Named = {name: {"resources": {}, "routers": self._routers()} for name in self._some(NETWORKS, least=1)}
        for name in self._some(("r1", "r2", "r3", "r4"), least=2):
            address = f"10.0.0.{self._random.randint(1, 3)}"
            one = {"address": address, "groups": self._two(), "enabled": self._often()}
            found[self._one(list(found))]["resources"][name] = one
        return found

    def _routers(self) -> list[Object]:
        ways = [self._via() for _ in range(self._random.randint(0, 2))]
        return [{**way, "metric": self._random.randint(1, 3), "enabled": self._often()} for way in _different(ways)]

    def _routes(self) -> dict[str, list[Object]]:
        ranges: tuple[Object, ...] = ({"network": "10.1.0.0/16"}, {"network": "10.2.0.0/16"}, {"domains": ["a.test"]})
        found: dict[str, list[Object]] = {}
        for where in self._random.sample(ranges, self._random.randint(1, 3)):
            route = {**where, **self._via(), "groups": self._two(1), "metric": self._random.randint(1, 3)}
            found.setdefault(self._one(("i", "j", "k")), []).append(route)
        return {name: _different(routes) for name, routes in found.items()}

    def _nameservers(self) -> Object:
        use = self._one(({"primary": True}, {"domains": ["t.test"]}))
        return {"servers": self._some(("9.9.9.9", "8.8.8.8", "1.1.1.1"), least=1), "groups": self._two(1), **use}

    def _zone(self) -> Object:
        records = {label: self._records() for label in self._some(("@", "www", "ftp", "*"))}
        return {"groups": self._two(1), "records": records, "enabled": self._often()}

    def _records(self) -> Object:
        addresses = {"A": self._some(("10.0.0.1", "10.0.0.2"), least=1), "ttl": self._random.randint(1, 2)}
        return dict(self._one(({"CNAME": self._one(("u.test", "v.test"))}, addresses, {"AAAA": "fd00::1"})))

    def _setup_key(self) -> Object:
        return {"type": self._one(("reusable", "one-off")), "auto_groups": self._two(), "ephemeral": self._often()}

    def _service_user(self) -> Object:
        tokens = {name: {"expires_in": "1d"} for name in self._some(("t1", "t2"))}
        return {"role": self._one(("user", "admin")), "auto_groups": self._two(), "tokens": tokens}


def _different(entries: list[Object]) -> list[Object]:
    """Entries of a list that are different things: routed by others."""
    by_way = {(one.get("peer"), *sorted(one.get("peer_groups", ()))): one for one in entries}
    return list(by_way.values())
