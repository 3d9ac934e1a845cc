"""Annotations of GitHub Actions: the runner reads what was meant, and nothing else as a command."""

from __future__ import annotations

import re

from reconciler.errors import Diagnostic, Place
from reconciler.render import github
from reconciler.render.view import View

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A line as the runner reads it: the command, its properties, its message."""
    found = COMMAND.fullmatch(line)
    assert found, line
    pairs = [pair.partition("=") for pair in found[2].split(",")]
    return found[1], {key: decoded(value) for key, _, value in pairs}, decoded(found[3])


def decoded(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_every_diagnostic_is_an_annotation_at_its_place(view: View) -> None:
    assert list(map(read, github.render(view).splitlines())) == [
        (
            "error",
            {"title": "NBS503"},
            "GET /api/groups is not permitted\nhelp: use another token\nrequest: GET /api/groups",
        ),
        (
            "error",
            {"file": "a/b.yaml", "line": "3", "col": "9", "title": "NBS201"},
            "policy/p: no group is called 'dev'\nhelp: did you mean 'devs'?",
        ),
        ("warning", {"title": "NBS302"}, "peer/gw-9: gw-9 has not joined"),
        ("notice", {"title": "NBS310"}, "plan looks it up"),
    ]


def test_what_means_something_to_the_runner_is_encoded() -> None:
    place = Place("50%,a:b.yaml", 1, 2)
    text = github.render(View("plan", diagnostics=[Diagnostic("NBS113", "100% wrong", "a, b: c", place=place)]))
    assert text == "::error file=50%25%2Ca%3Ab.yaml,line=1,col=2,title=NBS113::100%25 wrong%0Ahelp: a, b: c\n"


def test_hostile_names_cannot_inject_commands(hostile: View) -> None:
    text = github.render(hostile)
    (line,) = text.splitlines()
    assert text == line + "\n"
    assert line.isprintable()
    assert "##[" not in line
    command, properties, message = read(line)
    assert (command, list(properties)) == ("error", ["file", "line", "col", "title"])
    assert message.count("\n") == 2


def test_nothing_to_say_is_nothing() -> None:
    assert github.render(View("validate")) == ""
