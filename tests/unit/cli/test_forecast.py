"""What the server's rate limit means for the rest of a run, in words."""

from __future__ import annotations

import math

import pytest

from reconciler.api.rate import Limit
from reconciler.cli.forecast import forecast


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            Limit(10, True, 312, math.inf),
            "the server lets 6 requests a minute through: 312 calls are left, about 52 minutes",
        ),
        (
            Limit(10, False, 9, math.inf),
            (
                "the server's rate limit is reached; if it lets NetBird's usual 6 requests a minute through: "
                "9 calls are left, about 90 seconds"
            ),
        ),
        (Limit(0.5, True, 1, 60), "the server lets 120 requests a minute through: 1 call is left, about 1 second"),
        (
            Limit(90, True, 1000, math.inf),
            "the server lets 0.7 requests a minute through: 1000 calls are left, about 25 hours",
        ),
        (Limit(60, True, 0, math.inf), "the server lets 1 request a minute through"),
        (
            Limit(10, True, 100, 600),
            (
                "the server lets 6 requests a minute through: 100 calls are left, about 17 minutes; "
                "--timeout ends the run before that, after about 60 of them"
            ),
        ),
        (
            Limit(10, True, 100, 5),
            (
                "the server lets 6 requests a minute through: 100 calls are left, about 17 minutes; "
                "--timeout ends the run before that, before the next one"
            ),
        ),
    ],
)
def test_pace_rest_and_end_are_told(limit: Limit, said: str) -> None:
    assert forecast(limit) == said
