"""An account of which every kind has objects, as the server showed it once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.simulator import Simulator
from tests.unit.fuzz.answers import Canned
from tests.unit.harness import Account, Between, Desk

DOCUMENT = """
version: 1
manage: {default: full, users: no-delete, peers: no-delete}
guards: {max_delete: {percent: 100}}
unmanaged: [policy/Default, setup_key/joining]
groups: {a: {peers: [gw-1]}, b: {}, c: {peers: {at_least: [gw-2]}}}
posture_checks:
  c: {netbird_version: 1.0.0, os_version: {macos: "14.0"}, processes: [{linux: /bin/x}]}
  d: {network_ranges: {allow: [10.0.0.0/8]}}
policies:
  p: {from: a, to: {resource: n/r}, allow: tcp/443, posture: c}
  q: {from: {peer: gw-1}, to: b, deny: all}
  s: {from: a, to: b, ssh: {a: [root]}}
networks:
  n: {description: x, routers: [{peer_groups: [a]}, {peer: gw-1, metric: 7}], resources: {r: {address: a.example, groups: [a]}, s: {address: 10.0.0.1}}}
routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [a]}, d: {domains: [x.example], peer: gw-2, groups: [b]}}
dns:
  nameservers: {n: {servers: [9.9.9.9], groups: [a], primary: true}}
  zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}, v: {CNAME: w.example}}}}
  disabled_management_groups: [a]
setup_keys: {k: {type: reusable, auto_groups: [a]}}
service_users: {nbsync: {role: admin}, s: {role: user, auto_groups: [b], tokens: {t: {expires_in: 9d}}}}
users: {owner@acme.example: , bob@acme.example: {invite: true, name: Bob, role: user}}
peers: {gw-1: {ssh_enabled: true}}
account: {peer_login_expiration: 12h}
"""
LOOKS = {
    "plan": ("plan", "-o", "json"),
    "drift": ("drift", "-o", "json"),
    "export": ("export",),
    "schema": ("schema", "--live"),
    "doctor": ("doctor", "-o", "json"),
}
_CACHE: dict[str, Any] = {}


@pytest.fixture
def whole(
    folder: Any, capsys: pytest.CaptureFixture[str], connect: Callable[[Any, str], None], impatient: list[float]
) -> Account:
    """An account as DOCUMENT has it."""
    simulator = Simulator()
    account = Account(folder, capsys, simulator, simulator.bootstrap())
    connect(simulator, account.token)
    key = {"name": "joining", "type": "reusable", "expires_in": 86400, "auto_groups": [], "usage_limit": 0}
    secret = account.send("POST", "/setup-keys", key)["key"]
    for hostname in ("gw-1", "gw-2"):
        simulator.event({"event": "peer_joins", "hostname": hostname, "setup_key": secret})
    account.applied(DOCUMENT, "--secrets-out", "secrets")
    return account


@pytest.fixture
def canned(
    desk: Desk, request: pytest.FixtureRequest, connect: Callable[[Any, str], None], impatient: list[float]
) -> Canned:
    """The answers that this account gave, and its document in the working folder."""
    if not _CACHE:
        _CACHE.update(_recorded(request.getfixturevalue("whole"), connect))
    app = Canned(_CACHE["answers"])
    connect(app, _CACHE["token"])
    desk.write(DOCUMENT)
    return app


def _recorded(account: Account, connect: Callable[[Any, str], None]) -> dict[str, Any]:
    answers: dict[str, Any] = {}

    def after(request: Request, response: Response) -> Response:
        if response.status_code == 200:
            answers[request.path] = json.loads(response.get_data())
        return response

    front = Between(account.simulator)
    front.after = after
    connect(front, account.token)
    for command in LOOKS.values():
        assert account.nbsync(*command).exit_code == 0
    return {"answers": answers, "token": account.token}
