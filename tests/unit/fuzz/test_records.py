"""Whatever became of a plan file or a journal: it is read for what it is, or refused; nothing is done that nobody approved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.apply.journals import journals
from tests.unit.fuzz.answers import WRONG, changed, places
from tests.unit.fuzz.chance import tries
from tests.unit.harness import Account, Outcome

BEFORE = "groups: {a: , b: , c: }\npolicies: {p: {from: a, to: b, allow: all}}\nnetworks: {n: {resources: {r: {address: a.example}}}}"
AFTER = "manage: {groups: full}\ngroups: {a: , d: {previously: c}}\npolicies: {p: {from: a, to: d, allow: tcp/80}}\nnetworks: {n: {description: x, resources: {s: {address: b.example}}}}"
LISTS = ["groups", "policies", "networks", "networks/resources"]


class Records:
    """An account with a journal of what made it, and a plan of what comes next; every try begins with the same."""

    def __init__(self, account: Account) -> None:
        self.account = account
        account.applied(BEFORE)
        account.applied(AFTER.replace("description: x", "description: y"))
        self.journal = journals(account.folder)[-1]
        self.entries = self.journal.read_bytes()
        assert account.plan(AFTER, "--save", "first.plan").exit_code == 0
        self.plan = (account.folder / "first.plan").read_bytes()
        self._world = deepcopy(account.simulator.world)

    def nbsync(self, *arguments: str) -> Outcome:
        """Run a command on the account as it was."""
        self.account.simulator.world = deepcopy(self._world)
        for path in journals(self.account.folder):
            if path != self.journal:
                path.unlink()
        return self.account.nbsync(*arguments)

    def there(self) -> dict[str, Any]:
        """The account as it is now."""
        return {path: self.account.read(f"/{path}") for path in LISTS}


@pytest.fixture
def records(account: Account) -> Records:
    return Records(account)


def sealed(document: dict[str, Any]) -> bytes:
    """A plan file with a digest that is right, as somebody would make it who means harm."""
    document = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(document, separators=(",", ":")) + "\n"
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return (json.dumps({**document, "digest": digest}, separators=(",", ":")) + "\n").encode()


def edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Bytes in which some were cut out, and others put in."""
    for at, length, put in edits:
        place = at % (len(data) + 1)
        data = data[:place] + put + data[place + length :]
    return data


edits = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 50), st.binary(max_size=3) | st.sampled_from([b'"', b"\n", b"{", b"null"])),
    min_size=1,
    max_size=3,
)  # fmt: skip


def check(outcome: Outcome, *codes: int) -> None:
    assert outcome.exit_code in codes, outcome.stdout + outcome.stderr
    assert "NBS999" not in outcome.stdout + outcome.stderr
    assert all(line.isprintable() for line in (outcome.stdout + outcome.stderr).splitlines())


@tries(30)
@given(edits=edits)
def test_a_plan_file_of_which_a_byte_is_another_is_refused(
    edits: list[tuple[int, int, bytes]], records: Records
) -> None:
    data = edited(records.plan, edits)
    Path("first.plan").write_bytes(data)
    expected = 0 if data == records.plan else 3
    check(records.nbsync("show", "first.plan"), expected)
    if expected == 3:
        outcome = records.nbsync("apply", "--plan", "first.plan", "--yes", "-o", "json")
        check(outcome, 3)
        assert outcome.writes == []


@tries(40)
@given(data=st.data())
def test_a_plan_file_that_is_forged_does_not_make_nbsync_fall_over(data: st.DataObject, records: Records) -> None:
    document = json.loads(records.plan)
    del document["digest"]
    place = data.draw(st.sampled_from(list(places(document))).filter(bool))
    forged = changed(document, place, data.draw(st.sampled_from(WRONG)))
    Path("first.plan").write_bytes(sealed(forged))
    check(records.nbsync("show", "first.plan"), 0, 3)
    outcome = records.nbsync("apply", "--plan", "first.plan", "--yes", "-o", "json")
    check(outcome, 0, 1, 3, 5, 6, 7, 64)


def on_lines(change: Callable[[list[Any]], list[Any]]) -> Callable[[bytes], bytes]:
    def apply(data: bytes) -> bytes:
        return b"".join(
            json.dumps(line).encode() + b"\n" for line in change([json.loads(x) for x in data.splitlines()])
        )

    return apply


@tries(30)
@given(data=st.data())
def test_any_journal_is_read_as_far_as_it_can_be(data: st.DataObject, records: Records) -> None:
    lines = [json.loads(line) for line in records.entries.splitlines()]
    if data.draw(st.booleans()):
        records.journal.write_bytes(edited(records.entries, data.draw(edits)))
    else:
        place = data.draw(st.sampled_from(list(places(lines))).filter(bool))
        spoilt = changed(lines, place, data.draw(st.sampled_from(WRONG)))
        records.journal.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in spoilt))
    check(records.nbsync("history"), 0)
    check(records.nbsync("history", str(records.journal), "-o", "json"), 0, 3)
    check(records.nbsync("plan", "-q"), 0, 3, 5)


@tries(30)
@given(data=st.data())
def test_no_journal_makes_a_rollback_touch_what_its_run_did_not(data: st.DataObject, records: Records) -> None:
    lines = [json.loads(line) for line in records.entries.splitlines()]
    everywhere = [(index, *place) for index, line in enumerate(lines) for place in places(line)]
    place = data.draw(st.sampled_from(everywhere))
    spoilt = changed(lines, place, data.draw(st.sampled_from(WRONG)))
    records.journal.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in spoilt))
    outcome = records.nbsync("rollback", str(records.journal), "--yes", "-o", "json")
    check(outcome, 0, 1, 3, 5, 6, 7, 64)
    assert {"All", "a"} <= {group["name"] for group in records.there()["groups"]}


@tries(15)
@given(data=st.binary(max_size=300))
def test_any_file_is_a_journal_and_a_plan_or_is_refused(data: bytes, records: Records) -> None:
    Path("any").write_bytes(data)
    check(records.nbsync("history", "any"), 0, 3)
    check(records.nbsync("show", "any"), 3)
    check(records.nbsync("rollback", "any", "--yes"), 3, 64)
