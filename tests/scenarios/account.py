"""The account on which a walk is walked: simulated in this process, or a real one."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from reconciler.settings import Settings
from reconciler.simulator import Simulator

URL, TOKEN, JOINER = "NBSYNC_LIVE_URL", "NBSYNC_LIVE_TOKEN", "NBSYNC_LIVE_JOINER"
LISTS = (
    "/policies",
    "/routes",
    "/dns/nameservers",
    "/dns/zones",
    "/networks",
    "/setup-keys",
    "/users",
    "/peers",
    "/posture-checks",
    "/groups",
)
"""Lists of everything that a walk can make, in an order in which it can be deleted."""
OF_THE_SERVER = ("embedded_idp_enabled", "local_auth_disabled")
Transport = httpx.BaseTransport | None
Ids = dict[str, frozenset[str]]


class Account(Protocol):
    """What a walk needs of an account.

    Attributes:
        settings: server and token.
        transport: the way to it; None is the network.
        nbsync_transport: the way that nbsync takes.
    """

    settings: Settings
    transport: Transport
    nbsync_transport: Transport

    def event(self, line: Mapping[str, Any]) -> Any:
        """Let something happen other than through the API; the event lines of the simulator."""


class Simulated:
    """A new account in a new simulator.

    Args:
        environ: environment of the server.
        by_login: the account is made by the owner's first login, so that people of other identity providers join it.
    """

    def __init__(self, environ: Mapping[str, str], *, by_login: bool = False) -> None:
        self._simulator = Simulator(environ)
        self.transport: Transport = self._simulator.transport()
        self.nbsync_transport: Transport = self.transport
        if by_login:
            owner = {"email": "owner@acme.test", "password": "0wner-Password", "name": "Owner"}
            self._client().post("/api/setup", json=owner)
            self.event({"event": "user_logs_in", "email": owner["email"], "name": owner["name"]})
        self.settings = Settings("http://127.0.0.1", SecretStr(self._simulator.bootstrap()))

    def event(self, line: Mapping[str, Any]) -> Any:
        """Any event of the simulator; who logs in makes a request."""
        answer = self._simulator.event(line)
        if line["event"] == "user_logs_in":
            self._client().get("/api/users/current", headers={"Authorization": f"Bearer {answer['token']}"})
        return answer

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url="http://127.0.0.1", transport=self.transport)


class Real:
    """The account of `NBSYNC_LIVE_URL`; machines join through the program `NBSYNC_LIVE_JOINER`.

    The joiner is started as `JOINER HOST:PORT FOLDER`, reads `{"cmd": "join", "hostname": ..., "setup_key": ...}` as one line
    of JSON, and answers with one that has an `error` if it was refused.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.settings = Settings(environ[URL], SecretStr(environ[TOKEN]))
        self.transport: Transport = None
        self.nbsync_transport: Transport = None
        self._joiner = environ.get(JOINER, "")

    def event(self, line: Mapping[str, Any]) -> Any:
        """Only `peer_joins`; everything else needs a simulator."""
        if line["event"] != "peer_joins":
            raise NotImplementedError(f"a real server knows no event {line['event']}: say only_simulated")
        request = json.dumps({"cmd": "join", "hostname": line["hostname"], "setup_key": line["setup_key"]})
        with tempfile.TemporaryDirectory() as folder:
            command = [self._joiner, urlsplit(self.settings.url).netloc, folder]
            done = subprocess.run(command, input=f"{request}\n", capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)


@contextmanager
def alone_with(settings: Settings) -> Iterator[None]:
    """Keep other walks away from a real account for a while: they would see one another's objects."""
    name = "nbsync-walk-" + urlsplit(settings.url).netloc.replace(":", "-")
    with (Path(tempfile.gettempdir()) / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Dashboard:
    """Requests that nbsync does not make: what people do, and looking whether it is true what nbsync says."""

    def __init__(self, account: Account) -> None:
        self._account = account
        headers = {"Authorization": f"Token {account.settings.token.get_secret_value()}"}
        self._client = httpx.Client(
            base_url=f"{account.settings.url}/api", headers=headers, transport=account.transport, trust_env=False
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request that the server has to accept; gives its answer."""
        response = self._client.request(method, path, json=body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def join(self, hostname: str, groups: list[str]) -> None:
        """Let a machine join, with a key that is gone afterwards."""
        body = {
            "name": f"for {hostname}",
            "type": "one-off",
            "expires_in": 86400,
            "auto_groups": groups,
            "usage_limit": 1,
        }
        key = self.send("POST", "/setup-keys", body)
        answer = self._account.event({"event": "peer_joins", "hostname": hostname, "setup_key": key["key"]})
        self.send("DELETE", f"/setup-keys/{key['id']}")
        assert "error" not in answer, answer["error"]

    def ids(self) -> Ids:
        """Ids of everything in the account, by the path of its list."""
        return {path: frozenset(one["id"] for one in self.send("GET", path)) for path in LISTS}


class Traces:
    """What a walk leaves behind in an account, taken away again."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        self._before = dashboard.ids()
        self._dns, self._settings = self._singletons()

    def remove(self) -> None:
        """Delete what was not there before, put settings back, and see that it is all as it was."""
        send = self._dashboard.send
        now = self._singletons()
        if now[0] != self._dns:
            send("PUT", "/dns/settings", self._dns)
        if now[1] != self._settings:
            account = send("GET", "/accounts")[0]["id"]
            send("PUT", f"/accounts/{account}", {"settings": self._settings})
        for path in LISTS:
            for one in send("GET", path):
                if one["id"] not in self._before[path]:
                    send("DELETE", f"{path}/{one['id']}")
        assert (self._dashboard.ids(), self._singletons()) == (self._before, (self._dns, self._settings))

    def _singletons(self) -> tuple[Any, Any]:
        settings = self._dashboard.send("GET", "/accounts")[0]["settings"]
        mine = {key: value for key, value in settings.items() if key not in OF_THE_SERVER}
        return self._dashboard.send("GET", "/dns/settings"), mine
