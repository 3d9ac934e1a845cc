"""Who owns what: modes, what is left alone, what is matched with what."""

from __future__ import annotations

from tests.unit.harness import Account

FULL = "manage: {default: full}\n"


def test_undeclared_objects_are_left_and_counted_unless_the_kind_is_owned_in_full(account: Account) -> None:
    account.applied("groups: {a: , b: , c: }")
    kept = account.plan("groups: {a: }")
    assert kept.changes == []
    assert kept.document["summary"]["unmanaged"] == 2
    assert account.plan("manage: {groups: full}\ngroups: {a: }").changes == ["- group/b", "- group/c"]
    assert account.plan(FULL + "groups: {a: }").changes == ["- group/b", "- group/c"]
    assert account.plan("manage: {default: full, groups: no-delete}\ngroups: {a: }").changes == []


def test_server_owned_objects_are_neither_deleted_nor_counted(account: Account) -> None:
    account.join("laptop", "runner")
    outcome = account.plan(
        FULL + "groups: {a: }\nservice_users: {other: {role: user}}\nusers: {}", "--allow-empty", "users"
    )
    assert outcome.changes == ["+ group/a", "+ service_user/other"]
    assert outcome.document["summary"]["unmanaged"] == 0


def test_a_kind_in_no_file_is_not_touched_and_not_read_unless_something_refers_to_it(account: Account) -> None:
    account.send(
        "POST",
        "/posture-checks",
        {"name": "p", "description": "", "checks": {"nb_version_check": {"min_version": "1.0"}}},
    )
    outcome = account.plan(FULL + "dns: {nameservers: {n: {servers: [9.9.9.9], groups: [All], primary: true}}}")
    assert outcome.changes == ["+ nameserver_group/n"]
    paths = {line.removeprefix("GET /api") for line in outcome.sent}
    assert {"/groups", "/dns/nameservers"} <= paths
    assert paths.isdisjoint({"/posture-checks", "/policies", "/users", "/routes", "/setup-keys"})


def test_people_and_machines_are_deleted_only_where_that_is_written_out(account: Account) -> None:
    account.join("laptop")
    account.send(
        "POST",
        "/users",
        {"name": "Ana", "email": "ana@acme.io", "role": "user", "auto_groups": [], "is_service_user": False},
    )
    people = "users: {}\npeers: {}\naccount: {}"
    left = account.plan(FULL + people)
    assert (left.changes, left.document["summary"]["unmanaged"]) == ([], 2)
    allowed = ("--allow-empty", "users", "--allow-empty", "peers")
    assert account.plan("manage: {users: full, peers: full}\n" + people, *allowed).changes == [
        "- user/ana@acme.io",
        "- peer/laptop",
    ]


NETWORK = """
networks:
  dc1:
    routers: [{peer_groups: [a]}, {peer_groups: [b]}]
    resources: {nas: {address: 10.0.0.1}, web: {address: web.example}}
groups: {a: , b: }
"""


def test_a_full_network_owns_what_it_declares_and_keeps_the_rest(account: Account) -> None:
    account.applied(NETWORK)
    groups = "groups: {a: , b: }\nmanage: {networks: full}\n"
    assert account.plan(groups + "networks: {dc1: }").changes == []
    inside = "networks: {dc1: {routers: [{peer_groups: [a]}], resources: {nas: {address: 10.0.0.1}}}}"
    assert account.plan(groups + inside).changes == ["- network_router/dc1/groups:b", "- network_resource/dc1/web"]
    half = "networks: {dc1: {resources: {nas: {address: 10.0.0.1}}}}"
    assert account.plan(groups + half).changes == ["- network_resource/dc1/web"]
    assert account.plan("groups: {a: , b: }\n" + inside).changes == []


def test_a_network_that_goes_takes_what_is_in_it(account: Account) -> None:
    account.applied(NETWORK)
    outcome = account.plan("manage: {networks: full}\nnetworks: {other: }\ngroups: {a: , b: }")
    assert sorted(outcome.changes) == ["+ network/other", "- network/dc1"]
    gone = {field["path"]: field["before"] for field in outcome.change("network/dc1")["fields"]}
    assert gone == {"routers": ["groups:a", "groups:b"], "resources": ["nas", "web"]}


DNS = """
dns:
  nameservers: {n: {servers: [9.9.9.9], groups: [All], primary: true}}
  zones:
    one.example: {groups: [All], records: {a: {A: 10.0.0.1}, b: {A: 10.0.0.2}}}
    two.example: {groups: [All], records: {a: {A: 10.0.0.1}}}
"""


