"""An apply that is cut at any call, by any fault, converges on the next run: nothing is made twice, nothing is lost.

make faults    # these tests, and a table of faults by place with what became of each cut
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from itertools import product
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler import settings
from reconciler.simulator import Simulator
from schemas import KINDS
from tests.unit.harness import Account, Between, json_answer

Record = Callable[[str, object], None]

BEFORE = """
groups: {a: {peers: [gw-1]}, e: {peers: [gw-1]}, f: {peers: [gw-2]}, old: , gone: }
posture_checks: {c: {netbird_version: 1.0.0}, gone: {netbird_version: 1.0.0}}
networks: {gone: , n: {description: x, routers: [{peer_groups: [a]}, {peer_groups: [gone]}], resources: {r: {address: a.example}, s: {address: b.example}}}}
routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [a]}, gone: {network: 10.9.0.0/16, peer_groups: [a], groups: [a]}}
dns:
  nameservers: {n: {servers: [9.9.9.9], groups: [a], primary: true}, gone: {servers: [9.9.9.9], groups: [a], domains: [z.z]}}
  zones: {gone.example: {groups: [a]}, x.example: {groups: [a], records: {w: {A: 10.0.0.1}, v: {A: 10.0.0.1}}}}
policies: {p: {from: a, to: old, allow: all}, q: {from: a, to: gone, allow: all}, stays: {from: e, to: f, allow: tcp}, no: {from: [e, f], to: All, deny: icmp}}
setup_keys: {k: {type: reusable}, gone: {type: reusable}}
users: {bob@acme.io: {invite: true, name: Bob}}
service_users: {gone: {role: user}, s: {role: user, tokens: {t: {expires_in: 9d}, gone: {expires_in: 9d}}}}
"""
AFTER = """
manage: {default: full, users: no-delete, peers: no-delete}
guards: {max_delete: {percent: 100}}
unmanaged: [policy/Default]
groups: {a: {peers: [gw-2]}, e: {peers: [gw-2]}, f: {peers: [gw-1]}, new: {previously: old}, b: {peers: [gw-1]}}
peers: {gw-1: {ssh_enabled: true}}
users: {eve@acme.io: {invite: true, name: Eve}, bob@acme.io: {role: auditor, auto_groups: [b]}}
posture_checks: {c: {netbird_version: 1.1.0}, d: {netbird_version: 1.0.0}}
networks:
  n: {description: y, routers: [{peer_groups: [a], metric: 5}, {peer_groups: [b], enabled: false}], resources: {r: {address: a.example, groups: [b]}, t: {address: c.example}}}
  m: {resources: {u: {address: d.example}}}
routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [b]}, t: {network: 10.1.0.0/16, peer_groups: [b], groups: [a]}}
dns:
  nameservers: {n: {servers: [9.9.9.10], groups: [a], primary: true}, o: {servers: [9.9.9.9], groups: [b], domains: [x.y]}}
  zones: {x.example: {groups: [b], records: {w: {A: 10.0.0.2}, v: {CNAME: w.example}}}, y.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}
  disabled_management_groups: [b]
