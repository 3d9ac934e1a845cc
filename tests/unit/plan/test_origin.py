"""Origins of changes that are made by hand: what a real account shows seldom."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.plan.change import Action, Change, FieldChange, Plan, Step
from reconciler.plan.origin import behind_the_back, trace
from schemas import KINDS
from schemas._core.address import Address

GROUP = ("group", "1")


class Names:
    """What the files call the objects of an account."""

    def __init__(self, group: str) -> None:
        self.addresses = {GROUP: Address("group", group)}
        self.label = lambda kind, identifier: {GROUP: group}[kind, identifier]


def change(action: Action, *fields: tuple[str, Any, Any], key: str = "p", **rest: Any) -> Change:
    made = tuple(FieldChange(*field) for field in fields)
    return Change(Address("policy", key), KINDS["policy"], action, fields=made, **rest)


def traced(now: Change, then: Change | None, names: tuple[str, str] = ("a", "a")) -> tuple[str, list[str]]:
    """Origin of one change, and of its fields."""
    book, earlier_book = map(Names, names)
    earlier = Plan((Step(then),) if then else ())
    found: Any = trace(Plan((Step(now),)), book, earlier, earlier_book).changes[0]  # type: ignore[arg-type]
    return str(found.origin), [str(field.origin) for field in found.fields]


def test_another_action_on_the_object_is_both() -> None:
    field = ("allow", None, ["all"])
    update = ("enabled", True, False)
    assert traced(change(Action.CREATE, field), change(Action.RENAME, field, id="9", previous_key="x"))[0] == "both"
    assert traced(change(Action.DELETE, field, id="1"), change(Action.UPDATE, update, id="1")) == ("both", ["files"])
    assert traced(change(Action.DELETE, field, id="1"), None) == ("files", ["files"])


@pytest.mark.parametrize(
    ("now", "then", "origin"),
    [
        ("ssh.ops", "ssh.ops", "account"),
        ("ssh.ops", "ssh", "both"),
        ("ssh", "ssh.ops", "both"),
        ("ssh.ops", "ssh.opsx", "files"),
        ("ssh", "sshx", "files"),
    ],
)
def test_a_field_is_compared_with_what_it_touches(now: str, then: str, origin: str) -> None:
    before = change(Action.UPDATE, (then, 1, 2), id="1")
    assert traced(change(Action.UPDATE, (now, 1, 2), id="1"), before) == (origin, [origin])


@pytest.mark.parametrize(
    ("now", "then", "origin"),
    [
        (("from", ["a"], ["b"]), ("from", ["a"], ["b"]), "account"),
        (("from", ["c", "new"], ["new"]), ("from", ["c", "old"], ["old"]), "account"),
        (("from", ["m", "new"], ["new"]), ("from", ["old", "m"], ["old"]), "account"),
        (("from", ["new", "x"], ["new"]), ("from", ["old", "c"], ["old"]), "both"),
        (("from", ["b", "a"], ["a", "b"]), ("from", ["a", "b"], ["b", "a"]), "both"),
        (("ssh.new", ["x"], None), ("ssh.old", ["x"], None), "account"),
        (("ssh", None, {"new": ["x"]}), ("ssh", None, {"old": ["x"]}), "account"),
        (
            ("to", [{"resource": "n"}], [{"resource": "new"}]),
            ("to", [{"resource": "n"}], [{"resource": "old"}]),
            "account",
        ),
        (("description", "old", "x"), ("description", "old", "x"), "account"),
    ],
)
def test_objects_that_the_files_renamed_are_the_same(now: Any, then: Any, origin: str) -> None:
    before = change(Action.UPDATE, then, id="1")
    assert traced(change(Action.UPDATE, now, id="1"), before, ("new", "old")) == (origin, [origin])


def test_steps_keep_their_order_and_what_they_need() -> None:
    first, second = change(Action.DELETE, id="1"), change(Action.CREATE, key="q")
    plan = Plan((Step(first, detour="aside"), Step(second, needs=frozenset({first})), Step(first)))
    names: Any = Names("a")
    earlier = Plan((Step(change(Action.DELETE, id="1")),))
    found = trace(plan, names, earlier, names)
    gone, made = found.changes[1], found.changes[0]
    assert [(step.change, step.detour) for step in found.steps] == [(gone, "aside"), (made, ""), (gone, "")]
    assert found.steps[1].needs == {gone}
    assert behind_the_back(found).counts() == {Action.DELETE: 1}