def test_dns_owns_the_parts_that_a_file_has(account: Account) -> None:
    account.applied(DNS)
    full = "manage: {dns: full}\n"
    only_one = "dns: {zones: {one.example: {groups: [All], records: {a: {A: 10.0.0.1}}}}}"
    assert account.plan(full + only_one).changes == ["- dns_record/one.example/b/A/10.0.0.2", "- dns_zone/two.example"]
    without = "dns: {zones: {one.example: {groups: [All]}, two.example: {groups: [All]}}}"
    assert account.plan(full + without).changes == []
    assert account.plan(full + "dns: {disabled_management_groups: []}").changes == []


def test_service_users_own_the_tokens_of_those_that_declare_tokens(account: Account) -> None:
    text = "service_users: {a: {role: user, tokens: {x: {expires_in: 9d}, y: {expires_in: 9d}}}, b: {role: user, tokens: {x: {expires_in: 9d}}}}"
    account.applied(text, "--secrets-out", "secrets")
    full = "manage: {service_users: full}\n"
    one = "service_users: {a: {role: user, tokens: {x: {expires_in: 9d}}}, b: {role: user}}"
    assert account.plan(full + one).changes == ["- token/a/y"]
    assert account.plan(full + "service_users: {a: {role: user}, b: {role: user}}").changes == []


def test_the_cause_of_a_delete_is_the_line_that_asks_for_it(account: Account) -> None:
    account.applied("groups: {a: , b: }")
    outcome = account.plan("manage:\n  default: no-delete\n  groups: full\ngroups: {a: }")
    assert outcome.change("group/b")["cause"] == {"file": "nbsync.yaml", "line": 4, "column": 11}
    by_default = account.plan("manage:\n  default: full\ngroups: {a: }")
    assert by_default.change("group/b")["cause"] == {"file": "nbsync.yaml", "line": 3, "column": 12}


def test_unmanaged_objects_stay_whatever_else_the_files_say(account: Account) -> None:
    account.applied("groups: {a: , legacy-a: , legacy-b: }")
    outcome = account.plan("unmanaged: [group/legacy-*]\n" + FULL + "groups: {a: , legacy-b: {peers: []}}")
    assert outcome.changes == []
    assert outcome.document["summary"]["unmanaged"] == 1
    assert (outcome.warning.code, outcome.warning.address) == ("NBS303", "group/legacy-b")


def test_an_unmanaged_parent_covers_what_is_in_it(account: Account) -> None:
    account.applied(NETWORK)
    text = (
        "unmanaged: [network/dc1]\n"
        + FULL
        + "networks: {dc1: {routers: [], resources: {nas: {address: 10.9.9.9}}}}\ngroups: {a: , b: }"
    )
    outcome = account.plan(text)
    assert outcome.changes == []
    assert {warning.address for warning in outcome.warnings} == {"network/dc1", "network_resource/dc1/nas"}


def test_an_object_is_renamed_by_an_earlier_name_and_keeps_its_id(account: Account) -> None:
    account.applied("groups: {old: , other: }")
    outcome = account.plan("groups: {new: {previously: [older, old]}, unknown: {previously: nobody}}")
    assert outcome.changes == ["> group/new (was old)", "+ group/unknown"]
    assert outcome.change("group/new")["id"] == account.named("/groups", "old")["id"]
    assert outcome.warnings == []


def test_the_present_name_goes_before_an_earlier_one(account: Account) -> None:
    account.applied("groups: {new: , old: }")
    assert account.plan(FULL + "groups: {new: {previously: old}}").changes == ["- group/old"]


def test_an_id_goes_before_every_name(account: Account) -> None:
    account.applied("groups: {one: , two: }")
    one = account.named("/groups", "one")["id"]
    outcome = account.plan(f"groups: {{three: {{id: {one}, previously: two}}}}")
    assert outcome.changes == ["> group/three (was one)"]


def twins(account: Account) -> list[str]:
    """Two groups of one name, as the dashboard can make them; returns their ids."""
    ids = [account.send("POST", "/groups", {"name": name})["id"] for name in ("twin", "other")]
    account.send("PUT", f"/groups/{ids[1]}", {"name": "twin"})
    return ids


def test_two_live_objects_of_one_name_are_refused_with_both_ids(account: Account) -> None:
    ids = twins(account)
    outcome = account.apply("groups: {▸twin: }")
    assert (outcome.exit_code, outcome.writes) == (3, [])
    assert (outcome.error.code, outcome.error.place) == ("NBS202", "nbsync.yaml:2:10")
    assert all(identifier in outcome.error.message for identifier in ids)
    assert "id: " in outcome.error.help


def test_two_live_objects_of_an_earlier_name_are_refused_with_both_ids(account: Account) -> None:
    ids = twins(account)
    error = account.plan("groups: {new: {previously: twin}}").error
    assert error.code == "NBS202"
    assert all(identifier in error.message for identifier in ids)


