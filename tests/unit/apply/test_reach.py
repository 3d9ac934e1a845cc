"""The judge of access is right about what NetBird's server and clients make of policies, resources and routes."""

from __future__ import annotations

import pytest

from tests.unit.apply.drawn_access import MACHINES, POINTS
from tests.unit.apply.reach import FULL, reach
from tests.unit.harness import Account

HEAD = "manage: {policies: full}\ngroups: {a: {peers: [m1]}, b: {peers: [m2]}, gate: {peers: [m4]}}\n"
HOST, NET = "10.0.0.1/32", "192.168.1.1/32"
RESOURCE = "networks: {n: {routers: [{peer: m4}], resources: {r: {address: 10.0.0.1, groups: [b]}}}}\n"
WIDE = "networks: {n: {routers: [{peer: m4}], resources: {r: {address: 10.0.0.0/16, groups: [b]}, s: {address: 10.0.0.1}}}}\n"
ROUTE = "routes: {i: {network: 192.168.1.0/24, peer: m4, groups: [a]%s}}\n"
OLD = "posture_checks: {c: {netbird_version: 0.55.0}}\n"

CASES = {
    "one way": ("policies: {p: {from: a, to: b, allow: tcp/443}}", {"m1 m2 tcp/443"}),
    "both ways": ("policies: {p: {from: a, to: b, allow: icmp, bidirectional: true}}", {"m1 m2 icmp", "m2 m1 icmp"}),
    "off": ("policies: {p: {from: a, to: b, allow: icmp, enabled: false}}", set()),
    "a deny beats all that allows": (
        "policies: {p: {from: a, to: b, allow: [tcp/443, tcp/22]}, q: {from: a, to: b, deny: tcp/22}}",
        {"m1 m2 tcp/443"},
    ),
    "ssh opens the port of the daemon as well": (
        "policies: {p: {from: a, to: b, ssh: {a: [root]}}}",
        {"m1 m2 tcp/22", "m1 m2 tcp/22022"},
    ),
    "who does not pass is no source": (OLD + "policies: {p: {from: a, to: b, allow: icmp, posture: c}}", set()),
    "a single peer is not asked by peers": (
        OLD + "policies: {p: {from: {peer: m1}, to: b, allow: icmp, posture: c}}",
        {"m1 m2 icmp"},
    ),
    "a single peer is asked by gateways": (
        OLD + RESOURCE + "policies: {p: {from: {peer: m1}, to: {resource: n/r}, allow: icmp, posture: c}}",
        set(),
    ),
    "a resource by its group": (
        RESOURCE + "policies: {p: {from: a, to: b, allow: icmp, bidirectional: true}}",
        {"m1 m2 icmp", "m2 m1 icmp", f"m1 {HOST} icmp"},
    ),
    "a deny on a host closes what its network opens": (
        WIDE
        + "policies: {p: {from: a, to: {resource: n/r}, allow: icmp}, q: {from: a, to: {resource: n/s}, deny: icmp}}",
        {"m1 10.0.0.2/32 icmp"},
    ),
    "an open route needs a neighbour, be it by a deny": (
        ROUTE % "" + "policies: {p: {from: a, to: gate, deny: icmp}}",
        {f"m1 {NET} {part}" for part in FULL},
    ),
    "nobody is a neighbour": (ROUTE % "" + "policies: {p: {from: a, to: b, allow: icmp}}", {"m1 m2 icmp"}),
    "a guarded route lets through what names its guard": (
        ROUTE % ", access_control_groups: [b]" + "policies: {p: {from: a, to: [b, gate], allow: icmp}}",
        {f"m1 {NET} icmp", "m1 m2 icmp", "m1 m4 icmp"},
    ),
}


@pytest.mark.parametrize(("text", "facts"), CASES.values(), ids=CASES)
def test_what_is_possible(account: Account, text: str, facts: set[str]) -> None:
    for name, version in MACHINES.items():
        account.join(name, meta={"version": version})
    account.applied(HEAD + text)
    assert {" ".join(fact) for fact in reach(account.read, POINTS).given} == facts


def test_a_routing_peer_stands_in_its_network_and_is_given_nothing(account: Account) -> None:
    account.join(*MACHINES)
    account.applied(HEAD + RESOURCE + "policies: {p: {from: gate, to: b, allow: icmp}}")
    found = reach(account.read, POINTS)
    assert found.given == {("m4", "m2", "icmp")}
    assert found.standing == {("m4", HOST, part) for part in FULL}
