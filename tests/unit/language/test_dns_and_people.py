"""DNS, setup keys, service users, people, machines and the account: what may be said, and what may not."""

from __future__ import annotations

import pytest

from tests.unit.language.conftest import Check

MISSING, TYPE, INVALID = "NBS111", "NBS112", "NBS113"
LONG = "n" * 41


def servers(text: str) -> str:
    """A nameserver group with these servers."""
    return f"dns: {{nameservers: {{n: {{servers: {text}, groups: [a], primary: true}}}}}}"


def record(text: str) -> str:
    """A zone with one label."""
    return f"dns: {{zones: {{x.y: {{groups: [a], records: {{{text}}}}}}}}}"


def key(text: str) -> str:
    """A reusable setup key."""
    return f"setup_keys: {{k: {{type: reusable, {text}}}}}"


def token(lifetime: str) -> str:
    """A token, with a mark at its lifetime."""
    return f"service_users: {{s: {{role: user, tokens: {{t: {{expires_in: ▸{lifetime}}}}}}}}}"


DNS = {
    "no servers": (
        "dns: {nameservers: {▸n: {servers: [], groups: [a], primary: true}}}",
        "0 servers are given",
        "1 to 3",
    ),
    "four servers": (
        "dns: {nameservers: {▸n: {servers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4], groups: [a], primary: true}}}",
        "4 servers are given",
        "1 to 3",
    ),
    "an IPv4 address as an IPv6 one": (
        record("a: {AAAA: ▸'::ffff:1.2.3.4'}"),
        "is an IPv4 address in the form of IPv6",
        "write it under A: 1.2.3.4",
    ),
    "a key that lasts longer than the server can count": (
        key("expires_in: ▸106752d"),
        "'106752d' is longer than a setup key can last",
        "write never",
    ),
    "a server by name": (servers("[▸dns.example]"), "'dns.example' is not a nameserver", "[fd00::53]:5353"),
    "port 0 of a server": (servers("[▸'1.1.1.1:0']"), "'1.1.1.1:0' is not a nameserver", "10.20.0.53:5353"),
    "port 65536 of a server": (servers("[▸'1.1.1.1:65536']"), "is not a nameserver", "10.20.0.53:5353"),
    "a word for a port": (servers("[▸'1.1.1.1:dns']"), "is not a nameserver", "10.20.0.53:5353"),
    "a port with a space": (servers("[▸'1.1.1.1: 53']"), "is not a nameserver", "10.20.0.53:5353"),
    "a port in other digits": (servers("[▸'1.1.1.1:٥٣']"), "is not a nameserver", "10.20.0.53:5353"),
    "a bracket that is not closed": (servers("[▸'[fd00::1']"), "'[fd00::1' is not a nameserver", "[fd00::53]:5353"),
    "brackets around IPv4": (servers("[▸'[1.1.1.1]:53']"), "'[1.1.1.1]:53' is not a nameserver", "10.20.0.53"),
    "a server with a zone": (servers("[▸'fe80::1%eth0']"), "is not a nameserver", "10.20.0.53"),
    "neither primary nor domains": (
        "dns: {nameservers: {▸n: {servers: [1.1.1.1], groups: [a]}}}",
        "exactly one of primary: true and domains is needed",
        "every domain",
    ),
    "primary and domains": (
        "dns: {nameservers: {▸n: {servers: [1.1.1.1], groups: [a], primary: true, domains: [x.y]}}}",
        "exactly one of primary: true and domains is needed",
        "every domain",
    ),
    "primary with search domains": (
        "dns: {nameservers: {▸n: {servers: [1.1.1.1], groups: [a], primary: true, search_domains_enabled: true}}}",
        "has no search domains",
        "leave search_domains_enabled out",
    ),
    "nameservers for nobody": (
        "dns: {nameservers: {▸n: {servers: [1.1.1.1], groups: [], primary: true}}}",
        "groups is empty",
        "at least one group",
    ),
    "a wildcard among domains": (
        "dns: {nameservers: {n: {servers: [1.1.1.1], groups: [a], domains: [▸'*.x']}}}",
        "'*.x' is not a domain name",
        "corp.example.com",
    ),
    "a long name of nameservers": (
        f"dns: {{nameservers: {{▸{LONG}: {{servers: [1.1.1.1], groups: [a], primary: true}}}}}}",
        "is too long",
        "1 to 40 characters",
    ),
    "a zone for nobody": ("dns: {zones: {▸x.y: {groups: []}}}", "groups is empty", "at least one group"),
    "a zone with a dot at the end": ("dns: {zones: {▸x.y.: {groups: [a]}}}", "is not a domain name", "without dot"),
    "a label without records": (record("▸w: {}"), "the label has no record", "A, AAAA or CNAME"),
    "a label with nothing": (record("▸w: "), "the label has no record", "A, AAAA or CNAME"),
    "a CNAME beside an address": (record("▸w: {CNAME: a.b, A: 10.0.0.1}"), "has no other records", "keep either"),
    "an IPv6 address as A": (record("w: {A: ▸'fd00::1'}"), "'fd00::1' is not an IPv4 address", "10.20.0.9"),
    "an IPv4 address as AAAA": (record("w: {AAAA: ▸10.0.0.1}"), "'10.0.0.1' is not an IPv6 address", "fd00::9"),
    "a mistyped A": (record("w: {A: [10.0.0.1, ▸10.0.0.256]}"), "'10.0.0.256' is not an IPv4 address", "10.20.0.9"),
    "a mistyped A with a time to live": (record("w: {A: {value: ▸10.0.0, ttl: 1}}"), "'10.0.0' is not", "10.20.0.9"),
    "no A": (record("w: {A: ▸[]}"), "the list is empty", "leave the key out"),
    "a negative time to live": (record("w: {A: 10.0.0.1, ttl: ▸-1}"), "'-1' is out of range", "at least 0"),
    "a CNAME with a dot at the end": (record("w: {CNAME: ▸a.b.}"), "'a.b.' is not a domain name", "without dot"),
    "a label with a space": (record("▸'a b': {A: 10.0.0.1}"), "'a b' is not a domain name", "corp.example.com"),
    "half a wildcard": (record("▸'*w': {A: 10.0.0.1}"), "'*w' is not a domain name", "corp.example.com"),
}
KEYS = {
    "an unknown type of key": ("setup_keys: {k: {type: ▸once}}", "'once' is not possible here", "reusable, one-off"),
    "a negative limit": (key("usage_limit: ▸-1"), "usage_limit -1 is negative", "0 is no limit"),
    "a limit of a one-off key": (
        "setup_keys: {▸k: {type: one-off, usage_limit: 2}}",
        "is used once",
        "make the key reusable",
    ),
    "All for the peers of a key": (key("auto_groups: ▸[a, All]"), "All may not stand in auto_groups", "leave it out"),
    "a service user who owns the account": (
        "service_users: {s: {role: ▸owner}}",
        "'owner' is not possible",
        "admin, user, auditor",
    ),
    "a role in capitals": (
        "service_users: {s: {role: ▸Admin}}",
        "'Admin' is not possible here",
        "network_admin, billing_admin",
    ),
    "All for a service user": (
        "service_users: {s: {role: user, auto_groups: ▸[All]}}",
        "All may not stand",
        "leave it out",
    ),
    "a token of half a day": (token("12h"), "'12h' is not a lifetime of a token", "1d to 365d"),
    "a token of a day and a half": (token("1d12h"), "'1d12h' is not a lifetime of a token", "whole days"),
    "a token of 366 days": (token("366d"), "'366d' is not a lifetime of a token", "1d to 365d"),
    "a person without an address": ("users: {▸ana: {}}", "'ana' is not an e-mail address", "by their e-mail"),
    "an address with a space": ("users: {▸'ana @acme.io': {}}", "is not an e-mail address", "by their e-mail"),
    "an unknown role": ("users: {a@x.y: {role: ▸boss}}", "'boss' is not possible here", "owner, admin, user"),
    "All for a person": ("users: {a@x.y: {auto_groups: ▸[All]}}", "All may not stand in auto_groups", "leave it out"),
    "an invitation without a name": ("users: {▸a@x.y: {invite: true}}", "an invited person needs a name", "FIRST LAST"),
    "an empty name": ("users: {a@x.y: {invite: true, name: ▸''}}", "a name cannot be empty", "write a name"),
    "an IPv6 address as ip": ("peers: {p: {ip: ▸'fd00::1'}}", "'fd00::1' is not an IPv4 address", "10.20.0.9"),
    "an IPv4 address as ipv6": ("peers: {p: {ipv6: ▸10.0.0.1}}", "'10.0.0.1' is not an IPv6 address", "fd00::9"),
    "a network as ip": ("peers: {p: {ip: ▸10.0.0.1/32}}", "'10.0.0.1/32' is not an IPv4 address", "10.20.0.9"),
    "a login of half an hour": (
        "account: {peer_login_expiration: ▸30m}",
        "'30m' is not a login expiration",
        "1h and 180d",
    ),
    "a login of 181 days": (
        "account: {peer_login_expiration: ▸181d}",
        "'181d' is not a login expiration",
        "1h and 180d",
    ),
    "an address as a range": ("account: {network_range: ▸100.64.0.1}", "'100.64.0.1' is not a network", "CIDR"),
    "an IPv6 range for IPv4": ("account: {network_range: ▸'fd00::/64'}", "'fd00::/64' is not an IPv4 network", "/16"),
    "an IPv4 range for IPv6": (
        "account: {network_range_v6: ▸10.0.0.0/8}",
        "'10.0.0.0/8' is not an IPv6 network",
        "/64",
    ),
    "an unknown version to update to": (
        "account: {auto_update_version: ▸newest}",
        "'newest' is not a version",
        "latest, disabled",
    ),
    "a domain with a space": ("account: {dns_domain: ▸'a b'}", "'a b' is not a domain name", "corp.example.com"),
}
REFUSED = {**DNS, **KEYS}


