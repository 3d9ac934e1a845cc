"""Whatever an account is, it becomes what the files ask for in one apply, and the plan after it is empty."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.unit.apply.drawn import PEERS, Draw, allowances
from tests.unit.harness import Account

SECRETS = ("--secrets-out", "secrets")
WALKS, STEPS = 16, 4


@pytest.mark.parametrize("seed", range(1000, 1400))
def test_from_any_state_to_any_other(account: Account, seed: int) -> None:
    account.join(*PEERS)
    random = Random(seed)
    for _ in range(STEPS):
        document = Draw(random).document()
        flags = allowances(document)
        account.write(json.dumps(document))
        applied = account.nbsync("apply", "-o", "json", "--yes", *SECRETS, *flags)
        assert applied.exit_code == 0, [(error.code, error.message) for error in applied.errors]
        assert account.nbsync("plan", "-o", "json", *flags).changes == []


def test_a_new_way_in_waits_for_an_old_one_in_whose_place_it_comes(account: Account) -> None:
    """Each new route takes over the range of an old one beside it, so that none can be made before all old ones are gone."""
    account.join("m1")
    groups = "groups: {a: , b: , c: }\nmanage: {routes: full}\nroutes:\n  r:\n"
    one, other = "network: 10.1.0.0/16, groups: [a]", "network: 10.2.0.0/16, groups: [a]"
    account.applied(f"{groups}    - {{peer_groups: [a], {one}}}\n    - {{peer_groups: [b], {other}}}")
    outcome = account.applied(f"{groups}    - {{peer: m1, {one}}}\n    - {{peer_groups: [c], {other}}}")
    assert set(outcome.changes) == {
        "+ route/r/peer:m1",
        "+ route/r/groups:c",
        "- route/r/groups:a",
        "- route/r/groups:b",
    }


def test_an_alias_waits_for_all_addresses_of_its_label(account: Account) -> None:
    zone = "manage: {dns: full}\ndns: {zones: {x.example: {groups: [All], records: {w: "
    account.applied(zone + "{A: [10.0.0.2], AAAA: 'fd00::1'}}}}}")
    account.applied(zone + "{A: [10.0.0.2, 10.0.0.1, 10.0.0.3], AAAA: 'fd00::1'}}}}}")
    outcome = account.applied(zone + "{CNAME: a.example}}}}}")
    assert outcome.changes[-1] == "+ dns_record/x.example/w/CNAME/a.example"
