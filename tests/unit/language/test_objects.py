"""What every declared object may carry, names, and several files that say things about one account."""

from __future__ import annotations

import pytest

from tests.unit.harness import Desk
from tests.unit.language.conftest import Check

TWICE, UNKNOWN, MISSING, TYPE, INVALID = "NBS101", "NBS110", "NBS111", "NBS112", "NBS113"
MINIMAL = {
    "group": "groups: {{k: {{{}}}}}",
    "posture_check": "posture_checks: {{k: {{netbird_version: 0.60.0, {}}}}}",
    "policy": "policies: {{k: {{from: a, to: b, allow: all, {}}}}}",
    "network": "networks: {{k: {{{}}}}}",
    "network_resource": "networks: {{n: {{resources: {{k: {{address: a.example, {}}}}}}}}}",
    "network_router": "networks: {{n: {{routers: [{{peer: gw, {}}}]}}}}",
    "route": "routes: {{k: {{network: 10.0.0.0/8, peer: gw, groups: [a], {}}}}}",
    "nameserver_group": "dns: {{nameservers: {{k: {{servers: [9.9.9.9], groups: [a], primary: true, {}}}}}}}",
    "dns_zone": "dns: {{zones: {{k.example: {{groups: [a], {}}}}}}}",
    "dns_record": "dns: {{zones: {{k.example: {{groups: [a], records: {{www: {{A: 10.0.0.1, {}}}}}}}}}}}",
    "setup_key": "setup_keys: {{k: {{type: reusable, {}}}}}",
    "service_user": "service_users: {{k: {{role: user, {}}}}}",
    "token": "service_users: {{s: {{role: user, tokens: {{k: {{expires_in: 90d, {}}}}}}}}}",
    "user": "users: {{k@acme.example: {{{}}}}}",
    "peer": "peers: {{k: {{{}}}}}",
    "account": "account: {{{}}}",
}
RENAMED = {"group", "posture_check", "policy", "network", "network_resource", "route", "nameserver_group", "peer"}


@pytest.mark.parametrize("kind", MINIMAL)
def test_every_object_takes_the_keys_of_all_objects(taken: Check, kind: str) -> None:
    taken(MINIMAL[kind].format("protect: true, owner: team-network, id: x1, ignore: []"))


@pytest.mark.parametrize("kind", sorted(RENAMED))
@pytest.mark.parametrize("names", ["old", "[old, older]"])
def test_earlier_names_where_the_server_can_rename(taken: Check, kind: str, names: str) -> None:
    taken(MINIMAL[kind].format(f"previously: {names}"))


@pytest.mark.parametrize("kind", sorted(MINIMAL.keys() - RENAMED))
def test_earlier_names_elsewhere_are_an_error(refused: Check, kind: str) -> None:
    (error,) = refused(MINIMAL[kind].format("▸previously: old"))
    assert error.code == INVALID
    assert "NetBird cannot rename a" in error.message
    assert kind.replace("_", " ") in error.message


@pytest.mark.parametrize("kind", MINIMAL)
def test_an_unknown_field_is_an_error(refused: Check, kind: str) -> None:
    (error,) = refused(MINIMAL[kind].format("▸protct: true"))
    assert (error.code, error.message, error.help) == (UNKNOWN, "unknown key 'protct'", "did you mean 'protect'?")


@pytest.mark.parametrize("kind", MINIMAL)
def test_ignore_names_fields_of_the_object(refused: Check, kind: str) -> None:
    (error,) = refused(MINIMAL[kind].format("ignore: [▸nothing_like_it]"))
    assert error.code == INVALID
    assert "has no field 'nothing_like_it'" in error.message
    assert error.help.startswith("possible: ")


@pytest.mark.parametrize(
    "text",
    [
        "networks: {n: {ignore: [routers, resources, description]}}",
        "dns: {zones: {x.example: {groups: [a], ignore: [records]}}}",
        "service_users: {s: {role: user, ignore: [tokens, role]}}",
        "policies: {p: {from: a, to: b, allow: all, ignore: [from, allow, posture]}}",
    ],
)
def test_ignore_may_name_what_stands_inside(taken: Check, text: str) -> None:
    taken(text)


