"""Commands that only look: they send nothing but GET, and always the same number of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.cli.main import COMMANDS
from tests.unit.harness import Account, Between, json_answer

EVERYTHING = """
manage: {default: full}
guards: {max_delete: {percent: 100}}
groups: {a: {peers: []}}
posture_checks: {c: {netbird_version: 1.0.0}}
policies: {p: {from: a, to: {resource: n/r}, allow: all, posture: c}}
networks: {n: {routers: [{peer_groups: [a]}], resources: {r: {address: a.example, groups: [a]}}}}
routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [a]}}
dns:
  nameservers: {n: {servers: [9.9.9.9], groups: [a], primary: true}}
  zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}
  disabled_management_groups: [a]
setup_keys: {k: {type: reusable, auto_groups: [a]}}
service_users: {nbsync: {role: admin}, s: {role: user, tokens: {t: {expires_in: 9d}}}, u: {role: user, tokens: {t: {expires_in: 9d}}}}
users: {owner@acme.example: }
peers: {gw: }
account: {peer_login_expiration: 12h}
"""
MANAGED_TOKENS = 2
WITHOUT_WRITES = {
    "plan": ("--detailed-exitcode", "--save", "plan.json"),
    "show": ("plan.json",),
    "drift": (),
    "validate": (),
    "fmt": ("--check",),
    "export": ("--out", "exported"),
    "schema": ("--plan",),
    "explain": ("NBS401",),
    "history": (),
    "doctor": (),
    "init": ("repository",),
}


def test_every_command_that_only_looks_is_among_these() -> None:
    assert COMMANDS.keys() - {"apply", "rotate", "rollback", "simulate"} == WITHOUT_WRITES.keys()


@pytest.mark.parametrize("command", WITHOUT_WRITES)
def test_commands_that_look_send_nothing_but_get(account: Account, command: str) -> None:
    account.write("version: 1" + EVERYTHING)
    if command == "show":
        account.nbsync("plan", "--save", "plan.json")
    outcome = account.nbsync(command, *WITHOUT_WRITES[command])
    assert outcome.exit_code in (0, 2), outcome.stderr
    assert outcome.writes == []
    assert bool(outcome.sent) == (command in ("plan", "drift", "export", "doctor", "init"))


def multiply(times: int) -> Callable[[Request, Response], Response]:
    """Let every list show so many objects for each that is there."""

    def after(request: Request, response: Response) -> Response:
        answer = json.loads(response.get_data())
        if request.method != "GET" or not isinstance(answer, list) or request.path == "/api/accounts":
            return response
        return json_answer([copy for one in answer for copy in _copies(one, times)])

    return after


def _copies(one: dict[str, Any], times: int) -> list[dict[str, Any]]:
    names = [name for name in ("name", "domain", "network_id", "email") if one.get(name)]
    copies = [
        {**one, "id": f"{one['id']}-{n}", **{name: f"x{n}-{one[name]}" for name in names}} for n in range(1, times)
    ]
    return [one, *({**copy, **_inside(copy, n)} for n, copy in enumerate(copies, 1))]


def _inside(one: dict[str, Any], number: int) -> dict[str, Any]:
    """What stands in a copy: zones have no records, networks the copies of what is in the original."""
    ids = {key: [f"{member}-{number}" for member in one.get(key) or ()] for key in ("routers", "resources")}
    return {"records": []} if "records" in one else ids if "routers" in one else {}


@pytest.fixture
def between(account: Account, connect: Callable[[Any, str], None]) -> Between:
    front = Between(account.simulator)
    connect(front, account.token)
    return front


def test_reads_are_constant_in_the_number_of_objects(account: Account, between: Between) -> None:
    account.join("gw")
    account.applied(EVERYTHING, "--secrets-out", "secrets")
    reads = {}
    for times in (1, 10, 1_000):
        between.after = multiply(times)
        outcome = account.plan(EVERYTHING.replace("default: full", "default: no-delete"))
        assert outcome.exit_code == 0, outcome.stdout
        reads[times] = outcome.document["requests"]
    assert reads[1] == reads[10] == reads[1_000]
    assert reads[1]["read"] <= 20 + MANAGED_TOKENS
    assert reads[1]["write"] == 0


def test_one_more_read_for_every_service_user_whose_tokens_are_managed(account: Account) -> None:
    text = "service_users: {a: {role: user, tokens: {t: {expires_in: 9d}}}, b: {role: user}, c: {role: user}}"
    account.applied(text, "--secrets-out", "secrets")
    one = account.plan(text).document["requests"]["read"]
    more = text.replace("b: {role: user}", "b: {role: user, tokens: {t: {expires_in: 9d}}}")
    assert account.plan(more).document["requests"]["read"] == one + 1
    assert account.plan("service_users: {a: {role: user}}").document["requests"]["read"] == one - 1


def test_requests_are_counted_as_they_are_sent(account: Account) -> None:
    outcome = account.applied("groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: all}}")
    counted = outcome.document["requests"]
    assert counted == {"read": len(outcome.sent) - len(outcome.writes), "write": len(outcome.writes)}
    assert counted["write"] == 3