def test_an_id_tells_objects_of_one_name_apart(account: Account) -> None:
    ids = twins(account)
    assert account.plan(f"groups: {{twin: {{id: {ids[0]}}}}}").changes == []
    outcome = account.plan(f"groups: {{twin: {{id: {ids[0]}}}, other: {{id: {ids[1]}}}}}")
    assert outcome.changes == ["> group/other (was twin)"]


def _twins(account: Account) -> list[str]:
    ids = [account.send("POST", "/groups", {"name": name})["id"] for name in ("twin", "other")]
    account.send("PUT", f"/groups/{ids[1]}", {"name": "twin"})
    return ids


def test_a_group_that_shares_its_name_is_not_deleted_while_something_undeclared_needs_it(account: Account) -> None:
    first, second = _twins(account)
    rule = {"name": "p", "enabled": True, "action": "accept", "protocol": "all", "bidirectional": False}
    rule |= {"sources": [second], "destinations": [second]}
    account.send("POST", "/policies", {"name": "p", "enabled": True, "rules": [rule]})
    owned = FULL + f"groups: {{twin: {{id: {first}}}}}\n"
    outcome = account.apply(owned)
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (5, "NBS406", [])
    assert second in outcome.error.message
    moved = account.applied(owned + "policies: {p: {from: twin, to: twin, allow: all}}")
    assert moved.changes[-2:] == ["~ policy/p (from, to)", "- group/twin"]


def test_objects_in_networks_that_share_a_name_are_those_of_the_declared_one(account: Account) -> None:
    ids = [account.send("POST", "/networks", {"name": "twin"})["id"] for _ in range(2)]
    group = account.send("POST", "/groups", {"name": "gw"})["id"]
    for identifier in ids:
        body = {"peer_groups": [group], "metric": 9999, "masquerade": True, "enabled": True}
        account.send("POST", f"/networks/{identifier}/routers", body)
    outcome = account.applied(FULL + f"networks: {{twin: {{id: {ids[1]}, routers: [{{peer_groups: [gw]}}]}}}}")
    assert outcome.writes == [f"DELETE /api/networks/{ids[0]}"]


def test_an_id_that_no_live_object_has_is_an_error(account: Account) -> None:
    outcome = account.plan("groups: {▸a: {id: nothing}}")
    assert (outcome.exit_code, outcome.error.code) == (3, "NBS203")
    assert "no live group has the id nothing" in outcome.error.message


def test_two_declared_objects_cannot_have_one_id(account: Account) -> None:
    identifier = account.send("POST", "/groups", {"name": "a"})["id"]
    outcome = account.plan(f"groups: {{b: {{id: {identifier}}}, ▸c: {{id: {identifier}}}}}")
    assert (outcome.exit_code, outcome.error.code, outcome.error.address) == (3, "NBS202", "group/c")
    assert outcome.error.message == f"group/c and group/b have the same id {identifier}"


def test_the_group_of_all_peers_gets_no_other_name(account: Account) -> None:
    identifier = account.named("/groups", "All")["id"]
    for text in (f"groups: {{everybody: {{id: {identifier}}}}}", "groups: {everybody: {previously: All}}"):
        outcome = account.plan(text)
        assert (outcome.exit_code, outcome.error.code) == (3, "NBS204")
        assert "it can be used, not declared" in outcome.error.message


def test_an_id_with_another_name_cannot_rename_where_the_server_cannot(account: Account) -> None:
    user = account.send("POST", "/users", {"name": "bot", "role": "user", "auto_groups": [], "is_service_user": True})
    outcome = account.plan(f"service_users: {{robot: {{role: user, id: {user['id']}}}}}")
    assert (outcome.exit_code, outcome.error.code) == (3, "NBS206")
    assert "is called 'bot', and NetBird cannot rename it" in outcome.error.message


def test_ignored_fields_are_never_compared_and_never_written_but_used_on_create(account: Account) -> None:
    text = "networks: {n: {description: mine, ignore: [description]}}"
    assert account.applied(text).changes == ["+ network/n"]
    network = account.named("/networks", "n")
    assert network["description"] == "mine"
    account.send("PUT", f"/networks/{network['id']}", {"name": "n", "description": "theirs"})
    assert account.plan(text).changes == []
    account.applied("networks: {m: {description: other, ignore: [description], previously: n}}")
    assert account.named("/networks", "m")["description"] == "theirs"


def test_ignored_sections_are_left_alone_once_the_object_is_there(account: Account) -> None:
    text = "manage: {networks: full}\nnetworks: {n: {ignore: [resources], resources: {r: {address: a.example}}}}"
    account.applied(text)
    network = account.named("/networks", "n")
    account.send(
        "POST",
        f"/networks/{network['id']}/resources",
        {"name": "s", "address": "10.0.0.1", "enabled": True, "groups": []},
    )
    account.send("DELETE", f"/networks/{network['id']}/resources/{network['resources'][0]}")
    assert account.plan(text).changes == []


