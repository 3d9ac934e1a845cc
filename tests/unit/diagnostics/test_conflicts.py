"""What declared objects say about one another: every rule where it speaks up, and where it must not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.unit.harness import Desk, Finding, marked, with_version

Warned = Callable[[str], list[Finding]]
AROUND = """
groups:
  devs: {peers: [laptop-ana]}
  ops:
  db: {peers: {at_least: [db-1]}}
"""


@pytest.fixture
def warned(desk: Desk) -> Warned:
    """Warnings about conflicts in a valid document, which has a mark at each of them."""

    def warned(text: str) -> list[Finding]:
        outcome = desk.validate(text)
        found = [warning for warning in outcome.warnings if warning.code.startswith("NBS32")]
        _, places = marked(with_version(text))
        assert (outcome.exit_code, outcome.errors) == (0, [])
        assert sorted(one.place for one in found) == sorted(f"nbsync.yaml:{place}" for place in places)
        assert all(one.help and one.address for one in found)
        return found

    return warned


def codes(found: list[Finding]) -> list[str]:
    return [one.code for one in found]


def routes(*lines: str) -> str:
    return "\n".join(["routes:", *(f"  {line}" for line in lines)])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("network: 10.1.0.0/16, groups: [devs]", "network: ▸10.1.0.0/16, groups: [devs, ops]"),
        ("network: 10.1.0.0/16, groups: [All]", "network: ▸10.1.0.0/16, groups: [ops]"),
        ("network: 10.1.0.0/16, groups: [ops]", "network: ▸10.1.0.0/16, groups: [All]"),
        ("network: 10.1.0.9/16, groups: [ops]", "network: ▸10.1.8.0/16, groups: [ops]"),
        ("network: fd00::/64, groups: [ops]", "network: ▸fd00::/64, groups: [ops]"),
        ("network: 0.0.0.0/0, groups: [ops]", "network: ▸0.0.0.0/0, groups: [ops]"),
        ("domains: [a.example, b.example], groups: [ops]", "domains: [c.example, ▸b.example], groups: [ops]"),
    ],
)
def test_one_network_by_two_identifiers_for_one_group(first: str, second: str, warned: Warned) -> None:
    (found,) = warned(routes(f"a: {{peer: gw-1, {first}}}", f"b: {{peer: gw-2, {second}}}"))
    assert found.code == "NBS320"
    assert "under another identifier as well, as route/a/peer:gw-1 (nbsync.yaml:3:3)" in found.message
    assert found.address == "route/b/peer:gw-2"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("network: 10.1.0.0/16, groups: [devs]", "network: 10.1.0.0/16, groups: [ops]"),
        ("network: 10.1.0.0/16, groups: [devs]", "network: 10.2.0.0/16, groups: [devs]"),
        ("network: 10.1.0.0/16, groups: [devs]", "network: 10.1.0.0/16, groups: [devs], enabled: false"),
        ("network: 10.1.0.0/16, groups: [devs], enabled: false", "network: 10.1.0.0/16, groups: [devs]"),
        ("network: 0.0.0.0/0, groups: [devs]", "network: 0.0.0.0/0, groups: [devs], skip_auto_apply: true"),
        ("network: 0.0.0.0/0, groups: [devs], skip_auto_apply: true", "network: 0.0.0.0/0, groups: [devs]"),
        ("network: 0.0.0.0/0, groups: [devs]", "network: 10.1.0.0/16, groups: [devs]"),
        ("network: '::/0', groups: [devs]", "network: 0.0.0.0/0, groups: [devs]"),
        ("network: 10.0.0.0/8, groups: [devs]", "network: '0a00::/16', groups: [devs]"),
        ("domains: [a.example], groups: [devs]", "domains: ['*.a.example'], groups: [devs]"),
        ("network: 10.1.0.0/16, groups: [devs]", "network: 10.1.0.0/16, groups: [devs], ignore: [groups]"),
    ],
)
def test_routes_that_are_not_in_each_others_way(first: str, second: str, warned: Warned) -> None:
    assert warned(routes(f"a: {{peer: gw-1, {first}}}", f"b: {{peer: gw-2, {second}}}")) == []


def test_routes_of_one_identifier_stand_in_for_one_another(warned: Warned) -> None:
    one = "{peer: gw-%d, network: 10.1.0.0/16, groups: [devs]}"
    assert warned(routes(f"a: [{one % 1}, {one % 2}, {one % 3}]")) == []
    found = warned(routes(f"a: [{one % 1}, {one % 2}]", "b: {peer: gw-3, network: ▸10.1.0.0/16, groups: [devs]}"))
    assert codes(found) == ["NBS320"]


def test_every_further_identifier_is_told(warned: Warned) -> None:
    text = routes(
        "a: {peer: gw-1, network: 10.1.0.0/16, groups: [devs]}",
        "b: {peer: gw-2, network: ▸10.1.0.0/16, groups: [devs]}",
        "c: {peer: gw-3, network: ▸10.1.0.0/16, groups: [devs]}",
    )
    assert codes(warned(text)) == ["NBS320", "NBS320"]


@pytest.mark.parametrize(
    ("inner", "outer"),
    [("10.1.2.0/24", "10.1.0.0/16"), ("10.1.2.3/32", "10.0.0.0/8"), ("fd00::1:0/112", "fd00::/64")],
)
@pytest.mark.parametrize("groups", [("devs", "devs, ops"), ("All", "devs"), ("devs", "All")])
def test_a_network_inside_another_for_one_group(
    inner: str, outer: str, groups: tuple[str, str], warned: Warned
) -> None:
    narrow = f"b: {{peer: gw-2, network: ▸'{inner}', groups: [{groups[0]}]}}"
    wide = f"a: {{peer: gw-1, network: '{outer}', groups: [{groups[1]}]}}"
    for lines in ((narrow, wide), (wide, narrow)):
        (found,) = warned(routes(*lines))
        assert (found.code, found.address) == ("NBS321", "route/b/peer:gw-2")
        assert f"as part of {outer} as well, by route/a/peer:gw-1 (nbsync.yaml:" in found.message


def test_the_nearest_network_around_is_named_once(warned: Warned) -> None:
    text = routes(
        "a: {peer: gw-1, network: 10.0.0.0/8, groups: [devs]}",
        "b: {peer: gw-1, network: ▸10.1.0.0/16, groups: [devs]}",
        "c: {peer: gw-1, network: ▸10.1.2.0/24, groups: [devs]}",
        "d: {peer: gw-1, network: 10.2.0.0/16, groups: [ops]}",
    )
    assert [(one.address, "of 10.1.0.0/16" in one.message) for one in warned(text)] == [
        ("route/b/peer:gw-1", False),
        ("route/c/peer:gw-1", True),
    ]


def nameservers(*lines: str) -> str:
    return "\n".join(["dns:", "  nameservers:", *(f"    {line}" for line in lines)])


def test_two_nameserver_groups_for_one_domain_and_group(warned: Warned) -> None:
    text = nameservers(
        "a: {servers: [10.0.0.1], domains: [x.example, y.example], groups: [devs]}",
        "b: {servers: [10.0.0.2], domains: [▸y.example, z.example], groups: [ops, devs]}",
        "c: {servers: [10.0.0.3], domains: [y.example], groups: [sales]}",
        "d: {servers: [10.0.0.3], domains: [▸z.example], groups: [All]}",
        "e: {servers: [10.0.0.3], domains: [x.example], groups: [devs], enabled: false}",
    )
    found = warned(text)
    assert [(one.code, one.address) for one in found] == [
        ("NBS322", "nameserver_group/b"),
        ("NBS322", "nameserver_group/d"),
    ]
    assert found[0].message.endswith("for 'y.example' as well, those of nameserver_group/a (nbsync.yaml:4:5)")


def test_domains_are_the_same_in_whatever_case_and_a_group_is_not_in_its_own_way(warned: Warned) -> None:
    text = nameservers(
        "a: {servers: [10.0.0.1], domains: [X.example, Y.example, y.example], groups: [devs]}",
        "b: {servers: [10.0.0.1], domains: [▸x.Example], groups: [devs]}",
    )
    assert codes(warned(text)) == ["NBS322"]


def test_two_primary_nameserver_groups_for_one_group(warned: Warned) -> None:
    text = nameservers(
        "a: {servers: [9.9.9.9], primary: true, groups: [devs]}",
        "b: {servers: [9.9.9.9], primary: true, groups: [ops]}",
        "c: {servers: [9.9.9.9], primary: ▸true, groups: [sales, ops]}",
        "d: {servers: [9.9.9.9], domains: [x.example], groups: [devs]}",
    )
    (found,) = warned(text)
    assert (found.code, found.address) == ("NBS323", "nameserver_group/c")
    assert found.message == (
        "the group 'ops' has other primary nameservers as well, those of nameserver_group/b (nbsync.yaml:5:5)"
    )


def two_policies(deny: str, allow: str) -> str:
    """Two policies, and beside them all that they name, so that nothing else is to be said."""
    return f"""{AROUND}
