"""The example account: a small company with an office, a data centre and people who travel."""

from typing import Any


def example_account() -> dict[str, Any]:
    """A seed document (see `seed`) with nine peers, people, policies, a network and DNS."""
    return {"users": _USERS, "peers": _PEERS, "groups": ["erp-apps"], "api": [*_ACCESS, *_NETWORK, *_DNS]}


_USERS = [
    {"name": "Ana", "email": "ana@acme.example", "role": "admin", "groups": ["ops"]},
    {"name": "Bob", "email": "bob@acme.example", "role": "user", "groups": ["devs"]},
    {"name": "Cleo", "email": "cleo@acme.example", "role": "user", "groups": ["devs"]},
    {"name": "deploy", "role": "network_admin", "service": True, "groups": ["ci-runners"]},
]

_DEBIAN = {"os": "Debian", "os_version": "12", "version": "0.77.1"}
_MAC = {"goos": "darwin", "os": "Darwin", "os_version": "15.1", "version": "0.77.1", "serial": "C02XK0"}

_PEERS = [
    {"hostname": "gw-1", "groups": ["gateways"], "connected": True, "meta": _DEBIAN},
    {"hostname": "gw-2", "groups": ["gateways"], "connected": True, "meta": _DEBIAN},
    {"hostname": "db-1", "groups": ["db-servers"], "connected": True, "meta": {**_DEBIAN, "ssh": True}},
    {"hostname": "db-2", "groups": ["db-servers"], "meta": {**_DEBIAN, "version": "0.70.5"}},
    {"hostname": "web-1", "groups": ["web-servers"], "connected": True, "meta": _DEBIAN},
    {"hostname": "runner-1", "groups": ["ci-runners"], "connected": True, "meta": _DEBIAN},
    {"hostname": "laptop-ana", "user": "ana@acme.example", "connected": True, "meta": _MAC},
    {"hostname": "laptop-bob", "user": "bob@acme.example", "connected": True, "meta": _MAC},
    {"hostname": "laptop-cleo", "user": "cleo@acme.example", "meta": {**_MAC, "os_version": "13.6"}},
]


def _policy(name: str, sources: list[str], destinations: list[str], **rule: Any) -> dict[str, Any]:
    ends = {"sources": sources, "destinations": destinations}
    plain = {"name": name, "enabled": True, "action": "accept", "bidirectional": False, "protocol": "tcp", **ends}
    body = {"name": name, "enabled": True, "rules": [{**plain, **rule}]}
    return {"path": "/api/policies", "body": body}


_ACCESS = [
    {
        "path": "/api/posture-checks",
        "body": {"name": "recent-client", "checks": {"nb_version_check": {"min_version": "0.60.0"}}},
        "as": "recent-client",
    },
    _policy("devs-to-web", ["@group:devs"], ["@group:web-servers"], ports=["80", "443"]),
    _policy("devs-to-erp", ["@group:devs"], ["@group:erp-apps"], ports=["443"]),
    _policy("web-to-db", ["@group:web-servers"], ["@group:db-servers"], ports=["5432"]),
    _policy("ops-everywhere", ["@group:ops"], ["@group:All"], protocol="all"),
    {
        "path": "/api/setup-keys",
        "body": {
            "name": "runners",
            "type": "reusable",
            "expires_in": 7_776_000,
            "auto_groups": ["@group:ci-runners"],
            "usage_limit": 0,
            "ephemeral": True,
        },
    },
]

_NETWORK = [
    {"path": "/api/networks", "body": {"name": "dc1", "description": "data centre"}, "as": "dc1"},
    {
        "path": "/api/networks/@dc1/routers",
        "body": {"peer_groups": ["@group:gateways"], "metric": 100, "masquerade": True, "enabled": True},
    },
    {
        "path": "/api/networks/@dc1/resources",
        "body": {"name": "erp", "address": "10.20.5.10", "groups": ["@group:erp-apps"], "enabled": True},
    },
    {
        "path": "/api/networks/@dc1/resources",
        "body": {"name": "lab", "address": "10.20.64.0/20", "groups": [], "enabled": False},
    },
]

_DNS = [
    {
        "path": "/api/dns/nameservers",
        "body": {
            "name": "corp",
            "nameservers": [{"ip": "10.20.0.53", "ns_type": "udp", "port": 53}],
            "domains": ["corp.acme.example"],
            "groups": ["@group:devs", "@group:ops"],
            "primary": False,
            "enabled": True,
        },
    },
    {
        "path": "/api/dns/zones",
        "body": {"name": "services", "domain": "svc.acme.example", "distribution_groups": ["@group:devs"]},
        "as": "services",
    },
    {
        "path": "/api/dns/zones/@services/records",
        "body": {"name": "erp.svc.acme.example", "type": "A", "content": "10.20.5.10", "ttl": 300},
    },
]
