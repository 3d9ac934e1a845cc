"""Walks through desired states of an account: every step ends with nothing left to do. `scenarios/walk.py` says how they are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.scenarios import walk as walks
from tests.scenarios.account import JOINER, TOKEN, URL, Account, Dashboard, Real, Simulated, Traces, alone_with
from tests.scenarios.guide import Guide
from tests.scenarios.walk import Walk


def _walk(walk: Walk, account: Account, folder: Path) -> None:
    """Walk, and take away what the walk leaves behind."""
    dashboard = Dashboard(account)
    try:
        traces = Traces(dashboard)
        guide = Guide(account, folder)
        try:
            guide.walk(walk)
        finally:
            guide.close()
            traces.remove()
    finally:
        dashboard.close()


@pytest.mark.parametrize("name", walks.names())
def test_every_step_of_a_walk_ends_with_nothing_left_to_do(name: str, tmp_path: Path) -> None:
    walk = walks.load(name)
    _walk(walk, Simulated(walk.server, by_login=walk.set_up_by_login), tmp_path)


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