NEAR = {
    "a section inside an object": ("networks: {n: {▸router: []}}", "did you mean 'routers'"),
    "a field of an object in a section": (
        "networks: {n: {resources: {r: {address: a.example, ▸adresses: b}}}}",
        "did you mean 'address'",
    ),
    "a field of a list entry": ("networks: {n: {routers: [{peer: x, ▸metrics: 1}]}}", "did you mean 'metric'"),
    "a variant of a field": ("groups: {g: {peers: {at_least: [a], ▸at_lest: [b]}}}", "did you mean 'at_least'"),
    "a mapping within a field": ("posture_checks: {p: {os_version: {▸andriod: '13'}}}", "did you mean 'android'"),
    "a mapping within a list": (
        "posture_checks: {p: {processes: [{linux: /a, ▸widows: b}]}}",
        "did you mean 'windows'",
    ),
    "an end of a policy": ("policies: {p: {from: a, to: {peer: b, ▸port: 1}, allow: all}}", "possible: peer"),
    "an address with a time to live": (
        "dns: {zones: {x.y: {groups: [a], records: {w: {A: {value: 10.0.0.1, ▸tt: 3}}}}}}",
        "did you mean 'ttl'",
    ),
    "a switch of the dashboard": ("account: {dashboard_features: {▸agent_networks: true}}", "'agent_network'"),
    "the resources of a group, which are elsewhere": ("groups: {g: {▸resources: [r]}}", "possible: peers, previously"),
}


@pytest.mark.parametrize(("text", "advice"), NEAR.values(), ids=NEAR)
def test_an_unknown_key_names_what_is_near(refused: Check, text: str, advice: str) -> None:
    (error,) = refused(text)
    assert error.code == UNKNOWN
    assert advice in error.help


DUPLICATES = {
    "a key": (
        "groups:\n  a: {}\n  ▸a: {}",
        "NBS003",
        "the key 'a' stands twice in one mapping, first at nbsync.yaml:3:3",
    ),
    "a router": (
        "networks: {n: {routers: [{peer: x}, ▸{peer: x, metric: 5}]}}",
        TWICE,
        "network_router/n/peer:x is declared twice, first in nbsync.yaml:2:26",
    ),
    "a router by the same groups": (
        "networks: {n: {routers: [{peer_groups: [b, a]}, ▸{peer_groups: [a, b, a]}]}}",
        TWICE,
        "network_router/n/groups:a+b is declared twice",
    ),
    "two routes with one address": (
        "routes: {r: [{network: 10.0.0.0/8, peer: x, groups: [a]}, ▸{network: 10.1.0.0/16, peer: x, groups: [a]}]}",
        TWICE,
        "route/r/peer:x is declared twice",
    ),
    "a resource in two networks": (
        "networks: {m: {resources: {r: {address: a.b}}}, n: {resources: {▸r: {address: c.d}}}}",
        TWICE,
        "network_resource/n/r is declared twice",
    ),
    "a person in two spellings": ("users: {Ana@acme.io: {}, ▸ana@ACME.io: {}}", TWICE, "user/ana@acme.io is declared"),
    "an address of a label": (
        "dns: {zones: {x.y: {groups: [a], records: {w: {AAAA: ▸['fd00::1', 'FD00:0::1']}}}}}",
        INVALID,
        "fd00::1 stands there 2 times",
    ),
}


@pytest.mark.parametrize(("text", "code", "message"), DUPLICATES.values(), ids=DUPLICATES)
def test_the_same_twice_is_an_error(refused: Check, text: str, code: str, message: str) -> None:
    (error,) = refused(text)
    assert error.code == code
    assert message in error.message


def test_one_id_is_for_one_object(refused: Check) -> None:
    (error,) = refused("dns: {zones: {x.y: {groups: [a], records: {w: {A: [10.0.0.1, 10.0.0.2], ▸id: abc}}}}}")
    assert (error.code, error.message) == (INVALID, "one id cannot belong to 2 objects")


