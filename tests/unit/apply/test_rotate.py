"""`nbsync rotate`: a new secret in place of an old one, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.harness import Account

TEXT = "setup_keys: {k: {type: reusable}}\ngroups: {g: }"
FLAGS = ("--yes", "--secrets-out", "secrets.jsonl")


def test_a_key_is_made_anew_and_handed_over(account: Account, folder: Path) -> None:
    account.applied(TEXT, *FLAGS[1:])
    old = account.named("/setup-keys", "k")["id"]
    outcome = account.nbsync("rotate", "setup_key/k", *FLAGS, "-o", "json")
    assert outcome.exit_code == 0
    assert outcome.changes == ["! setup_key/k"]
    new = account.named("/setup-keys", "k")["id"]
    assert new != old
    first, second = [json.loads(line) for line in (folder / "secrets.jsonl").read_text().splitlines()]
    assert (first["id"], second["id"]) == (old, new)
    assert first["secret"] != second["secret"]
    assert account.nbsync("plan", "-o", "json").changes == []


def test_only_what_has_a_secret_and_is_declared_and_live_is_renewed(account: Account) -> None:
    account.plan(TEXT)
    for address, said in (
        ("group/g", "a group has no secret that could be renewed"),
        ("setup_key/x", "no file declares 'setup_key/x'"),
        ("setup_key/k", "setup_key/k is not in the account yet"),
    ):
        outcome = account.nbsync("rotate", address, *FLAGS, "-o", "json")
        assert (outcome.exit_code, outcome.errors[0].message) == (64, said)


def test_without_a_place_for_the_secret_the_old_one_stays(account: Account) -> None:
    account.applied(TEXT, *FLAGS[1:])
    old = account.named("/setup-keys", "k")["id"]
    assert account.nbsync("rotate", "setup_key/k", "--yes", "-o", "json").exit_code == 5
    assert account.named("/setup-keys", "k")["id"] == old
