"""A document in which every field of the language has a value, and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

Json = dict[str, Any]
Path = tuple[Any, ...]

COMMON: Json = {"protect": True, "owner": "netops", "id": "x1"}
EVERYTHING: Json = {
    "version": 1,
    "manage": {"default": "full", "policies": "no-delete", "dns": "full"},
    "guards": {
        "max_delete": {"percent": 10, "count": 5},
        "max_delete_for": {"network_router": {"count": 0, "percent": None}},
        "protect": ["policy/web", "network_*"],
        "keep_admins": 2,
    },
    "vars": {"lab": "10.0.0.0/8", "list": [1, {"a": None}]},
    "unmanaged": ["policy/legacy-*"],
    "groups": {
        "a": {"peers": ["m1", "m2"], "previously": ["b", "c"], "ignore": ["peers"], **COMMON},
        "some": {"peers": {"at_least": ["m1"]}, "previously": "older"},
        "bare": None,
    },
    "posture_checks": {
        "fresh": {
            "description": "x",
            "netbird_version": "0.60.0",
            "os_version": {
                "android": "9",
                "ios": "16.1",
                "macos": "14.0",
                "linux_kernel": "5.15-rc1",
                "windows_kernel": "10",
            },
            "locations": {"allow": ["DE", "AT/Wien"]},
            "network_ranges": {"deny": ["10.0.0.1/8", "fd00::/64"]},
            "processes": [{"linux": "/bin/x", "macos": "/x", "windows": "C:\\x.exe"}],
        }
    },
    "policies": {
        "web": {
            "from": "a",
            "to": ["some", "bare"],
            "allow": ["tcp/443", "tcp/8000-8100"],
            "bidirectional": True,
            "posture": "fresh",
            "enabled": False,
            "description": "x",
        },
        "one": {"from": {"peer": "m1"}, "to": {"resource": "n/host"}, "deny": "all", "posture": ["fresh"]},
        "slash": {"from": "a", "to": {"resource": "x/y", "network": "n"}, "allow": "udp/53"},
        "shell": {"from": {"peer": "m1"}, "to": "a", "ssh": {"a": ["root"], "some": "me"}, "ports": [22, "8000-8100"]},
        "every": {"from": "a", "to": "a", "ssh": True, "ports": "all"},
    },
    "networks": {
        "n": {
            "description": "x",
            "routers": [
                {"peer": "m1", "metric": 1, "masquerade": False, "enabled": True},
                {"peer_groups": ["a", "some"]},
            ],
            "resources": {
                "host": {"address": "10.0.0.1", "groups": ["a"], "enabled": False, "description": "x"},
                "net": {"address": "fd00::/64"},
                "name": {"address": "*.example.com", "previously": "nom"},
            },
        },
        "empty": {"routers": None, "resources": {}},
    },
    "routes": {
        "r": {
            "network": "192.168.0.0/24",
            "peer": "m1",
            "groups": ["a"],
            "access_control_groups": ["some"],
            "metric": 9999,
            "masquerade": True,
            "enabled": True,
            "keep_route": True,
            "skip_auto_apply": True,
            "description": "x",
        },
        "several": [{"domains": ["a.example", "*.b\u00fccher.example"], "peer_groups": ["a"], "groups": ["a"]}],
    },
    "dns": {
        "nameservers": {
            "corp": {
                "servers": ["10.0.0.53", "[fd00::53]:5353", "1.1.1.1:53"],
                "groups": ["a"],
                "domains": ["corp.example"],
                "search_domains_enabled": True,
                "enabled": True,
                "description": "x",
            },
            "all": {"servers": ["9.9.9.9"], "groups": ["a"], "primary": True},
        },
        "zones": {
            "svc.example": {
                "name": "svc",
                "groups": ["a"],
                "enable_search_domain": True,
                "enabled": False,
                "records": {
                    "@": {"A": "10.0.0.1", "ttl": 60},
                    "*.x": {
                        "A": ["10.0.0.1", {"value": "10.0.0.2", "ttl": 5}],
                        "AAAA": [{"value": "fd00::1", "ttl": None}],
                    },
                    "www": {"CNAME": "web.example"},
                    "six": {"AAAA": "fd00::2"},
                },
            }
        },
        "disabled_management_groups": ["a"],
    },
    "setup_keys": {
        "k": {
            "type": "reusable",
            "expires_in": "90d",
            "usage_limit": 3,
            "ephemeral": True,
            "allow_extra_dns_labels": True,
            "auto_groups": ["a"],
            "revoked": True,
        },
        "once": {"type": "one-off", "expires_in": "never"},
    },
    "service_users": {
        "ci": {"role": "network_admin", "auto_groups": ["a"], "blocked": True, "tokens": {"t": {"expires_in": "90d"}}}
    },
    "users": {
        "ana@acme.example": {"role": "admin", "auto_groups": ["a"], "blocked": False},
        "new@acme.example": {"invite": True, "name": "New Person"},
        "bob@acme.example": None,
    },
    "peers": {
        "m1": {
            "ssh_enabled": True,
            "login_expiration_enabled": False,
            "inactivity_expiration_enabled": True,
            "approval_required": False,
            "ip": "100.64.0.1",
            "ipv6": "fd00::9",
        }
    },
    "account": {
        "peer_login_expiration": "12h",
        "peer_inactivity_expiration": "10m",
        "dns_domain": "peers.example",
        "network_range": "100.64.0.0/16",
        "network_range_v6": "fd00:64::/64",
        "auto_update_version": "latest",
        "dashboard_features": {"agent_network": True},
        "jwt_allow_groups": ["x"],
        "jwt_groups_claim_name": "groups",
        "peer_expose_groups": ["a"],
        "peer_approval_enabled": False,
    },
}

ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 22, 101, 9999, 10000, 65536, 2**63, 0.5, [], {}, [None], [[]], {"x": 1}, ["a", "a"]),
    *("", "a", "A", "All", "all", "ALL", "tcp", "tcp/", "tcp/0", "tcp/443", "tcp/65536", "tcp/1-2", "udp/53", "icmp/1", "TCP/443"),
    *("10.0.0.1", "10.0.0.256", "10.0.0.01", "10.0.0.0/8", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0.0/08", "fd00::1", "fd00::/64"),
    *("fd00::/129", "fe80::1%eth0", "fe80::1%eth0/64", "1::2::3", "[fd00::1]:53", "[10.0.0.1]:53", "10.0.0.1:0", "10.0.0.1:65536"),
    *("*.x", "*", "@", "x.y", "x..y", "x.y.", "-x", "x" * 64, "x." + "1", "a b", "a/b", "a/b/c", "/", "x@y", "@y", "x@", "x y@z", "\u00e4.x"),
    *("90d", "0d", "12h", "1d12h", "12h1d", "90", "90D", "never", "Never", "365d", "366d", "180d", "181d", "d", "1.0", "v1", "1.", "1.0-rc", "1.0+b"),
    *("DE", "de", "DEU", "DE/", "DE/Berlin", "full", "Full", "no-delete", "admin", "owner", "reusable", "one-off", "latest"),
    *("$${x", "${", "a${b", "$", "$$", "${x}", "group/x", "group", "g*", "policy/*", "443", "00443", "8000-8100", "22-", "070000"),
    *(["tcp/443", "udp/53"], ["tcp", "tcp/443"], ["tcp", "tcp"], ["all", "all"], [22], ["22"], [True], [0], [65535], ["8000-8100", 443]),
    *({"peer": "m1"}, {"peer": ""}, {"resource": "n/r"}, {"resource": "n"}, {"network": "n"}, {"resource": "r", "network": "n"}),
    *({"resource": "", "network": "n"}, {"resource": "n/r", "network": ""}, {"peer": "m", "resource": "n/r"}, {"at_least": []}, {"at_least": "a"}),
    *({"a": []}, {"a": "x"}, {"": ["x"]}, {"value": "10.0.0.1"}, {"value": "fd00::1", "ttl": 3}, [{"value": "10.0.0.1", "ttl": -1}], {"allow": []}),
    *({"allow": ["DE"], "deny": None}, {"allow": ["DE"], "deny": ["AT"]}, {"macos": None}, {"macos": None, "ios": "1"}, ["All"], ["9.9.9.9"] * 4),
]  # fmt: skip
"""Values that are right in some place and nearly right in others."""


def places(node: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a document below its root."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def at(document: Any, path: Path) -> Any:
    """What stands at a place."""
    for step in path:
        document = document[step]
    return document


def replaced(document: Any, path: Path, value: Any) -> Any:
    """A document with something else at one place."""
    changed = deepcopy(document)
    at(changed, path[:-1])[path[-1]] = deepcopy(value)
    return changed


def removed(document: Any, path: Path) -> Any:
    """A document without what stands at one place."""
    changed = deepcopy(document)
    del at(changed, path[:-1])[path[-1]]
    return changed


def renamed(document: Any, path: Path, key: str) -> Any:
    """A document with another key at one place."""
    changed = deepcopy(document)
    holder = at(changed, path[:-1])
    holder[key] = holder.pop(path[-1])
    return changed


def mutants(document: Any, random: Random, number: int) -> Iterator[Any]:
    """Documents that differ from this one in one place."""
    everywhere = list(places(document))
    keys = sorted({step for path in everywhere for step in path if isinstance(step, str)})
    keys += [one for one in ODD if isinstance(one, str)]
    for _ in range(number):
        path = random.choice(everywhere)
        match random.randrange(4):
            case 0:
                yield removed(document, path)
            case 1 if isinstance(path[-1], str):
                yield renamed(document, path, random.choice(keys))
            case 2 if isinstance(at(document, path), dict):
                yield replaced(document, (*path, random.choice(keys)), random.choice(ODD))
            case _:
                yield replaced(document, path, random.choice(ODD))
