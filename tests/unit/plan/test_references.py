"""Names in the files: what they name, what is near, and what has not arrived yet."""

from __future__ import annotations

import pytest

from tests.unit.harness import Account

UNKNOWN = {
    "a group": (
        "policies: {p: {from: [▸opps, All], to: All, allow: all}}",
        "no group is called 'opps'",
        "did you mean 'ops'",
    ),
    "a posture check": (
        "posture_checks: {managed: {netbird_version: '1.0'}}\npolicies: {p: {from: All, to: All, allow: all, posture: ▸manged}}",
        "no posture check is called 'manged'",
        "did you mean 'managed'",
    ),
    "a resource": (
        "networks: {dc1: {resources: {nas: {address: 10.0.0.1}}}}\npolicies: {p: {from: All, to: {resource: ▸dc1/nsa}, allow: all}}",
        "no network resource is called 'dc1/nsa'",
        "did you mean 'dc1/nas'",
    ),
    "a group of a resource": (
        "networks: {n: {resources: {r: {address: 10.0.0.1, groups: [▸opps]}}}}",
        "no group is called 'opps'",
        "did you mean 'ops'",
    ),
    "a group of nameservers": (
        "dns: {nameservers: {n: {servers: [9.9.9.9], groups: [All, ▸nobody-knows-it], primary: true}}}",
        "no group is called 'nobody-knows-it'",
        "declare the group, or correct the name",
    ),
    "a group of a zone": ("dns: {zones: {x.y: {groups: [▸Ops]}}}", "no group is called 'Ops'", "did you mean 'ops'"),
    "a group whose DNS is not managed": ("dns: {disabled_management_groups: [▸opz]}", "'opz'", "did you mean 'ops'"),
    "a group of a key": ("setup_keys: {k: {type: reusable, auto_groups: [▸opz]}}", "'opz'", "did you mean 'ops'"),
    "a group of a service user": (
        "service_users: {s: {role: user, auto_groups: [▸opz]}}",
        "'opz'",
        "did you mean 'ops'",
    ),
    "a group of a person": ("users: {owner@acme.example: {auto_groups: [▸opz]}}", "'opz'", "did you mean 'ops'"),
    "a group of SSH logins": (
        "policies: {p: {from: ops, to: ops, ssh: {ops: [a], ▸opz: [b]}}}",
        "'opz'",
        "did you mean 'ops'",
    ),
    "a group of a route": (
        "routes: {r: {network: 10.0.0.0/8, peer_groups: [▸opz], groups: [ops]}}",
        "'opz'",
        "did you mean",
    ),
    "a group of the account": ("account: {peer_expose_groups: [▸opz]}", "'opz'", "did you mean 'ops'"),
}


