"""Whatever the layout, what a text says stays, with every comment; and a second time changes nothing."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.fmt import Invalid, formatted, formatted_unchecked
from reconciler.fmt.shapes import root_shape
from reconciler.fmt.source import read_source, says_the_same
from reconciler.fmt.tokens import BLOCK_STYLES
from schemas import KINDS
from tests.unit.fmt.writing import documents

HERE = Path("x.yaml")
SHAPE = root_shape(KINDS)
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
chance = settings(max_examples=400, deadline=None, suppress_health_check=SLOW)


@chance
@given(documents())
def test_meaning_and_comments_stay_and_a_second_time_changes_nothing(drawn: tuple[str, list[str]]) -> None:
    text, comments = drawn
    try:
        source = read_source(text.replace("\r\n", "\n"), HERE)
    except Invalid:
        assume(False)
    result = formatted_unchecked(source, SHAPE)
    assert says_the_same(source, read_source(result, HERE), SHAPE), result
    assert Counter(re.findall(r"# (?:c\d+\.|start)", result)) == Counter(comments)
    assert formatted_unchecked(read_source(result, HERE), SHAPE) == result
    assert "\r" not in result
    has_blocks = any(getattr(event, "style", None) in BLOCK_STYLES for event in source.events)
    assert has_blocks or "\n\n\n" not in result


@chance
@given(st.text(st.sampled_from("ab:-?#&*!|>'\"%@`{}[], \n\t\\0.~<$\r\u0085é😀"), max_size=60))
def test_any_text_is_formatted_or_refused(text: str) -> None:
    result = or_codes(f"vars:\n  x: {text}")
    if isinstance(result, str):
        assert formatted(result, HERE) == result
    else:
        # What such an anchor is called, parsers do not agree on.
        assert "NBS711" not in result or re.search(r"[&*]\S*:", text)


def or_codes(text: str) -> str | set[str]:
    """The formatted text, or the codes of what is wrong with it."""
    try:
        return formatted(text, HERE)
    except Invalid as error:
        return {one.code for one in error.diagnostics}


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n\n\n  # this  ", "\ufeff", "---\n", "~", "version: 1"])
def test_small_texts(text: str) -> None:
    result = formatted(text, HERE)
    assert formatted(result, HERE) == result
    assert not result or result.endswith("\n")
