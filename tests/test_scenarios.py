"""Walks through desired states of an account: every step ends with nothing left to do. `scenarios/walk.py` says how they are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from schemas import KINDS
from tests.scenarios import walk as walks
from tests.scenarios.account import JOINER, TOKEN, URL, Account, Dashboard, Real, Simulated, Traces, alone_with
from tests.scenarios.chance import EMPTY, PEERS, Chance
from tests.scenarios.coverage import Covered, cover, fields_of
from tests.scenarios.guide import Guide
from tests.scenarios.newer_server import NewerServer
from tests.scenarios.walk import Walk

RINGS = (2, 7, 8, 9, 10, 12, 13, 39)
"""Seeds of documents whose changes wait for one another in rings, among others."""


def _walk(walk: Walk, account: Account, folder: Path) -> None:
    """Walk, and take away what the walk leaves behind."""
    dashboard = Dashboard(account)
    try:
        traces = Traces(dashboard)
        guide = Guide(walk, account, folder)
        try:
            if taken := guide.in_the_way():
                pytest.skip(f"the account has objects of the same names: {', '.join(taken)}")
            guide.walk()
        finally:
            guide.close()
            traces.remove()
    finally:
        dashboard.close()


@pytest.mark.parametrize("name", walks.names())
def test_every_step_of_a_walk_ends_with_nothing_left_to_do(name: str, tmp_path: Path) -> None:
    walk = walks.load(name)
    _walk(walk, Simulated(walk.server, by_login=walk.set_up_by_login), tmp_path)


@pytest.mark.parametrize("name", walks.names())
def test_what_nbsync_does_not_know_survives_every_update(name: str, tmp_path: Path) -> None:
    walk = walks.load(name)
    account = Simulated(walk.server, by_login=walk.set_up_by_login)
    account.nbsync_transport = newer = NewerServer(account.transport)
    _walk(walk, account, tmp_path)
    assert newer.losses == []
    assert newer.updates >= sum(line[0] in "~>" for step in walk.steps if not step.exit for line in step.plan)


@pytest.mark.live
@pytest.mark.parametrize("name", walks.names())
def test_a_real_server_takes_the_same_walks(name: str, tmp_path: Path) -> None:
    walk = walks.load(name)
    if reason := _reason_to_stay_home(walk):
        pytest.skip(reason)
    account = Real()
    with alone_with(account.settings):
        if walk.only_if_fresh and not _is_fresh(account):
            pytest.skip(f"the account is not a new one: {walk.only_if_fresh}")
        _walk(walk, account, tmp_path)


def _reason_to_stay_home(walk: Walk) -> str:
    missing = [name for name in (URL, TOKEN) if not os.environ.get(name)]
    if missing:
        return f"{' and '.join(missing)} not set"
    if walk.has_peers and not os.environ.get(JOINER):
        return f"machines join on this walk, and {JOINER} is not set"
    return walk.only_simulated


def _is_fresh(account: Account) -> bool:
    """Nothing is in the account but what a new one has: the owner, the caller, All, and the policy between all."""
    dashboard = Dashboard(account)
    usual = {"/policies": 1, "/users": 2, "/groups": 1}
    try:
        return all(len(ids) <= usual.get(path, 0) for path, ids in dashboard.ids().items())
    finally:
        dashboard.close()


@pytest.mark.parametrize("seed", RINGS)
def test_any_state_can_be_reached_from_any_other(seed: int, tmp_path: Path) -> None:
    account, chance = Simulated({}), Chance(seed)
    dashboard, guide = Dashboard(account), Guide(Walk(steps=()), account, tmp_path)
    for peer in PEERS:
        dashboard.join(peer, [])
    lists = ("/groups", "/posture-checks", "/policies", "/networks", "/networks/resources", "/dns/nameservers")
    codes = []
    for _ in range(12):
        live = {path: [(one["id"], one["name"]) for one in dashboard.send("GET", path)] for path in lists}
        mine = {path: [one for one in ones if one[1] not in ("All", "Default")] for path, ones in live.items()}
        codes.append(guide.reach(chance.document(mine), EMPTY))
    assert codes == [ExitCode.DONE] * 12
    guide.close()
    dashboard.close()


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> Covered:
    """What all walks together cover."""
    all_of_it, folder = Covered(), tmp_path_factory.mktemp("coverage")
    for name in walks.names():
        one = cover(walks.load(name), folder)
        all_of_it.changed |= one.changed
        all_of_it.left_out |= one.left_out
    return all_of_it


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_changed_by_a_walk(kind: str, covered: Covered) -> None:
    missing = [facts.path for facts in fields_of(kind) if (kind, facts.path) not in covered.changed]
    assert not missing


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_that_may_be_left_out_is_left_out_by_a_walk(kind: str, covered: Covered) -> None:
    free = [facts for facts in fields_of(kind) if not facts.required and not facts.is_identity]
    missing = [facts.path for facts in free if (kind, facts.path) not in covered.left_out]
    assert not missing


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_walk_with_every_sort_of_change(kind: str) -> None:
    endpoint = KINDS[kind].endpoint
    steps = [step for name in walks.names() for step in walks.load(name).steps]
    found = {line[0] for step in steps for line in step.plan if line[2:].startswith(f"{kind}/")}
    listed = not endpoint.singleton
    possible = {
        "+": listed and endpoint.creates,
        "-": listed and endpoint.deletes,
        ">": KINDS[kind].renames,
        "~": endpoint.updates,
    }
    assert found >= {sign for sign, is_possible in possible.items() if is_possible}
    own = walks.load(kind).steps
    assert any(step.meanwhile and step.plan for step in own), "nobody changes anything behind nbsync's back"
