"""Who has to wait for the server is told why, whatever the command does meanwhile."""

from __future__ import annotations

import re

import pytest

from tests.unit.harness import Account

LIMITED = re.compile(r"^waiting \d+ s: the server's rate limit$", re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "method"), [("plan", "GET"), ("drift", "GET"), ("apply", "POST"), ("export", "GET")]
)
def test_waits_are_told_on_stderr(account: Account, command: str, method: str) -> None:
    account.write("version: 1\ngroups: {a: }\n")
    account.fault(method, "/api/groups", "status:429")
    files = () if command == "export" else ("nbsync.yaml",)
    outcome = account.nbsync(command, *files, *(["--yes"] if command == "apply" else []))
    assert outcome.exit_code == 0, outcome.stderr
    assert LIMITED.search(outcome.stderr), outcome.stderr
