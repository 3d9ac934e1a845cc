"""A simulated server with its owner and its service user, who speak in plain data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.simulator import Simulator
from reconciler.simulator.seed import owner_token

Answer = tuple[int, Any]


class Caller:
    """Sends requests with somebody's credentials; answers status and JSON, of a refusal its message."""

    def __init__(self, simulator: Simulator, authorization: str = "") -> None:
        headers = {"Authorization": authorization} if authorization else {}
        self._client = httpx.Client(transport=simulator.transport(), base_url="http://netbird", headers=headers)

    def __call__(self, method: str, path: str, body: Any = None, raw: str | None = None) -> Answer:
        content = raw if raw is not None else None if body is None else json.dumps(body)
        response = self._client.request(method, f"/api{path}", content=content)
        data = response.json()
        return response.status_code, data["message"] if response.is_error else data

    def get(self, path: str) -> Any:
        """Read what must be there."""
        return self._must("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        """Create what must be accepted."""
        return self._must("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        """Change what must be accepted."""
        return self._must("PUT", path, body)

    def _must(self, method: str, path: str, body: Any) -> Any:
        status, found = self(method, path, body)
        assert status == 200, found
        return found


@pytest.fixture
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture
def admin(simulator: Simulator) -> Caller:
    return Caller(simulator, f"Token {simulator.bootstrap()}")


@pytest.fixture
def owner(simulator: Simulator, admin: Caller) -> Caller:
    return Caller(simulator, f"Bearer {owner_token(simulator)}")


@pytest.fixture
def person(simulator: Simulator, admin: Caller) -> Callable[[str, str], Caller]:
    """Somebody with an e-mail address and a role, logged in."""

    def person(email: str, role: str) -> Caller:
        admin.post("/users", {"name": email, "email": email, "role": role})
        token = simulator.event({"event": "user_logs_in", "email": email})["token"]
        return Caller(simulator, f"Bearer {token}")

    return person


@pytest.fixture
def join(simulator: Simulator, admin: Caller) -> Callable[..., dict[str, Any]]:
    """Let a machine join with a reusable key; further fields are those of the event."""
    key = admin.post("/setup-keys", {"name": "join", "type": "reusable"})["key"]

    def join(hostname: str, **fields: Any) -> dict[str, Any]:
        how = {} if "user" in fields else {"setup_key": key}
        answer: dict[str, Any] = simulator.event({"event": "peer_joins", "hostname": hostname, **how, **fields})
        return answer

    return join
