"""Documents that nbsync takes, and documents that it refuses before anything is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.harness import Desk, Finding, NoServer, marked, with_version

Check = Callable[..., list[Finding]]


@pytest.fixture
def refused(desk: Desk, nobody: NoServer) -> Check:
    """Errors of a document with a mark at each; validate and apply show the same, and nothing is sent."""

    def refused(text: str, *flags: str) -> list[Finding]:
        outcome = desk.validate(text, *flags)
        _, places = marked(with_version(text))
        assert outcome.exit_code == 3
        assert sorted(error.place for error in outcome.errors) == sorted(f"nbsync.yaml:{place}" for place in places)
        assert all(error.help for error in outcome.errors)
        applied = desk.do("apply", text, "--yes", *flags)
        assert (applied.exit_code, applied.errors) == (3, outcome.errors)
        assert nobody.requests == []
        return outcome.errors

    return refused


@pytest.fixture
def taken(desk: Desk) -> Check:
    """Warnings of a document that is valid, with a mark at each."""

    def taken(text: str, *flags: str) -> list[Finding]:
        outcome = desk.validate(text, *flags)
        _, places = marked(with_version(text))
        assert (outcome.exit_code, outcome.errors) == (0, [])
        assert sorted(found.place for found in outcome.warnings) == sorted(f"nbsync.yaml:{place}" for place in places)
        assert all(found.help for found in outcome.warnings)
        return outcome.warnings

    return taken
