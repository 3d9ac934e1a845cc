"""The simulator answers as the recorded server did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.facts.replay import RECORDINGS, replay

FILES = sorted(RECORDINGS.rglob("*.jsonl"))
NOT_REPEATABLE = {
    "auth_rate_limit_defaults": "took an hour",
    "instance_locations": "the server had a database of places",
    "limits_rate_default": "took minutes",
    "proxy_limits": "the server's configuration was another one",
    "proxy_services_l4": "the server's configuration was another one",
}
"""Recordings of which nothing can be repeated, and why."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_simulator_answers_as_recorded(path: Path) -> None:
    """Every step of the recording up to an edit of the server's database is repeated; each answer is the same."""
    outcome = replay(path)

    assert not outcome.differences, f"{len(outcome.differences)} differ\n" + "\n".join(outcome.differences)
    assert outcome.repeated or path.stem in NOT_REPEATABLE


def test_most_of_what_was_recorded_is_repeated() -> None:
    """Recordings that cannot be repeated are few, and named above."""
    assert {path.stem for path in FILES} >= NOT_REPEATABLE.keys()
    assert len(FILES) > 130
