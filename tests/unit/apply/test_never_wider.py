"""Between two calls of an apply access is never wider than before and after: the account is judged after every write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.apply.drawn_access import MACHINES, POINTS, DrawAccess, allowances
from tests.unit.apply.reach import Fact, reach
from tests.unit.harness import Account, Between

WALKS, STEPS = int(os.environ.get("NBSYNC_TEST_WALKS", "12")), 4
Json = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """A write, and what is possible after it."""

    call: str
    body: Any
    facts: frozenset[Fact]


@pytest.fixture
def moments(account: Account, between: Between) -> list[Moment]:
    """Filled with every write of an apply and what is possible after it."""
    found: list[Moment] = []

    def after(request: Request, response: Response) -> Response:
        if request.method != "GET":
            body = json.loads(request.get_data() or "null")
            found.append(Moment(f"{request.method} {request.path}", body, reach(account.read, POINTS)))
        return response

    between.after = after
    return found


def test_walk(account: Account, moments: list[Moment]) -> None:
    (default,) = account.read("/policies")
    account.send("DELETE", f"/policies/{default['id']}")
    for name, version in MACHINES.items():
        account.join(name, meta={"version": version})
    random = Random(int(os.environ.get("SEED", "0")))
    before = reach(account.read, POINTS)
    for step in range(STEPS):
        document = DrawAccess(random, float(os.environ.get("DENIES", "0.2"))).document()
        account.write(json.dumps(document))
        moments.clear()
        import time

        t = time.time()
        applied = account.nbsync("apply", "-o", "json", "--yes", *allowances(document))
        print(time.time() - t)
        assert applied.exit_code == 0, [(error.code, error.message) for error in applied.errors]
        after = reach(account.read, POINTS)
        bad = [(m.call, sorted(m.facts - before - after)[:4]) for m in moments if m.facts - before - after]
        print(
            step,
            len(before),
            len(after),
            len(moments),
            "WIDER",
            len(bad),
            bad,
            "CUT",
            sum(bool((before & after) - m.facts) for m in moments),
        )
        before = after
