"""Whatever an account holds: a plan straight after an export is empty."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.export.accounts import Simulated, assert_in_step
from tests.unit.export.growing import Growing


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.integers(1, 25))
def test_plan_after_export_is_empty(data, steps):
    """Also with everything owned, and with all that a kind has when it is asked for by name."""
    with tempfile.TemporaryDirectory() as folder:
        account = Simulated(Path(folder))
        growing = Growing(account, data.draw)
        for _ in range(steps):
            growing.grow()
        assert_in_step(account, account.text())
        assert_in_step(account, account.text("account", "peer", "user", "group"))
