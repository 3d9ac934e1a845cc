"""A plan that was saved yesterday is applied or refused rightly, whatever was clicked since."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Simulator
from tests.unit.apply.clicks import BASE, CLICKS, WISHES, Hand, History
from tests.unit.harness import Account

Json = dict[str, Any]
HISTORIES = {seed: History.drawn(seed) for seed in range(90)}
LISTS = [
    "groups",
    "policies",
    "posture-checks",
    "networks",
    "networks/resources",
    "dns/nameservers",
    "setup-keys",
    "peers",
]
BY_THEMSELVES = {
    *("peers_count", "resources_count", "resources", "policies", "groups", "used_times", "last_used", "last_seen"),
    *("updated_at", "last_login", "routers", "routing_peers_count"),
}  # fmt: skip
"""Fields that the server computes from other objects."""


def shown(account: Account) -> dict[str, Json]:
    """All objects of the account, as far as they are nobody else's doing; in no order."""
    return {
        f"{path}/{one['id']}": {
            key: sorted(map(str, value)) if isinstance(value, list) and key == "peers" else value
            for key, value in one.items()
            if key not in BY_THEMSELVES or (path, key) == ("networks/resources", "groups")
        }
        for path in LISTS
        for one in account.read(f"/{path}")
    }


def without_names(objects: dict[str, Json]) -> dict[str, str]:
    """The same in text; what references show beside ids follows the objects that they lead to."""
    return {key: json.dumps(_by_id(one), sort_keys=True) for key, one in objects.items()}


def _by_id(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _reference(item) if key != "rules" else [_by_id(rule) for rule in item] for key, item in value.items()
        }
    return value


def _reference(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(str(item["id"]) if isinstance(item, dict) and "id" in item else str(item) for item in value)
    return value


def expected_writes(history: History, hand: Hand) -> list[str]:
    writes = []
    for wish in history.wishes:
        for method, _, said in (write.partition(" ") for write in WISHES[wish].writes):
            path = said.lstrip("/")
            writes.append(f"{method} /api{said if method == 'POST' else hand.path(path)}")
    return sorted(writes)


_made: list[tuple[Simulator, str]] = []


@pytest.fixture
def yesterday(account: Account, connect: Callable[[Any, str], None], capsys: pytest.CaptureFixture[str]) -> Account:
    """An account that is as the files said so far: made once, then copied."""
    if not _made:
        account.join("m1", "m2", "m3")
        for name in ("lone", "spare"):
            account.send("POST", "/groups", {"name": name})
        account.write(json.dumps(BASE))
        assert account.nbsync("apply", "--yes", "--secrets-out", "secrets").exit_code == 0
        _made.append((account.simulator, account.token))
    (origin, token), copy = _made[0], Simulator()
    for kind in dict.fromkeys(kind for kind, _ in origin.world.store.dirty):
        for row in origin.world.store.table(kind).all():
            copy.world.store.table(kind).put(row)
    connect(copy, token)
    return Account(account.folder, capsys, copy, token)


@pytest.mark.parametrize("seed", HISTORIES)
def test_a_saved_plan_is_applied_or_refused_rightly(yesterday: Account, seed: int) -> None:
    account, history, hand = yesterday, HISTORIES[seed], Hand(yesterday)
    account.write(json.dumps(history.document))
    planned = account.nbsync("plan", "-o", "json", "--save", "plan.json")
    assert {change["address"] for change in planned.document["changes"]} == {
        address for wish in history.wishes for address in WISHES[wish].changes
    }
    (account.folder / "nbsync.yaml").unlink()
    hand.look()
    writes = expected_writes(history, hand)
    for click in history.clicks:
        CLICKS[click].do(hand)
    before = without_names(shown(account))

    outcome = account.nbsync("apply", "-o", "json", "--plan", "plan.json", "--secrets-out", "secrets")

    assert outcome.exit_code == history.verdict, (history, outcome.stdout)
    after = without_names(shown(account))
    if history.verdict:
        assert (outcome.writes, after) == ([], before)
        assert {error.address for error in outcome.errors} == (history.changed or {"group/old"})
        assert {error.code for error in outcome.errors} == ({"NBS620"} if history.changed else {"NBS406"})
        return
    assert sorted(outcome.writes) == writes
    assert all(WISHES[wish].done(account) for wish in history.wishes)
    its_own = {write.partition(" /api/")[2] for write in writes}
    its_own |= {f"networks/resources/{path.rpartition('/')[2]}" for path in its_own if "/resources/" in path}
    if "a network goes, with all that is in it" in history.wishes:
        its_own.add(f"networks/resources/{hand.ids['networks/resources/printer']}")
    assert {key: one for key, one in before.items() if key not in its_own}.items() <= after.items()
    again = account.nbsync("apply", "-o", "json", "--plan", "plan.json", "--secrets-out", "secrets")
    assert (again.exit_code, again.writes) == (6, [])
    assert {change["address"] for change in planned.document["changes"]} <= {error.address for error in again.errors}


def test_both_happen_often() -> None:
    """Of the histories above."""
    verdicts = Counter(history.verdict for history in HISTORIES.values())
    assert verdicts[0] >= 20, verdicts
    assert verdicts[6] >= 20, verdicts
    clicked = Counter(click for history in HISTORIES.values() for click in history.clicks)
    assert clicked.keys() == CLICKS.keys(), CLICKS.keys() - clicked.keys()
    assert {wish for history in HISTORIES.values() for wish in history.wishes} == WISHES.keys()
