"""An account with something between nbsync and the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.harness import Account, Between


@pytest.fixture
def between(account: Account, connect: Callable[[Any, str], None]) -> Between:
    """What stands between nbsync and the account's server."""
    front = Between(account.simulator)
    connect(front, account.token)
    return front
