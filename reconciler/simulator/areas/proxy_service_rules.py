"""Reverse proxy: the checks that a service passes before anything else is looked at, in the server's order.

Name, targets, header logins, restrictions, what private services need, and then what the mode needs. All are 422.
"""

import re
from collections.abc import Sequence
from typing import Final

from reconciler.simulator.errors import invalid
from reconciler.simulator.netip import parse_prefix
from reconciler.simulator.netip_faults import prefix_fault
from reconciler.simulator.store import Row
from reconciler.simulator.text import quoted

from .proxy_service_body import requires_login
from .proxy_service_headers import check_custom_headers, check_header_auths

MAX_NAME: Final = 255
MAX_NETWORKS: Final = 200
MAX_COUNTRIES: Final = 50
COUNTRY_CODE: Final = 2
L4_MODES: Final = ("tcp", "udp", "tls")
PORT_MODES: Final = ("tcp", "udp")
"""Modes in which a port of the cluster serves one service only."""

_LOOKED_UP: Final = ("peer", "host", "domain")
_WITH_PORT: Final = re.compile(r"(?:[^:\[\]]*|\[[^\[\]]*\]):[^:\[\]]*")


def check(service: Row) -> None:
    """Refuse a service that cannot be; upper-cases its countries and enables the target of an L4 service."""
    _check_name(service["name"])
    if not service["targets"]:
        raise invalid("at least one target is required")
    check_header_auths(service["auth"]["header_auths"])
    _check_restrictions(service["access_restrictions"])
    if service["private"]:
        _check_private(service)
    mode = service["mode"]
    if mode == "http":
        _check_http(service)
    elif mode in PORT_MODES:
        _check_tcp_udp(service)
    elif mode == "tls":
        _check_tls(service)
    else:
        raise invalid(f"unsupported mode {quoted(mode)}")


def _check_name(name: str) -> None:
    if not name:
        raise invalid("service name is required")
    if len(name.encode()) > MAX_NAME:
        raise invalid(f"service name exceeds maximum length of {MAX_NAME} characters")


def _check_restrictions(restrictions: Row) -> None:
    networks, countries = ("allowed_cidrs", "blocked_cidrs"), ("allowed_countries", "blocked_countries")
    for key in networks + countries:
        limit = MAX_NETWORKS if key in networks else MAX_COUNTRIES
        if len(restrictions.get(key, ())) > limit:
            raise invalid(f"{key}: exceeds maximum of {limit} entries")
    for key in networks:
        _check_networks(key, restrictions.get(key, ()))
    for key in countries:
        _check_countries(key, restrictions.get(key, ()))
        if key in restrictions:
            restrictions[key] = [code.upper() for code in restrictions[key]]


def _check_networks(key: str, given: Sequence[str]) -> None:
    for place, text in enumerate(given):
        if fault := prefix_fault(text):
            raise invalid(f"{key}[{place}]: {fault}")
        prefix = parse_prefix(text)
        if prefix != prefix.masked():
            raise invalid(f"{key}[{place}]: {quoted(text)} has host bits set, use {prefix.masked()} instead")


def _check_countries(key: str, given: Sequence[str]) -> None:
    for place, code in enumerate(given):
        if len(code.encode()) != COUNTRY_CODE:
            raise invalid(f"{key}[{place}]: {quoted(code)} must be a 2-letter ISO 3166-1 alpha-2 code")


def _check_private(service: Row) -> None:
    if service["mode"] != "http":
        raise invalid(f"private services only support HTTP mode, got {quoted(service['mode'])}")
    if not service["access_groups"]:
        raise invalid("private services require at least one access group")
    if service["auth"].get("bearer_auth", {}).get("enabled"):
        text = "private services cannot enable bearer auth (SSO): NetBird-only access and SSO are mutually exclusive"
        raise invalid(text)