def test_a_group_of_the_identity_provider_can_be_referred_to_but_not_declared(account: Account) -> None:
    group = account.send("POST", "/groups", {"name": "staff"})
    row = account.row("groups", group["id"])
    account.store("groups", {**row, "issued": "jwt"})
    assert account.plan("groups: {a: }\npolicies: {p: {from: staff, to: a, allow: all}}").exit_code == 0
    assert account.plan(FULL + "groups: {a: }").changes == ["+ group/a"]
    outcome = account.plan("groups: {▸staff: }")
    assert (outcome.exit_code, outcome.error.code, outcome.error.place) == (3, "NBS204", "nbsync.yaml:2:10")
    assert "the identity provider keeps this group" in outcome.error.message


def test_a_policy_of_temporary_access_can_be_neither_declared_nor_pruned(account: Account) -> None:
    name = "Temporary access policy for peer db"
    account.applied("groups: {a: }\npolicies: {p: {from: a, to: a, allow: all}}")
    policy = account.named("/policies", "p")
    account.store("policies", {**account.row("policies", policy["id"]), "name": name})
    outcome = account.plan(FULL + "policies: {}", "--allow-empty", "policies")
    assert [change for change in outcome.changes if "Temporary" in change] == []
    outcome = account.plan(f"policies: {{{name}: {{from: a, to: a, allow: all}}}}")
    assert (outcome.exit_code, outcome.error.code) == (3, "NBS204")


def test_a_policy_with_several_rules_can_be_left_or_deleted_but_not_declared(account: Account) -> None:
    account.applied("groups: {a: }\npolicies: {p: {from: a, to: a, allow: all}}")
    row = account.row("policies", account.named("/policies", "p")["id"])
    account.store("policies", {**row, "rules": [row["rules"][0], {**row["rules"][0], "id": "second"}]})
    outcome = account.plan("policies: {▸p: {from: a, to: a, allow: all}}")
    assert (outcome.exit_code, outcome.error.code, outcome.error.place) == (3, "NBS205", "nbsync.yaml:2:12")
    assert "has 2 rules" in outcome.error.message
    assert "declare one policy per rule under new names" in outcome.error.help
    assert account.plan("policies: {q: {from: a, to: a, allow: all}}").changes == ["+ policy/q"]
    full = "manage: {policies: full}\npolicies: {q: {from: a, to: a, allow: all}}"
    assert sorted(account.applied(full).changes) == ["+ policy/q", "- policy/Default", "- policy/p"]


def test_a_policy_that_drops_ssh_can_be_left_but_not_declared(account: Account) -> None:
    account.applied("groups: {a: }\npolicies: {p: {from: a, to: a, ssh: {a: [root]}}}")
    row = account.row("policies", account.named("/policies", "p")["id"])
    account.store("policies", {**row, "rules": [{**row["rules"][0], "action": "drop"}]})
    outcome = account.plan("policies: {p: {from: a, to: a, ssh: {a: [root]}}}")
    assert (outcome.exit_code, outcome.error.code) == (3, "NBS205")
    assert "drops NetBird SSH" in outcome.error.message
    assert account.plan("groups: {a: }\npolicies: {}").exit_code == 0


def test_an_id_keeps_entries_of_lists_whatever_their_identity_becomes(account: Account) -> None:
    text = "groups: {a: , b: }\nmanage: {default: full}\nnetworks: {n: {routers: [{peer_groups: [%s]%s}]}}\nroutes: {%s: [{network: 10.0.0.0/8, groups: [a], peer_groups: [%s]%s}]}"
    account.applied(text % ("a", "", "r", "a", ""))
    router, route = account.read("/networks/routers")[0]["id"], account.read("/routes")[0]["id"]
    outcome = account.applied(text % ("b", f", id: {router}", "s", "b", f", id: {route}"))
    assert outcome.changes == ["~ network_router/n/groups:b (peer_groups)", "> route/s/groups:b (was r/groups:a)"]
    assert (account.read("/networks/routers")[0]["id"], account.read("/routes")[0]["id"]) == (router, route)
    assert account.plan(text % ("b", "", "s", "b", "")).changes == []


def test_one_live_object_cannot_be_two(account: Account) -> None:
    account.applied("groups: {a: }")
    identifier = account.named("/groups", "a")["id"]
    outcome = account.plan(f"groups: {{x: {{id: {identifier}}}, y: {{id: {identifier}}}}}")
    assert (outcome.exit_code, outcome.error.code) == (3, "NBS202")
    assert f"group/y and group/x have the same id {identifier}" in outcome.error.message


def test_of_two_with_one_earlier_name_the_first_gets_the_object(account: Account) -> None:
    account.applied("groups: {a: }")
    assert account.plan("groups: {x: {previously: a}, y: {previously: a}}").changes == [
        "> group/x (was a)",
        "+ group/y",
    ]
