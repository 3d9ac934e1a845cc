"""A simulated server, somebody who may write and somebody who may not, and a few objects to work with."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.simulator import Simulator

Json = dict[str, Any]
Answer = tuple[int, Any]
Join = Callable[[str], str]
Events = Callable[[str], list[dict[str, str]]]


class Caller:
    """A client with somebody's token that speaks in plain data."""

    def __init__(self, simulator: Simulator, token: str) -> None:
        headers = {"Authorization": f"Token {token}"}
        self._client = httpx.Client(transport=simulator.transport(), base_url="http://netbird/api", headers=headers)

    def __call__(self, method: str, path: str, body: Json | None = None, *, raw: bytes | None = None) -> Answer:
        """Status and JSON of the answer; of a refusal, its message."""
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        response = self._client.request(method, path, content=content)
        data = response.json()
        return (response.status_code, data if response.status_code == 200 else data["message"])

    def make(self, path: str, body: Json) -> Any:
        """Create something that must succeed; answers what the server says."""
        status, made = self("POST", path, body)
        assert status == 200, made
        return made

    def make_id(self, path: str, body: Json) -> str:
        """Create something that must succeed; answers its id."""
        return str(self.make(path, body)["id"])

    def get(self, path: str) -> Any:
        """Read something that must be there."""
        status, found = self("GET", path)
        assert status == 200, found
        return found


@pytest.fixture
def simulator() -> Simulator:
    return Simulator({"NB_SETUP_PAT_ENABLED": "true"})


@pytest.fixture
def admin(simulator: Simulator) -> Caller:
    return Caller(simulator, simulator.bootstrap())


@pytest.fixture
def reader(simulator: Simulator, admin: Caller) -> Caller:
    """A service user that may read everything and write nothing."""
    user = {"name": "reader", "role": "user", "is_service_user": True, "auto_groups": []}
    user_id = admin.make("/users", user)["id"]
    return Caller(simulator, admin.make(f"/users/{user_id}/tokens", {"name": "t", "expires_in": 1})["plain_token"])


@pytest.fixture
def group(admin: Caller) -> str:
    return admin.make_id("/groups", {"name": "devs"})


@pytest.fixture
def network(admin: Caller) -> str:
    return admin.make_id("/networks", {"name": "office"})


@pytest.fixture
def zone(admin: Caller, group: str) -> str:
    body = {"name": "corp", "domain": "corp.example", "distribution_groups": [group]}
    return admin.make_id("/dns/zones", body)


@pytest.fixture
def join(simulator: Simulator, admin: Caller) -> Join:
    """Let a peer join under a host name; answers its id."""
    key = admin.make("/setup-keys", {"name": "k", "type": "reusable", "expires_in": 86400, "auto_groups": []})["key"]

    def joined(hostname: str) -> str:
        line = {"event": "peer_joins", "hostname": hostname, "setup_key": key, "connected": False, "meta": {}}
        return str(simulator.event(line)["id"])

    return joined


@pytest.fixture
def events(simulator: Simulator, admin: Caller) -> Events:
    """Meta of the audit events with a code, oldest first."""
    account = simulator.world.account(admin.get("/accounts")[0]["id"])

    def found(code: str) -> list[dict[str, str]]:
        return [row["meta"] for row in account.rows("events") if row["code"] == code]

    return found


@pytest.fixture
def route(group: str) -> Callable[..., Json]:
    """The body of a route to the group, but for where it leads and through whom."""

    def body(**fields: object) -> Json:
        return {"network_id": "r", "metric": 9999, "groups": [group], **fields}

    return body
