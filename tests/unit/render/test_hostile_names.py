"""Names from the server are hostile: nothing in them reaches a terminal or a CI runner as a command."""

from __future__ import annotations

import io
import json as standard_json
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.apply.report import Result, Status
from reconciler.cli.progress import Progress
from reconciler.plan.change import Action
from reconciler.redact import clean
from reconciler.render import json
from reconciler.render.text import render_diagnostics, render_result

HOSTILE = [
    "\x1b[2Jx",
    "\x1b]0;title\x07",
    "\x9b31m",
    "a\r\nb",
    "a\x85b\u2028c",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "a\u200bb\ufeff",
    "\u3164",
    "\ud800",
    "\U000e0041",
    "::error::x",
    "aaaa ::error::x " * 20,
    "##[group]x",
    "[bold red]x[/]",
    ":smiley:",
    "\t",
]
OURS = re.compile(r"\x1b\[(?:0|[12]|3[1-6]|1;3[1-6])m")
"""What rich writes for the styles in use."""


def outputs(view, shown):
    for render in (render_result, render_diagnostics):
        yield shown(view, render=render)
        yield shown(view, render=render, width=60)
        yield OURS.sub("", shown(view, render=render, width=100, colour=True))


def check(text: str) -> None:
    for line in text.split("\n"):
        assert line.isprintable(), line
        assert not line.lstrip().startswith("::"), line
        assert not re.search(r"##\w*\[", line), line
        assert clean(line) == line


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_is_harmless_and_says_what_was_there(hostile, hostile_view, shown):
    view = hostile_view(hostile)
    for text in outputs(view, shown):
        check(text)
    assert shown(view).count("\n") == shown(hostile_view("harmless")).count("\n")


@settings(deadline=None)
@given(hostile=st.text())
def test_text_is_harmless_whatever_the_names(hostile, hostile_view, shown):
    for text in outputs(hostile_view(hostile), shown):
        check(text)


def test_colour_in_a_name_is_not_colour_on_the_terminal(hostile_view, shown):
    text = shown(hostile_view("\x1b[31mINJECTED"), width=100, colour=True)
    assert "\x1b[31mINJECTED" not in text
    assert "\\x1b[31mINJECTED" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_json_is_printable_and_carries_names_unchanged(hostile, hostile_view):
    text = json.render(hostile_view(hostile))
    for line in text.split("\n"):
        assert line.isascii()
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
    assert standard_json.loads(text)["changes"][0]["key"] == hostile


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_progress_is_harmless(hostile, terminal, change, monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with Progress("applying", total=1) as progress:
        progress.done(Result(change(f"group/{hostile}", Action.CREATE), Status.APPLIED))
        progress.waiting(1, hostile)
    text = re.sub(r"\x1b\[(?:[0-9;]*m|\?25[lh]|2K|1A)", "", stream.getvalue()).replace("\r", "\n")
    for line in text.split("\n"):
        assert line.isprintable()
