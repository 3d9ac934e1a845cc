"""What an export writes is in the layout already, whatever the account holds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.fmt import formatted
from tests.unit.export.accounts import Simulated
from tests.unit.export.growing import Growing

BY_NAME = ("account", "peer", "user", "group")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(1, 25))
def test_exports_are_formatted(random: Random, steps: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        account = Simulated(Path(folder))
        growing = Growing(account, random)
        for _ in range(steps):
            growing.grow()
        for text in (account.text(), account.text(*BY_NAME)):
            assert formatted(text, Path("export.yaml")) == text
