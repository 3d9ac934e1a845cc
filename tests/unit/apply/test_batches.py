"""What is done at the same time: only what could be done in any order, by a few calls at a time, and reported in the plan's order."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.problems import Call, TokenRefused
from reconciler.apply.audit import Traces
from reconciler.apply.batches import FEWEST, batches
from reconciler.apply.journal import Unrecorded
from reconciler.apply.wire import Wire
from reconciler.plan.change import Action, Change, Step
from schemas import KINDS
from schemas._core.address import Address
from tests.unit.harness import Account, Between

MANY = 30
SETTLED = "groups: {src: , dst: }\n"


def step(kind: str, action: Action = Action.CREATE, rank: int | None = 2, **rest: Any) -> Step:
    return Step(Change(Address(kind, "k"), KINDS[kind], action), rank=rank, **rest)


def sizes(steps: list[Step]) -> list[int]:
    return [len(batch) for batch in batches(steps)]


def test_what_could_stand_in_any_order_goes_together() -> None:
    assert sizes([step("group") for _ in range(20)] + [step("policy") for _ in range(10)]) == [20, 10]


def test_few_go_one_after_another() -> None:
    assert sizes([step("group") for _ in range(FEWEST - 1)]) == [1] * (FEWEST - 1)
    assert sizes([step("group") for _ in range(FEWEST)]) == [FEWEST]


@pytest.mark.parametrize(
    "alone",
    [
        step("setup_key"),
        step("service_user"),
        step("network_resource"),
        step("route"),
        step("user", Action.UPDATE),
        step("group", Action.UPDATE),
        step("policy", Action.DELETE),
        step("policy", Action.RENAME),
        step("policy", Action.REPLACE),
        step("group", detour="aside"),
        step("group", rank=None),
    ],
    ids=lambda one: f"{one.change.action}-{one.change.kind.name}{one.detour}",
)
def test_what_could_meet_what_others_write_goes_alone(alone: Step) -> None:
    change = alone.change
    again = [Step(Change(change.address, change.kind, change.action), alone.detour, rank=alone.rank) for _ in range(20)]
    assert sizes(again) == [1] * 20


def test_no_kind_that_makes_secrets_is_done_together_whatever_it_says() -> None:
    kind = replace(KINDS["setup_key"], writes_together=frozenset({"create"}))
    assert sizes([Step(Change(Address("setup_key", "k"), kind, Action.CREATE), rank=2) for _ in range(20)]) == [1] * 20


@pytest.mark.parametrize(
    "other", [step("posture_check"), step("group", Action.DELETE), step("group", rank=1), step("setup_key")]
)
def test_another_kind_action_or_rank_ends_a_batch(other: Step) -> None:
    alike = [step("group") for _ in range(10)]
    assert sizes([*alike, other, *alike]) == [10, 1, 10]


def test_what_needs_one_of_a_batch_comes_after_it() -> None:
    first = [step("policy") for _ in range(10)]
    rest = [step("policy", needs=frozenset({first[3].change})), *(step("policy") for _ in range(9))]
    assert sizes([*first, *rest]) == [10, 10]


@given(st.lists(st.sampled_from(["group", "policy", "setup_key", "network"])), st.randoms(use_true_random=False))
def test_nothing_is_lost_or_moved(kinds: list[str], chance: Any) -> None:
    steps: list[Step] = []
    for kind in kinds:
        needs = frozenset(one.change for one in steps if chance.random() < 0.05)
        steps.append(step(kind, rank=chance.choice([0, 2]), needs=needs))
    found = list(batches(steps))
    assert [one for batch in found for one in batch] == steps
    for batch in found:
        among = {one.change for one in batch}
        assert all(among.isdisjoint(one.needs) for one in batch)


def policies(number: int, **said: str) -> str:
    extra = "".join(f", {key}: {value}" for key, value in said.items())
    lines = (f"  p{one:02}: {{from: src, to: dst, allow: all{extra}}}\n" for one in range(number))
    return SETTLED + "policies:\n" + "".join(lines)


class Traffic:
    """Counts the writes that are under way together; those after the first, which goes alone, wait until there are so many."""

    def __init__(self, between: Between, meeting: int = 1) -> None:
        self.most = self._now = 0
        self.sent: list[str] = []
        self.read_alone: list[bool] = []
        self._meeting = threading.Barrier(meeting)
        self._lock = threading.Lock()
        between.before = self.before

    def before(self, request: Any) -> None:
        if request.method == "GET":
            self.read_alone.append(not self._now)
            return
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.sent.append(f"{request.method} {request.path}")
            is_early = 1 < len(self.sent) <= 1 + self._meeting.parties
        if is_early:
            self._meeting.wait(10)
        time.sleep(0.002)
        with self._lock:
            self._now -= 1


def test_independent_writes_run_by_four_and_are_reported_in_the_plans_order(account: Account, between: Between) -> None:
    account.applied(SETTLED)
    traffic = Traffic(between, meeting=4)
    outcome = account.applied(policies(MANY))
    assert traffic.most == 4
    assert list(outcome.statuses) == [f"policy/p{number:02}" for number in range(MANY)]
    assert len(traffic.sent) == MANY
    assert not account.plan(policies(MANY)).changes


CHECKS = "posture_checks:\n" + "".join(f"  c{number:02}: {{netbird_version: 0.60.0}}\n" for number in range(MANY))
NO_CHECKS = "posture_checks: {}\nguards: {max_delete: {percent: 100}}\nmanage: {posture_checks: full}\n"


@pytest.mark.parametrize(
    ("before", "after", "method"),
    [(policies(MANY), policies(MANY, description="other"), "PUT"), (CHECKS, NO_CHECKS, "DELETE")],
    ids=["updates", "deletes"],
)
def test_updates_and_deletes_run_together_too(
    account: Account, between: Between, before: str, after: str, method: str
) -> None:
    account.applied(before)
    traffic = Traffic(between, meeting=4)
    account.applied(after, "--allow-empty", "posture_checks")
    assert traffic.most == 4
    assert [sent.partition(" ")[0] for sent in traffic.sent] == [method] * MANY


def test_nothing_is_read_while_something_is_written(
    account: Account, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.applied(policies(MANY))
    monkeypatch.setattr("reconciler.apply.meanwhile.SOON", -1)
    traffic = Traffic(between)
    account.applied(policies(MANY, description="other"))
    assert len(traffic.read_alone) > MANY
    assert all(traffic.read_alone)


def test_secrets_are_made_one_at_a_time(account: Account, between: Between) -> None:
    traffic = Traffic(between)
    keys = "setup_keys: {" + ", ".join(f"k{number}: {{type: reusable}}" for number in range(12)) + "}\n"
    account.applied(keys, "--secrets-out", "secrets")
    assert (traffic.most, len(traffic.sent)) == (1, 12)


def test_a_failure_in_the_midst_leaves_the_others_alone(account: Account) -> None:
    account.applied(SETTLED)
    account.fault("POST", "/api/policies", "status:422", nth=10)
    outcome = account.apply(policies(MANY))
    assert outcome.exit_code == 7
    assert sorted(outcome.statuses.values()) == ["applied"] * (MANY - 1) + ["failed"]
    assert len(account.applied(policies(MANY)).changes) == 1


def test_a_lost_answer_in_the_midst_makes_nothing_twice(account: Account) -> None:
    account.applied(SETTLED)
    account.fault("POST", "/api/policies", "drop-after", nth=7)
    account.fault("POST", "/api/policies", "drop-before", nth=12)
    account.apply(policies(MANY))
    account.applied(policies(MANY))
    assert account.names("/policies") == sorted({*account.names("/policies")})
    assert len([name for name in account.names("/policies") if name.startswith("p")]) == MANY


def test_what_all_would_fail_with_ends_the_batch(account: Account, between: Between) -> None:
    account.applied(SETTLED)
    traffic = Traffic(between)

    def before(request: Any) -> None:
        traffic.before(request)
        time.sleep(0.2 if len(traffic.sent) > 5 else 0)

    between.before = before
    account.fault("POST", "/api/policies", "status:401", nth=5)
    outcome = account.apply(policies(MANY))
    assert outcome.exit_code == 7
    assert len(traffic.sent) <= 5 + 3
    assert "skipped" in outcome.statuses.values()


def test_a_failure_is_heard_of_at_once_whoever_has_the_turn() -> None:
    sent, taken, heard = (threading.Event() for _ in range(3))

    class Refusing:
        def send(self, method: str, where: str, _body: Any, **_: Any) -> None:
            sent.set()
            taken.wait(10)
            raise TokenRefused(Call("", method, where), "no")

    wire = Wire(cast(Any, Refusing()), cast(Any, {}), Unrecorded(), Traces(""), lambda _error: heard.set())

    def write() -> None:
        with wire.turn, suppress(TokenRefused):
            wire.send(Change(Address("group", "g"), KINDS["group"], Action.CREATE), "POST", "/groups", {})

    other = threading.Thread(target=write)
    other.start()
    assert sent.wait(10)
    with wire.turn:
        taken.set()
        assert heard.wait(10)
    other.join()


def test_an_interrupt_finishes_the_calls_in_flight_and_begins_no_other(
    account: Account, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.applied(SETTLED)
    traffic = Traffic(between)

    def before(request: Any) -> None:
        if len(traffic.sent) == 9 and request.method == "POST":
            os.kill(os.getpid(), signal.SIGINT)
        traffic.before(request)

    between.before = before
    outcome = account.apply(policies(MANY))
    assert outcome.exit_code == 130
    applied = [status for status in outcome.statuses.values() if status == "applied"]
    assert len(applied) == len(traffic.sent) <= 14
    assert set(outcome.statuses.values()) == {"applied", "skipped"}


def test_every_call_of_a_batch_is_in_the_journal(account: Account, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    account.applied(policies(MANY), "--journal", str(journal))
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    calls, answers = ({line["number"] for line in lines if line["line"] == word} for word in ("call", "answer"))
    assert calls == answers == set(range(1, MANY + 3))