networks:
  dc1: {{resources: {{nas: {{address: 10.0.0.1, groups: [stores]}}}}}}
posture_checks:
  a: {{netbird_version: "1.0"}}
  b: {{netbird_version: "1.0"}}
policies:
  of-all: {{from: [devs, ops], to: [db], allow: udp/1, bidirectional: true, posture: [a, b]}}
  deny: {{{deny}}}
  {allow}
"""


@pytest.mark.parametrize(
    ("allow", "deny"),
    [
        ("from: devs, to: db, allow: tcp/22", "from: devs, to: db, deny: tcp/22"),
        ("from: devs, to: db, allow: tcp/22", "from: [ops, devs], to: [devs, db], deny: tcp/20-30"),
        ("from: devs, to: db, allow: [tcp/22, tcp/23]", "from: devs, to: db, deny: tcp/22-23"),
        ("from: devs, to: db, allow: tcp", "from: devs, to: db, deny: all"),
        ("from: devs, to: db, allow: all", "from: All, to: db, deny: all"),
        ("from: devs, to: db, allow: icmp, bidirectional: true", "from: devs, to: db, deny: icmp, bidirectional: true"),
        ("from: devs, to: db, allow: icmp", "from: devs, to: db, deny: icmp, bidirectional: true"),
        ("from: devs, to: db, allow: udp, posture: [a, b]", "from: devs, to: db, deny: udp, posture: b"),
        ("from: devs, to: {peer: db-1}, allow: tcp/22", "from: devs, to: {peer: db-1}, deny: tcp"),
        ("from: devs, to: {peer: db-1}, allow: tcp/22", "from: devs, to: db, deny: tcp"),
        ("from: devs, to: {peer: db-1}, allow: tcp/22", "from: devs, to: All, deny: tcp"),
        ("from: {peer: laptop-ana}, to: db, allow: tcp/22", "from: devs, to: db, deny: tcp"),
        ("from: devs, to: {resource: dc1/nas}, allow: tcp/22", "from: devs, to: stores, deny: tcp"),
        ("from: devs, to: {resource: dc1/nas}, allow: tcp/22", "from: devs, to: {resource: dc1/nas}, deny: tcp/22"),
        ("from: devs, to: db, allow: tcp/22", "from: devs, to: All, deny: tcp"),
        ("from: devs, to: db, ssh: {devs: root}", "from: devs, to: db, deny: tcp"),
        ("from: devs, to: db, ssh: {devs: root}", "from: devs, to: db, deny: [tcp/22, tcp/22022]"),
        ("from: devs, to: db, ssh: {devs: root}, ports: [2222]", "from: devs, to: db, deny: tcp/2222"),
    ],
)
def test_an_allow_that_a_deny_makes_void(allow: str, deny: str, warned: Warned) -> None:
    (found,) = warned(two_policies(deny, f"▸allow: {{{allow}}}"))
    assert (found.code, found.address) == ("NBS324", "policy/allow")
    assert found.message.startswith("the policy allows nothing: all of it is denied by policy/deny (nbsync.yaml:")


@pytest.mark.parametrize(
    ("allow", "deny"),
    [
        ("from: devs, to: db, allow: tcp/22", "from: devs, to: db, deny: tcp/22, enabled: false"),
        ("from: devs, to: db, allow: tcp/22, enabled: false", "from: devs, to: db, deny: tcp/22"),
        ("from: devs, to: db, allow: tcp/22-24", "from: devs, to: db, deny: tcp/22-23"),
        ("from: devs, to: db, allow: tcp", "from: devs, to: db, deny: tcp/1-65000"),
        ("from: devs, to: db, allow: all", "from: devs, to: db, deny: tcp"),
        ("from: devs, to: db, allow: tcp/22", "from: devs, to: db, deny: udp/22"),
        ("from: [devs, ops], to: db, allow: tcp/22", "from: devs, to: db, deny: tcp/22"),
        ("from: devs, to: [db, ops], allow: tcp/22", "from: devs, to: db, deny: tcp/22"),
        ("from: db, to: devs, allow: tcp/22", "from: devs, to: db, deny: tcp/22, bidirectional: true"),
        ("from: devs, to: db, allow: icmp, bidirectional: true", "from: devs, to: db, deny: icmp"),
        ("from: devs, to: db, allow: icmp", "from: devs, to: db, deny: icmp, posture: a"),
        ("from: devs, to: db, allow: icmp, posture: b", "from: devs, to: db, deny: icmp, posture: [a, b]"),
        ("from: {peer: laptop-ana}, to: db, allow: udp, posture: a", "from: devs, to: db, deny: udp, posture: a"),
        ("from: All, to: db, allow: tcp/22", "from: devs, to: db, deny: all"),
        ("from: devs, to: stores, allow: tcp/22", "from: devs, to: All, deny: all"),
        ("from: devs, to: {resource: dc1/nas}, allow: tcp/22", "from: devs, to: All, deny: all"),
        ("from: devs, to: {resource: dc1/nas}, allow: tcp/22", "from: devs, to: db, deny: all"),
        ("from: devs, to: {peer: db-2}, allow: tcp/22", "from: devs, to: db, deny: all"),
        ("from: devs, to: db, allow: tcp/22", "from: devs, to: {peer: db-1}, deny: all"),
        ("from: devs, to: db, ssh: {devs: root}", "from: devs, to: db, deny: tcp/22"),
        ("from: devs, to: db, ssh: {devs: root}, ports: all", "from: devs, to: db, deny: tcp/1-65535"),
        ("from: devs, to: db, deny: tcp/22", "from: devs, to: db, deny: all"),
        ("from: devs, to: db, allow: tcp/22", "from: devs, to: db, deny: all, ignore: [deny]"),
    ],
)
def test_an_allow_that_still_lets_something_through(allow: str, deny: str, warned: Warned) -> None:
    assert warned(two_policies(deny, f"other: {{{allow}}}")) == []


def test_all_peers_cover_a_group_only_where_the_files_show_that_no_resource_is_in_it(warned: Warned) -> None:
    text = f"{AROUND}policies:\n  deny: {{from: All, to: All, deny: all}}\n  allow: {{from: [devs, ops], to: db, allow: all}}\n"
    assert warned(text) == []
    assert codes(warned(text.replace("  allow", "  ▸allow") + "networks: {dc1: {resources: {}}}\n")) == ["NBS324"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("from: devs, to: db, allow: tcp/1", "from: [devs], to: [db], allow: [tcp/1], description: other"),
        ("from: [ops, devs], to: db, allow: [tcp/1, tcp/2]", "from: [devs, ops], to: db, allow: tcp/1-2"),
        ("from: devs, to: db, deny: all, enabled: false", "from: devs, to: db, deny: all, enabled: false"),
        ("from: {peer: p}, to: db, ssh: {ops: [a, b]}", "from: {peer: p}, to: db, ssh: {ops: [b, a]}, ports: [22]"),
    ],
)
def test_two_policies_that_say_the_same(one: str, other: str, warned: Warned) -> None:
    (found,) = warned(f"policies:\n  one: {{{one}}}\n  ▸other: {{{other}}}\n")
    assert (found.code, found.address) == ("NBS325", "policy/other")
    assert found.message == "the policy says the same as policy/one (nbsync.yaml:3:3)"


@pytest.mark.parametrize(
    "other",
    [
        "from: devs, to: db, allow: tcp/2",
        "from: devs, to: db, allow: udp/1",
        "from: devs, to: db, deny: tcp/2",
        "from: devs, to: db, allow: tcp/1, enabled: false",
        "from: devs, to: db, allow: tcp/1, bidirectional: true",
        "from: devs, to: db, allow: tcp/1, posture: a",
        "from: db, to: devs, allow: tcp/1",
        "from: devs, to: {peer: db}, allow: tcp/1",
        "from: devs, to: db, ssh: {devs: root}, ports: [1]",
    ],
)
def test_policies_that_differ(other: str, warned: Warned) -> None:
    assert warned(f"policies:\n  one: {{from: devs, to: db, allow: tcp/1}}\n  other: {{{other}}}\n") == []


@pytest.mark.parametrize("other", ["ssh: {devs: root}, ports: [23]", "ssh: {devs: [root, db]}", "ssh: true"])
def test_logins_that_differ(other: str, warned: Warned) -> None:
    one = "one: {from: devs, to: db, ssh: {devs: root}}"
    assert warned(f"policies:\n  {one}\n  other: {{from: devs, to: db, {other}}}\n") == []


@pytest.mark.parametrize("ends", ["from: ▸none, to: db", "from: db, to: ▸none", "from: ▸[none, void], to: db"])
def test_a_policy_with_an_end_that_the_files_leave_empty(ends: str, warned: Warned) -> None:
    text = f"groups:\n  none: {{peers: []}}\n  void: {{peers: []}}\npolicies:\n  p: {{{ends}, allow: all}}\n  q: {{from: void, to: db, allow: udp, enabled: false}}\n"
    (found,) = warned(text)
    assert (found.code, found.address) == ("NBS326", "policy/p")
    assert "'none'" in found.message


@pytest.mark.parametrize(
    "rest",
    [
        "setup_keys:\n  k: {type: reusable, auto_groups: [none]}\n",
        "users:\n  a@b.example: {auto_groups: [none]}\n",
        "service_users:\n  ci: {role: user, auto_groups: [none]}\n",
        "networks:\n  n: {resources: {r: {address: 10.0.0.1, groups: [none]}}}\n",
        "routes:\n  r: {network: 10.0.0.0/8, peer: gw, groups: [db], access_control_groups: [none]}\n",
    ],
)
def test_a_group_that_something_fills_or_guards_is_not_empty(rest: str, warned: Warned) -> None:
    text = "groups:\n  none: {peers: []}\npolicies:\n  p: {from: db, to: none, allow: all}\n"
    assert warned(text + rest) == []


def test_resources_do_not_fill_a_source(warned: Warned) -> None:
    text = "groups:\n  none: {peers: []}\npolicies:\n  p: {from: ▸none, to: db, allow: all}\n"
    assert codes(warned(text + "networks:\n  n: {resources: {r: {address: 10.0.0.1, groups: [none]}}}\n")) == ["NBS326"]


@pytest.mark.parametrize("group", ["", "{peers: {at_least: []}}", "{peers: [p]}", "{peers: [], ignore: [peers]}"])
def test_a_group_that_may_have_members_is_not_empty(group: str, warned: Warned) -> None:
    assert warned(f"groups:\n  maybe: {group}\npolicies:\n  p: {{from: maybe, to: maybe, allow: all}}\n") == []


@pytest.mark.parametrize("end", ["{peer: p}", "live", "[none, live]"])
def test_an_end_with_anything_undeclared_is_not_empty(end: str, warned: Warned) -> None:
    assert (
        warned(
            f"groups:\n  none: {{peers: []}}\npolicies:\n  p: {{from: {end}, to: All, allow: all}}\n  q: {{from: All, to: [none, live], allow: udp}}\n"
        )
        == []
    )


USES = {
    "policy": "  q: {from: x, to: db, allow: all}\n",
    "ssh": "  q: {from: {peer: p}, to: db, ssh: {x: root}}\n",
    "route": "routes:\n  r: {network: 10.0.0.0/8, peer: gw, groups: [x]}\n",
    "guard": "routes:\n  r: {network: 10.0.0.0/8, peer: gw, groups: [db], access_control_groups: [x]}\n",
    "router": "networks:\n  n: {routers: [{peer_groups: [x]}]}\n",
    "nameservers": "dns:\n  nameservers:\n    a: {servers: [9.9.9.9], primary: true, groups: [x]}\n",
    "zone": "dns:\n  zones:\n    a.example: {groups: [x]}\n",
    "dns settings": "dns:\n  disabled_management_groups: [x]\n",
    "account": "account:\n  ipv6_enabled_groups: [x]\n",
}
FILLS = {
    "": "nothing in the files uses the group",
    "setup_keys:\n  k: {type: reusable, auto_groups: [x]}\n": "the group is filled, and nothing in the files uses it",
    "users:\n  a@b.example: {auto_groups: [x]}\n": "the group is filled, and nothing in the files uses it",
    "networks:\n  n: {resources: {r: {address: 10.0.0.1, groups: [x]}}}\n": "the group is filled, and nothing in the files uses it",
}
SOME_POLICY = "policies:\n  p: {from: db, to: db, allow: tcp}\n"


@pytest.mark.parametrize(("fill", "message"), FILLS.items())
def test_a_group_that_is_filled_and_not_used(fill: str, message: str, warned: Warned) -> None:
    (found,) = warned(f"groups:\n  ▸x:\n{SOME_POLICY}{fill}")
    assert (found.code, found.address, found.message) == ("NBS327", "group/x", message)
    assert warned(f"groups:\n  x:\n{fill}") == [], "policies in the dashboard may use it"


def test_members_are_no_use(warned: Warned) -> None:
    (found,) = warned(f"groups:\n  ▸x: {{peers: [a]}}\n{SOME_POLICY}")
    assert found.message.startswith("the group is filled")


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_group_that_is_used(use: str, warned: Warned) -> None:
    assert warned(f"groups:\n  x:\n{SOME_POLICY}{use}") == []


def test_nothing_is_said_of_what_is_left_alone(warned: Warned) -> None:
    assert warned(f"unmanaged: [group/*]\ngroups:\n  x:\n{SOME_POLICY}") == []


def test_a_posture_check_that_no_policy_names(warned: Warned) -> None:
    checks = 'posture_checks:\n  {}a: {{netbird_version: "1.0"}}\n  b: {{netbird_version: "1.0"}}\n'
    policies = "policies:\n  p: {from: db, to: db, allow: tcp, posture: b}\n"
    (found,) = warned(checks.format("▸") + policies)
    assert (found.code, found.address) == ("NBS328", "posture_check/a")
    assert warned(checks.format("")) == []
    assert warned(checks.format("") + policies.replace("posture: b", "posture: [a, b]")) == []


def test_conflicts_of_overlays_count(desk: Desk) -> None:
    desk.write("version: 1\ngroups:\n  x:\npolicies:\n  p: {from: x, to: db, allow: all}\n")
    desk.write("remove: [policy/p]\n", "over.yaml")
    outcome = desk.nbsync("validate", "nbsync.yaml", "--overlay", "over.yaml", "-o", "json")
    assert codes(outcome.warnings) == ["NBS327"]


def test_plan_says_nothing_of_conflicts(desk: Desk) -> None:
    desk.write(f"version: 1\ngroups:\n  x:\n{SOME_POLICY}".replace("db", "All"))
    assert desk.nbsync("plan", "--simulate", "-q", "-o", "json").warnings == []


@pytest.mark.parametrize("text", ["groups:\n  x:\n", f"groups:\n  ▸x:\n{SOME_POLICY}"])
def test_strict_makes_warnings_errors(text: str, desk: Desk) -> None:
    lenient, strict = desk.validate(text), desk.validate(text, "--strict")
    assert lenient.exit_code == 0
    assert strict.exit_code == (3 if lenient.warnings else 0)
    assert strict.warnings == []
    assert [(one.code, one.message) for one in strict.errors] == [(one.code, one.message) for one in lenient.warnings]
    infos = [[one for one in outcome.findings if one.severity == "info"] for outcome in (lenient, strict)]
    assert infos[0] == infos[1]
    assert ("The files are valid." in desk.nbsync("validate", "--strict").stdout) == (strict.exit_code == 0)


def test_strict_counts_warnings_beside_errors(desk: Desk) -> None:
    outcome = desk.validate("manage: {routes: full}\ngroups: [x]\n", "--strict")
    assert (outcome.exit_code, codes(outcome.errors)) == (3, ["NBS112", "NBS301"][::-1])
    assert outcome.warnings == []


def test_many_policies_between_the_same_groups_take_no_time(desk: Desk) -> None:
    policies = [f"  p{n}: {{from: a, to: b, {('allow', 'deny')[n % 2]}: tcp/{n + 1}}}" for n in range(4000)]
    before = time.process_time()
    outcome = desk.validate("\n".join(["policies:", *policies]))
    assert outcome.warnings == []
    assert time.process_time() - before < 5, "every pair of them was compared"
