"""Accounts to start with, built through the same requests and events that people and machines would use.

A seed document is plain data (what YAML or JSON gives), all of it optional:

.. code-block:: yaml

    users:                       # POST /api/users for each; people also get a password
      - {name: Ana, email: ana@acme.example, role: admin, groups: [ops]}
      - {name: ci-bot, role: network_admin, service: true}
    peers:                       # they join in this order
      - {hostname: gw-1, groups: [gateways], connected: true, meta: {os: Debian, os_version: "12"}}
      - {hostname: laptop-ana, user: ana@acme.example}       # by that person's login instead of a setup key
    groups: [empty-one]          # groups that neither users nor peers mention
    api:                         # anything else, in the API's own shapes, one after the other
      - {method: POST, path: /api/networks, body: {name: dc1}, as: dc1}
      - {method: POST, path: /api/networks/@dc1/routers, body: {peer_groups: ["@group:gateways"], metric: 100, ...}}

In ``path`` and ``body`` a text ``@group:NAME``, ``@peer:HOSTNAME``, ``@user:NAME`` (or an e-mail) or ``@LABEL`` stands
for the id of that object; ``LABEL`` is the ``as`` of an earlier entry.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from .app import Simulator
from .store import Row

OWNER = {"email": "owner@acme.example", "password": "0wner-Password", "name": "Owner"}
SERVICE_USER = "nbsync"
TOKEN = "ci"  # noqa: S105 - its name
DAYS = 365
JOINING_KEY = {"name": "seed", "type": "reusable", "expires_in": 3600, "auto_groups": [], "usage_limit": 0}


class SeedError(ValueError):
    """A seed document that is not one, or that the server refuses; the text says where and why."""


def bootstrap(simulator: Simulator) -> str:
    """Set up the account, if there is none, and make a token for its service user ``nbsync`` (admin).

    Returns:
        The token's plain text.
    """
    if not simulator.world.accounts():
        _Session(simulator).send("POST", "/api/setup", {**OWNER, "create_pat": True, "pat_expire_in": DAYS})
    session = _Session(simulator, owner_token(simulator))
    users = session.send("GET", "/api/users")
    user = next((user for user in users if user["is_service_user"] and user["name"] == SERVICE_USER), None)
    if user is None:
        wanted = {"name": SERVICE_USER, "role": "admin", "is_service_user": True, "auto_groups": []}
        user = session.send("POST", "/api/users", wanted)
    path = f"/api/users/{user['id']}/tokens"
    secret: str = session.send("POST", path, {"name": TOKEN, "expires_in": DAYS})["plain_token"]
    return secret


def owner_token(simulator: Simulator) -> str:
    """An access token of the owner of the first account, as a login gives it."""
    account = simulator.world.accounts()[0]
    owner = next(user for user in account.rows("users") if user["role"] == "owner")
    return str(simulator.event({"event": "user_logs_in", "email": owner["email"]})["token"])


def seed(simulator: Simulator, document: Any) -> None:
    """Fill the simulator's account with what a seed document says.

    Raises:
        SeedError: the document has another form, names something unknown, or holds what the server refuses.
    """
    unknown = set(document) - {"users", "peers", "groups", "api"} if isinstance(document, Mapping) else {"?"}
    if unknown:
        raise SeedError(f"an account file has users, peers, groups and api, not {', '.join(sorted(map(str, unknown)))}")
    _Seeding(simulator).run(document)


class _Session:
    """Requests to the simulator as one caller; whatever is refused is a SeedError."""

    def __init__(self, simulator: Simulator, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(transport=simulator.transport(), base_url="http://simulator", headers=headers)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        response = self._client.request(method, path, json=body)
        if response.is_error:
            raise SeedError(f"{method} {path}: {response.status_code} {response.text.strip()}")
        return response.json() if response.content else None


class _Seeding:
    """The making of one account."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._session = _Session(simulator, owner_token(simulator))
        self._ids: dict[str, str] = {}

    def run(self, document: Mapping[str, Any]) -> None:
        users, peers = _entries(document, "users"), _entries(document, "peers")
        self._know("group", self._session.send("GET", "/api/groups"), "name")
        named = [name for entry in (*users, *peers) for name in entry.get("groups") or []]
        for name in dict.fromkeys((*named, *(document.get("groups") or []))):
            if f"group:{name}" not in self._ids:
                self._ids[f"group:{name}"] = self._session.send("POST", "/api/groups", {"name": name})["id"]
        for user in users:
            self._add_user(user)
        self._join(peers)
        for entry in _entries(document, "api"):
            self._call(entry)

    def _know(self, kind: str, objects: Iterable[Row], key: str) -> None:
        self._ids.update({f"{kind}:{each[key]}": each["id"] for each in objects})

    def _add_user(self, user: Row) -> None:
        body = {
            "name": user.get("name"),
            "email": user.get("email"),
            "role": user.get("role", "user"),
            "is_service_user": user.get("service", False),
            "auto_groups": [self._ids[f"group:{name}"] for name in user.get("groups") or []],
        }
        made = self._session.send("POST", "/api/users", body)
        self._know("user", [made], "name")
        self._know("user", [made], "email")

    def _join(self, peers: list[Row]) -> None:
        """Let the machines join, then put them into their groups, one request for each group."""
        if not peers:
            return
        key = self._session.send("POST", "/api/setup-keys", JOINING_KEY)
        for peer in peers:
            how = {"user": peer["user"]} if "user" in peer else {"setup_key": key["key"]}
            told: Row = {name: peer[name] for name in ("hostname", "connected", "meta") if name in peer}
            result = self._simulator.event({"event": "peer_joins", **how, **told})
            if "error" in result:
                raise SeedError(f"peer {peer.get('hostname')}: {result['error']}")
            self._ids[f"peer:{peer['hostname']}"] = result["id"]
        self._session.send("DELETE", f"/api/setup-keys/{key['id']}")
        for name in dict.fromkeys(name for peer in peers for name in peer.get("groups") or []):
            members = [self._ids[f"peer:{peer['hostname']}"] for peer in peers if name in (peer.get("groups") or [])]
            self._session.send("PUT", f"/api/groups/{self._ids[f'group:{name}']}", {"name": name, "peers": members})

    def _call(self, entry: Row) -> None:
        path = "/".join(self._resolved(segment) for segment in str(entry.get("path")).split("/"))
        made = self._session.send(str(entry.get("method", "POST")), path, self._resolved(entry.get("body")))
        if "as" in entry:
            self._ids[str(entry["as"])] = made["id"]
        if isinstance(made, dict) and path == "/api/groups":
            self._know("group", [made], "name")

    def _resolved(self, value: Any) -> Any:
        """The value with ids in place of references."""
        if isinstance(value, Mapping):
            return {self._resolved(key): self._resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        if value[1:] not in self._ids:
            raise SeedError(
                f"nothing is called {value}; known are {', '.join(f'@{name}' for name in sorted(self._ids))}"
            )
        return self._ids[value[1:]]


def _entries(document: Mapping[str, Any], name: str) -> list[Row]:
    entries = document.get(name) or []
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise SeedError(f"{name} is a list of mappings")
    return [dict(entry) for entry in entries]
