"""One server on loopback for all tests; each test puts an application of its own behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.api.client import ReadApi
from reconciler.simulator import Simulator
from reconciler.simulator.server import Server
from tests.unit.harness import Account, Desk, NoServer


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server whose application can be exchanged."""
    server = Server(Simulator())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a test, empty; no server is known there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ".state"))
    for name in ("NB_MANAGEMENT_URL", "NB_PAT", "NB_ACCESS_TOKEN", "NBSYNC_DEBUG", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def connect(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """Put an application behind the server's port, and its address and a token into the environment."""

    def connect(app: Any, token: str) -> None:
        monkeypatch.setattr(server, "app", app)
        monkeypatch.setenv("NB_MANAGEMENT_URL", server.url)
        monkeypatch.setenv("NB_PAT", token)

    return connect


@pytest.fixture
def desk(folder: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """nbsync without a server."""
    return Desk(folder, capsys)


@pytest.fixture
def nobody(folder: Path, connect: Callable[[Any, str], None]) -> NoServer:
    """A server that nobody may call."""
    app = NoServer()
    connect(app, "nbp_NobodyWillSeeThis")
    return app


@pytest.fixture
def account(
    folder: Path, capsys: pytest.CaptureFixture[str], connect: Callable[[Any, str], None], impatient: list[float]
) -> Account:
    """nbsync with a fresh account."""
    simulator = Simulator()
    token = simulator.bootstrap()
    connect(simulator, token)
    return Account(folder, capsys, simulator, token)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No client really waits; the seconds that it would have waited are noted."""
    naps: list[float] = []
    defaults = ReadApi.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "sleep", naps.append)
    return naps
