"""Whatever a server answers to a write, no other object is touched, the next run converges, and no secret is lost unsaid."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.fuzz.answers import deep, raw
from tests.unit.harness import Account, Between, Outcome, json_answer

BEFORE = """
groups: {a: , b: , c: }
posture_checks: {c: {netbird_version: 1.0.0}}
networks: {n: {description: x, routers: [{peer_groups: [a]}], resources: {r: {address: a.example}}}}
policies: {p: {from: a, to: b, allow: all}, q: {from: b, to: c, allow: tcp/443}}
setup_keys: {j: {type: reusable}}
service_users: {s: {role: user}}
"""
AFTER = """
groups: {a: , b: , d: {previously: c}, e: , f: }
posture_checks: {c: {netbird_version: 1.1.0}, d: {netbird_version: 1.0.0}}
networks: {n: {description: y, routers: [{peer_groups: [a], metric: 5}], resources: {r: {address: b.example}, s: {address: c.example}}}}
policies: {p: {from: e, to: f, allow: icmp, posture: d}, q: {from: b, to: d, allow: tcp/443}, o: {from: a, to: {resource: n/s}, allow: all}}
dns: {zones: {x.example: {groups: [e], records: {w: {A: 10.0.0.1}}}}}
setup_keys: {j: {type: reusable, auto_groups: [e]}, k: {type: reusable}, l: {type: one-off}}
service_users: {nbsync: {role: admin}, s: {role: auditor, tokens: {t: {expires_in: 9d}}}}
"""
LISTS = ["groups", "posture-checks", "networks", "networks/resources", "policies", "dns/zones", "setup-keys", "users"]
Flaw = Callable[[Any, "Hostile"], Response]


class Hostile:
    """Spoils the answers to writes of one method."""

    def __init__(self, between: Between, method: str, flaw: Flaw) -> None:
        self.between, self.method, self.flaw = between, method, flaw
        self.shown: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}
        between.after = self

    def __call__(self, request: Request, response: Response) -> Response:
        answer = json.loads(response.get_data() or b"null")
        if request.method == "GET" or response.status_code != 200:
            return response
        collection = request.path if request.method == "POST" else request.path.rpartition("/")[0]
        spoiled = self.flaw(answer, self) if request.method == self.method else response
        self.shown.setdefault(collection, answer)
        if request.path == "/api/setup-keys":
            self.secrets[answer["id"]] = answer["key"]
        return spoiled

    def other(self, answer: Any) -> Any:
        """The answer that showed the first object of this sort, or this one with an id of its own."""
        found = [one for one in self.shown.values() if isinstance(one, dict) and one.keys() == answer.keys()]
        return found[0] if found else {**answer, "id": "another"}


def spoilt(value: Any) -> Any:
    """Every value of another type, the id aside."""
    other = {str: 7, int: "x", float: "x", bool: [], list: {"x": 1}, dict: [1], type(None): True}
    return {key: item if key == "id" else other[type(item)] for key, item in value.items()}


FLAWS: dict[str, Flaw] = {
    "nothing": lambda _answer, _hostile: raw(""),
    "null": lambda _answer, _hostile: json_answer(None),
    "an empty object": lambda _answer, _hostile: json_answer({}),
    "a list": lambda answer, _hostile: json_answer([answer]),
    "half of it": lambda answer, _hostile: raw(json.dumps(answer)[:-10]),
    "a web page": lambda _answer, _hostile: raw("<html>", "text/html"),
    "something deep": lambda _answer, _hostile: raw(deep(100_000)),
    "the id alone": lambda answer, _hostile: json_answer({"id": answer.get("id")}),
    "another id": lambda answer, hostile: json_answer({**answer, "id": hostile.other(answer)["id"]}),
    "another object": lambda answer, hostile: json_answer(hostile.other(answer)),
    "other types": lambda answer, _hostile: json_answer(spoilt(answer)),
}


def names(account: Account) -> dict[str, list[str]]:
    """What is there, with everything that is there twice."""
    return {path: sorted(one.get("name") or one["domain"] for one in account.read(f"/{path}")) for path in LISTS}


def missing_secrets(account: Account, made: dict[str, str], outcomes: list[Outcome]) -> list[str]:
    """Setup keys that are live, whose secret was not handed over as theirs, and of which nobody said so."""
    entries = [json.loads(line) for line in (account.folder / "secrets").read_text().splitlines()]
    handed = {(entry["address"], entry["secret"]) for entry in entries}
    told = "".join(outcome.stdout for outcome in outcomes)
    return [
        key["name"]
        for key in account.read("/setup-keys")
        if key["id"] in made
        and (f"setup_key/{key['name']}", made[key["id"]]) not in handed
        and f"rotate setup_key/{key['name']}" not in told
    ]


@pytest.fixture
def between(account: Account, connect: Callable[[Any, str], None]) -> Between:
    front = Between(account.simulator)
    connect(front, account.token)
    account.applied(BEFORE, "--secrets-out", "secrets")
    return front


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
def test_an_answer_that_shows_something_else_is_not_believed(
    flaw: Flaw, method: str, account: Account, between: Between
) -> None:
    hostile = Hostile(between, method, flaw)
    outcomes = [account.apply(AFTER, "--secrets-out", "secrets")]
    check_told(outcomes[0])
    between.after = lambda _request, response: response
    outcomes.append(account.applied(AFTER, "--secrets-out", "secrets"))
    assert account.plan(AFTER).changes == []
    found = names(account)
    assert all(len(set(listed)) == len(listed) for listed in found.values()), found
    assert set(found["groups"]) == {"All", "a", "b", "d", "e", "f"}
    assert missing_secrets(account, hostile.secrets, outcomes) == [], outcomes[0].stdout


def check_told(outcome: Outcome) -> None:
    """All was done, or what was not says why."""
    assert outcome.exit_code in (0, 1, 6, 7), outcome.stdout
    assert "NBS999" not in outcome.stdout + outcome.stderr, outcome.stdout
    for change in outcome.document["changes"]:
        error = change["error"]
        assert (change["status"] == "applied") == (error is None)
        assert error is None or (error["message"] and error["help"]), change


def test_no_other_object_is_written_when_an_answer_shows_one(account: Account, between: Between) -> None:
    """Whoever believed it would go on with the id of the other object: rename it, or give its access to somebody."""
    others = {group["id"]: group for group in account.read("/groups")}
    b = account.named("/groups", "b")
    between.after = lambda request, response: (
        json_answer({**b, "name": json.loads(response.get_data())["name"]})
        if (request.method, request.path) == ("POST", "/api/groups")
        else response
    )
    outcome = account.apply(BEFORE.replace("c: }", "c: , z: }").replace("to: c", "to: z"))
    z = account.named("/groups", "z")
    assert outcome.exit_code == 0
    assert account.named("/policies", "q")["rules"][0]["destinations"][0]["id"] == z["id"]
    assert {group["id"]: group for group in account.read("/groups") if group["id"] in others}.keys() == others.keys()
    assert account.named("/groups", "b")["id"] == b["id"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_answer_with_more_in_it_is_fine(method: str, account: Account, between: Between) -> None:
    def more(answer: Any, _hostile: Hostile) -> Response:
        return json_answer({**answer, "new": {"x": ["y" * 100_000, None, {"z": []}]}})

    Hostile(between, method, more)
    account.applied(AFTER, "--secrets-out", "secrets")
    assert account.plan(AFTER).changes == []
