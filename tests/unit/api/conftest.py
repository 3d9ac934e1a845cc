"""A client without a network, a time that nobody waits for, and a server that misbehaves on a real socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from reconciler.api.client import Api, ReadApi
from reconciler.settings import Settings

TOKEN = "nbp_aSecretThatNobodySees"
CERTIFICATE = Path(__file__).with_name("localhost.pem")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def certificate() -> Path:
    return CERTIFICATE


class FakeTime:
    """Passes only while somebody sleeps; `waits` has what was announced."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[tuple[float, str]] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds

    def on_wait(self, seconds: float, reason: str) -> None:
        self.waits.append((seconds, reason))


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def settings() -> Settings:
    return Settings("https://nb.example", SecretStr(TOKEN))


@pytest.fixture
def client(settings: Settings, time: FakeTime) -> Callable[..., Any]:
    """Build a client of the given kind whose server is a function from request to response, or a list of responses."""

    def build(
        kind: type[ReadApi], server: Callable[[httpx.Request], httpx.Response] | list[Any], with_: Settings = settings
    ) -> ReadApi:
        transport = httpx.MockTransport(server if callable(server) else _in_order(list(server)))
        return kind(with_, transport, sleep=time.sleep, clock=time.clock, on_wait=time.on_wait)

    return build


@pytest.fixture
def api(client: Callable[..., Any]) -> Callable[..., Api]:
    return lambda server, *more: client(Api, server, *more)


def _in_order(answers: list[Any]) -> Callable[[httpx.Request], httpx.Response]:
    lock = threading.Lock()

    def answer(_: httpx.Request) -> httpx.Response:
        with lock:
            now = answers.pop(0)
        if isinstance(now, httpx.Response):
            return now
        raise now

    return answer


class RawServer:
    """Listens on loopback and leaves every connection to `act(connection, number)`; `requests` has what came in."""

    def __init__(self, act: Callable[[RawServer, socket.socket, int], None], tls: bool = False) -> None:
        self._act = act
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self.closing = threading.Event()
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    def receive(self, connection: socket.socket) -> bytes:
        """Read one request with its body; b"" at the end of the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while length and len(body) < length[0]:
            body += connection.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def close(self) -> None:
        if self.closing.is_set():
            return
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._handle, connection, self.connections)

    def _handle(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(CERTIFICATE)
                connection = context.wrap_socket(connection, server_side=True)
            self._act(self, connection, number)
        except OSError:
            pass  # the client hung up, as some tests want it to
        finally:
            connection.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(act: Callable[[RawServer, socket.socket, int], None], *, tls: bool = False) -> RawServer:
        servers.append(RawServer(act, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
