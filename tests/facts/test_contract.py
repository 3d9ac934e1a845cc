"""The vendor's description and the recordings of its server say the same, but for what is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.facts.contract import CONTRADICTIONS, DESCRIPTION, complaints, contradicted, exchanges

FACTS = Path(__file__).parent
needs_description = pytest.mark.skipif(not DESCRIPTION.exists(), reason="the vendor's API description is not there")


@needs_description
def test_recorded_answers_are_as_described_but_for_the_known_contradictions() -> None:
    found = {
        complaint
        for step in exchanges(FACTS)
        for complaint in complaints(step["method"], step["path"], step["status"], step.get("response"))
    }
    assert sorted(found) == []


@needs_description
def test_every_known_contradiction_is_met_by_some_recording() -> None:
    met = {
        name
        for step in exchanges(FACTS)
        for name in contradicted(step["method"], step["path"], step["status"], step.get("response"))
    }
    assert met == {name for name, known in CONTRADICTIONS.items() if known.recorded}
