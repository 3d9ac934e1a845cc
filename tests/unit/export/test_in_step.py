"""Whatever an account holds: a plan straight after an export is empty."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.export.accounts import Live, Simulated, assert_in_step
from tests.unit.export.growing import Growing

BY_NAME = ("account", "peer", "user", "group")
URL, TOKEN, JOIN = "NBSYNC_LIVE_URL", "NBSYNC_LIVE_TOKEN", "NBSYNC_LIVE_JOIN"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(1, 25))
def test_plan_after_export_is_empty(random, steps):
    """Also with everything owned, and with all that a kind has when it is asked for by name."""
    with tempfile.TemporaryDirectory() as folder:
        account = Simulated(Path(folder))
        growing = Growing(account, random)
        for _ in range(steps):
            growing.grow()
        assert_in_step(account, account.text())
        assert_in_step(account, account.text(*BY_NAME))


@pytest.mark.live
@pytest.mark.skipif(URL not in os.environ or TOKEN not in os.environ, reason=f"{URL} and {TOKEN} not set")
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_plan_after_export_of_a_real_account_is_empty(random, steps):
    """The account is left as it was."""
    with tempfile.TemporaryDirectory() as folder:
        account = Live(Path(folder), os.environ[URL], os.environ[TOKEN], os.environ.get(JOIN, ""))
        growing = Growing(account, random)
        try:
            for _ in range(steps):
                growing.grow()
            assert_in_step(account, account.text())
            assert_in_step(account, account.text(*BY_NAME))
        finally:
            growing.wither()
            account.close()
