"""The OpenID discovery document that the server fetches before it saves an identity provider.

Only loopback addresses are really asked: a simulation never leaves its machine. The names that RFC 2606 reserves
(`.test`, `.example`, `.invalid`) do not resolve, as in life; any other issuer is taken to be up and to answer with its
own name, and so is the server's embedded identity provider.
"""

import ipaddress
import socket
from typing import Final
from urllib.parse import quote, urlsplit

import httpx

from .json_faults import JsonError, kind_of, loads

OWN_ISSUER: Final = "http://localhost:33073/oauth2"
"""The embedded identity provider, at the address of a server that listens on NetBird's default port."""

_PATH: Final = "/.well-known/openid-configuration"
_TIMEOUT: Final = 10.0
_UNRESOLVABLE: Final = (".test", ".example", ".invalid")
_MAX_PORT: Final = 65535


class DiscoveryError(Exception):
    """The issuer did not answer with a discovery document; the message is what Go's HTTP client and decoder say."""


def issuer_of(issuer: str) -> str:
    """The `issuer` in the document that this issuer serves.

    Args:
        issuer: A URL with a scheme and a host.

    Raises:
        DiscoveryError: if it cannot be reached, answers anything but 200, or sends no JSON object.
    """
    url = quote(issuer.removesuffix("/") + _PATH, safe=":/?#[]@!$&'()*+,;=%~")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"}:
        raise DiscoveryError(f'Get "{url}": unsupported protocol scheme "{parts.scheme}"')
    if issuer == OWN_ISSUER:
        return issuer
    if host.endswith(_UNRESOLVABLE):
        raise DiscoveryError(f'Get "{url}": dial tcp: lookup {host}: no such host')
    return _named_in(_fetch(url)) if _is_loopback(host) else issuer


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _fetch(url: str) -> bytes:
    try:
        with httpx.Client(trust_env=False, timeout=_TIMEOUT, follow_redirects=True) as client:
            answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DiscoveryError(f'Get "{_without_password(url)}": {_reason(url, error)}') from error
    if answer.status_code != httpx.codes.OK:
        raise DiscoveryError(f"{answer.status_code} {answer.reason_phrase}: {answer.text}")
    return answer.content


def _without_password(url: str) -> str:
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@", 1) if password else url


def _reason(url: str, error: Exception) -> str:
    """Go's words for a request that got no answer."""
    parts = urlsplit(url)
    port = int(parts.netloc.rpartition(":")[2]) if parts.netloc[-1].isdigit() and ":" in parts.netloc else 0
    if port > _MAX_PORT:
        return f"dial tcp: address {port}: invalid port"
    if isinstance(error, httpx.TimeoutException):
        return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    if not isinstance(error, httpx.ConnectError):
        return "EOF"
    if "SSL" in str(error):
        return "tls: first record does not look like a TLS handshake"
    address = _first_address(parts.hostname or "")
    return f"dial tcp {address}:{port or _default_port(parts.scheme)}: connect: connection refused"


def _default_port(scheme: str) -> int:
    return {"http": 80, "https": 443}[scheme]


def _first_address(host: str) -> str:
    address = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    return f"[{address}]" if ":" in address else address


def _named_in(document: bytes) -> str:
    """The document's `issuer`, `""` if it has none (keys match in any case, as everywhere)."""
    failed = "failed to decode provider discovery object: "
    try:
        value = loads(document)
    except JsonError as error:
        raise DiscoveryError(f"{failed}{error}") from error
    if value is None:
        return ""
    if not isinstance(value, dict):
        raise DiscoveryError(
            f"{failed}json: cannot unmarshal {kind_of(value)} into Go value of type server.oidcProviderJSON"
        )
    named = next((v for k, v in reversed(value.items()) if k.lower() == "issuer"), None)
    if named is not None and not isinstance(named, str):
        raise DiscoveryError(
            f"{failed}json: cannot unmarshal {kind_of(named)} into Go struct field oidcProviderJSON.issuer of type string"
        )
    return named or ""
