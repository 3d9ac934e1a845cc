"""Colour, encodings and time."""

from __future__ import annotations

import time

import pytest

from reconciler.plan.change import Action, FieldChange
from reconciler.render.text import render_diagnostics
from reconciler.render.view import View


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_no_escape_sequence_where_colour_is_not_wanted(environ, half_done, shown):
    text = shown(half_done, width=80, environ=environ) + shown(
        half_done, width=80, environ=environ, render=render_diagnostics
    )
    assert "\x1b" not in text


def test_no_escape_sequence_in_a_pipe_unless_it_is_asked_for(planned, shown):
    assert "\x1b" not in shown(planned, environ={"TERM": "xterm"})
    assert "\x1b[" in shown(planned, environ={"TERM": "xterm", "FORCE_COLOR": "1"})


def test_a_window_without_columns_hides_nothing(half_done, shown):
    assert shown(half_done, environ={"COLUMNS": "0"}) == shown(half_done)


def test_colour_on_a_terminal(planned, shown):
    assert "\x1b[1;32m" in shown(planned, width=80, environ={"TERM": "xterm"})


def test_objects_stand_below_their_kind_by_address(change, plan, shown):
    made = [change(f"{kind}/{key}", Action.CREATE) for kind in ("policy", "group") for key in ("b", "a")]
    rows = shown(View("plan", plan=plan(*made))).splitlines()
    assert [row.strip() for row in rows[:7]] == [
        "groups (2)",
        "+ group/a",
        "+ group/b",
        "",
        "policies (2)",
        "+ policy/a",
        "+ policy/b",
    ]


def test_names_that_the_encoding_does_not_have_are_escaped(change, plan, ascii_only):
    made = change("group/Größe", Action.UPDATE, FieldChange("peers", None, ["北京"]))
    text = ascii_only(View("plan", plan=plan(made)))
    assert "group/Gr\\xf6\\xdfe" in text
    assert '"\\u5317\\u4eac"' in text or "\\u5317\\u4eac" in text


def test_two_thousand_changes_are_shown_at_once(change, plan, shown):
    fields = [FieldChange("allow", ["tcp/443"], ["tcp/443", "udp/53"]), FieldChange("description", "a " * 9, "b " * 40)]
    view = View("plan", plan=plan(*(change(f"policy/p{n}", Action.UPDATE, *fields, line=n + 1) for n in range(2000))))
    before = time.process_time()
    shown(view, width=100, colour=True)
    assert time.process_time() - before < 1.5
