"""Accounts as nobody would make them: hostile names, twins, references to what is gone, everything that the API lets pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.unit.export.accounts import Account, Json, Simulated, rule

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]

ODD_NAMES = [
    "NO", "on", "1.0", "1", "0x1f", "null", "~", "true", "", " ", " a", "a ", "a: b", "a #b", "#", "- a", "-", "?", "? a", "a, b",
    "{a}", "[a]", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "<<", "=", "'", "''", '"', 'a"b', "a'b", "\\", "a\\nb", "a\nb", "a\r\nb",
    "\ta", "a\x00b", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", "\u202e", "é", "日本", "🙂", "${x}", "$${x}", "${var:x}", "$",
    "a/b", "a+b", "a:b", "a%2Fb", "%", "*", "dev-*", "[x]", "a?b", "All", "all", "(no group with id x)", "x (id y)", "::", "a::b", "::error::x",
    "##[group]", "---", "--- a", "...", "a" * 1100, "groups", "version", "id", "2024-01-01", "12:30:45", "1_000", "yes", "Default",
]  # fmt: skip
PLAIN_NAMES = ["ops", "devs", "web", "db", "gw"]
names = st.one_of(
    st.sampled_from(PLAIN_NAMES), st.sampled_from(PLAIN_NAMES), st.sampled_from(ODD_NAMES), st.text(max_size=12)
)
texts = st.just("") | st.just("a plain description, of words") | names
domains = st.sampled_from(
    ["acme.example", "a.acme.example", "ACME.example", "x", "*.acme.example", "münchen.example", "xn--a.example"]
)
networks = st.sampled_from(["10.0.0.0/8", "10.20.5.10/32", "10.20.5.10/24", "0.0.0.0/0", "fd00::/64", "fd00::1/64"])
addresses = st.sampled_from(
    ["10.0.0.1", "10.0.0.1/32", "10.0.0.7/24", "fd00::1", "nas.example", "*.nas.example", "UP.example", "fd00::/64"]
)
ips = st.sampled_from(["10.0.0.53", "10.0.0.54", "fd00::53", "fd00:0::53", "9.9.9.9"])
roles = st.sampled_from(["admin", "user", "auditor", "network_admin", "billing_admin"])
numbers = st.sampled_from([1, 22, 53, 300, 9999]) | st.sampled_from([-1, 0, 10000, 65535, 65536])
booleans = st.booleans()


class Growing:
    """An account that grows by whatever is drawn; what the server refuses is passed over."""

    def __init__(self, account: Account, draw: Draw[Any]) -> None:
        self.account = account
        self.draw = draw
        self.ids: dict[str, list[str]] = defaultdict(list)
        self.emails: list[str] = []
        self._settings = account.get("/accounts")[0]["settings"]
        self.ids["groups"] = [group["id"] for group in account.get("/groups")]
        self.ids["peers"] = [peer["id"] for peer in account.get("/peers")]
        self.all = self.ids["groups"][0]
        simulated = isinstance(account, Simulated)
        self._steps = [step for step in STEPS if simulated or step not in ONLY_SIMULATED]

    def grow(self) -> None:
        """Do one thing."""
        self.draw(st.sampled_from(self._steps))(self)

    def wither(self) -> None:
        """Take away what has grown, so that a real account is left as it was."""
        self.account.tries("PUT", "/dns/settings", {"disabled_management_groups": []})
        self.account.settings(**self._settings)
        for path in DELETED_IN_ORDER:
            for one in self.account.get(path):
                if not one.get("is_current") and one.get("role") != "owner" and one["id"] != self.all:
                    self.account.tries("DELETE", f"{path}/{one['id']}")

    def some(self, kind: str, most: int = 2) -> list[str]:
        """A few ids of what is, or was, there."""
        least = self.draw(st.sampled_from([0, 1, 1, 1]))
        return (
            self.draw(st.lists(st.sampled_from(self.ids[kind]), min_size=least, max_size=most))
            if self.ids[kind]
            else []
        )

    def auto_groups(self) -> list[str]:
        """A few groups, mostly without All, which may not stand there."""
        groups = self.some("groups")
        return groups if self.draw(st.integers(0, 9)) == 0 else [group for group in groups if group != self.all]

    def one(self, kind: str) -> str:
        """One id; one of nothing where there is none."""
        return self.draw(st.sampled_from(self.ids[kind])) if self.ids[kind] else "nothing"

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
        self.post("groups", "/groups", {"name": self.draw(names), "peers": self.some("peers")})

    def twin(self) -> None:
        kind, path = self.draw(st.sampled_from([("groups", "/groups"), ("checks", "/posture-checks")]))
        # A real group that is called All cannot be deleted any more.
        wanted = self.draw(names if isinstance(self.account, Simulated) else names.filter(lambda name: name != "All"))
        self.change(kind, path, {"name": wanted})

    def twin_peer(self) -> None:
        self.change("peers", "/peers", {"name": self.draw(names)})

    def leave(self) -> None:
        """A peer goes, whatever refers to it."""
        self.account.tries("DELETE", f"/peers/{self.one('peers')}")

    def peer(self) -> None:
        hostname = self.draw(st.sampled_from(["db-1", "gw", "a b", "ä", "x"])) + str(len(self.ids["peers"]))
        user = self.draw(st.sampled_from(self.emails)) if self.emails and self.draw(booleans) else ""
        assert isinstance(self.account, Simulated)
        joined = self.account.join(hostname, user=user, ephemeral=not user and self.draw(booleans))
        if joined:
            self.ids["peers"].append(joined)

    def switch_peer(self) -> None:
        self.change(
            "peers", "/peers", {"ssh_enabled": self.draw(booleans), "login_expiration_enabled": self.draw(booleans)}
        )

    def posture_check(self) -> None:
        version = self.draw(st.sampled_from(["0.60.0", "v1", "14", "5.15.0-rc1", "abc", ""]))
        path = self.draw(st.sampled_from(["/bin/x", "C:\\a b\\c.exe", "/x: y"]))
        checks = {
            "nb_version_check": {"min_version": version},
            "os_version_check": {"darwin": {"min_version": version}, "linux": {"min_kernel_version": version}},
            "geo_location_check": {
                "action": "allow",
                "locations": [{"country_code": "NO"}, {"country_code": "DE", "city_name": "Berlin"}],
            },
            "peer_network_range_check": {"action": "deny", "ranges": [self.draw(networks)]},
            "process_check": {"processes": [{"linux_path": path, "windows_path": path}]},
        }
        chosen = self.draw(st.sets(st.sampled_from(sorted(checks)), max_size=3))
        body = {
            "name": self.draw(names),
            "description": self.draw(texts),
            "checks": {name: checks[name] for name in chosen},
        }
        self.post("checks", "/posture-checks", body)

    def policy(self) -> None:
        protocol = self.draw(st.sampled_from(["all", "tcp", "udp", "icmp", "netbird-ssh"]))
        more: Json = {
            "protocol": protocol,
            "action": self.draw(st.sampled_from(["accept", "drop"])),
            "bidirectional": self.draw(booleans),
            "enabled": self.draw(booleans),
        }
        if self.draw(booleans):
            more["ports"] = [str(port) for port in self.draw(st.lists(numbers, max_size=3))]
        if self.draw(booleans):
            more["port_ranges"] = [{"start": self.draw(numbers), "end": self.draw(numbers)}]
        ends: Json = rule(self.some("groups"), self.some("groups"), **more)
        if protocol == "netbird-ssh" and self.draw(booleans):
            logins = self.draw(st.lists(names, max_size=2))
            ends["authorized_groups"] = dict.fromkeys({*self.some("groups"), *ends["sources"]}, logins)
        if self.draw(booleans):
            ends |= {"destinations": None, "destinationResource": self._single()}
        if self.draw(st.integers(0, 3)) == 0:
            ends |= {"sources": None, "sourceResource": self._single()}
        head = {"name": self.draw(names), "description": self.draw(texts), "enabled": self.draw(booleans)}
        self.post("policies", "/policies", {**head, "source_posture_checks": self.some("checks"), "rules": [ends]})

    def _single(self) -> Json:
        if self.draw(booleans):
            return {"id": self.one("peers"), "type": "peer"}
        return {"id": self.one("resources"), "type": "host"}

    def second_rule(self) -> None:
        """As old servers made them; no call of the API can."""
        assert isinstance(self.account, Simulated)
        self.account.add_rule(self.one("policies"))

    def network(self) -> None:
        self.post("networks", "/networks", {"name": self.draw(names), "description": self.draw(texts)})

    def resource(self) -> None:
        body = {
            "name": self.draw(names),
            "address": self.draw(addresses),
            "groups": self.some("groups"),
            "enabled": self.draw(booleans),
        }
        self.post("resources", f"/networks/{self.one('networks')}/resources", {**body, "description": self.draw(texts)})

    def _router(self) -> Json:
        by_peer = self.draw(booleans)
        return {
            "peer": self.one("peers") if by_peer else None,
            "peer_groups": None if by_peer else self.some("groups"),
            "metric": self.draw(numbers),
            "masquerade": self.draw(booleans),
            "enabled": self.draw(booleans),
        }

    def router(self) -> None:
        self.post("routers", f"/networks/{self.one('networks')}/routers", self._router())

    def route(self) -> None:
        by_range = self.draw(booleans)
        body = {
            **self._router(),
            "network_id": self.draw(names),
            "network": self.draw(networks) if by_range else None,
            "domains": None if by_range else [self.draw(domains)],
            "groups": self.some("groups"),
            "access_control_groups": self.some("groups"),
            "keep_route": self.draw(booleans),
            "description": self.draw(texts),
        }
        self.post("routes", "/routes", body)

    def nameservers(self) -> None:
        servers = [
            {"ip": self.draw(ips), "ns_type": "udp", "port": self.draw(numbers)}
            for _ in range(self.draw(st.integers(1, 3)))
        ]
        primary = self.draw(booleans)
        body = {
            "name": self.draw(names),
            "nameservers": servers,
            "groups": self.some("groups"),
            "domains": [] if primary else [self.draw(domains)],
            "primary": primary,
            "enabled": self.draw(booleans),
            "search_domains_enabled": self.draw(booleans),
            "description": self.draw(texts),
        }
        self.post("nameservers", "/dns/nameservers", body)

    def zone(self) -> None:
        body = {"name": self.draw(names), "domain": self.draw(domains), "distribution_groups": self.some("groups")}
        made = self.post(
            "zones", "/dns/zones", {**body, "enabled": self.draw(booleans), "enable_search_domain": self.draw(booleans)}
        )
        if made:
            for _ in range(self.draw(st.integers(0, 3))):
                self._record(made)

    def _record(self, zone: Json) -> None:
        label = self.draw(st.sampled_from(["@", "www", "*", "*.x", "a.b", "WWW", "no", "1.0"]))
        kind = self.draw(st.sampled_from(["A", "AAAA", "CNAME"]))
        content = self.draw(domains if kind == "CNAME" else ips)
        name = zone["domain"] if label == "@" else f"{label}.{zone['domain']}"
        body = {"name": name, "type": kind, "content": content, "ttl": self.draw(st.sampled_from([0, 60, 300]))}
        self.account.tries("POST", f"/dns/zones/{zone['id']}/records", body)

    def dns_settings(self) -> None:
        self.account.tries("PUT", "/dns/settings", {"disabled_management_groups": self.some("groups")})

    def setup_key(self) -> None:
        body = {
            "name": self.draw(names),
            "type": self.draw(st.sampled_from(["reusable", "one-off"])),
            "expires_in": self.draw(st.sampled_from([0, 1, 59, 60, 3600, 129_600, 7_776_000])),
            "auto_groups": self.auto_groups(),
            "usage_limit": self.draw(st.sampled_from([-1, 0, 1, 7])),
            "ephemeral": self.draw(booleans),
        }
        made = self.post("keys", "/setup-keys", body)
        if made and self.draw(booleans):
            self.account.tries(
                "PUT", f"/setup-keys/{made['id']}", {"revoked": True, "auto_groups": body["auto_groups"]}
            )

    def service_user(self) -> None:
        body = {
            "name": self.draw(names),
            "role": self.draw(roles),
            "auto_groups": self.auto_groups(),
            "is_service_user": True,
        }
        made = self.post("robots", "/users", body)
        for _ in range(self.draw(st.integers(0, 2)) if made else 0):
            token = {"name": self.draw(names), "expires_in": self.draw(st.sampled_from([1, 30, 365]))}
            self.account.tries("POST", f"/users/{made['id']}/tokens", token)

    def person(self) -> None:
        email = self.draw(st.sampled_from(["ana@acme.example", "Ben@Acme.example", "x y@z", "no", "c@d"]))
        body = {
            "name": self.draw(names),
            "email": email,
            "role": self.draw(roles),
            "auto_groups": self.auto_groups(),
            "is_service_user": False,
        }
        made = self.post("people", "/users", body)
        if made:
            self.emails.append(email)
            blocked = {"role": made["role"], "auto_groups": made["auto_groups"], "is_blocked": self.draw(booleans)}
            self.account.tries("PUT", f"/users/{made['id']}", blocked)

    def login(self) -> None:
        """Somebody of another identity provider, with groups."""
        assert isinstance(self.account, Simulated)
        self.account.log_in(
            self.draw(st.sampled_from(["eve@idp.example", "ana@acme.example"])), self.draw(st.lists(names, max_size=2))
        )
        self.ids["groups"] = [group["id"] for group in self.account.get("/groups")]

    def settings(self) -> None:
        length = self.draw(st.sampled_from([3600, 86_400, 129_600]))
        more = {
            "peer_login_expiration": length,
            "peer_inactivity_expiration": self.draw(st.sampled_from([0, -1, 600, 90])),
            "jwt_allow_groups": self.draw(st.lists(names, max_size=2)),
            "peer_expose_groups": self.some("groups"),
            "peer_expose_enabled": self.draw(booleans),
            "dns_domain": self.draw(st.sampled_from(["", "corp.example", "UP.example"])),
            "auto_update_version": self.draw(st.sampled_from(["", "latest", "disabled", "0.70.0", "v1"])),
        }
        self.account.settings(**more)

    def delete(self) -> None:
        """What others refer to may go as well."""
        kind, path = self.draw(st.sampled_from(sorted(PATHS.items())))
        self.account.tries("DELETE", f"{path}/{self.one(kind)}")


PATHS = {
    "groups": "/groups",
    "checks": "/posture-checks",
    "networks": "/networks",
    "policies": "/policies",
}
STEPS: Sequence[Callable[[Growing], None]] = [
    Growing.group, Growing.group, Growing.twin, Growing.peer, Growing.peer, Growing.switch_peer, Growing.twin_peer, Growing.leave, Growing.posture_check, Growing.policy, Growing.policy,
    Growing.second_rule, Growing.network, Growing.resource, Growing.router, Growing.route, Growing.nameservers, Growing.zone,
    Growing.dns_settings, Growing.setup_key, Growing.service_user, Growing.person, Growing.login, Growing.settings, Growing.delete,
]  # fmt: skip
ONLY_SIMULATED = [
    Growing.peer, Growing.switch_peer, Growing.twin_peer, Growing.leave, Growing.second_rule, Growing.login,
]  # fmt: skip
"""What a real server does not do for a test, or what could not be undone."""
DELETED_IN_ORDER = [
    "/policies", "/routes", "/dns/nameservers", "/dns/zones", "/networks", "/setup-keys", "/users", "/posture-checks", "/groups",
]  # fmt: skip


def _as_request(seen: Json) -> Json:
    """An answer in the form of a request."""
    lists = {key: [item["id"] for item in seen[key]] for key in ("peers",) if isinstance(seen.get(key), list)}
    return {**seen, **lists}
