"""Connections: TLS, proxy, one client per worker, a deadline for the whole of a request, and the guard against methods."""

from __future__ import annotations

import os
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler.errors import Diagnostic, UsageError
from reconciler.redact import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.settings import Settings

Transport: TypeAlias = httpx.BaseTransport
"""What a client can be given in place of the network; so named for those who may not know httpx."""

_CONNECT_TIMEOUT: Final = 10.0


class MethodGuard(httpx.BaseTransport):
    """Lets only `allowed` methods through to `inner`: what makes a read-only client read-only, whatever calls it."""

    def __init__(self, inner: httpx.BaseTransport, allowed: frozenset[str]) -> None:
        self._inner = inner
        self._allowed = allowed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass `request` on.

        Raises:
            RuntimeError: Its method is not allowed: a mistake in nbsync, which must not reach the server.
        """
        if request.method not in self._allowed:
            raise RuntimeError(f"this client may not send {request.method}, only {', '.join(sorted(self._allowed))}")
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the connections below."""
        self._inner.close()


class Deadline:
    """When the request that is under way has to be over, by the monotonic clock."""

    def __init__(self) -> None:
        self._at = float("inf")

    def start(self, seconds: float) -> None:
        """Begin a request that may take `seconds`."""
        self._at = time.monotonic() + seconds

    def left(self, wanted: float | None = None) -> float:
        """Return the seconds left for the next step, at most `wanted`.

        Raises:
            httpx.ReadTimeout: None are left.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("no whole answer in time")
        return left if wanted is None else min(left, wanted)


class _PunctualStream:
    """A network stream whose every read and write ends at the deadline."""

    def __init__(self, stream: Any, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return bytes(self._stream.read(max_bytes, self._deadline.left(timeout)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def start_tls(self, *args: Any, **options: Any) -> _PunctualStream:
        return _PunctualStream(self._stream.start_tls(*args, **options), self._deadline)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _PunctualBackend:
    def __init__(self, backend: Any, deadline: Deadline) -> None:
        self._backend = backend
        self._deadline = deadline

    def connect_tcp(self, *args: Any, **options: Any) -> _PunctualStream:
        return _PunctualStream(self._backend.connect_tcp(*args, **options), self._deadline)


class PunctualTransport(httpx.HTTPTransport):
    """An `HTTPTransport` whose requests end at a deadline.

    httpx has timeouts for each single read, so a server that drips a byte at a time can hold a call for ever.
    """

    def __init__(self, verify: ssl.SSLContext, proxy: httpx.Proxy | None, deadline: Deadline) -> None:
        super().__init__(verify=verify, proxy=proxy, trust_env=False, limits=httpx.Limits(max_connections=1))
        # httpx passes no network backend on to its pool, which would take one.
        pool: Any = self._pool
        pool._network_backend = _PunctualBackend(pool._network_backend, deadline)  # noqa: SLF001 - see above


class Lane:
    """A client that one thread uses at a time, and the deadline of its requests."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport, deadline: Deadline) -> None:
        self.deadline = deadline
        self.client = httpx.Client(
            transport=transport,
            trust_env=False,
            timeout=httpx.Timeout(settings.timeout, connect=min(settings.timeout, _CONNECT_TIMEOUT)),
            headers={
                "Authorization": f"{settings.scheme} {settings.token.get_secret_value()}",
                "Accept": "application/json",
                "User-Agent": settings.user_agent,
            },
        )


class Lanes:
    """Lends a client to one thread at a time: threads that share an `httpx.Client` wait for its pool's lock.

    The one that was returned last is lent first, so that connections are used again.
    """

    def __init__(self, settings: Settings, allowed: frozenset[str], transport: httpx.BaseTransport | None) -> None:
        self._settings = settings
        self._allowed = allowed
        self._build = network_transports(settings.url) if transport is None else lambda _: transport
        self._owned = transport is None
        self._idle: list[Lane] = []

    @contextmanager
    def lend(self, seconds: float) -> Iterator[Lane]:
        """Give a lane to the calling thread for one request, which may take some seconds from now."""
        try:
            lane = self._idle.pop()
        except IndexError:
            deadline = Deadline()
            lane = Lane(self._settings, MethodGuard(self._build(deadline), self._allowed), deadline)
        lane.deadline.start(seconds)
        try:
            yield lane
        finally:
            self._idle.append(lane)

    def close(self) -> None:
        """Close all connections; a transport that was handed in is its owner's to close."""
        while self._owned and self._idle:
            self._idle.pop().client.close()


def network_transports(url: str) -> Callable[[Deadline], httpx.BaseTransport]:
    """Return what opens a transport to `url`; trust store and proxy are looked up once, for all of them.

    Raises:
        UsageError: The trust store or the proxy that the environment names cannot be used.
    """
    if url.startswith("http://"):
        # Loopback only: no certificate will be looked at, and a proxy would see the token.
        verify, proxy = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), None
    else:
        verify, proxy = _trust_store(), proxy_for(url)
    return lambda deadline: PunctualTransport(verify, proxy, deadline)


def _trust_store() -> ssl.SSLContext:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if (place := os.environ.get(name)) and not os.path.exists(place):  # noqa: PTH110 - takes any text; Path.exists refuses some
            raise _unusable(name, f"there is nothing at {clean(place)}")
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise _unusable("SSL_CERT_FILE", f"no certificates could be read from it ({clean(str(error))})") from None


def proxy_for(url: str) -> httpx.Proxy | None:
    """Return the proxy that the environment names for `url`.

    Raises:
        UsageError: It cannot be used.
    """
    host = urlsplit(url).netloc
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    try:
        checked = httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}")
    except (ValueError, httpx.InvalidURL):
        raise _unusable(
            "HTTPS_PROXY", "it is no URL of a proxy (its value may hold a password and is not shown)"
        ) from None
    if checked.url.scheme not in {"http", "https"}:
        raise _unusable(
            "HTTPS_PROXY", f"a proxy of the kind {clean(checked.url.scheme)} is not supported, only http and https are"
        )
    return checked


def _unusable(name: str, why: str) -> UsageError:
    return UsageError(Diagnostic("NBS901", f"{name} cannot be used: {why}", help=f"correct {name} or unset it"))
