"""How much the fuzz tests try: a little, and always the same, in every run; NBSYNC_FUZZ=50 tries fifty times as much, by chance."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

DEPTH = int(os.environ.get("NBSYNC_FUZZ", "1"))


def tries(count: int) -> Callable[[Any], Any]:
    """Try a test with so many examples."""
    return settings(
        max_examples=count * DEPTH,
        derandomize=DEPTH == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