def _check_http(service: Row) -> None:
    if not service["domain"]:
        raise invalid("service domain is required")
    if service["listen_port"]:
        raise invalid("listen_port is not supported for HTTP services")
    for place, target in enumerate(service["targets"]):
        _check_http_host(place, target)
        if not target["target_id"]:
            raise invalid(f"target {place} has empty target_id")
        if target["options"]["proxy_protocol"]:
            raise invalid(f"target {place}: proxy_protocol is not supported for HTTP services")
        _check_http_options(place, target["options"])


def _check_http_host(place: int, target: Row) -> None:
    kind = target["target_type"]
    if kind in _LOOKED_UP:
        _check_direct_upstream(place, target)
    elif kind == "subnet":
        if not target["host"]:
            raise invalid(f"target {place} has empty host but target_type is {quoted(kind)}")
    elif kind == "cluster":
        if not target["host"].strip():
            raise invalid(f"target {place}: has empty host")
        if not target["options"]["direct_upstream"]:
            raise invalid(f"target {place}: {target['host']} has direct upstream disabled")
        _check_direct_upstream(place, target)
    else:
        raise invalid(f"target {place} has invalid target_type {quoted(kind)}")


def _check_direct_upstream(place: int, target: Row) -> None:
    """A host of one's own counts only with ``direct_upstream``, and is checked only then; it may be empty."""
    host = target["host"].strip()
    if not target["options"]["direct_upstream"] or not host:
        return
    if set(host) & set(" \t/"):
        raise invalid(f"target {place}: host {quoted(host)} contains invalid characters")
    if _WITH_PORT.fullmatch(host):
        raise invalid(f"target {place}: host {quoted(host)} must not include a port (set target.port instead)")


def _check_http_options(place: int, options: Row) -> None:
    if options["path_rewrite"] not in {"", "preserve"}:
        raise invalid(f"target {place}: unknown path_rewrite mode {quoted(options['path_rewrite'])}")
    for key in ("request_timeout", "session_idle_timeout"):
        if options[key] < 0:
            raise invalid(f"target {place}: {key} must be positive")
    check_custom_headers(place, options["custom_headers"])


def _check_tcp_udp(service: Row) -> None:
    if not service["domain"]:
        raise invalid("domain is required for TCP/UDP services (used for cluster derivation)")
    if requires_login(service):
        raise invalid("auth is not supported for TCP/UDP services")
    if len(service["targets"]) != 1:
        raise invalid("TCP/UDP services must have exactly one target")
    target = service["targets"][0]
    if service["mode"] == "udp" and target["options"]["proxy_protocol"]:
        raise invalid("proxy_protocol is not supported for UDP services")
    _check_l4_target(target)


def _check_tls(service: Row) -> None:
    if not service["domain"]:
        raise invalid("domain is required for TLS services (used for SNI matching)")
    if requires_login(service):
        raise invalid("auth is not supported for TLS services")
    if not service["listen_port"]:
        raise invalid("listen_port is required for TLS services")
    if len(service["targets"]) != 1:
        raise invalid("TLS services must have exactly one target")
    _check_l4_target(service["targets"][0])


def _check_l4_target(target: Row) -> None:
    target["enabled"] = True
    if not target["target_id"]:
        raise invalid("target_id is required for L4 services")
    if not target["port"]:
        raise invalid("target port is required for L4 services")
    kind = target["target_type"]
    if kind in _LOOKED_UP:
        _check_direct_upstream(0, target)
    elif kind == "subnet":
        if not target["host"]:
            raise invalid("target host is required for subnet targets")
    elif kind != "cluster":
        raise invalid(f"invalid target_type {quoted(kind)} for L4 service")
    _check_l4_options(target)


def _check_l4_options(target: Row) -> None:
    options = target["options"]
    if target["path"] not in {None, "", "/"}:
        raise invalid("path is not supported for L4 services")
    for key in ("session_idle_timeout", "request_timeout"):
        if options[key] < 0:
            raise invalid(f"{key} must be positive for L4 services")
    for key in ("skip_tls_verify", "path_rewrite", "custom_headers"):
        if options[key]:
            raise invalid(f"{key} is not supported for L4 services")