def test_an_object_of_two_files_is_an_error_that_shows_both_places(desk: Desk) -> None:
    desk.write("version: 1\ngroups:\n  a: {}\ndns: {zones: {x.example: {groups: [a]}}}\naccount: {}", "a.yaml")
    desk.write("groups:\n  b: {}\n  a: {}\ndns: {zones: {x.example: {groups: [b]}}}\naccount: {}", "b.yaml")
    outcome = desk.nbsync("validate", "-o", "json")
    assert outcome.exit_code == 3
    assert [(error.place, error.code, error.message) for error in outcome.errors] == [
        ("b.yaml:3:3", TWICE, "groups.a is declared twice, first at a.yaml:3:3"),
        ("b.yaml:4:15", TWICE, "dns.zones.x.example is declared twice, first at a.yaml:4:15"),
        ("b.yaml:5:1", TWICE, "account is declared twice, first at a.yaml:5:1"),
    ]


def test_files_and_folders_merge_by_key(desk: Desk) -> None:
    desk.write("version: 1\nguards: {protect: [group/a], keep_admins: 2}\nunmanaged: [policy/x]", "base.yaml")
    desk.write("groups: {a: {}}\nguards: {protect: [group/b], max_delete: {count: 1}}", "teams/one/a.yml")
    desk.write("version: 1\ngroups: {b: {}}\nunmanaged: [policy/y]\nmanage: {groups: full}", "teams/two/b.yaml")
    desk.write("policies: {p: {from: a, to: b, allow: all}}", "teams/.hidden.yaml")
    outcome = desk.nbsync("validate", "-o", "json", "base.yaml", "teams")
    assert (outcome.exit_code, outcome.findings) == (0, [])


def test_overlays_replace_lists_and_scalars_and_take_objects_out(desk: Desk) -> None:
    desk.write(
        "version: 1\ngroups: {a: {peers: [x, y]}, b: {owner: me}}\npolicies: {p: {from: a, to: b, allow: all}}",
        "a.yaml",
    )
    desk.write(
        "groups: {a: {peers: [z]}}\npolicies: {q: {from: a, to: a, allow: icmp}}\nremove: [group/b, policy/p]",
        "over/prod.yaml",
    )
    outcome = desk.nbsync("validate", "-o", "json", "a.yaml", "--overlay", "over/prod.yaml")
    assert (outcome.exit_code, [found.message for found in outcome.findings]) == (
        0,
        ["the peer 'z' is to be found in the account"],
    )


REMOVALS = {
    "what nothing declares": ("remove: [▸group/bb]", INVALID, "no file declares 'group/bb'", "did you mean 'group/b'"),
    "what is no address": ("remove: [▸5]", "NBS105", "no address", "policy/old"),
    "no list": ("remove: ▸group/b", "NBS105", "`remove` is not a list", "policy/old"),
}


@pytest.mark.parametrize(("text", "code", "message", "advice"), REMOVALS.values(), ids=REMOVALS)
def test_removals_that_fail(desk: Desk, text: str, code: str, message: str, advice: str) -> None:
    desk.write("version: 1\ngroups: {a: {}, b: {}}", "a.yaml")
    desk.write(text, "over.yaml")
    error = desk.nbsync("validate", "-o", "json", "a.yaml", "--overlay", "over.yaml").error
    assert (error.code, error.place) == (code, f"over.yaml:1:{text.index('▸') + 1}")
    assert message in error.message
    assert advice in error.help


def test_the_merged_document_is_checked_like_any_other(desk: Desk) -> None:
    desk.write("version: 1\ngroups: {a: {}}\npolicies: {p: {from: a, to: a, allow: all}}", "a.yaml")
    desk.write("policies: {p: {deny: all}}\nversion: 2", "over.yaml")
    outcome = desk.nbsync("validate", "-o", "json", "a.yaml", "--overlay", "over.yaml")
    assert outcome.exit_code == 3
    assert [(error.place, error.code) for error in outcome.errors] == [
        ("a.yaml:3:12", INVALID),
        ("over.yaml:2:10", INVALID),
    ]
