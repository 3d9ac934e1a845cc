"""Between two calls of an apply access is never wider than before and after: the account is judged after every write.

`NBSYNC_TEST_WALKS` is the number of walks through random desired states.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.apply.drawn_access import LAPTOP, MACHINES, PERSON, POINTS, DrawAccess, allowances
from tests.unit.apply.reach import Fact, Reach, reach
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
class Course:
    """An apply: what is possible before and after it, and whether it was said that more may be possible in between."""

    before: Reach
    after: Reach
    was_warned: bool


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

    def become(self, document: str, *flags: str) -> Course:
        """Apply a document; returns what was before and what is now."""
        self.account.write(document)
        return self._run("apply", *flags)

    def _run(self, command: str, *flags: str) -> Course:
        before = self.now()
        self.moments.clear()
        outcome = self.account.nbsync(command, "-o", "json", "--yes", *flags)
        assert outcome.exit_code == 0, [(error.code, error.message) for error in outcome.errors]
        return Course(before, self.now(), any(found.code == "NBS305" for found in outcome.warnings))

    def becomes_and_is_never_wider(self, document: str, *flags: str) -> frozenset[Fact]:
        """Apply a document; after no write is anything possible that is so neither before nor after.

        Returns:
            What is possible before and after, but not all the time between.
        """
        return self._never_wider(self.become(document, *flags))

    def is_rolled_back_and_never_wider(self) -> None:
        """Take the last apply back, which is never wider in between, either, unless that was said: it shuts less."""
        course = self._run("rollback")
        if not course.was_warned:
            self._never_wider(course)

    def _never_wider(self, course: Course) -> frozenset[Fact]:
        before, after = course.before, course.after
        for number, moment in enumerate(self.moments, 1):
            wider = moment.reach.given - before.all - after.all
            if wider:
                pytest.fail(f"write {number} of {len(self.moments)}, {moment}: {sorted(wider)}")
        common = before.given & after.given
        return common - common.intersection(*(moment.reach.all for moment in self.moments))

    def calls(self) -> list[str]:
        """The writes, without ids: `PUT groups`."""
        return [f"{moment.call.split()[0]} {_collection(moment.call)}" for moment in self.moments]


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


@pytest.mark.parametrize("seed", range(WALKS))
def test_what_is_taken_back_is_never_wider_in_between_either(watched: Watched, seed: int) -> None:
    draw = DrawAccess(Random(seed), DENIES[seed % len(DENIES)])
    document = draw.of_members()
    watched.become(json.dumps(document), *allowances(document))
    draw.fill(document["groups"])
    watched.become(json.dumps(document), *allowances(document))
    watched.is_rolled_back_and_never_wider()


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


GUARDED = (
    "groups: {g: {peers: [m1]}, k: {peers: [%s]}, a: {}, b: {}, z: {peers: [m4]}}\n"
    "routes: {i: {network: 192.168.1.0/24, peer: m4, groups: [All], access_control_groups: [%s]}}\n"
)
DENIED_ROUTE = "policies: {n: {from: g, to: z, allow: icmp}, p: {from: g, to: a, allow: tcp, enabled: %s}, q: {from: g, to: b, deny: tcp}}"
GROWING = "policies: {p: {from: k, to: a, allow: tcp}, q: {from: All, to: [b, z], deny: tcp}}"
LAYERS = (
    "groups: {g: {peers: [m1]}, h: {}, k: {}}\n"
    "networks: {n1: {routers: [%s], resources: {r1: {address: 10.0.0.1, groups: [h]}}},"
    " n2: {routers: [{peer: m4}], resources: {r2: {address: 10.0.0.0/16, groups: [k], enabled: %s}}}}\n"
    "policies: {p: {from: g, to: k, allow: tcp, enabled: %s}, q: {from: g, to: h, deny: tcp}}"
)
BY_GROUP = LAYERS.replace("h: {}, k: {}", "h: {}, k: {}, r: {peers: [%s]}") % ("%s", "{peer_groups: [r]}", "true", "%s")
OVERLAPPING = (
    "groups: {g: {peers: [m1]}, a: {}, z: {peers: [m4]}}\n"
    "routes: {i: {network: 192.168.1.0/24, peer: m4, groups: [g], enabled: %s},"
    " j: {network: 192.168.1.1/32, peer: m4, groups: [g], access_control_groups: [a], enabled: %s}}\n"
    "policies: {n: {from: g, to: z, allow: icmp}, q: {from: g, to: a, deny: tcp}}"
)
CROSSED = (
    "groups: {u: {peers: [m1]}, e: {peers: [m2]}, gw: {peers: [m3]}, f: {peers: [m4]}}\n"
    "routes: {i: {network: 192.168.2.0/24, peer: m3, groups: [u]}}\n"
    "policies: {b: {from: %s, to: %s, deny: icmp}, q: {from: %s, to: %s, deny: tcp}}"
)
DENIES_ON_THE_WAY = {
    "a route loses the group by which something is denied": (
        GUARDED % ("m2", "a, b") + DENIED_ROUTE % "true",
        GUARDED % ("m2", "a") + DENIED_ROUTE % "false",
    ),
    "a route gets a group by which something is denied": (
        GUARDED % ("", "a") + GROWING,
        GUARDED % ("m2", "a, b") + GROWING,
    ),
    "a router that carries a deny is switched off": (
        LAYERS % ("{peer: m4}", "true", "true"),
        LAYERS % ("{peer: m4, enabled: false}", "true", "false"),
    ),
    "a router that carries a deny comes": (LAYERS % ("", "false", "true"), LAYERS % ("{peer: m4}", "true", "true")),
    "a router is switched on again": (
        LAYERS % ("{peer: m4, enabled: false}", "false", "true"),
        LAYERS % ("{peer: m4}", "true", "true"),
    ),
    "a group of routers loses the one that carries a deny": (BY_GROUP % ("m4", "true"), BY_GROUP % ("", "false")),
    "a guarded route and an open one to its address come": (
        OVERLAPPING % ("false", "false"),
        OVERLAPPING % ("true", "true"),
    ),
    "rules that deny go elsewhere, and would make neighbours on the way": (
        CROSSED % ("e", "gw", "e", "gw"),
        CROSSED % ("u", "f", "u", "f"),
    ),
}


@pytest.mark.parametrize(("before", "after"), DENIES_ON_THE_WAY.values(), ids=DENIES_ON_THE_WAY)
def test_what_a_gateway_drops_stays_dropped_until_it_is_not_allowed(watched: Watched, before: str, after: str) -> None:
    watched.become(HEAD + before)
    watched.becomes_and_is_never_wider(HEAD + after)
    assert watched.account.plan(HEAD + after).changes == []
    flags = ["--allow-empty", "network/n1"] if "routers: []" in before else []
    watched.becomes_and_is_never_wider(HEAD + before, *flags)


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
STAYS = "policies: {p: {from: g, to: h, allow: tcp}, q: {from: [g, h], to: All, deny: icmp}}\n"
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


def test_a_policy_that_stays_as_it_is_is_shut_while_groups_meet_by_which_it_allows_and_others_deny(
    watched: Watched,
) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    after = HEAD + MEETING % ("m2", "m4") + STAYS
    planned = watched.account.plan(after)
    assert planned.changes == ["~ group/g (peers)", "~ group/h (peers)", "~ policy/p"]
    assert (
        planned.change("policy/p")["reason"]
        == "shut while group/h changes, so that what others deny is not open in between"
    )
    assert planned.change("policy/p")["fields"] == []
    text = watched.account.nbsync("plan").stdout
    assert (
        "~ policy/p  nbsync.yaml:5\n      shut while group/h changes, so that what others deny is not open in between\n"
        in text
    )
    assert watched.account.nbsync("drift", "-o", "json").changes == ["~ group/g (peers)", "~ group/h (peers)"]
    assert not watched.becomes_and_is_never_wider(after)
    assert watched.calls() == ["PUT policies", "PUT groups", "PUT groups", "PUT groups", "PUT policies"]
    assert watched.account.plan(after).changes == []
    watched.is_rolled_back_and_never_wider()
    assert watched.calls() == ["PUT policies", "PUT groups", "PUT groups", "PUT groups", "PUT policies"]
    assert watched.account.plan(HEAD + MEETING % ("m1", "m3") + STAYS).changes == []


def test_a_saved_plan_shuts_what_it_says_and_is_refused_if_that_has_changed(watched: Watched, tmp_path: Path) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    file, after = str(tmp_path / "saved.plan"), HEAD + MEETING % ("m2", "m4") + STAYS
    watched.account.write(after)
    planned = watched.account.nbsync("plan", "-o", "json", "--save", file)
    assert watched.account.nbsync("show", "-o", "json", file).changes == planned.changes
    for group in (group["id"] for group in watched.account.read("/groups") if group["name"] in "gh"):
        watched.account.fault("PUT", f"/api/groups/{group}", "status:422")
    assert watched.account.nbsync("apply", "-o", "json", "--plan", file).exit_code == 7
    assert not watched.account.named("/policies", "p")["enabled"]
    again = watched.account.nbsync("apply", "-o", "json", "--plan", file)
    assert (again.exit_code, again.writes) == (6, [])
    assert "enabled was true when planned, is false now" in again.error.message
    watched.becomes_and_is_never_wider(after)
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    watched.account.write(after)
    assert watched.account.nbsync("plan", "-o", "json", "--save", file).changes == planned.changes
    assert watched.account.nbsync("apply", "-o", "json", "--plan", file).changes == planned.changes
    assert watched.account.plan(after).changes == []


def test_with_targets_nothing_else_is_shut(watched: Watched) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    watched.account.write(HEAD + MEETING % ("m2", "m4") + STAYS)
    both = watched.account.nbsync("plan", "-o", "json", "--target", "group/g", "--target", "group/h")
    assert (both.changes, both.warning.code) == (["~ group/g (peers)", "~ group/h (peers)"], "NBS305")
    one = watched.account.nbsync("plan", "-o", "json", "--target", "group/g")
    assert (one.changes, one.warnings) == (["~ group/g (peers)"], [])


def test_a_click_on_what_is_shut_meanwhile_is_kept_and_it_is_said_that_it_stays_shut(watched: Watched) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    policy = watched.account.named("/policies", "p")

    def click(request: Request, response: Response) -> Response:
        if request.method == "PUT" and "/groups/" in request.path:
            watched.between.after = lambda _request, response: response
            shut = watched.account.read(f"/policies/{policy['id']}")
            rule = {**shut["rules"][0], "sources": [one["id"] for one in shut["rules"][0]["sources"]]}
            rule["destinations"] = [one["id"] for one in shut["rules"][0]["destinations"]]
            watched.account.send("PUT", f"/policies/{policy['id']}", {**shut, "description": "mine", "rules": [rule]})
        return response

    watched.between.after = click
    outcome = watched.account.apply(HEAD + MEETING % ("m2", "m4") + STAYS, "--allow", "another-run")
    assert (outcome.exit_code, outcome.statuses["policy/p"]) == (7, "failed")
    error = outcome.change("policy/p")["error"]
    assert error["message"].endswith('is "mine" now; it was shut before that, and stays so')
    assert "nothing was done" not in error["help"]
    assert not watched.account.named("/policies", "p")["enabled"]


def test_what_is_shut_meanwhile_and_cannot_be_opened_again_is_opened_by_the_next_run(watched: Watched) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    group = watched.account.named("/groups", "h")["id"]
    watched.account.fault("PUT", f"/api/groups/{group}", "status:422")
    after = HEAD + MEETING % ("m2", "m4") + STAYS
    outcome = watched.account.apply(after)
    assert outcome.statuses["policy/p"] == "skipped"
    assert outcome.change("policy/p")["error"]["message"] == (
        "policy/p was shut and not opened again: it needs group/h"
    )
    assert watched.account.named("/policies", "p")["enabled"] is False
    watched.becomes_and_is_never_wider(after)
    assert watched.account.plan(after).changes == []


ENDS = (
    "groups: {g: {peers: [m1, m2]}, h: {peers: [m2, m3]}, k: {peers: [m4]}}\n"
    "routes: {i: {network: 192.168.1.0/24, peer: m4, groups: [g]}}\n"
    "policies: {a: {from: All, to: All, allow: all}, q: {from: %s, to: k, deny: tcp}, r: {from: %s, to: k, deny: udp}}"
)


def test_while_denies_change_of_which_no_first_step_denies_both_all_that_opens_is_shut(watched: Watched) -> None:
    one, other = ENDS % ("{peer: m1}", "{peer: m2}"), ENDS % ("h", "g")
    watched.become(HEAD + one)
    for after in (other, one):
        planned = watched.account.plan(HEAD + after)
        assert planned.changes == ["~ policy/q (from)", "~ policy/r (from)", "~ route/i/peer:m4", "~ policy/a"]
        assert planned.warnings == []
        watched.becomes_and_is_never_wider(HEAD + after)
        assert watched.account.plan(HEAD + after).changes == []


LEFT_ALONE = {
    "nobody declares it": ("manage: {policies: no-delete}", "{q: %s}"),
    "it is named as unmanaged": ("unmanaged: [policy/p]", "{q: %s}"),
    "a field of it is left to others": ("", "{p: {from: g, to: h, allow: tcp, ignore: [enabled]}, q: %s}"),
}


@pytest.mark.parametrize(("said", "policies"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_the_files_would_not_open_again_is_not_shut_and_it_is_said_what_may_come_of_that(
    watched: Watched, said: str, policies: str
) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    denied = policies % "{from: [g, h], to: All, deny: icmp}"
    after = f"version: 1\n{said}\n{MEETING % ('m2', 'm4')}policies: {denied}\n"
    outcome = watched.account.apply(after)
    assert outcome.changes == ["~ group/g (peers)", "~ group/h (peers)"]
    (warning,) = [warning for warning in outcome.warnings if warning.code == "NBS305"]
    assert warning.message == (
        "while group/g and group/h change one after the other, more may be reachable than before or afterwards: "
        "what policies allow and deny depends on all of them"
    )


GROUPS_ALONE = "version: 1\n" + MEETING


def test_policies_that_no_file_mentions_are_looked_at_where_they_count_for_the_order(watched: Watched) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    assert "GET /api/policies" not in watched.account.plan(GROUPS_ALONE % ("m2", "m3")).sent
    both = watched.account.plan(GROUPS_ALONE % ("m2", "m4"))
    assert both.sent.count("GET /api/policies") == 1
    assert both.warning.code == "NBS305"


def test_what_a_policy_that_no_file_mentions_denies_stays_denied_while_groups_change(watched: Watched) -> None:
    policies = "policies: {a: {from: All, to: All, allow: all}, q: {from: g, to: k, deny: tcp}, r: {from: h, to: k, deny: tcp}}"
    groups = "groups: {g: {peers: [%s]}, h: {peers: [%s]}, k: {peers: [m4]}}\n"
    watched.become(HEAD + groups % ("m1", "m2, m3") + policies)
    assert not watched.becomes_and_is_never_wider("version: 1\n" + groups % ("m2, m3", "m1"))


NOT_SHOWN = {
    "closed": json_answer({"message": "no", "code": 403}, 403),
    "not there": json_answer({"message": "not found", "code": 404}, 404),
    "failing": json_answer({"message": "internal error", "code": 500}, 500),
    "odd": json_answer([{"name": "no id"}]),
}


@pytest.mark.parametrize("path", ["/api/policies", "/api/networks/routers", "/api/networks"])
@pytest.mark.parametrize("answer", NOT_SHOWN)
def test_groups_can_change_where_what_they_are_for_cannot_be_read_and_it_is_said_what_may_come_of_that(
    watched: Watched, impatient: list[float], answer: str, path: str
) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    watched.between.before = lambda request: NOT_SHOWN[answer] if request.path == path else None
    after = GROUPS_ALONE % ("m2", "m4")
    outcome = watched.account.apply(after)
    assert (outcome.exit_code, outcome.warning.code) == (0, "NBS305")
    assert ("could be read" in outcome.warning.message) is (path == "/api/policies")
    assert watched.account.plan(after).changes == []


def test_drift_says_nothing_of_the_way(watched: Watched) -> None:
    watched.become(HEAD + MEETING % ("m1", "m3") + STAYS)
    watched.account.write(GROUPS_ALONE % ("m2", "m4"))
    outcome = watched.account.nbsync("drift", "-o", "json")
    assert (outcome.changes, outcome.warnings) == (["~ group/g (peers)", "~ group/h (peers)"], [])
    assert "GET /api/policies" not in outcome.sent
