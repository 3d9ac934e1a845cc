"""Histories of one account between a plan and its apply: what the plan is about, and what people click meanwhile.

Everything here is told by hand: which aspects of the account a wish of the files touches, and which a click changes. An aspect is
an address, or an address and a part of the object (`group/ops: m1`, the membership of one machine).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.unit.harness import Account

Json = dict[str, Any]

BASE: Json = {
    "version": 1,
    "manage": {"groups": "full", "policies": "full", "networks": "full", "posture_checks": "full"},
    "guards": {"max_delete": {"percent": 100}},
    "unmanaged": ["policy/Default", "group/lone", "group/spare"],
    "groups": {
        "ops": {"peers": {"at_least": []}},
        "devs": {},
        "apps": {},
        "dbs": {},
        "exact": {"peers": ["m1", "m2"]},
        "old": {"peers": ["m2"]},
    },
    "posture_checks": {"c": {"netbird_version": "1.0.0"}, "d": {"netbird_version": "1.0.0"}},
    "policies": {
        "web": {"from": "devs", "to": "apps", "allow": "tcp/443"},
        "ssh": {"from": "ops", "to": "dbs", "allow": "tcp/22"},
        "keep": {"from": "ops", "to": "apps", "allow": "icmp"},
        "legacy": {"from": "devs", "to": "dbs", "allow": "all"},
    },
    "networks": {
        "dc": {
            "routers": [{"peer_groups": ["ops"]}],
            "resources": {"lab": {"address": "10.0.0.1", "groups": ["apps"]}, "nas": {"address": "10.0.0.2"}},
        },
        "lan": {"resources": {"printer": {"address": "10.9.0.1"}}},
    },
    "dns": {
        "nameservers": {
            "corp": {"servers": ["10.0.0.53", "10.0.0.54"], "domains": ["corp.example"], "groups": ["devs"]},
            "home": {"servers": ["10.0.0.55"], "domains": ["home.example"], "groups": ["devs"]},
        }
    },
    "setup_keys": {"k": {"type": "reusable", "auto_groups": ["devs"]}, "j": {"type": "reusable"}},
}


@dataclass(frozen=True)
class Wish:
    """Something that the files ask for by the time of the plan.

    Attributes:
        edit: changes the document.
        changes: addresses of the changes that come of it.
        touches: aspects that must be as they were, besides those addresses.
        writes: what is sent, as `PUT /policies/web`.
        done: tells whether the account shows it.
    """

    edit: Callable[[Json], Any]
    changes: tuple[str, ...]
    touches: tuple[str, ...]
    writes: tuple[str, ...]
    done: Callable[[Account], bool]


def _put(*path: str, to: Any) -> Callable[[Json], Any]:
    def edit(document: Json) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = to

    return edit


def _drop(*path: str) -> Callable[[Json], Any]:
    def edit(document: Json) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return edit


def _rename_dbs(document: Json) -> None:
    del document["groups"]["dbs"]
    document["groups"]["databases"] = {"previously": "dbs"}
    for policy in document["policies"].values():
        policy["to"] = "databases" if policy["to"] == "dbs" else policy["to"]


def _fresh(document: Json) -> None:
    document["groups"]["fresh"] = {}
    document["policies"]["fresh-to-apps"] = {"from": "fresh", "to": "apps", "allow": "tcp/80"}


def _there(path: str, name: str, **shown: Any) -> Callable[[Account], bool]:
    return lambda account: any(
        one["name"] == name and all(one[key] == value for key, value in shown.items()) for one in account.read(path)
    )


def _gone(path: str, name: str) -> Callable[[Account], bool]:
    return lambda account: name not in account.names(path)


def _members(account: Account, name: str) -> set[str]:
    return {peer["name"] for peer in account.named("/groups", name)["peers"]}


RULE = {"name": "x", "enabled": True, "action": "accept", "protocol": "icmp", "bidirectional": False}

WISHES = {
    "a policy is described": Wish(
        _put("policies", "web", "description", to="planned"),
        ("policy/web",),
        ("group/devs", "group/apps"),
        ("PUT /policies/web",),
        _there("/policies", "web", description="planned"),
    ),
    "a group is renamed": Wish(
        _rename_dbs,
        ("group/databases",),
        ("group/dbs",),
        ("PUT /groups/dbs",),
        lambda account: _there("/groups", "databases")(account) and _gone("/groups", "dbs")(account),
    ),
    "a policy is made": Wish(
        _put("policies", "new", to={"from": "ops", "to": "apps", "allow": "tcp/8080"}),
        ("policy/new",),
        ("group/ops", "group/apps"),
        ("POST /policies",),
        _there("/policies", "new"),
    ),
    "a policy goes": Wish(
        _drop("policies", "legacy"), ("policy/legacy",), (), ("DELETE /policies/legacy",), _gone("/policies", "legacy")
    ),
    "a machine becomes a member": Wish(
        _put("groups", "ops", "peers", to={"at_least": ["m1"]}),
        ("group/ops",),
        ("group/ops: m1", "peer/m1"),
        ("PUT /groups/ops",),
        lambda account: "m1" in _members(account, "ops"),
    ),
    "exactly one machine is a member": Wish(
        _put("groups", "exact", "peers", to=["m1"]),
        ("group/exact",),
        ("group/exact: members", "peer/m1"),
        ("PUT /groups/exact",),
        lambda account: _members(account, "exact") == {"m1"},
    ),
    "a group and a policy of it are made": Wish(
        _fresh,
        ("group/fresh", "policy/fresh-to-apps"),
        ("group/apps",),
        ("POST /groups", "POST /policies"),
        _there("/policies", "fresh-to-apps"),
    ),
    "a policy of a group that no file declares": Wish(
        _put("policies", "lonely", to={"from": "lone", "to": "lone", "allow": "all"}),
        ("policy/lonely",),
        ("group/lone",),
        ("POST /policies",),
        _there("/policies", "lonely"),
    ),
    "a resource moves to another address": Wish(
        _put("networks", "dc", "resources", "lab", "address", to="10.0.0.9"),
        ("network_resource/dc/lab",),
        ("network/dc", "group/apps"),
        ("PUT /networks/dc/resources/lab",),
        lambda account: "10.0.0.9/32" in {one["address"] for one in account.read("/networks/resources")},
    ),
    "a posture check asks for more": Wish(
        _put("posture_checks", "c", "netbird_version", to="2.0.0"),
        ("posture_check/c",),
        (),
        ("PUT /posture-checks/c",),
        lambda account: "2.0.0" in str(account.named("/posture-checks", "c")),
    ),
    "nameservers come in another order": Wish(
        _put("dns", "nameservers", "corp", "servers", to=["10.0.0.54", "10.0.0.53"]),
        ("nameserver_group/corp",),
        ("group/devs",),
        ("PUT /dns/nameservers/corp",),
        lambda account: account.named("/dns/nameservers", "corp")["nameservers"][0]["ip"] == "10.0.0.54",
    ),
    "a group goes": Wish(
        _drop("groups", "old"),
        ("group/old",),
        ("group/old: members",),
        ("DELETE /groups/old",),
        _gone("/groups", "old"),
    ),
    "a network goes, with all that is in it": Wish(
        _drop("networks", "lan"),
        ("network/lan",),
        ("network_resource/lan/printer", "network_resource/lan/scanner"),
        ("DELETE /networks/lan",),
        _gone("/networks", "lan"),
    ),
    "a key is made anew": Wish(
        _put("setup_keys", "k", "type", to="one-off"),
        ("setup_key/k",),
        ("group/devs",),
        ("DELETE /setup-keys/k", "POST /setup-keys"),
        lambda account: account.named("/setup-keys", "k")["type"] == "one-off",
    ),
}


@dataclass
class Hand:
    """Somebody at the dashboard, who knows the objects by the names that they had at first."""

    account: Account
    ids: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        """Remember which object is which."""
        lists = ["groups", "policies", "posture-checks", "networks", "dns/nameservers", "setup-keys", "peers"]
        for path in [*lists, "networks/resources"]:
            self.ids |= {f"{path}/{one['name']}": one["id"] for one in self.account.read(f"/{path}")}

    def path(self, said: str) -> str:
        """The path of an object, given by its first name."""
        if said.startswith("networks/") and "/resources/" in said:
            _, network, _, name = said.split("/")
            return f"/networks/{self.ids[f'networks/{network}']}/resources/{self.ids[f'networks/resources/{name}']}"
        return f"/{said.rpartition('/')[0]}/{self.ids[said]}"

    def seen(self, said: str) -> Json:
        """An object as it would be sent."""
        found: Json = self.account.read(self.path(said))
        for rule in found.get("rules") or ():
            rule |= {end: [one["id"] for one in rule.get(end) or ()] for end in ("sources", "destinations")}
        for key in ("peers", "groups", "resources") if said.startswith(("groups/", "networks/")) else ():
            if key in found:
                found[key] = [one["id"] if key != "resources" else one for one in found[key] or ()]
        if said.startswith("policies/"):
            found["source_posture_checks"] = found.get("source_posture_checks") or []
        return found

    def edit(self, said: str, **more: Any) -> None:
        """Change some fields of an object."""
        self.account.send("PUT", self.path(said), {**self.seen(said), **more})

    def edit_rule(self, said: str, **more: Any) -> None:
        """Change some fields of the rule of a policy."""
        (rule,) = self.seen(said)["rules"]
        self.edit(said, rules=[{**rule, **more}])

    def delete(self, said: str) -> None:
        """Delete an object."""
        self.account.send("DELETE", self.path(said))

    def make_anew(self, said: str) -> None:
        """Delete an object, and make the same one again."""
        body = {key: value for key, value in self.seen(said).items() if key != "id"}
        for rule in body.get("rules") or ():
            del rule["id"]
        self.delete(said)
        self.account.send("POST", f"/{said.rpartition('/')[0]}", body)

    def policy(self, name: str, group: str) -> None:
        """Make a policy."""
        rule = {**RULE, "sources": [self.ids[f"groups/{group}"]], "destinations": [self.ids[f"groups/{group}"]]}
        self.account.send("POST", "/policies", {"name": name, "enabled": True, "rules": [rule]})

    def add(self, group: str, peer: str) -> None:
        """Make a machine a member."""
        self.edit(f"groups/{group}", peers=[*self.seen(f"groups/{group}")["peers"], self.ids[f"peers/{peer}"]])

    def rejoin(self, peer: str) -> None:
        """Delete a machine, and let it join again."""
        self.delete(f"peers/{peer}")
        self.account.join(peer)

    def back_and_forth(self, said: str) -> None:
        """Switch an object off and on again."""
        self.edit(said, enabled=False)
        self.edit(said, enabled=True)


@dataclass(frozen=True)
class Click:
    """What somebody does: to which object, how, and which aspects are others then."""

    to: str
    do: Callable[[Hand], Any]
    hits: tuple[str, ...] = ()


CLICKS = {
    "switch web off": Click("web", lambda h: h.edit("policies/web", enabled=False), ("policy/web",)),
    "describe web": Click("web", lambda h: h.edit("policies/web", description="clicked"), ("policy/web",)),
    "describe the rule of web": Click(
        "web", lambda h: h.edit_rule("policies/web", description="clicked"), ("policy/web",)
    ),
    "open web wider": Click("web", lambda h: h.edit_rule("policies/web", bidirectional=True), ("policy/web",)),
    "delete web": Click("web", lambda h: h.delete("policies/web"), ("policy/web",)),
    "make web anew": Click("web", lambda h: h.make_anew("policies/web"), ("policy/web",)),
    "make a second web": Click("web", lambda h: h.policy("web", "ops"), ("policy/web",)),
    "rename web": Click("web", lambda h: h.edit("policies/web", name="web2"), ("policy/web",)),
    "switch web off and on again": Click("web", lambda h: h.back_and_forth("policies/web")),
    "describe keep": Click("keep", lambda h: h.edit("policies/keep", description="clicked")),
    "delete keep": Click("keep", lambda h: h.delete("policies/keep")),
    "delete legacy": Click("legacy", lambda h: h.delete("policies/legacy"), ("policy/legacy",)),
    "describe legacy": Click("legacy", lambda h: h.edit("policies/legacy", description="!"), ("policy/legacy",)),
    "make a policy new": Click("new", lambda h: h.policy("new", "ops"), ("policy/new",)),
    "make some policy": Click("some policy", lambda h: h.policy("some", "spare")),
    "rename apps": Click("apps", lambda h: h.edit("groups/apps", name="applications"), ("group/apps",)),
    "a member for apps": Click("apps", lambda h: h.add("apps", "m2")),
    "rename dbs": Click("dbs", lambda h: h.edit("groups/dbs", name="stores"), ("group/dbs",)),
    "rename dbs as the files do": Click("dbs", lambda h: h.edit("groups/dbs", name="databases"), ("group/dbs",)),
    "a member for dbs": Click("dbs", lambda h: h.add("dbs", "m1")),
    "make a group databases": Click(
        "dbs", lambda h: h.account.send("POST", "/groups", {"name": "databases"}), ("group/databases",)
    ),
    "rename ops": Click("ops", lambda h: h.edit("groups/ops", name="op"), ("group/ops",)),
    "m1 for ops": Click("ops", lambda h: h.add("ops", "m1"), ("group/ops: m1",)),
    "m2 for ops": Click("ops", lambda h: h.add("ops", "m2")),
    "m3 for exact": Click("exact", lambda h: h.add("exact", "m3"), ("group/exact: members",)),
    "m3 for old": Click("old", lambda h: h.add("old", "m3"), ("group/old: members",)),
    "make old anew": Click("old", lambda h: h.make_anew("groups/old"), ("group/old",)),
    "delete old": Click("old", lambda h: h.delete("groups/old"), ("group/old",)),
    "rename old": Click("old", lambda h: h.edit("groups/old", name="older"), ("group/old",)),
    "a policy for old": Click("old", lambda h: h.policy("uses-old", "old"), ("group/old: free",)),
    "make a group fresh": Click(
        "fresh", lambda h: h.account.send("POST", "/groups", {"name": "fresh"}), ("group/fresh",)
    ),
    "rename spare to fresh": Click("fresh", lambda h: h.edit("groups/spare", name="fresh"), ("group/fresh",)),
    "make some group": Click("some group", lambda h: h.account.send("POST", "/groups", {"name": "some"})),
    "make lone anew": Click("lone", lambda h: h.make_anew("groups/lone"), ("group/lone",)),
    "delete lone": Click("lone", lambda h: h.delete("groups/lone"), ("group/lone",)),
    "rename lone": Click("lone", lambda h: h.edit("groups/lone", name="alone"), ("group/lone",)),
    "a member for lone": Click("lone", lambda h: h.add("lone", "m1")),
    "switch lab off": Click(
        "lab", lambda h: h.edit("networks/dc/resources/lab", enabled=False), ("network_resource/dc/lab",)
    ),
    "delete lab": Click("lab", lambda h: h.delete("networks/dc/resources/lab"), ("network_resource/dc/lab",)),
    "rename lab": Click(
        "lab", lambda h: h.edit("networks/dc/resources/lab", name="labs"), ("network_resource/dc/lab",)
    ),
    "switch nas off": Click("nas", lambda h: h.edit("networks/dc/resources/nas", enabled=False)),
    "describe dc": Click("dc", lambda h: h.edit("networks/dc", description="clicked")),
    "rename dc": Click("dc", lambda h: h.edit("networks/dc", name="dc2"), ("network/dc",)),
    "describe lan": Click("lan", lambda h: h.edit("networks/lan", description="clicked"), ("network/lan",)),
    "delete lan": Click("lan", lambda h: h.delete("networks/lan"), ("network/lan", "network_resource/lan/printer")),
    "move printer": Click(
        "lan",
        lambda h: h.edit("networks/lan/resources/printer", address="10.9.0.2"),
        ("network_resource/lan/printer",),
    ),
    "a scanner beside the printer": Click(
        "lan",
        lambda h: h.account.send(
            "POST",
            f"{h.path('networks/lan')}/resources",
            {"name": "scanner", "address": "10.9.0.7", "enabled": True, "groups": []},
        ),
        ("network_resource/lan/scanner",),
    ),
    "c asks for less": Click(
        "c",
        lambda h: h.edit("posture-checks/c", checks={"nb_version_check": {"min_version": "0.9.0"}}),
        ("posture_check/c",),
    ),
    "make c anew": Click("c", lambda h: h.make_anew("posture-checks/c"), ("posture_check/c",)),
    "delete d": Click("d", lambda h: h.delete("posture-checks/d")),
    "describe corp": Click(
        "corp", lambda h: h.edit("dns/nameservers/corp", description="clicked"), ("nameserver_group/corp",)
    ),
    "the other order for corp": Click(
        "corp",
        lambda h: h.edit("dns/nameservers/corp", nameservers=h.seen("dns/nameservers/corp")["nameservers"][::-1]),
        ("nameserver_group/corp",),
    ),
    "switch home off": Click("home", lambda h: h.edit("dns/nameservers/home", enabled=False)),
    "a group for the key": Click(
        "k", lambda h: h.edit("setup-keys/k", auto_groups=[h.ids["groups/ops"]]), ("setup_key/k",)
    ),
    "delete the key": Click("k", lambda h: h.delete("setup-keys/k"), ("setup_key/k",)),
    "revoke the other key": Click("j", lambda h: h.edit("setup-keys/j", revoked=True)),
    "rename m1": Click("m1", lambda h: h.edit("peers/m1", name="m1x"), ("peer/m1",)),
    "m1 joins again": Click("m1", lambda h: h.rejoin("m1"), ("peer/m1", "group/exact: members")),
    "ssh on m1": Click("m1", lambda h: h.edit("peers/m1", ssh_enabled=True)),
    "m2 joins again": Click(
        "m2", lambda h: h.rejoin("m2"), ("peer/m2", "group/exact: members", "group/old: members")
    ),
    "a machine joins": Click("m9", lambda h: h.account.join("m9")),
}  # fmt: skip


@dataclass(frozen=True)
class History:
    """One plan and what is clicked until it is applied; the same seed makes the same one."""

    wishes: tuple[str, ...]
    clicks: tuple[str, ...]

    @classmethod
    def drawn(cls, seed: int) -> History:
        """Some wishes, and some clicks on different objects: in every second history none of them matters.

        In the others one does, each in its turn.
        """
        random = Random(seed)
        wishes = random.sample(list(WISHES), random.randint(1, 5))
        pool = random.sample(list(CLICKS), len(CLICKS))
        if seed % 2:
            first = MATTERING[seed // 2 % len(MATTERING)]
            hit = random.choice([wish for wish in WISHES if cls((wish,), (first,)).changed])
            wishes = wishes if hit in wishes else [*wishes[1:], hit]
            pool = [*(name for name in pool if CLICKS[name].to != CLICKS[first].to), first]
        else:
            pool = [name for name in pool if not cls(tuple(wishes), (name,)).changed]
        by_object = {CLICKS[name].to: name for name in pool}
        return cls(tuple(wishes), tuple(list(by_object.values())[-random.randint(1, 6) :]))

    @property
    def document(self) -> Json:
        """What the files ask for."""
        document = deepcopy(BASE)
        for wish in self.wishes:
            WISHES[wish].edit(document)
        return document

    @property
    def touched(self) -> set[str]:
        """Aspects that must be as they were."""
        return {aspect for wish in self.wishes for aspect in (*WISHES[wish].changes, *WISHES[wish].touches)}

    @property
    def changed(self) -> set[str]:
        """Addresses of what was touched by the plan and clicked on."""
        hits = {aspect for click in self.clicks for aspect in CLICKS[click].hits}
        named = {"group/dbs": "group/databases"}
        return {named.get(aspect.partition(":")[0], aspect.partition(":")[0]) for aspect in hits & self.touched}

    @property
    def verdict(self) -> int:
        """Exit code of the apply: stale, refused because something still needs what would be deleted, or done."""
        is_needed = "a group goes" in self.wishes and "a policy for old" in self.clicks
        return 6 if self.changed else 5 if is_needed else 0


MATTERING = [name for name in CLICKS if History(tuple(WISHES), (name,)).changed]
"""Clicks that change something that some plan touches."""
