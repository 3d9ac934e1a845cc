"""A simulated server, a client with the token of an admin, and proxies that are connected."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.simulator import Simulator

Answer = tuple[int, Any]
Connect = Callable[..., dict[str, Any]]


class Caller:
    """Calls with one token; answers are plain data."""

    def __init__(self, simulator: Simulator, token: str) -> None:
        self.simulator = simulator
        headers = {"Authorization": f"Token {token}"}
        self.http = httpx.Client(transport=simulator.transport(), base_url="http://netbird/api", headers=headers)

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        """Status and JSON of the answer; of a refusal, its message."""
        answer = self.http.request(method, path, content=None if body is None else json.dumps(body).encode())
        if answer.status_code == 200:
            return 200, answer.json()
        return answer.status_code, answer.json()["message"] if answer.content else None

    def made(self, path: str, body: dict[str, Any]) -> Any:
        """Create what must succeed."""
        status, made = self("POST", path, body)
        assert status == 200, made
        return made

    def read(self, path: str) -> Any:
        """Read what must be there."""
        status, found = self("GET", path)
        assert status == 200, found
        return found

    def as_role(self, role: str) -> "Caller":
        """A new service user of this role."""
        user = self.made("/users", {"name": role, "role": role, "is_service_user": True, "auto_groups": []})
        made = self.made(f"/users/{user['id']}/tokens", {"name": "t", "expires_in": 1})
        return Caller(self.simulator, made["plain_token"])


@pytest.fixture
def simulator() -> Simulator:
    return Simulator({"NB_SETUP_PAT_ENABLED": "true"})


@pytest.fixture
def admin(simulator: Simulator) -> Iterator[Caller]:
    caller = Caller(simulator, simulator.bootstrap())
    yield caller
    caller.http.close()


@pytest.fixture
def connect(simulator: Simulator) -> Connect:
    """Connect a proxy that belongs to no account, or with the token that is given."""
    made = simulator.event({"event": "shared_proxy_token_created_on_the_server", "name": "shared"})

    def connect(proxy_id: str, address: str, token: str = made["token"], **capabilities: bool) -> dict[str, Any]:
        line = {"event": "proxy_connects", "token": token, "id": proxy_id, "address": address}
        answer: dict[str, Any] = simulator.event({**line, "capabilities": capabilities})
        return answer

    return connect


@pytest.fixture
def peer(simulator: Simulator, admin: Caller) -> dict[str, Any]:
    """A peer of the account, named alpha."""
    body = {"name": "k", "type": "reusable", "expires_in": 86400, "auto_groups": [], "usage_limit": 0}
    key = admin.made("/setup-keys", body)["key"]
    joined: dict[str, Any] = simulator.event({"event": "peer_joins", "hostname": "alpha", "setup_key": key})
    return joined
