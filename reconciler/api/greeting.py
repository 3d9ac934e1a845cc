"""A look at a server without a token: whether it can be reached, what its certificate says, and whether it is NetBird's."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from reconciler.api.answers import JSON, Answer, value
from reconciler.api.failures import problem
from reconciler.api.paths import checked
from reconciler.api.problems import BadAnswer, Call, CallFailed, TokenRefused, Unreachable
from reconciler.api.transport import Deadline, MethodGuard, Transport, network_transports, proxy_for
from reconciler.errors import reason
from reconciler.redact import clean

CONNECT_TIMEOUT: Final = 5.0
TIMEOUT: Final = 15.0
LARGEST: Final = 65536  # bytes; what is longer is no refusal of NetBird's
_PATH: Final = "/users"
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server shows to anybody.

    Attributes:
        headers: of its answer; names in lower case.
        certificate: as `ssl.SSLSocket.getpeercert` gives it; empty without TLS.
        failure: why its answer is not NetBird's, if it is not.
    """

    headers: Mapping[str, str]
    certificate: Mapping[str, Any]
    failure: CallFailed | None


def connect(url: str) -> str:
    """Open a connection, and close it; return where it went, `host:port`, with the proxy if it goes through one.

    Raises:
        Unreachable: The name is not known, or nobody answers at the port.
        UsageError: The proxy that the environment names cannot be used.
    """
    parts = urlsplit(url)
    proxy = proxy_for(url) if parts.scheme == "https" else None
    goal = urlsplit(str(proxy.url)) if proxy else parts
    host, port = goal.hostname or "", goal.port or _PORTS[goal.scheme]
    there = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    place = clean(f"the proxy {there} (HTTPS_PROXY)" if proxy else there)
    advice = "check HTTPS_PROXY, or name the server in NO_PROXY" if proxy else "check NB_MANAGEMENT_URL"
    call = Call(url, "GET", checked(_PATH))
    try:
        socket.create_connection((host, port), CONNECT_TIMEOUT).close()
    except socket.gaierror as error:
        advice += ", and the DNS of this machine"
        raise Unreachable(call, f"the name {clean(host)} cannot be resolved: {reason(error)}", advice=advice) from None
    except (OSError, UnicodeError) as error:
        said = "no connection in time" if isinstance(error, TimeoutError) else clean(reason(error))
        advice += ", and that the server is up and no firewall is in between"
        raise Unreachable(call, f"{place}: {said}", advice=advice) from None
    return place


def greet(url: str, transport: Transport | None = None) -> Greeting:
    """Ask for a list without a token: NetBird, whatever its version, answers with its own 401.

    Raises:
        CallFailed: There is no answer; `Untrusted` if the certificate is not accepted.
        UsageError: The trust store that the environment names cannot be used.
    """
    call = Call(url, "GET", checked(_PATH))
    deadline = Deadline()
    inner = transport or network_transports(url)(deadline)
    client = httpx.Client(
        transport=MethodGuard(inner, frozenset({"GET"})),
        trust_env=False,
        timeout=httpx.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT),
        headers={"Accept": JSON, "User-Agent": "nbsync"},
    )
    deadline.start(TIMEOUT)
    try:
        with client.stream("GET", call.server + call.path) as response:
            return Greeting(response.headers, _certificate(response), _failure(call, _answer(response)))
    except httpx.HTTPError as error:
        raise problem(call, error, TIMEOUT) from error
    finally:
        if transport is None:
            client.close()


def trust() -> str:
    """Name of the variable that says which authorities are trusted; empty if none does."""
    return next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), "")


def _certificate(response: httpx.Response) -> Mapping[str, Any]:
    stream = response.extensions.get("network_stream")
    wrapped = stream.get_extra_info("ssl_object") if stream is not None else None
    return (wrapped.getpeercert() if wrapped is not None else None) or {}


def _answer(response: httpx.Response) -> Answer:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LARGEST:
            break
    media = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Answer(response.status_code, media, body, response.headers.get("Location", ""))


def _failure(call: Call, answer: Answer) -> CallFailed | None:
    try:
        value(call, answer)
    except TokenRefused as refusal:
        return None if answer.error is not None else BadAnswer(call, refusal.text or "401", answer=answer)
    except CallFailed as failure:
        return failure
    return BadAnswer(call, "it answers without asking who is there", answer=answer)
