"""Versions as hashicorp/go-version reads and compares them."""

from __future__ import annotations

import pytest

from reconciler.simulator.versions import at_least, parse


@pytest.mark.parametrize("text", ["0", "v1", "1.2.3.4.5", "0.60.0-dev", "6.6.51+rpt", "1.0beta", "01", "1.2-3", "1.2-"])
def test_loose_texts_are_versions(text: str) -> None:
    assert parse(text)


@pytest.mark.parametrize("text", ["", "v", "x", "1.x", " 1", "1..2", "99999999999999999999"])
def test_other_texts_are_not(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("version", "minimum", "enough"),
    [
        ("0.60.0", "0.60", True),
        ("0.60", "0.60.1", False),
        ("1.10", "1.9", True),
        ("15.0-beta", "14.0", False),
        ("15.0-beta2", "15.0-beta1", True),
        ("15.0", "15.0-beta", True),
        ("6.6.51+rpt", "6.6.51", True),
        ("", "0.0.0", False),
        ("development", "0.1", False),
    ],
)
def test_a_prerelease_never_satisfies_a_plain_minimum(version: str, minimum: str, *, enough: bool) -> None:
    assert at_least(version, minimum) is enough
