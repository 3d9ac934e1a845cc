"""Posture checks, policies, networks and routes: what may be said, and what may not."""

from __future__ import annotations

import pytest

from tests.unit.language.conftest import Check

MISSING, TYPE, INVALID = "NBS111", "NBS112", "NBS113"


def policy(text: str) -> str:
    """A policy between two groups."""
    return f"policies: {{p: {{from: a, to: b, {text}}}}}"


def check(text: str) -> str:
    """A posture check."""
    return f"posture_checks: {{p: {{{text}}}}}"


def resource(address: str) -> str:
    """A resource with a mark at its address."""
    return f'networks: {{n: {{resources: {{r: {{address: ▸"{address}"}}}}}}}}'


POSTURE = {
    "no check": ("posture_checks: {▸p: {}}", "at least one check", "netbird_version, os_version, locations"),
    "no check but a description": ("posture_checks: {▸p: {description: x}}", "at least one check", "add one of"),
    "a version that is a word": (check("netbird_version: ▸latest"), "'latest' is not a version", '"14.0"'),
    "no operating system": (check("os_version: ▸{}"), "os_version names no system", "macos"),
    "lower case for a country": (check("locations: {allow: [▸de]}"), "'de' is not a country code", "upper-case"),
    "three letters for a country": (check("locations: {deny: [▸DEU]}"), "'DEU' is not a country code", "two"),
    "an empty city": (check("locations: {allow: [▸DE/]}"), "'DE/' has no city", "DE/Berlin"),
    "allow and deny": (check("locations: ▸{allow: [DE], deny: [AT]}"), "exactly one of allow and deny", "under allow"),
    "neither allow nor deny": (check("locations: ▸{}"), "exactly one of allow and deny", "under allow"),
    "an empty list of places": (check("locations: ▸{allow: []}"), "at least one entry", "under allow"),
    "ranges, allowed and denied": (
        check("network_ranges: ▸{allow: [10.0.0.0/8], deny: [10.0.0.0/8]}"),
        "exactly one",
        "deny",
    ),
    "a range without a length": (check("network_ranges: {allow: [▸10.0.0.1]}"), "'10.0.0.1' is not a network", "CIDR"),
    "a range that is too long": (
        check("network_ranges: {deny: [▸10.0.0.0/33]}"),
        "'10.0.0.0/33' is not a network",
        "CIDR",
    ),
    "no process": (check("processes: ▸[]"), "the list is empty", "leave the key out"),
    "a process without a path": (check("processes: [▸{}]"), "at least one path", "linux, macos or windows"),
}
POLICY = {
    "nothing that it does": (
        "policies: {▸p: {from: a, to: b}}",
        "exactly one of allow, deny and ssh is needed, here is none",
        "allow: tcp/443",
    ),
    "allow and deny": (
        "policies: {▸p: {from: a, to: b, allow: all, deny: all}}",
        "here are allow and deny",
        "deny: all",
    ),
    "allow and ssh": (
        "policies: {▸p: {from: a, to: b, allow: all, ssh: true}}",
        "here are allow and ssh",
        "ssh: {GROUP",
    ),
    "two protocols": (
        policy("allow: ▸[tcp/443, udp/53]"),
        "one policy has one protocol, here are tcp and udp",
        "one policy per protocol",
    ),
    "two protocols denied": (
        policy("deny: ▸[icmp, tcp]"),
        "one policy has one protocol, here are icmp and tcp",
        "one rule per policy",
    ),
    "no traffic": (policy("allow: ▸[]"), "the list is empty", "tcp/443"),
    "a port without a protocol": (policy('allow: ▸"443"'), "'443' is not traffic", "tcp/443"),
    "a protocol without its port": (policy("allow: ▸tcp/"), "'tcp/' is not traffic", "udp/8000-8100"),
    "an unknown protocol": (policy("deny: ▸sctp/1"), "'sctp/1' is not traffic", "all, icmp, tcp, udp"),
    "SSH as a protocol": (policy("allow: ▸netbird-ssh"), "'netbird-ssh' is not traffic", "all, icmp, tcp, udp"),
    "a protocol in capitals": (policy("allow: ▸TCP/443"), "'TCP/443' is not traffic", "tcp/443"),
    "port 0": (policy("allow: ▸tcp/0"), "'0' is not a port", "1 to 65535"),
    "port 65536": (policy("allow: ▸udp/65536"), "'65536' is not a port", "1 to 65535"),
    "a range that ends before it begins": (
        policy("allow: ▸tcp/90-80"),
        "'90-80' is not a port",
        "the lower one of a range first",
    ),
    "a range without an end": (policy("allow: ▸tcp/90-"), "'90-' is not a port", "8000-8100"),
    "a service for a port": (policy("allow: ▸tcp/https"), "'https' is not a port", "8000-8100"),
    "ports of icmp": (policy("allow: ▸icmp/8"), "icmp has no ports", "write icmp alone"),
    "ports of everything": (policy("deny: ▸all/80"), "all has no ports", "write all alone"),
    "a bare protocol and a port": (policy("allow: ▸[tcp, tcp/80]"), "tcp alone already means every port", "leave out"),
    "ports without ssh": (
        "policies: {▸p: {from: a, to: b, allow: tcp, ports: [22]}}",
        "ports goes only with ssh",
        "allow: tcp/443",
    ),
    "a source group that ssh leaves out": (
        "policies: {▸p: {from: [a, c], to: b, ssh: {a: [root]}}}",
        "the source group c",
        "a key of ssh",
    ),
    "ssh for nobody": ("policies: {▸p: {from: a, to: b, ssh: {}}}", "ssh names nobody", "ssh: true"),
    "ssh that is off": ("policies: {▸p: {from: a, to: b, ssh: false}}", "ssh: false says nothing", "leave it out"),
    "ssh that is text": (policy("ssh: ▸root"), "ssh is neither a mapping nor true", "ssh: {GROUP: [LOCAL USER]}"),
    "ssh that is a list": (policy("ssh: ▸[root]"), "ssh is neither a mapping nor true", "ssh: true"),
    "a single ssh port without brackets": (
        policy("ssh: true, ports: ▸22"),
        "ports is not a list of ports",
        "ports: [22]",
    ),
    "no ssh port": (policy("ssh: true, ports: ▸[]"), "ports is not a list of ports", "ports: all"),
    "an ssh port out of range": (policy("ssh: true, ports: ▸[0]"), "'0' is not a port", "1 to 65535"),
    "no source": ("policies: {p: {from: ▸[], to: b, allow: all}}", "no group is named", "{peer: NAME}"),
    "a source that is neither peer nor resource": (
        "policies: {p: {from: ▸{group: a}, to: b, allow: all}}",
        "neither a group nor one peer nor one resource",
        "{resource: NETWORK/NAME}",
    ),
    "a resource without its network": (
        "policies: {p: {from: a, to: ▸{resource: nas}, allow: all}}",
        "'nas' does not name one network and one resource",
        "{resource: NETWORK/NAME}",
    ),
    "a resource with too many slashes": (
        "policies: {p: {from: a, to: ▸{resource: dc/1/nas}, allow: all}}",
        "'dc/1/nas' does not name one network and one resource",
        "{resource: NAME, network: NETWORK}",
    ),
    "a resource whose network is a number": (
        "policies: {p: {from: a, to: ▸{resource: nas, network: 5}, allow: all}}",
        "network is not the name of a network",
        "quotes",
    ),
}
ROUTERS = {
    "neither peer nor groups": ("networks: {n: {routers: [▸{}]}}", "exactly one of peer and peer_groups", "peer: NAME"),
    "peer and groups": (
        "networks: {n: {routers: [▸{peer: x, peer_groups: [g]}]}}",
        "exactly one of peer and",
        "peer: NAME",
    ),
    "no groups": ("networks: {n: {routers: [▸{peer_groups: []}]}}", "exactly one of peer and peer_groups", "[NAME]"),
    "a metric of 0": ("networks: {n: {routers: [{peer: x, metric: ▸0}]}}", "metric 0 is out of range", "1 to 9999"),
    "a metric of 10000": ("networks: {n: {routers: [{peer: x, metric: ▸10000}]}}", "metric 10000 is out", "1 to 9999"),
    "a route without a network": ("routes: {▸r: {peer: x, groups: [a]}}", "exactly one of network and domains", "CIDR"),
    "a route with both": (
        "routes: {▸r: {network: 10.0.0.0/8, domains: [a.b], peer: x, groups: [a]}}",
        "exactly one of network and domains",
        "domains: [NAME]",
    ),
    "a route through nobody": ("routes: {▸r: {network: 10.0.0.0/8, groups: [a]}}", "exactly one of peer and", "[NAME]"),
    "a route for nobody": (
        "routes: {▸r: {network: 10.0.0.0/8, peer: x, groups: []}}",
        "groups is empty",
        "at least one",
    ),
    "a route to an address": ("routes: {r: {network: ▸10.0.0.1, peer: x, groups: [a]}}", "is not a network", "CIDR"),
    "a route to no domain": ("routes: {r: {domains: [▸'a b'], peer: x, groups: [a]}}", "'a b' is not a domain", "corp"),
    "a route with a metric of 0": (
        "routes: {r: {network: 10.0.0.0/8, peer: x, groups: [a], metric: ▸0}}",
        "metric 0 is out of range",
        "1 to 9999",
    ),
    "an identifier of 41 characters": (
        f"routes: {{▸{'r' * 41}: {{network: 10.0.0.0/8, peer: x, groups: [a]}}}}",
        "is too long for a route",
        "1 to 40 characters",
    ),
    "a list of no routes": ("routes: {r: ▸[]}", "'r' is an empty list", "give it an entry"),
}
REFUSED = {**POSTURE, **POLICY, **ROUTERS}