@pytest.mark.parametrize(("text", "message", "advice"), REFUSED.values(), ids=REFUSED)
def test_refused(refused: Check, text: str, message: str, advice: str) -> None:
    (error,) = refused(text)
    assert error.code == INVALID
    assert message in error.message
    assert advice in error.help


REQUIRED = {
    "dns: {nameservers: {▸n: {groups: [a], primary: true}}}": "servers",
    "dns: {nameservers: {▸n: {servers: [1.1.1.1], primary: true}}}": "groups",
    "dns: {zones: {▸x.y: }}": "groups",
    "dns: {zones: {x.y: {groups: [a], records: {w: {A: ▸{ttl: 5}}}}}}": "value",
    "setup_keys: {▸k: }": "type",
    "service_users: {▸s: {}}": "role",
    "service_users: {s: {role: user, tokens: {▸t: }}}": "expires_in",
}


@pytest.mark.parametrize(("text", "field"), REQUIRED.items())
def test_required(refused: Check, text: str, field: str) -> None:
    (error,) = refused(text)
    assert (error.code, error.message) == (MISSING, f"'{field}' is missing")


@pytest.mark.parametrize(
    "text",
    [
        servers("['[fd00::1]:5353', 'fd00::2', '10.0.0.1:53']"),
        servers("['[fd00::1]', 10.0.0.1]"),
        "dns: {nameservers: {n: {servers: [1.1.1.1], groups: [a], domains: [x.y, z], search_domains_enabled: true}}}",
        "dns: {zones: {x.y: {name: Services, groups: [All], enable_search_domain: true, enabled: false}}}",
        record("'@': {A: 10.0.0.1}, '*': {AAAA: 'fd00::1'}, '*.w': {CNAME: a.b}, _sip._tcp: {CNAME: a.b}"),
        record("w: {A: [10.0.0.1, {value: 10.0.0.2, ttl: 60}], AAAA: {value: 'fd00::1'}, ttl: 0}"),
        key(
            "expires_in: 90d, usage_limit: 5, ephemeral: true, allow_extra_dns_labels: true, auto_groups: [a], revoked: true"
        ),
        "setup_keys: {k: {type: one-off}, l: {type: one-off, usage_limit: 1}}",
        "service_users: {s: {role: billing_admin, auto_groups: [a], blocked: true, tokens: {t: {expires_in: 24h}}}}",
        "users: {a@x.y: {role: owner}, B@x.y: {invite: true, name: B}, c@x.y: }",
        "peers: {p: {ip: 100.64.0.9, ipv6: 'fd00::9', ssh_enabled: true, approval_required: false}, q: }",
        "account: {}",
        "account: {network_range: 100.64.0.0/16, network_range_v6: 'fd00::/64', peer_login_expiration: 1h, dns_domain: ''}",
        "account: {auto_update_version: 0.70.0, dashboard_features: {agent_network: false}, ipv6_enabled_groups: []}",
        "account: {peer_approval_enabled: true, network_traffic_logs_groups: [a], jwt_allow_groups: [x]}",
    ],
)
def test_taken(taken: Check, text: str) -> None:
    taken(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("dns: {zones: {▸Corp.example: {groups: [a]}}}", "the zone 'Corp.example'"),
        (record("▸WWW: {A: 10.0.0.1}"), "the label 'WWW'"),
        ("dns: {nameservers: {▸n: {servers: [1.1.1.1], groups: [a], domains: [Corp.x]}}}", "the domain 'Corp.x'"),
    ],
)
def test_upper_case_in_dns_is_a_warning(taken: Check, text: str, part: str) -> None:
    (warning,) = taken(text)
    assert warning.code == "NBS304"
    assert warning.message == f"{part} has upper-case letters, and NetBird compares them"
