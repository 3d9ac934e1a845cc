"""An apply that is cut at any call converges on the next run, with nothing made twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.simulator import Simulator
from tests.unit.harness import Account, Between

BEFORE = """
groups: {a: , old: , gone: }
posture_checks: {c: {netbird_version: 1.0.0}}
networks: {n: {description: x, routers: [{peer_groups: [a]}], resources: {r: {address: a.example}, s: {address: b.example}}}}
routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [a]}}
dns:
  nameservers: {n: {servers: [9.9.9.9], groups: [a], primary: true}}
  zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}, v: {A: 10.0.0.1}}}}
policies: {p: {from: a, to: old, allow: all}, q: {from: a, to: gone, allow: all}}
setup_keys: {k: {type: reusable}, gone: {type: reusable}}
service_users: {s: {role: user, tokens: {t: {expires_in: 9d}, gone: {expires_in: 9d}}}}
"""
AFTER = """
manage: {default: full}
guards: {max_delete: {percent: 100}}
unmanaged: [policy/Default]
groups: {a: , new: {previously: old}, b: }
posture_checks: {c: {netbird_version: 1.1.0}, d: {netbird_version: 1.0.0}}
networks:
  n: {description: y, routers: [{peer_groups: [a], metric: 5}, {peer_groups: [b], enabled: false}], resources: {r: {address: a.example, groups: [b]}, t: {address: c.example}}}
  m: {resources: {u: {address: d.example}}}
routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [b]}, t: {network: 10.1.0.0/16, peer_groups: [b], groups: [a]}}
dns:
  nameservers: {n: {servers: [9.9.9.10], groups: [a], primary: true}, o: {servers: [9.9.9.9], groups: [b], domains: [x.y]}}
  zones: {x.example: {groups: [b], records: {w: {A: 10.0.0.2}, v: {CNAME: w.example}}}, y.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}
  disabled_management_groups: [b]