@pytest.mark.parametrize(("text", "message", "advice"), REFUSED.values(), ids=REFUSED)
def test_refused(refused: Check, text: str, message: str, advice: str) -> None:
    (error,) = refused(text)
    assert error.code == INVALID
    assert message in error.message
    assert advice in error.help


REQUIRED = {
    "policies: {▸p: {to: b, allow: all}}": "from",
    "policies: {▸p: {from: b, allow: all}}": "to",
    "networks: {n: {resources: {▸r: {}}}}": "address",
    "networks: {n: {resources: {▸r: }}}": "address",
    "routes: {▸r: {network: 10.0.0.0/8, peer: x}}": "groups",
}


@pytest.mark.parametrize(("text", "field"), REQUIRED.items())
def test_required(refused: Check, text: str, field: str) -> None:
    (error,) = refused(text)
    assert (error.code, error.message) == (MISSING, f"'{field}' is missing")
    assert error.help == f"it is required: add {field}"


@pytest.mark.parametrize(
    "address",
    ["10.0.0.256", "10.0.0", "1.2.3.4.5", "10.0.0.0/33", "10.0.0.1-10.0.0.9", "010.0.0.1", "nas.10", "fd00:::1", "fd00::g",
     "fd00:1", "fe80::1%eth0", "https://a.example", "a.example:443", "*", "a.*.example", "*.*.a", "a b", "", "a.example.",
     "-a.example", "a..b"],
)  # fmt: skip
def test_a_mistyped_address_of_a_resource_is_refused(refused: Check, address: str) -> None:
    (error,) = refused(resource(address))
    assert (error.code, error.message) == (INVALID, f"'{address}' is neither an IP address, a CIDR nor a domain")
    assert "10.20.5.10, 10.20.0.0/16, nas.example.com or *.example.com" in error.help