policies: {p: {from: b, to: new, allow: icmp, posture: d}, o: {from: a, to: {resource: m/u}, allow: all}, stays: {from: e, to: f, allow: tcp}, no: {from: [e, f], to: All, deny: icmp}}
setup_keys: {k: {type: one-off, auto_groups: [b]}, l: {type: reusable}}
service_users: {nbsync: {role: admin}, s: {role: auditor, tokens: {t: {expires_in: 9d}, u: {expires_in: 9d}}}, z: {role: user, tokens: {t: {expires_in: 9d}}}}
account: {peer_login_expiration: 12h}
"""
LISTS = [
    "groups",
    "peers",
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
SLOW, PATIENCE = 0.5, 0.2
"""Seconds that a slow server needs, and that its client waits."""

WRITES = 59
"""Calls of the whole change; a test sees that it is true."""
_CACHE: dict[str, Any] = {}


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
        account.join("gw-1", "gw-2")
        account.applied(BEFORE, *SECRETS)
        _CACHE["world"] = deepcopy(simulator.world)
        _CACHE["writes"] = account.applied(AFTER, *SECRETS).writes
        _CACHE["shapes"] = shapes(account)
    simulator.world = deepcopy(_CACHE["world"])
    connect(simulator, _CACHE["token"])
    return Account(folder, capsys, simulator, _CACHE["token"])


class Strike:
    """Stands between nbsync and the account, and lets the nth write go wrong.

    Attributes:
        writes: what has arrived so far, as `POST /api/groups`.
        over: set once the server is done with the write that went wrong.
    """

    def __init__(self, account: Account, connect: Callable[[Any, str], None], number: int, fault: str) -> None:
        self.writes: list[str] = []
        self.over = Event()
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[Response], Response] = lambda response: response
        self._account, self._number, self._fault = account, number, fault
        self._struck: Request | None = None
        between = Between(account.simulator)
        between.before, between.after = self._arrives, self._leaves
        connect(between, account.token)

    def _arrives(self, request: Request) -> None:
        if request.method == "GET":
            return
        self.writes.append(f"{request.method} {request.path}")
        if len(self.writes) == self._number:
            self._struck = request
            if self._fault:
                self._account.fault(request.method, request.path, self._fault)
            self.before()

    def _leaves(self, request: Request, response: Response) -> Response:
        if request is not self._struck:
            return response
        self.over.set()
        return self.after(response)


def place(write: str) -> str:
    """What a write does: `group created`."""
    method, _, path = write.partition(" ")
    for kind in reversed(KINDS.values()):
        template = kind.endpoint.create_path if method == "POST" else kind.endpoint.item_path
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path.removeprefix("/api")):
            return f"{kind.name} {VERBS[method]}"
    raise AssertionError(write)


VERBS = {"POST": "created", "PUT": "updated", "DELETE": "deleted"}


def converges(account: Account, record: Record, fault: str, number: int, exit_code: int) -> None:
    """The next run makes good what the cut one left, and the cut is noted for the table of faults."""
    second = account.applied(AFTER, *SECRETS)
    assert account.plan(AFTER).changes == []
    assert shapes(account) == _CACHE["shapes"]
    if exit_code == 0:
        assert second.changes == []
    record("cut", (fault, place(_CACHE["writes"][number - 1]), "same run" if exit_code == 0 else "next run"))


def test_all_calls_are_cut_and_all_kinds_and_methods_are_among_them(prepared: Account) -> None:
    assert len(_CACHE["writes"]) == WRITES
    places = {place(write) for write in _CACHE["writes"]}
    kinds = {name for name, kind in KINDS.items() if kind.endpoint.creates and not kind.endpoint.singleton}
    assert {f"{name} {verb}" for name in kinds - SHARED for verb in ("created", "deleted")} <= places
    assert {name.partition(" ")[0] for name in places} >= set(KINDS) - SHARED


SHARED = {"service_user"}
"""Kinds that have the paths of another one."""

CALLS = range(1, WRITES + 1)
SAMPLE = range(1, WRITES + 1, int(os.environ.get("NBSYNC_TEST_CUTS", "9")))
HELD_BACK = "429 instead of the call"
ON_ORDER = {
    "connection lost before the call": "drop-before",
    "connection lost before the answer": "drop-after",
    "503 instead of the call": "status:503",
    "garbage instead of the call": "garbage",
}
ANSWERS = {
    "500 after the call": lambda _response: json_answer({"message": "internal error", "code": 500}, 500),
    "garbage after the call": lambda _response: Response(b'<html>{"garbage', 200, content_type="application/json"),
    "half an answer": lambda response: Response(
        response.get_data()[: len(response.get_data()) // 2], 200, content_type="application/json"
    ),
}
SIGNALS = {"SIGINT during the call": signal.SIGINT, "SIGTERM during the call": signal.SIGTERM}


@pytest.mark.parametrize(
    ("fault", "number"),
    [*product(ON_ORDER, CALLS), *((HELD_BACK, number) for number in SAMPLE)],
)
def test_an_apply_with_a_call_that_fails_converges(
    prepared: Account, connect: Callable[[Any, str], None], record_property: Record, number: int, fault: str
) -> None:
    cut = Strike(prepared, connect, number, ON_ORDER.get(fault, "status:429"))
    first = prepared.apply(AFTER, *SECRETS)
    assert len(cut.writes) >= number
    assert first.exit_code in (0, 1, 7)
    if first.exit_code:
        assert {"failed", "unknown"} & set(first.statuses.values())
    converges(prepared, record_property, fault, number, first.exit_code)


@pytest.mark.parametrize("number", SAMPLE)
@pytest.mark.parametrize("fault", ANSWERS)
def test_an_apply_with_an_answer_that_is_none_converges(
    prepared: Account, connect: Callable[[Any, str], None], record_property: Record, number: int, fault: str
) -> None:
    Strike(prepared, connect, number, "").after = ANSWERS[fault]
    first = prepared.apply(AFTER, *SECRETS)
    assert first.exit_code in (0, 1, 7)
    converges(prepared, record_property, fault, number, first.exit_code)


@pytest.mark.parametrize("number", CALLS)
def test_an_apply_that_gives_up_on_a_call_which_takes_effect_later_converges(
    prepared: Account,
    connect: Callable[[Any, str], None],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Record,
    number: int,
) -> None:
    patient = settings.from_environment
    with monkeypatch.context() as patch:
        patch.setattr(settings, "from_environment", lambda *a, **k: replace(patient(*a, **k), timeout=PATIENCE))
        cut = Strike(prepared, connect, number, f"delay:{SLOW}")
        first = prepared.apply(AFTER, *SECRETS)
        assert first.exit_code in (0, 7, 9)
        assert cut.over.wait(timeout=10)
    converges(prepared, record_property, "timeout, and the call takes effect later", number, first.exit_code)


@pytest.mark.parametrize("number", SAMPLE)
@pytest.mark.parametrize("fault", SIGNALS)
def test_an_apply_that_is_asked_to_stop_finishes_its_call_and_converges(
    prepared: Account, connect: Callable[[Any, str], None], record_property: Record, number: int, fault: str
) -> None:
    cut = Strike(prepared, connect, number, "")
    cut.before = lambda: os.kill(os.getpid(), SIGNALS[fault])
    first = prepared.apply(AFTER, *SECRETS)
    assert first.exit_code == 128 + SIGNALS[fault] or (first.exit_code == 0 and number == WRITES)
    assert len(cut.writes) - number <= 1
    assert not {"failed", "unknown"} & set(first.statuses.values())
    converges(prepared, record_property, fault, number, first.exit_code)


@pytest.mark.parametrize("number", SAMPLE)
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_apply_that_is_killed_converges(
    prepared: Account, connect: Callable[[Any, str], None], record_property: Record, number: int, when: str
) -> None:
    """SIGKILL before the server sees the nth write, or after it and before its answer."""
    prepared.write("version: 1" + AFTER)
    running: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        running[0].kill()
        running[0].wait()

    def kill_then(response: Response) -> Response:
        kill()
        return response

    cut = Strike(prepared, connect, number, "")
    if when == "before":
        cut.before = kill
    else:
        cut.after = kill_then
    command = [sys.executable, "-m", "reconciler", "apply", "--yes", "--quiet", *SECRETS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
    assert running[0].wait(timeout=60) == -signal.SIGKILL
    connect(prepared.simulator, prepared.token)
    converges(prepared, record_property, f"SIGKILL {when} the call", number, -signal.SIGKILL)


def test_a_lost_answer_is_made_good_in_the_same_run(prepared: Account, connect: Callable[[Any, str], None]) -> None:
    """Whatever was lost of a create, a rename, an update or a delete: the account shows that it was done."""
    for number in range(1, WRITES + 1, 5):
        prepared.simulator.world = deepcopy(_CACHE["world"])
        Strike(prepared, connect, number, "drop-after")
        assert prepared.apply(AFTER, *SECRETS).exit_code == 0
