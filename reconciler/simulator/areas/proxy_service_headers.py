"""Reverse proxy: HTTP headers that a service may and may not use, for logging in and towards its targets."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.simulator.errors import invalid
from reconciler.simulator.store import Row
from reconciler.simulator.text import quoted

MAX_HEADERS: Final = 16
MAX_KEY: Final = 128
MAX_VALUE: Final = 4096

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HOP_BY_HOP: Final = frozenset(
    {
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Te",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
    }
)
_RESERVED: Final = frozenset(
    {
        "Content-Length",
        "Content-Type",
        "Cookie",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
        "X-Real-Ip",
    }
)


def canonical(header: str) -> str:
    """The header's name as HTTP libraries write it: ``x-real-ip`` is ``X-Real-Ip``."""
    if not _TOKEN.fullmatch(header):
        return header
    return "-".join(word[:1].upper() + word[1:].lower() for word in header.split("-"))


def check_header_auths(headers: Sequence[Row]) -> None:
    """Refuse names that cannot carry a login; a method that is disabled is not looked at, a value may be missing."""
    for place, method in enumerate(headers):
        if method["enabled"]:
            _check_header_auth(f"header_auths[{place}]", method["header"], method["value"])


def _check_header_auth(where: str, header: str, value: str) -> None:
    if not header:
        raise invalid(f"{where}: header name is required")
    if not _TOKEN.fullmatch(header):
        raise invalid(f"{where}: header name {quoted(header)} is not a valid HTTP header name")
    if canonical(header) in _HOP_BY_HOP:
        raise invalid(f"{where}: header {quoted(header)} is a hop-by-hop header and cannot be used for auth")
    if canonical(header) in _RESERVED:
        raise invalid(f"{where}: header {quoted(header)} is managed by the proxy and cannot be used for auth")
    if canonical(header) == "Host":
        raise invalid(f"{where}: Host header cannot be used for auth")
    if len(value.encode()) > MAX_VALUE:
        raise invalid(f"{where}: value exceeds maximum length of {MAX_VALUE}")


def check_custom_headers(place: int, headers: Mapping[str, str]) -> None:
    """Refuse headers that the proxy owns, that are no headers, or that are the same one twice."""
    if len(headers) > MAX_HEADERS:
        raise invalid(f"target {place}: custom_headers count {len(headers)} exceeds maximum of {MAX_HEADERS}")
    seen: dict[str, str] = {}
    for key, value in headers.items():
        _check_form(place, key, value)
        name = canonical(key)
        if name in seen:
            pair = f"custom header keys {quoted(seen[name])} and {quoted(key)}"
            raise invalid(f"target {place}: {pair} collide (both canonicalize to {quoted(name)})")
        seen[name] = key
        _check_owner(place, key, name)


def _check_form(place: int, key: str, value: str) -> None:
    if not _TOKEN.fullmatch(key):
        raise invalid(f"target {place}: custom header key {quoted(key)} is not a valid HTTP header name")
    if len(key) > MAX_KEY:
        raise invalid(f"target {place}: custom header key {quoted(key)} exceeds maximum length of {MAX_KEY}")
    if len(value.encode()) > MAX_VALUE:
        raise invalid(f"target {place}: custom header {quoted(key)} value exceeds maximum length of {MAX_VALUE}")
    if "\r" in value or "\n" in value:
        raise invalid(f"target {place}: custom header {quoted(key)} contains invalid characters")


def _check_owner(place: int, key: str, name: str) -> None:
    if name in _HOP_BY_HOP:
        raise invalid(f"target {place}: custom header {quoted(key)} is a hop-by-hop header and cannot be set")
    if name in _RESERVED:
        raise invalid(f"target {place}: custom header {quoted(key)} is managed by the proxy and cannot be overridden")
    if name == "Host":
        raise invalid(f"target {place}: use pass_host_header instead of setting Host as a custom header")