@pytest.mark.parametrize(
    "address",
    ["10.0.0.5", "10.0.0.5/32", "10.0.0.5/24", "fd00::5", "fd00::/64", "nas", "nas.acme.example", "*.acme.example"],
)
def test_addresses_of_resources(taken: Check, address: str) -> None:
    taken(resource(address).replace("▸", ""))


@pytest.mark.parametrize(
    "text",
    [
        policy("allow: all"),
        policy("allow: icmp"),
        policy("deny: tcp"),
        policy("deny: udp/53"),
        policy("allow: [tcp/443, tcp/8000-8100, tcp/443]"),
        policy("allow: tcp, bidirectional: true, enabled: false, posture: p, description: x"),
        policy("allow: tcp, posture: [p, q]"),
        policy("ssh: {a: [root, postgres], elsewhere: root}"),
        policy("ssh: {a: [root]}, ports: [22, 2222, 8000-8100]"),
        "policies: {p: {from: [a, All], to: {peer: x}, allow: all}}",
        "policies: {p: {from: {resource: n/r}, to: {resource: r/1, network: n/1}, allow: all}}",
        "policies: {p: {from: {peer: x}, to: a, ssh: {a: [root]}}}",
        check("netbird_version: 0.60.0"),
        check(
            "os_version: {android: '13', ios: '17', macos: '14.0', linux_kernel: '5.15', windows_kernel: 10.0.22631}"
        ),
        check("processes: [{linux: /a, macos: /b, windows: 'C:\\c.exe'}, {linux: /d}]"),
        check("network_ranges: {deny: [10.0.0.1/8, 'fd00::/64']}"),
        "networks: {n: }",
        "networks: {n: {routers: [{peer: x}, {peer_groups: [g], metric: 1, masquerade: false, enabled: false}]}}",
        "routes: {r: [{network: 10.0.0.0/8, peer: x, groups: [a]}, {network: 10.0.0.0/8, peer: y, groups: [a]}]}",
        "routes: {r: {domains: ['*.Acme.example', bücher.example], peer_groups: [g], groups: [All], keep_route: true}}",
    ],
)
def test_taken(taken: Check, text: str) -> None:
    taken(text)


def test_ssh_for_every_user_is_a_warning(taken: Check) -> None:
    (warning,) = taken("policies: {▸p: {from: a, to: b, ssh: true}}")
    assert (warning.code, warning.message.startswith("ssh: true lets every user")) == ("NBS304", True)


def test_ssh_without_local_users_is_a_warning(taken: Check) -> None:
    (warning,) = taken("policies: {▸p: {from: [a, b], to: b, ssh: {a: [], b: [root]}}}")
    assert warning.message == "ssh: an empty list lets a log in as every local user"


def test_ssh_with_all_ports_is_a_warning(taken: Check) -> None:
    (warning,) = taken("policies: {▸p: {from: a, to: b, ssh: {a: [root]}, ports: all}}")
    assert warning.message == "ports: all opens every TCP port, not only SSH"
