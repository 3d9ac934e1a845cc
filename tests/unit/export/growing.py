"""Accounts as nobody would make them: hostile names, twins, references to what is gone, everything that the API lets pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

from tests.unit.export.accounts import Account, Json, Live, Simulated, rule
from tests.unit.export.odd import (
    ADDRESSES,
    CODE_POINTS,
    DOMAINS,
    EMAILS,
    IPS,
    LABELS,
    NETWORKS,
    NUMBERS,
    ODD_NAMES,
    PATHS,
    PLAIN_NAMES,
    ROLES,
    VERSIONS,
)  # fmt: skip

T = TypeVar("T")


class Growing:
    """An account that grows by chance; what the server refuses is passed over."""

    def __init__(self, account: Account, random: Random) -> None:
        self.account = account
        self.random = random
        self.ids: dict[str, list[str]] = defaultdict(list)
        self.emails: list[str] = []
        self._settings = account.get("/accounts")[0]["settings"]
        self.ids["groups"] = [group["id"] for group in account.get("/groups")]
        self.ids["peers"] = [peer["id"] for peer in account.get("/peers")]
        self.all = self.ids["groups"][0]
        simulated, joins = isinstance(account, Simulated), account.joins
        can = [step for step in STEPS if simulated or step not in ONLY_SIMULATED]
        self._steps = [step for step in can if joins or step not in ONLY_WITH_PEERS]

    def grow(self) -> None:
        """Do one thing."""
        self.random.choice(self._steps)(self)

    def wither(self) -> None:
        """Take away what has grown, so that a real account is left as it was."""
        self.account.tries("PUT", "/dns/settings", {"disabled_management_groups": []})
        self.account.settings(**self._settings)
        for path in DELETED_IN_ORDER:
            for one in self.account.get(path):
                if not one.get("is_current") and one.get("role") != "owner" and one["id"] != self.all:
                    self.account.tries("DELETE", f"{path}/{one['id']}")

    def grow_to(self, size: int) -> None:
        """Do things until there are so many objects."""
        while self.size() < size:
            for _ in range(10):
                self.grow()

    def size(self) -> int:
        """How many objects there are, those inside of others counted as well."""
        users = self.account.get("/users?service_user=true") + self.account.get("/users?service_user=false")
        found = [*users, *(one for path in COUNTED for one in self.account.get(path))]
        inside = sum(len(one.get(key) or []) for one in found for key in ("routers", "resources", "records"))
        return len(found) + inside

    def flip(self) -> bool:
        """One of two."""
        return self.random.choice([False, True])

    def name(self) -> str:
        """A name: mostly one that others have too, or an odd one, or any characters."""
        kind = self.random.randint(0, 3)
        if kind < 3:
            return self.random.choice(ODD_NAMES if kind == 2 else PLAIN_NAMES)
        points = [self.random.choice(self.random.choice(CODE_POINTS)) for _ in range(self.random.randint(0, 12))]
        return "".join(map(chr, points))

    def names(self, most: int) -> list[str]:
        """A few names."""
        return [self.name() for _ in range(self.random.randint(0, most))]

    def text(self) -> str:
        """A description."""
        return self.random.choice(["", "a plain description, of words", self.name()])

    def some_of(self, items: Sequence[T], least: int, most: int) -> list[T]:
        """A few of them, maybe one twice."""
        return [self.random.choice(items) for _ in range(self.random.randint(least, most))] if items else []

    def some(self, kind: str, most: int = 2) -> list[str]:
        """A few ids of what is, or was, there."""
        return self.some_of(self.ids[kind], self.random.choice([0, 1, 1, 1]), most)

    def auto_groups(self) -> list[str]:
        """A few groups, mostly without All, which may not stand there."""
        groups = self.some("groups")
        return groups if self.random.randint(0, 9) == 0 else [group for group in groups if group != self.all]

    def one(self, kind: str) -> str:
        """One id; one of nothing where there is none."""
        return self.random.choice(self.ids[kind]) if self.ids[kind] else "nothing"

    def post(self, kind: str, path: str, body: Json) -> Any:
        """Create something, and know it from now on."""
        made = self.account.tries("POST", path, body)
        if made:
            self.ids[kind].append(made["id"])
        return made

    def change(self, kind: str, path: str, more: Json) -> None:
        """Write an object anew with other values."""
        identifier = self.one(kind)
        seen = self.account.tries("GET", f"{path}/{identifier}")
        if seen:
            self.account.tries("PUT", f"{path}/{identifier}", {**_as_request(seen), **more})

    def group(self) -> None:
        self.post("groups", "/groups", {"name": self.name(), "peers": self.some("peers")})

    def twin(self) -> None:
        kind, path = self.random.choice([("groups", "/groups"), ("checks", "/posture-checks")])
        wanted = self.name()
        # A real group that is called All cannot be deleted any more.
        if wanted != "All" or isinstance(self.account, Simulated):
            self.change(kind, path, {"name": wanted})

    def twin_peer(self) -> None:
        self.change("peers", "/peers", {"name": self.name()})

    def leave(self) -> None:
        """A peer goes, whatever refers to it."""
        self.account.tries("DELETE", f"/peers/{self.one('peers')}")

    def peer(self) -> None:
        hostname = self.random.choice(["db-1", "gw", "a b", "ä", "x"]) + str(len(self.ids["peers"]))
        user = self.random.choice(self.emails) if self.emails and self.flip() else ""
        if isinstance(self.account, Live):
            joined = self.account.join(hostname)
        else:
            assert isinstance(self.account, Simulated)
            joined = self.account.join(hostname, user=user, ephemeral=not user and self.flip())
        if joined:
            self.ids["peers"].append(joined)

    def use_up(self) -> None:
        """Let a machine join by a key for one, which then is used up."""
        assert isinstance(self.account, Simulated)
        body = {"name": self.name(), "type": "one-off", "expires_in": 0, "usage_limit": 1, "auto_groups": []}
        made = self.post("keys", "/setup-keys", body)
        if made:
            joined = self.account.event("peer_joins", hostname="once", setup_key=made["key"])
            self.ids["peers"].append(joined["id"])

    def wait(self) -> None:
        """Let keys and tokens expire."""
        assert isinstance(self.account, Simulated)
        self.account.event("time_passes", seconds=100_000)

    def switch_peer(self) -> None:
        self.change("peers", "/peers", {"ssh_enabled": self.flip(), "login_expiration_enabled": self.flip()})

    def posture_check(self) -> None:
        version = self.random.choice(VERSIONS)
        path = self.random.choice(PATHS)
        checks = {
            "nb_version_check": {"min_version": version},
            "os_version_check": {"darwin": {"min_version": version}, "linux": {"min_kernel_version": version}},
            "geo_location_check": {
                "action": "allow",
                "locations": [{"country_code": "NO"}, {"country_code": "DE", "city_name": "Berlin"}],
            },
            "peer_network_range_check": {"action": "deny", "ranges": [self.random.choice(NETWORKS)]},
            "process_check": {"processes": [{"linux_path": path, "windows_path": path}]},
        }
        chosen = self.some_of(sorted(checks), 0, 3)
        body = {
            "name": self.name(),
            "description": self.text(),
            "checks": {name: checks[name] for name in chosen},
        }
        self.post("checks", "/posture-checks", body)

    def policy(self) -> None:
        protocol = self.random.choice(["all", "tcp", "udp", "icmp", "netbird-ssh"])
        more: Json = {
            "protocol": protocol,
            "action": self.random.choice(["accept", "drop"]),
            "bidirectional": self.flip(),
            "enabled": self.flip(),
        }
        if self.flip():
            more["ports"] = list(map(str, self.some_of(NUMBERS, 0, 3)))
        if self.flip():
            pairs = [self.some_of(NUMBERS, 2, 2) for _ in range(self.random.randint(0, 2))]
            more["port_ranges"] = [{"start": start, "end": end} for start, end in pairs]
        ends: Json = rule(self.some("groups"), self.some("groups"), **more)
        if protocol == "netbird-ssh" and self.flip():
            logins = self.names(2)
            ends["authorized_groups"] = dict.fromkeys({*self.some("groups"), *ends["sources"]}, logins)
        if self.flip():
            ends |= {"destinations": None, "destinationResource": self._single()}
        if self.random.randint(0, 3) == 0:
            ends |= {"sources": None, "sourceResource": self._single()}
        head = {"name": self.name(), "description": self.text(), "enabled": self.flip()}
        self.post("policies", "/policies", {**head, "source_posture_checks": self.some("checks"), "rules": [ends]})

    def _single(self) -> Json:
        if self.flip():
            return {"id": self.one("peers"), "type": "peer"}
        return {"id": self.one("resources"), "type": "host"}

    def second_rule(self) -> None:
        """As old servers made them; no call of the API can."""
        assert isinstance(self.account, Simulated)
        self.account.add_rule(self.one("policies"))

    def network(self) -> None:
        self.post("networks", "/networks", {"name": self.name(), "description": self.text()})

    def resource(self) -> None:
        body = {
            "name": self.name(),
            "address": self.random.choice(ADDRESSES),
            "groups": self.some("groups"),
            "enabled": self.flip(),
        }
        self.post("resources", f"/networks/{self.one('networks')}/resources", {**body, "description": self.text()})

    def _router(self) -> Json:
        by_peer = self.flip()
        return {
            "peer": self.one("peers") if by_peer else None,
            "peer_groups": None if by_peer else self.some("groups"),
            "metric": self.random.choice(NUMBERS),
            "masquerade": self.flip(),
            "enabled": self.flip(),
        }

    def router(self) -> None:
        self.post("routers", f"/networks/{self.one('networks')}/routers", self._router())

    def route(self) -> None:
        by_range = self.flip()
        body = {
            **self._router(),
            "network_id": self.name(),
            "network": self.random.choice(NETWORKS) if by_range else None,
            "domains": None if by_range else [self.random.choice(DOMAINS)],
            "groups": self.some("groups"),
            "access_control_groups": self.some("groups"),
            "keep_route": self.flip(),
            "description": self.text(),
        }
        self.post("routes", "/routes", body)

    def nameservers(self) -> None:
        servers = [
            {"ip": self.random.choice(IPS), "ns_type": "udp", "port": self.random.choice(NUMBERS)}
            for _ in range(self.random.randint(1, 3))
        ]
        primary = self.flip()
        body = {
            "name": self.name(),
            "nameservers": servers,
            "groups": self.some("groups"),
            "domains": [] if primary else [self.random.choice(DOMAINS)],
            "primary": primary,
            "enabled": self.flip(),
            "search_domains_enabled": self.flip(),
            "description": self.text(),
        }
        self.post("nameservers", "/dns/nameservers", body)

    def zone(self) -> None:
        body = {"name": self.name(), "domain": self.random.choice(DOMAINS), "distribution_groups": self.some("groups")}
        made = self.post("zones", "/dns/zones", {**body, "enabled": self.flip(), "enable_search_domain": self.flip()})
        if made:
            for _ in range(self.random.randint(0, 3)):
                self._record(made)

    def _record(self, zone: Json) -> None:
        label = self.random.choice(LABELS)
        kind = self.random.choice(["A", "AAAA", "CNAME"])
        content = self.random.choice(DOMAINS if kind == "CNAME" else IPS)
        name = zone["domain"] if label == "@" else f"{label}.{zone['domain']}"
        body = {"name": name, "type": kind, "content": content, "ttl": self.random.choice([0, 60, 300])}
        self.account.tries("POST", f"/dns/zones/{zone['id']}/records", body)

    def dns_settings(self) -> None:
        self.account.tries("PUT", "/dns/settings", {"disabled_management_groups": self.some("groups")})

    def setup_key(self) -> None:
        body = {
            "name": self.name(),
            "type": self.random.choice(["reusable", "one-off"]),
            "expires_in": self.random.choice([0, 1, 59, 60, 3600, 129_600, 7_776_000]),
            "auto_groups": self.auto_groups(),
            "usage_limit": self.random.choice([-1, 0, 1, 7]),
            "ephemeral": self.flip(),
        }
        made = self.post("keys", "/setup-keys", body)
        if made and self.flip():
            self.account.tries(
                "PUT", f"/setup-keys/{made['id']}", {"revoked": True, "auto_groups": body["auto_groups"]}
            )

    def service_user(self) -> None:
        body = {
            "name": self.name(),
            "role": self.random.choice(ROLES),
            "auto_groups": self.auto_groups(),
            "is_service_user": True,
        }
        made = self.post("robots", "/users", body)
        for _ in range(self.random.randint(0, 2) if made else 0):
            token = {"name": self.name(), "expires_in": self.random.choice([1, 30, 365])}
            self.account.tries("POST", f"/users/{made['id']}/tokens", token)

    def person(self) -> None:
        email = self.random.choice(EMAILS)
        body = {
            "name": self.name(),
            "email": email,
            "role": self.random.choice(ROLES),
            "auto_groups": self.auto_groups(),
            "is_service_user": False,
        }
        made = self.post("people", "/users", body)
        if made:
            self.emails.append(email)
            blocked = {"role": made["role"], "auto_groups": made["auto_groups"], "is_blocked": self.flip()}
            self.account.tries("PUT", f"/users/{made['id']}", blocked)

    def login(self) -> None:
        """Somebody of another identity provider, with groups."""
        assert isinstance(self.account, Simulated)
        self.account.log_in(self.random.choice(["eve@idp.example", "ana@acme.example"]), self.names(2))
        self.ids["groups"] = [group["id"] for group in self.account.get("/groups")]

    def settings(self) -> None:
        length = self.random.choice([3600, 86_400, 129_600])
        more = {
            "peer_login_expiration": length,
            "peer_inactivity_expiration": self.random.choice([0, -1, 600, 90]),
            "jwt_allow_groups": self.names(2),
            "peer_expose_groups": self.some("groups"),
            "peer_expose_enabled": self.flip(),
            "dns_domain": self.random.choice(["", "corp.example", "UP.example"]),
            "auto_update_version": self.random.choice(["", "latest", "disabled", "0.70.0", "v1"]),
        }
        self.account.settings(**more)

    def delete(self) -> None:
        """What others refer to may go as well."""
        kind, path = self.random.choice(sorted(DELETED_ANYHOW.items()))
        self.account.tries("DELETE", f"{path}/{self.one(kind)}")


DELETED_ANYHOW = {
    "groups": "/groups",
    "checks": "/posture-checks",
    "networks": "/networks",
    "policies": "/policies",
}
STEPS: Sequence[Callable[[Growing], None]] = [
    Growing.group, Growing.group, Growing.twin, Growing.peer, Growing.peer, Growing.switch_peer, Growing.twin_peer,
    Growing.leave, Growing.use_up, Growing.wait, Growing.posture_check, Growing.policy, Growing.policy,
    Growing.second_rule, Growing.network, Growing.resource, Growing.router, Growing.route, Growing.nameservers, Growing.zone,
    Growing.dns_settings, Growing.setup_key, Growing.service_user, Growing.person, Growing.login, Growing.settings, Growing.delete,
]  # fmt: skip
ONLY_SIMULATED = [Growing.second_rule, Growing.login, Growing.use_up, Growing.wait]
"""What a real server does not do for a test, or what could not be undone."""
ONLY_WITH_PEERS = [Growing.peer, Growing.switch_peer, Growing.twin_peer, Growing.leave, Growing.use_up]
COUNTED = [
    "/groups", "/policies", "/posture-checks", "/peers", "/networks", "/routes", "/dns/nameservers", "/dns/zones", "/setup-keys",
]  # fmt: skip
DELETED_IN_ORDER = [
    "/policies", "/routes", "/dns/nameservers", "/dns/zones", "/networks", "/setup-keys", "/users", "/peers", "/posture-checks", "/groups",
]  # fmt: skip


def _as_request(seen: Json) -> Json:
    """An answer in the form of a request."""
    lists = {key: [item["id"] for item in seen[key]] for key in ("peers",) if isinstance(seen.get(key), list)}
    return {**seen, **lists}
