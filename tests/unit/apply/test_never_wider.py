"""Between two calls of an apply access is never wider than before and after: the account is judged after every write.

`NBSYNC_TEST_WALKS` is the number of walks through random desired states.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.apply.drawn_access import MACHINES, POINTS, DrawAccess, allowances
from tests.unit.apply.reach import Fact, Reach, reach
from tests.unit.harness import Account, Between

WALKS, STEPS = int(os.environ.get("NBSYNC_TEST_WALKS", "8")), 3
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


UNAVOIDABLE: dict[str, Callable[[Moment], bool]] = {
    "the server makes every new router enabled; one that is not to be is switched off by the next call": lambda moment: (
        moment.call.startswith("POST /api/networks/")
        and moment.call.endswith("/routers")
        and moment.body["enabled"] is False
    ),
}
"""What no order of calls can do, and the writes after which access may be wider because of it."""


class Watched:
    """An account without its first policy, that is judged after every write."""

    def __init__(self, account: Account, between: Between) -> None:
        self.account = account
        self.moments: list[Moment] = []
        (default,) = account.read("/policies")
        account.send("DELETE", f"/policies/{default['id']}")
        for name, version in MACHINES.items():
            account.join(name, meta={"version": version})
        between.after = self._after

    def _after(self, request: Request, response: Response) -> Response:
        if request.method != "GET":
            body = json.loads(request.get_data() or "null")
            self.moments.append(Moment(f"{request.method} {request.path}", body, self.now()))
        return response

    def now(self) -> Reach:
        """What is possible now."""
        return reach(self.account.read, POINTS)

    def become(self, document: str, *flags: str) -> tuple[Reach, Reach]:
        """Apply a document; returns what was possible before and what is now."""
        before = self.now()
        self.moments.clear()
        self.account.write(document)
        outcome = self.account.nbsync("apply", "-o", "json", "--yes", *flags)
        assert outcome.exit_code == 0, [(error.code, error.message) for error in outcome.errors]
        return before, self.now()

    def becomes_and_is_never_wider(self, document: str, *flags: str) -> None:
        """Apply a document; after no write is anything possible that is so neither before nor after."""
        before, after = self.become(document, *flags)
        for number, moment in enumerate(self.moments, 1):
            wider = moment.reach.given - before.all - after.all
            if wider and not any(is_so(moment) for is_so in UNAVOIDABLE.values()):
                pytest.fail(f"write {number} of {len(self.moments)}, {moment}: {sorted(wider)}")

    def calls(self) -> list[str]:
        """The writes, without ids: `PUT groups` with what counts of their bodies."""
        return [
            f"{moment.call.split()[0]} {moment.call.split('/')[-2 + moment.call.startswith('POST')]}"
            for moment in self.moments
        ]

    def kept(self, before: Reach, after: Reach) -> frozenset[Fact]:
        """What is possible before, after, and after every write."""
        return (before.given & after.given).intersection(*(moment.reach.all for moment in self.moments))


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


HEAD = "version: 1\nmanage: {default: full}\n"
BOTH = (
    HEAD
    + "groups: {g: {peers: [m1]}, h: {peers: [m3]}, k: {peers: [m4]}}\npolicies: {p: {from: g, to: h, allow: tcp}}",
    HEAD
    + "groups: {g: {peers: [m2]}, h: {peers: [m3]}, k: {peers: [m4]}}\npolicies: {p: {from: g, to: k, allow: tcp}}",
)


def test_of_two_changes_that_meet_one_narrows_first(watched: Watched) -> None:
    watched.become(BOTH[0])
    watched.becomes_and_is_never_wider(BOTH[1])
    assert watched.calls() == ["PUT policies", "PUT groups", "PUT policies"]