policies: {p: {from: b, to: new, allow: icmp, posture: d}, o: {from: a, to: {resource: m/u}, allow: all}}
setup_keys: {k: {type: one-off, auto_groups: [b]}, l: {type: reusable}}
service_users: {nbsync: {role: admin}, s: {role: auditor, tokens: {t: {expires_in: 9d}, u: {expires_in: 9d}}}, z: {role: user, tokens: {t: {expires_in: 9d}}}}
account: {peer_login_expiration: 12h}
"""
LISTS = [
    "groups",
    "posture-checks",
    "policies",
    "networks",
    "networks/routers",
    "networks/resources",
    "routes",
    "dns/nameservers",
    "dns/zones",
    "setup-keys",
    "users",
]
ROOT = Path(__file__).parents[3]
SECRETS = ("--secrets-out", "secrets.jsonl")


def shapes(account: Account) -> dict[str, list[str]]:
    """What is there, without ids and times."""
    found = {
        path: sorted(one.get("name") or one.get("address") or "router" for one in account.read(f"/{path}"))
        for path in LISTS
    }
    found["records"] = sorted(record["name"] for zone in account.read("/dns/zones") for record in zone["records"])
    tokens = (
        account.read(f"/users/{user['id']}/tokens") or [] for user in account.read("/users") if user["is_service_user"]
    )
    found["tokens"] = sorted(token["name"] for listed in tokens for token in listed)
    return found


WRITES = 39
"""Calls of the whole change; a test sees that it is true."""
_CACHE: dict[str, Any] = {}


@pytest.fixture
def prepared(
    folder: Path, capsys: pytest.CaptureFixture[str], connect: Callable[[Any, str], None], impatient: list[float]
) -> Account:
    """An account as BEFORE has it: made once, copied for every test."""
    simulator = Simulator()
    if not _CACHE:
        _CACHE["token"] = simulator.bootstrap()
        connect(simulator, _CACHE["token"])
        account = Account(folder, capsys, simulator, _CACHE["token"])
        account.applied(BEFORE, *SECRETS)
        _CACHE["world"] = deepcopy(simulator.world)
        _CACHE["writes"] = account.applied(AFTER, *SECRETS).writes
        _CACHE["shapes"] = shapes(account)
    simulator.world = deepcopy(_CACHE["world"])
    connect(simulator, _CACHE["token"])
    return Account(folder, capsys, simulator, _CACHE["token"])


def test_all_calls_are_cut_and_all_methods_are_among_them(prepared: Account) -> None:
    assert len(_CACHE["writes"]) == WRITES
    assert {line.split()[0] for line in _CACHE["writes"]} == {"POST", "PUT", "DELETE"}


CUTS = {
    **{f"call {number}: the answer is lost": (number, "drop-after") for number in range(1, WRITES + 1)},
    **{f"call {number}: a proxy answers 503": (number, "status:503") for number in range(1, WRITES + 1, 2)},
    **{f"call {number}: the connection breaks": (number, "drop-before") for number in range(2, WRITES + 1, 6)},
    **{f"call {number}: the answer is no JSON": (number, "garbage") for number in range(4, WRITES + 1, 6)},
}


@pytest.mark.parametrize(("number", "fault"), CUTS.values(), ids=CUTS)
def test_an_apply_with_a_call_that_fails_converges(
    prepared: Account, connect: Callable[[Any, str], None], number: int, fault: str
) -> None:
    cut = strike(prepared, connect, number, fault)
    first = prepared.apply(AFTER, *SECRETS)
    assert len(cut) >= number
    assert first.exit_code in (0, 1, 7)
    second = prepared.applied(AFTER, *SECRETS)
    assert prepared.plan(AFTER).changes == []
    assert shapes(prepared) == _CACHE["shapes"]
    if first.exit_code == 0:
        assert second.changes == []
    else:
        assert {"failed", "unknown"} & set(first.statuses.values())


def strike(account: Account, connect: Callable[[Any, str], None], number: int, fault: str) -> list[str]:
    """Let the nth write fail; returns a list that will have all writes."""
    writes: list[str] = []

    def before(request: Request) -> None:
        if request.method != "GET":
            writes.append(f"{request.method} {request.path}")
            if len(writes) == number:
                account.fault(request.method, request.path, fault)

    between = Between(account.simulator)
    between.before = before
    connect(between, account.token)
    return writes


def test_a_lost_answer_is_made_good_in_the_same_run(prepared: Account, connect: Callable[[Any, str], None]) -> None:
    """Whatever was lost of a create, a rename, an update or a delete: the account shows that it was done."""
    for number in range(1, WRITES + 1, 5):
        prepared.simulator.world = deepcopy(_CACHE["world"])
        strike(prepared, connect, number, "drop-after")
        assert prepared.apply(AFTER, *SECRETS).exit_code == 0


@pytest.mark.parametrize(("number", "when"), [(1, "before"), (14, "after"), (27, "before"), (WRITES, "after")])
def test_an_apply_that_is_killed_converges(
    prepared: Account, connect: Callable[[Any, str], None], number: int, when: str
) -> None:
    """SIGKILL before the server sees the nth write, or after it and before its answer."""
    prepared.write("version: 1" + AFTER)
    running: list[subprocess.Popen[bytes]] = []
    writes = 0

    def kill(request: Request, response: Response | None = None) -> Response | None:
        nonlocal writes
        writes += request.method != "GET"
        if request.method != "GET" and writes == number and running:
            running[0].kill()
            running[0].wait()
        return response

    between = Between(prepared.simulator)
    if when == "before":
        between.before = kill
    else:
        between.after = lambda request, response: kill(request, response) or response
    connect(between, prepared.token)
    command = [sys.executable, "-m", "reconciler", "apply", "--yes", "--quiet", *SECRETS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
    assert running[0].wait(timeout=60) == -signal.SIGKILL
    connect(prepared.simulator, prepared.token)
    second = prepared.nbsync("apply", "-o", "json", "--yes", *SECRETS)
    assert second.exit_code == 0
    assert len(second.writes) <= WRITES - number + 2
    assert prepared.plan(AFTER).changes == []
    assert shapes(prepared) == _CACHE["shapes"]
