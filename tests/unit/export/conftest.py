"""A simulated account to export."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.export.accounts import Simulated


@pytest.fixture
def account(tmp_path: Path) -> Simulated:
    """A new simulated account."""
    return Simulated(tmp_path)
