"""Every text comes back from the files as the very same text, as a key and as a value, alone and between brackets."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.export.scalars import key_text, value_text
from reconciler.export.yaml import WIDTH, Block, document
from reconciler.load import read
from tests.unit.export.growing import ODD_NAMES

FORMER_ESCAPES = ["\u0085", "\u2029", "\u00a0", "\ud7ff", "\ue000", "\ue03a", "\ufdd0", "\U0010ffff", "\x01", "\x9f"]
texts = st.sampled_from(ODD_NAMES) | st.text() | st.text(" :#,-?[]{}&*!|>'\"%@`\\\n\tab$", max_size=8)


def loaded(text: str) -> Any:
    """What nbsync reads from a document."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.yaml"
        file.write_text(text, encoding="utf-8")
        document = read([file], environ={}, objects=frozenset(), singletons=frozenset())
    assert not document.diagnostics, f"{document.diagnostics}\n{text!r}"
    return document.root


def written(value: dict[str, Any]) -> str:
    """A document with a value in block style, and once more line by line with a comment."""
    return document(Block(value))


def sources(text: str) -> dict[str, Any]:
    """A text in all the places where one can stand."""
    return {
        "value": text,
        "small": {"list": [text, text], "map": {text: text, "other": None}},
        "wide": {"list": [text, "x" * WIDTH], "map": {text: {text: "x" * WIDTH}}},
        "rows": [{"x" * WIDTH: text, text: text}],
    }


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts)
def test_text_comes_back_wherever_it_stands(text):
    """Keys are not interpolated, values are."""
    wanted = {**sources(text), text: [text]}
    assert loaded(written(wanted)) == wanted


@pytest.mark.parametrize("text", [*ODD_NAMES, *FORMER_ESCAPES])
def test_odd_text_comes_back(text):
    """Also what a random search may miss."""
    wanted = {**sources(text), text: [text]}
    assert loaded(written(wanted)) == wanted


@pytest.mark.parametrize(
    ("text", "alone", "between_brackets"),
    [
        ("NO", "NO", "NO"),
        ("dev-to-erp", "dev-to-erp", "dev-to-erp"),
        ("10.20.0.0/16", "10.20.0.0/16", "10.20.0.0/16"),
        ("0.60.0", "0.60.0", "0.60.0"),
        ("14.0", '"14.0"', '"14.0"'),
        ("null", '"null"', '"null"'),
        ("", '""', '""'),
        ("data centre (north)", "data centre (north)", "data centre (north)"),
        ("Build machines, in the cloud", "Build machines, in the cloud", '"Build machines, in the cloud"'),
        ("2620:fe::fe", "2620:fe::fe", '"2620:fe::fe"'),
        ("*.acme.example", '"*.acme.example"', '"*.acme.example"'),
        ("a: b", '"a: b"', '"a: b"'),
        ("it's", "it's", "it's"),
        ('- "a"', "'- \"a\"'", "'- \"a\"'"),
        ("C:\\Program Files\\agent.exe", "C:\\Program Files\\agent.exe", "'C:\\Program Files\\agent.exe'"),
        ("two\nlines", '"two\\nlines"', '"two\\nlines"'),
        ("\x1b[31m", '"\\e[31m"', '"\\e[31m"'),
        ("Zürich", "Zürich", "Zürich"),
        ("a\u202eb", '"a\\u202Eb"', '"a\\u202Eb"'),
        ("web\u200b", '"web\\u200B"', '"web\\u200B"'),
        ("\U000e0041\u200f", '"\\U000E0041\\u200F"', '"\\U000E0041\\u200F"'),
        ("${env:HOME}", "$${env:HOME}", '"$${env:HOME}"'),
    ],
)
def test_quotes_stand_only_where_they_are_needed(text, alone, between_brackets):
    """Double ones, unless the text has such marks itself."""
    assert value_text(text, flow=False) == alone
    assert value_text(text, flow=True) == between_brackets


def test_keys_are_written_as_they_are():
    """The loader interpolates values only."""
    assert key_text("${x}") == "${x}"


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (300, "300"), (None, "null")])
def test_what_is_no_text_is_not_quoted(value, text):
    """Numbers, booleans and nothing."""
    assert value_text(value, flow=True) == text


@pytest.mark.parametrize(
    "text", ["::set-output name=x::y", " ::error::x", "a\n::error::x\n", "##[group]x", "a ##vso[x]"]
)
def test_no_line_of_an_export_is_a_command_to_a_ci_runner(text: str) -> None:
    for written in (key_text(text), value_text(text, flow=False), value_text(text, flow=True)):
        assert not any(
            line.lstrip().startswith("::") or "##[" in line or "##vso[" in line for line in written.split("\n")
        )
    assert loaded(f"{key_text(text)}: {value_text(text, flow=False)}\n") == {text: text}
