"""Between two calls of an apply access is never wider than before and after: the account is judged after every write.

`NBSYNC_TEST_WALKS` is the number of walks through random desired states.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.apply.drawn_access import LAPTOP, MACHINES, PERSON, POINTS, DrawAccess, allowances
from tests.unit.apply.reach import Fact, Json, Reach, reach
from tests.unit.harness import Account, Between, json_answer

WALKS, STEPS = int(os.environ.get("NBSYNC_TEST_WALKS", "6")), 3
DENIES = (0.0, 0.2, 0.4)
"""Shares of policies that deny, walk by walk."""


@dataclass(frozen=True)
class Moment:
    """A write, and what is possible after it."""

    call: str
    body: Any
    reach: Reach

    def __str__(self) -> str:
        return f"{self.call} {json.dumps(self.body)}"


@dataclass(frozen=True)
class State:
    """An account before or after an apply: who is in which group, what the policies say, and what is possible."""

    members: dict[str, frozenset[str]]
    policies: dict[str, Json]
    reach: Reach

    def named(self, action: str, kept: dict[str, Json] | None = None) -> set[str]:
        """Groups of which policies in force say this; only of those that are kept, if some are."""
        rules = [
            rule
            for identifier, policy in self.policies.items()
            for rule in policy["rules"]
            if policy["enabled"] and rule["action"] == action and (kept is None or kept.get(identifier) == policy)
        ]
        return {group["id"] for rule in rules for end in ("sources", "destinations") for group in rule[end] or ()}


@dataclass(frozen=True)
class Course:
    """An apply, from one state to another one."""

    before: State
    after: State

    def hinges(self, fact: Fact) -> int:
        """How many groups one of the two ends leaves or joins, by which policies that stay allow and others deny."""
        before, after = self.before, self.after
        closed = before.named("drop") | after.named("drop")
        both = closed & after.named("accept", kept=before.policies) & before.members.keys() & after.members.keys()
        return sum(bool((before.members[group] ^ after.members[group]) & set(fact[:2])) for group in both)


UNAVOIDABLE: dict[str, Callable[[Course, Moment, Fact], bool]] = {
    "the server makes every new router enabled; one that is not to be is switched off by the next call": (
        lambda _course, moment, _fact: (
            moment.call.startswith("POST /api/networks/")
            and moment.call.endswith("/routers")
            and moment.body["enabled"] is False
        )
    ),
    "groups by which policies that stay as they are allow, and others deny, change one after the other": (
        lambda course, _moment, fact: course.hinges(fact) > 1
    ),
}
"""What no order of calls can do, and what may be possible in between because of it."""


class Watched:
    """An account without its first policy, that is judged after every write."""

    def __init__(self, account: Account, between: Between) -> None:
        self.account = account
        self.moments: list[Moment] = []
        (default,) = account.read("/policies")
        account.send("DELETE", f"/policies/{default['id']}")
        for name, version in MACHINES.items():
            account.join(name, meta={"version": version})
        body = {"name": "ana", "email": PERSON, "role": "user", "auto_groups": [], "is_service_user": False}
        account.send("POST", "/users", body)
        joined = account.simulator.event({"event": "peer_joins", "hostname": LAPTOP, "user": PERSON})
        assert "error" not in joined
        self.between = between
        between.after = self._after

    def _after(self, request: Request, response: Response) -> Response:
        if request.method != "GET":
            body = json.loads(request.get_data() or "null")
            self.moments.append(Moment(f"{request.method} {request.path}", body, self.now()))
        return response

    def now(self) -> Reach:
        """What is possible now."""
        return reach(self.account.read, POINTS)

    def state(self) -> State:
        """What the account is now."""
        groups, policies = self.account.read("/groups"), self.account.read("/policies")
        members = {group["id"]: frozenset(peer["name"] for peer in group["peers"] or ()) for group in groups}
        return State(members, {policy["id"]: _uncounted(policy) for policy in policies}, self.now())

    def become(self, document: str, *flags: str) -> Course:
        """Apply a document; returns what was before and what is now."""
        before = self.state()
        self.moments.clear()
        self.account.write(document)
        outcome = self.account.nbsync("apply", "-o", "json", "--yes", *flags)
        assert outcome.exit_code == 0, [(error.code, error.message) for error in outcome.errors]
        return Course(before, self.state())

    def becomes_and_is_never_wider(self, document: str, *flags: str) -> frozenset[Fact]:
        """Apply a document; after no write is anything possible that is so neither before nor after.

        Returns:
            What is possible before and after, but not all the time between.
        """
        course = self.become(document, *flags)
        before, after = course.before.reach, course.after.reach
        for number, moment in enumerate(self.moments, 1):
            wider = {
                fact
                for fact in moment.reach.given - before.all - after.all
                if not any(is_so(course, moment, fact) for is_so in UNAVOIDABLE.values())
            }
            if wider:
                pytest.fail(f"write {number} of {len(self.moments)}, {moment}: {sorted(wider)}")
        common = before.given & after.given
        return common - common.intersection(*(moment.reach.all for moment in self.moments))

    def calls(self) -> list[str]:
        """The writes, without ids: `PUT groups`."""
        return [f"{moment.call.split()[0]} {_collection(moment.call)}" for moment in self.moments]


def _uncounted(value: Any) -> Any:
    """A policy without how many members its groups have."""
    if isinstance(value, list):
        return [_uncounted(item) for item in value]
    if isinstance(value, dict):
        return {key: _uncounted(item) for key, item in value.items() if not key.endswith("_count")}
    return value


def _collection(call: str) -> str:
    return next(part for part in reversed(call.split("/")) if not re.fullmatch("[0-9a-v]{20}", part))


@pytest.fixture
def watched(account: Account, between: Between) -> Watched:
    """An account that is judged after every write."""
    return Watched(account, between)


@pytest.mark.parametrize("seed", range(WALKS))
def test_access_is_never_wider_than_before_and_after(watched: Watched, seed: int) -> None:
    random = Random(seed)
    for _ in range(STEPS):
        document = DrawAccess(random, DENIES[seed % len(DENIES)]).document()
        flags = allowances(document)
        watched.becomes_and_is_never_wider(json.dumps(document), *flags)
        assert watched.account.nbsync("plan", "-o", "json", *flags).changes == []


@pytest.mark.parametrize("seed", range(WALKS))
def test_where_only_members_change_access_is_never_wider_either(watched: Watched, seed: int) -> None:
    draw = DrawAccess(Random(seed), DENIES[seed % len(DENIES)])
    document = draw.of_members()
    for _ in range(STEPS):
        watched.becomes_and_is_never_wider(json.dumps(document), *allowances(document))
        draw.fill(document["groups"])


HEAD = "version: 1\nmanage: {default: full}\nguards: {max_delete: {percent: 100}}\n"
GROUPS = "groups: {g: {peers: [%s]}, h: {peers: [m3]}, k: {peers: [m4]}}\n"
NET = "networks: {n: {routers: [{peer: m4}], resources: {%s}}}\n"
BOTH = "groups: {g: {peers: [%s]}, h: {peers: [%s]}, u: {peers: [m3, m4]}}\n"
IDLE = """
policies: {x: {from: h, to: h, allow: tcp, enabled: false}, %s}
routes: {x: {network: 192.168.2.0/24, peer: m3, groups: [h], enabled: false}, %s}
"""

CASES = {
    "a group and a policy that both go elsewhere meet: the policy narrows first, then the group changes": (
        GROUPS % "m1" + "policies: {p: {from: g, to: h, allow: tcp}}",
        GROUPS % "m2" + "policies: {p: {from: g, to: k, allow: tcp}}",
        ["PUT policies", "PUT groups", "PUT policies"],
    ),
    "one change alone has nothing to meet": (
        GROUPS % "m1" + "policies: {p: {from: g, to: h, allow: tcp}}",
        GROUPS % "m2" + "policies: {p: {from: g, to: h, allow: tcp}}",
        ["PUT groups"],
    ),
    "policies that allow add up": (
        GROUPS % "m1" + "policies: {p: {from: g, to: h, allow: tcp}, q: {from: h, to: g, allow: tcp}}",
        GROUPS % "m1" + "policies: {p: {from: g, to: k, allow: udp}, q: {from: h, to: k, allow: udp}}",
        ["PUT policies", "PUT policies"],
    ),
    "policies that deny do not: what one does not deny any more the other may not deny yet": (
        GROUPS % "m1"
        + "policies: {a: {from: All, to: All, allow: all}, p: {from: g, to: h, deny: tcp}, q: {from: h, to: g, deny: tcp}}",
        GROUPS % "m1"
        + "policies: {a: {from: All, to: All, allow: all}, p: {from: h, to: k, deny: tcp}, q: {from: g, to: h, deny: tcp}}",
        ["PUT policies", "PUT policies", "PUT policies"],
    ),
    "a group that is denied something grows before another change may give it more": (
        GROUPS % "m1" + "policies: {p: {from: g, to: h, deny: tcp}, q: {from: k, to: h, allow: all}}",
        GROUPS % "m2" + "policies: {p: {from: g, to: h, deny: tcp}, q: {from: [g, All], to: h, allow: tcp}}",
        ["PUT policies", "PUT groups", "PUT policies"],
    ),
    "a policy narrows before its posture check becomes another one": (
        GROUPS % "m1, m2, m3"
        + "posture_checks: {c: {netbird_version: 0.55.0}}\npolicies: {p: {from: g, to: k, allow: tcp, posture: c}}",
        GROUPS % "m1, m2"
        + "posture_checks: {c: {os_version: {linux_kernel: 5.0.0}}}\npolicies: {p: {from: [g, h], to: h, allow: tcp, posture: c}}",
        ["PUT groups", "PUT policies", "PUT posture-checks", "PUT policies"],
    ),
    "a resource that goes is switched off while a policy still names it": (
        GROUPS % "m1"
        + NET % "r: {address: 10.0.0.1, groups: [h]}"
        + "policies: {p: {from: {resource: n/r}, to: g, allow: tcp}, q: {from: g, to: h, allow: tcp}}",
        GROUPS % "m2"
        + NET % "s: {address: 10.1.0.1}"
        + "policies: {p: {from: k, to: h, allow: tcp}, q: {from: g, to: h, allow: tcp}}",
        ["PUT policies", "PUT resources", "PUT groups", "POST resources", "PUT policies", "DELETE resources"],
    ),
    "a resource that a new policy denies is made switched off": (
        GROUPS % "m1" + NET % "" + "policies: {p: {from: g, to: h, allow: tcp}}",
        GROUPS % "m1"
        + NET % "r: {address: 10.0.0.1, groups: [h]}"
        + "policies: {p: {from: g, to: h, allow: tcp}, q: {from: g, to: {resource: n/r}, deny: tcp/22}}",
        ["POST resources", "POST policies", "PUT resources"],
    ),
    "a resource that moves to another network is off until all is ready": (
        GROUPS % "m1"
        + "networks: {n: {resources: {r: {address: 10.0.0.1, groups: [h]}}}, o: {routers: [{peer: m4}]}}\npolicies: {p: {from: g, to: h, allow: tcp}}",
        GROUPS % "m2"
        + "networks: {o: {resources: {r: {address: 10.0.0.1, groups: [h]}}, routers: [{peer: m4}]}}\npolicies: {p: {from: g, to: h, allow: tcp}}",
        ["PUT resources", "DELETE networks", "PUT groups", "PUT resources"],
    ),
    "a new router comes before an old one goes, and others narrow before that": (
        GROUPS % "m1"
        + "networks: {n: {routers: [{peer: m4}], resources: {r: {address: 10.0.0.1, groups: [h]}}}}\npolicies: {p: {from: [g, k], to: h, allow: tcp}}",
        GROUPS % "m1"
        + "networks: {n: {routers: [{peer: m3}], resources: {r: {address: 10.0.0.1, groups: [h]}}}}\npolicies: {p: {from: [g, h], to: h, allow: tcp}}",
        ["PUT policies", "POST routers", "DELETE routers", "PUT policies"],
    ),
    "a route narrows to the guests and guards of both before a group changes": (
        GROUPS % "m1"
        + "routes: {i: {network: 192.168.1.0/24, peer: m4, groups: [g], access_control_groups: [h]}}\npolicies: {p: {from: g, to: [h, k], allow: tcp}}",
        GROUPS % "m2"
        + "routes: {i: {network: 192.168.1.0/24, peer: m4, groups: [g, h], access_control_groups: [k]}}\npolicies: {p: {from: g, to: [h, k], allow: tcp}}",
        ["PUT routes", "PUT groups", "PUT routes"],
    ),
    "a rule that denies makes neighbours: a route that goes is closed before": (
        GROUPS % "m1" + IDLE % ("", "i: {network: 192.168.1.0/24, peer: m4, groups: [g]}"),
        GROUPS % "m1" + IDLE % ("p: {from: g, to: k, deny: tcp}", ""),
        ["DELETE routes", "POST policies"],
    ),
    "and a new route is opened after the last of them has gone": (
        GROUPS % "m1" + IDLE % ("p: {from: g, to: k, deny: tcp}", ""),
        GROUPS % "m1" + IDLE % ("", "i: {network: 192.168.1.0/24, peer: m4, groups: [g]}"),
        ["DELETE policies", "POST routes"],
    ),
    "a resource that goes does not hurry the policy that lets go of it, where that one closes now and routes are still open": (
        GROUPS % "m1"
        + "networks: {n: {resources: {r: {address: 10.0.0.1}}}}\n"
        + "policies: {p: {from: {resource: n/r}, to: g, allow: tcp, enabled: false}, x: {from: h, to: h, allow: tcp, enabled: false}}\n"
        + "routes: {i: {network: 192.168.1.0/24, peer: m4, groups: [g]}, x: {network: 192.168.2.0/24, peer: m3, groups: [h], enabled: false}}",
        GROUPS % "m1"
        + "networks: {n: {resources: {s: {address: 10.1.0.1}}}}\n"
        + IDLE % ("p: {from: g, to: k, deny: tcp}", ""),
        ["DELETE routes", "PUT resources", "PUT policies", "POST resources", "DELETE resources"],
    ),
    "of two resources at one address the one that is denied goes last, and comes first": (
        GROUPS % "m1"
        + NET % "r: {address: 10.0.0.1, groups: [h]}, s: {address: 10.0.0.1, groups: [h]}, t: {address: 10.1.0.1}"
        + "policies: {p: {from: g, to: h, allow: tcp}, q: {from: g, to: {resource: n/r}, deny: tcp/22}}",
        GROUPS % "m1"
        + NET
        % "r: {address: 10.0.0.1, groups: [h], enabled: false}, t: {address: 10.1.0.1}, u: {address: 10.1.0.1, groups: [h]}"
        + "policies: {p: {from: g, to: h, allow: tcp}, q: {from: g, to: {resource: n/r}, deny: tcp/22}}",
        ["DELETE resources", "PUT resources", "POST resources"],
    ),
    "two groups that are allowed and denied something meet: what is allowed by one of them is shut while it changes": (
        BOTH % ("m1", "m3") + "policies: {p: {from: g, to: h, allow: tcp}, q: {from: [g, h], to: All, deny: icmp}}",
        BOTH % ("m2", "m4") + "policies: {p: {from: g, to: h, allow: tcp/22}, q: {from: [g, h], to: All, deny: icmp}}",
        ["PUT policies", "PUT groups", "PUT groups", "PUT groups", "PUT policies"],
    ),
    "what else a policy allows stays meanwhile": (
        BOTH % ("m1", "m1")
        + "policies: {p: {from: [g, u], to: [h, u], allow: tcp}, q: {from: [g, h], to: All, deny: icmp}}",
        BOTH % ("m2", "m2")
        + "policies: {p: {from: [g, u], to: [h, u], allow: tcp/22}, q: {from: [g, h], to: All, deny: icmp}}",
        ["PUT policies", "PUT groups", "PUT groups", "PUT groups", "PUT policies"],
    ),
    "a posture check of one that allows and one that denies asks for less while the first is shut": (
        BOTH % ("m2", "m4")
        + "posture_checks: {c: {netbird_version: 0.65.0, os_version: {linux_kernel: 4.0.0}}}\n"
        + "policies: {p: {from: g, to: h, allow: tcp, posture: c}, q: {from: [g, h], to: u, deny: icmp, posture: c}, r: {from: g, to: u, allow: udp}}",
        BOTH % ("m3", "m4")
        + "posture_checks: {c: {netbird_version: 0.55.0, os_version: {linux_kernel: 4.0.0}}}\n"
        + "policies: {p: {from: g, to: h, allow: tcp/22, posture: c}, q: {from: [g, h], to: u, deny: icmp, posture: c}, r: {from: g, to: u, allow: udp}}",
        ["PUT policies", "PUT posture-checks", "PUT groups", "PUT posture-checks", "PUT policies"],
    ),
    "what comes opens after the groups have changed, and what goes is shut before": (
        BOTH % ("m1", "m3") + "policies: {p: {from: g, to: h, allow: tcp}, q: {from: [g, h], to: All, deny: icmp}}",
        BOTH % ("m2", "m4") + "policies: {r: {from: g, to: h, allow: tcp}, q: {from: [g, h], to: All, deny: icmp}}",
        ["DELETE policies", "PUT groups", "PUT groups", "PUT groups", "POST policies"],
    ),
}


@pytest.mark.parametrize(("before", "after", "calls"), CASES.values(), ids=CASES)
def test_what_meets_is_taken_apart(watched: Watched, before: str, after: str, calls: list[str]) -> None:
    watched.become(HEAD + before)
    cut = watched.becomes_and_is_never_wider(HEAD + after)
    assert watched.calls() == calls
    assert not cut
    assert watched.account.plan(HEAD + after).changes == []


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_an_apply_that_is_cut_between_the_steps_of_a_change_goes_on_from_there(watched: Watched, cut: int) -> None:
    before, after, calls = CASES[
        "a group and a policy that both go elsewhere meet: the policy narrows first, then the group changes"
    ]
    watched.become(HEAD + before)
    writes: list[str] = []

    def refuse(request: Request) -> Response | None:
        writes.extend([request.path] * (request.method != "GET"))
        return (
            json_answer({"message": "no", "code": 422}, 422) if request.method != "GET" and len(writes) == cut else None
        )

    watched.between.before = refuse
    outcome = watched.account.apply(HEAD + after)
    assert outcome.exit_code in (1, 7)
    assert outcome.statuses["policy/p" if calls[cut - 1] == "PUT policies" else "group/g"] == "failed"
    watched.becomes_and_is_never_wider(HEAD + after)
    assert watched.account.plan(HEAD + after).changes == []


def test_what_cannot_be_narrowed_is_told_as_the_failure_of_its_change(watched: Watched) -> None:
    before, after, _ = CASES[
        "a group and a policy that both go elsewhere meet: the policy narrows first, then the group changes"
    ]
    watched.become(HEAD + before)
    watched.between.before = lambda request: (
        json_answer({"message": "no", "code": 422}, 422) if request.method == "PUT" else None
    )
    outcome = watched.account.apply(HEAD + after)
    assert outcome.statuses == {"policy/p": "failed", "group/g": "failed"}
    assert len(outcome.errors) == 2


MEETING = "groups: {g: {peers: [%s]}, h: {peers: [%s]}}\n"
DENIED = "q: {from: [g, h], to: All, deny: icmp}"


def test_a_policy_that_was_shut_and_stays_so_is_told_as_begun(watched: Watched) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + "policies: {p: {from: g, to: h, allow: tcp}, " + DENIED + "}")
    groups = [group["id"] for group in watched.account.read("/groups") if group["name"] in "gh"]
    for group in groups:
        watched.account.fault("PUT", f"/api/groups/{group}", "status:422")
    after = HEAD + MEETING % ("m2", "m4") + "policies: {p: {from: g, to: h, allow: tcp/22}, " + DENIED + "}"
    outcome = watched.account.apply(after)
    assert watched.account.named("/policies", "p")["enabled"] is False
    assert outcome.statuses["policy/p"] == "skipped"
    assert outcome.change("policy/p")["error"]["message"].startswith(
        "policy/p was begun and not ended: it needs group/"
    )
    watched.becomes_and_is_never_wider(after)
    assert watched.account.plan(after).changes == []
