"""One account is one, however its server is spelled, and no other one: for the lock, the journals and saved plans."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.harness import Account


def locks(folder: Path) -> list[str]:
    """Names of all lock files."""
    return sorted(path.name for path in (folder / ".state/nbsync/locks").iterdir())


def test_a_server_is_one_however_its_address_is_spelled(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, port = os.environ["NB_MANAGEMENT_URL"].rpartition(":")
    monkeypatch.setenv("NB_MANAGEMENT_URL", f"http://localhost:{port}")
    account.applied("groups: {a: }")
    account.plan("groups: {a: , b: }", "--save", "plan.json")
    monkeypatch.setenv("NB_MANAGEMENT_URL", f"HTTP://LocalHost:0{port}/api/")
    assert account.nbsync("apply", "--plan", "plan.json").exit_code == 0
    monkeypatch.setenv("NB_MANAGEMENT_URL", f"http://LOCALHOST:{port}/")
    assert account.nbsync("rollback", "--yes").exit_code == 0
    assert account.names("/groups") == ["All", "a"]
    assert len(locks(folder)) == 1
