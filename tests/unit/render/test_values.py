"""Fields before and after."""

from __future__ import annotations

import pytest

from reconciler.plan.change import Action, FieldChange
from reconciler.render.view import View


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (True, False, "true → false"),
        (300, 60, "300 → 60"),
        ("devs", "All Users", 'devs → "All Users"'),
        ('say "no"', "", '"say \\"no\\"" → ""'),
        (None, ["all"], "(none) → all"),
        (["tcp/443"], None, "tcp/443 → (none)"),
        (["a"], ["b"], "a → b"),
        ([], ["a"], "(empty) → a"),
        (["a"], [], "a → (empty)"),
        (["a", "b"], ["b", "a"], "a, b → b, a"),
        (["a", "b"], ["b", "c"], "b +c -a"),
        (["a", "a"], ["a"], "a -a"),
        (["a", "b", "c"], ["a", "b", "c", "d"], "a, b, c +d"),
        (["a", "b", "c", "d"], ["a", "b", "c", "d", "e"], "+e (4 unchanged)"),
        ([{"peer": "x"}, "y"], ["y"], "y -{peer: x}"),
        (["-a", "b"], ["b"], 'b -"-a"'),
        ({"a": None}, [["x"]], "{a: null} → [x]"),
    ],
)
def test_an_update_shows_both_sides(before, after, expected, row):
    assert row(before, after) == expected


def test_a_mapping_has_a_row_for_each_key_that_either_side_has(change, plan, shown):
    field = FieldChange("os_version", {"macos": {"min": "13"}}, {"linux_kernel": "5.15"})
    text = shown(View("plan", plan=plan(change("posture_check/p", Action.UPDATE, field))))
    assert text.splitlines()[2:4] == [
        "      os_version.macos.min     13 → (none)",
        "      os_version.linux_kernel  (none) → 5.15",
    ]


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
@pytest.mark.parametrize("value", ["CANARY", ["CANARY"], {"CANARY": "CANARY"}])
def test_a_sensitive_value_is_never_shown(action, value, row):
    assert row(value, {"a": value}, action=action, sensitive=True) == "(sensitive)"


def test_a_value_that_only_the_server_knows_is_said_to_come(row):
    assert row("a", None, known_after_apply=True) == "a → (known after apply)"
    assert row(None, None, action=Action.CREATE, known_after_apply=True) == "(known after apply)"


def test_sides_that_do_not_fit_side_by_side_stand_below_one_another(change, plan, shown):
    field = FieldChange("description", "a b " * 8, "c d " * 8)
    rows = shown(View("plan", plan=plan(change("group/g", Action.UPDATE, field))), width=60).splitlines()[2:4]
    assert [row.index('"') for row in rows] == [19, 19]
    assert rows[1].strip().startswith("→")


def test_the_fields_of_a_plan_are_not_broken_where_nobody_looks_at_a_window(change, plan, shown):
    field = FieldChange("peers", None, [f"peer-{n}" for n in range(500)])
    assert len(shown(View("plan", plan=plan(change("group/g", Action.CREATE, field)))).splitlines()) == 5


def test_a_value_behind_a_very_long_name_still_has_half_of_the_terminal(change, plan, shown):
    field = FieldChange("x" * 70, None, "word " * 12)
    rows = shown(View("plan", plan=plan(change("group/g", Action.CREATE, field))), width=60).splitlines()[2:7]
    assert [len(row) - len(row.lstrip()) for row in rows[2:]] == [30, 30, 30]
    assert rows[2].strip().startswith('"word word')


def test_no_row_is_wider_than_the_terminal(planned, change, shown):
    for width in (40, 60, 80):
        assert max(map(len, shown(planned, width=width).splitlines())) <= width