@pytest.mark.parametrize(("text", "message", "advice"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_name_that_nothing_has_is_an_error(account: Account, text: str, message: str, advice: str) -> None:
    account.send("POST", "/groups", {"name": "ops"})
    outcome = account.apply(text)
    line = next(number for number, line in enumerate(("version: 1\n" + text).split("\n"), 1) if "▸" in line)
    column = text.split("\n")[line - 2].index("▸") + 1
    assert (outcome.exit_code, outcome.writes) == (3, [])
    assert (outcome.error.code, outcome.error.place) == ("NBS201", f"nbsync.yaml:{line}:{column}")
    assert message in outcome.error.message
    assert advice in outcome.error.help


def test_all_names_that_nothing_has_come_at_once(account: Account) -> None:
    outcome = account.plan("policies: {p: {from: x, to: y, allow: all}, q: {from: {resource: a/b}, to: z, allow: all}}")
    assert outcome.exit_code == 3
    assert [error.code for error in outcome.errors] == ["NBS201"] * 4


def test_what_the_files_alone_show_comes_before_the_account_is_asked(account: Account) -> None:
    outcome = account.plan("policies: {p: {from: x, to: y, allow: all}, q: {from: z}}")
    assert (outcome.exit_code, outcome.sent) == (3, ())
    assert [error.code for error in outcome.errors] == ["NBS111"]


def test_a_name_may_be_declared_or_live(account: Account) -> None:
    account.send("POST", "/groups", {"name": "live"})
    outcome = account.applied("groups: {declared: }\npolicies: {p: {from: [live, declared], to: All, allow: all}}")
    (rule,) = account.named("/policies", "p")["rules"]
    assert {group["name"] for group in rule["sources"]} == {"live", "declared"}
    assert outcome.warnings == []


def test_a_reference_to_one_of_several_live_objects_is_refused_with_both_ids(account: Account) -> None:
    ids = [account.send("POST", "/groups", {"name": name})["id"] for name in ("twin", "other")]
    account.send("PUT", f"/groups/{ids[1]}", {"name": "twin"})
    outcome = account.plan("policies: {p: {from: ▸twin, to: All, allow: all}}")
    assert (outcome.exit_code, outcome.error.code, outcome.error.place) == (3, "NBS202", "nbsync.yaml:2:22")
    assert all(identifier in outcome.error.message for identifier in ids)
    assert "with id: to say which one" in outcome.error.help
    named = account.plan(f"groups: {{twin: {{id: {ids[0]}}}}}\npolicies: {{p: {{from: twin, to: All, allow: all}}}}")
    assert (named.exit_code, named.changes) == (0, ["+ policy/p"])


def test_the_group_of_all_peers_can_be_used_but_not_declared(account: Account) -> None:
    assert account.plan("policies: {p: {from: All, to: All, allow: all}}").exit_code == 0
    outcome = account.plan("groups: {▸All: }")
    assert (outcome.exit_code, outcome.sent) == (3, ())
    assert outcome.error.message == "All is NetBird's group of all peers: it can be used, not declared"


def test_names_with_slashes_are_encoded_in_addresses(account: Account) -> None:
    text = """
    groups: {a/b: , "c+d": , "e:f": , "g%h": , "i/j": {peers: []}}
    networks: {dc/1: {routers: [{peer_groups: [a/b, c+d]}], resources: {nas/1: {address: 10.0.0.1}}}}
    policies: {p/q: {from: a/b, to: {resource: nas/1, network: dc/1}, allow: all}}
    """
    outcome = account.applied(text.replace("\n    ", "\n"))
    assert sorted(outcome.changes) == [
        "+ group/a%2Fb",
        "+ group/c%2Bd",
        "+ group/e%3Af",
        "+ group/g%25h",
        "+ group/i%2Fj",
        "+ network/dc%2F1",
        "+ network_resource/dc%2F1/nas%2F1",
        "+ network_router/dc%2F1/groups:a%2Fb+c%2Bd",
        "+ policy/p%2Fq",
    ]
    assert account.nbsync("plan", "-o", "json").changes == []
    assert account.named("/policies", "p/q")["rules"][0]["destinationResource"]["type"] == "host"


def test_a_resource_is_named_as_it_is_whatever_addresses_make_of_it(account: Account) -> None:
    text = """
    networks: {"dc:1": {resources: {"nas+50%": {address: 10.0.0.1}}}}
    policies: {p: {from: All, to: {resource: "dc:1/nas+50%"}, allow: all}}
    """
    account.applied(text.replace("\n    ", "\n"))
    assert account.nbsync("plan", "-o", "json").changes == []
    assert account.named("/policies", "p")["rules"][0]["destinationResource"]["type"] == "host"


ABSENT = """
groups: {gw: {peers: [▸gw-1, gw-2]}, db: {peers: {at_least: [▸gw-1, gw-2]}}}
networks: {n: {routers: [{peer: ▸gw-1}, {peer: gw-2}]}}
routes: {r: [{network: 10.0.0.0/8, peer: ▸gw-1, groups: [All]}, {network: 10.0.0.0/8, peer: gw-2, groups: [All]}]}
policies: {p: {from: All, to: {peer: ▸gw-1}, allow: all}, q: {from: All, to: {peer: gw-2}, allow: all}}
"""


def test_what_needs_a_peer_that_has_not_joined_is_left_out_until_it_has(account: Account) -> None:
    account.join("gw-2")
    first = account.applied(ABSENT.strip())
    assert sorted(first.changes) == [
        "+ group/db",
        "+ group/gw",
        "+ network/n",
        "+ network_router/n/peer:gw-2",
        "+ policy/q",
        "+ route/r/peer:gw-2",
    ]
    assert {warning.message for warning in first.warnings} == {"the peer 'gw-1' has not joined yet"}
    assert [warning.code for warning in first.warnings] == ["NBS302"] * 5
    assert [peer["name"] for peer in account.named("/groups", "gw")["peers"]] == ["gw-2"]
    assert account.nbsync("plan", "-o", "json").changes == []
    account.join("gw-1")
    assert sorted(account.nbsync("plan", "-o", "json").changes) == [
        "+ network_router/n/peer:gw-1",
        "+ policy/p",
        "+ route/r/peer:gw-1",
        "~ group/db (peers)",
        "~ group/gw (peers)",
    ]


def test_a_live_policy_whose_new_peer_has_not_joined_is_left_alone(account: Account) -> None:
    account.join("gw-2")
    text = "manage: {policies: full}\npolicies: {p: {from: All, to: {peer: gw-2}, allow: all}, Default: {from: All, to: All, allow: all}}"
    account.applied(text)
    outcome = account.plan(text.replace("gw-2", "gw-1"))
    assert (outcome.exit_code, outcome.changes) == (0, [])
    assert outcome.warning.message == "the peer 'gw-1' has not joined yet"


def test_a_declared_peer_that_has_not_joined_is_a_warning(account: Account) -> None:
    outcome = account.plan("peers: {▸gw-1: {ssh_enabled: true}}\ngroups: {gw: {peers: [gw-1]}}")
    assert (outcome.exit_code, outcome.changes) == (0, ["+ group/gw"])
    assert sorted(warning.message for warning in outcome.warnings) == [
        "peer/gw-1 has not joined yet; nothing is done until it has",
        "the peer 'gw-1' has not joined yet",
    ]


def test_a_mistyped_peer_names_what_is_near(account: Account) -> None:
    account.join("gateway-berlin")
    (warning,) = account.plan("groups: {gw: {peers: [gateway-brelin]}}").warnings
    assert warning.help == "did you mean 'gateway-berlin'?"


def test_a_person_who_has_not_signed_in_is_a_warning_or_an_invitation(account: Account) -> None:
    outcome = account.plan("users: {▸ana@acme.io: {role: admin}}")
    assert (outcome.changes, outcome.warning.place) == ([], "nbsync.yaml:2:9")
    assert "has not signed in yet" in outcome.warning.message
    invited = account.plan("users: {ana@acme.io: {role: admin, invite: true, name: Ana}}")
    assert invited.changes == ["+ user/ana@acme.io"]


def test_nobody_becomes_owner_by_a_file(account: Account) -> None:
    account.send(
        "POST",
        "/users",
        {"name": "A", "email": "ana@acme.io", "role": "user", "auto_groups": [], "is_service_user": False},
    )
    for email in ("ana@acme.io", "new@acme.io"):
        outcome = account.plan(f"users: {{{email}: {{role: owner}}}}")
        assert (outcome.exit_code, outcome.error.message) == (3, "nobody becomes owner by a file")
    assert account.plan("users: {owner@acme.example: {role: owner}}").changes == []


def test_all_that_only_the_account_shows_comes_at_once(account: Account) -> None:
    ids = [account.send("POST", "/groups", {"name": name})["id"] for name in ("twin", "other")]
    account.send("PUT", f"/groups/{ids[1]}", {"name": "twin"})
    account.applied("policies: {p: {from: All, to: All, allow: all}}")
    row = account.row("policies", account.named("/policies", "p")["id"])
    account.store("policies", {**row, "rules": [row["rules"][0], {**row["rules"][0], "id": "second"}]})
    text = """
    groups: {twin: , none: {id: nobody}}
    policies: {p: {from: All, to: All, allow: all}, q: {from: nothing, to: All, allow: all}}
    users: {ana@acme.io: {role: owner}}
    """
    outcome = account.plan(text.replace("\n    ", "\n"))
    assert (outcome.exit_code, outcome.changes) == (3, [])
    assert sorted(error.code for error in outcome.errors) == ["NBS201", "NBS202", "NBS203", "NBS205", "NBS205"]
