"""Nothing from outside reaches a terminal or a CI log as a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.redact import clean, conceal, mask


@pytest.mark.parametrize(
    ("raw", "harmless"),
    [
        ("plain text, ÄÖ 日本 🎉", "plain text, ÄÖ 日本 🎉"),
        ("\x1b[31mred\x1b]8;;https://evil\x07", r"\x1b[31mred\x1b]8;;https://evil\x07"),
        ("two\r\nlines\ttab", r"two\x0d\x0alines\x09tab"),
        ("\x9b2K\x7f\xa0", r"\x9b2K\x7f\xa0"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("zero\u200bwidth\ufeff\u2028", r"zero\u200bwidth\ufeff\u2028"),
        ("filler\u3164 dev\ufe0f \U000e0101", r"filler\u3164 dev\ufe0f \U000e0101"),
        ("lone \ud800 surrogate", r"lone \ud800 surrogate"),
        ("\U000f0000", r"\U000f0000"),
        ("a ##[error]x", r"a #\#[error]x"),
        ("##vso[task.setvariable]1 ##teamcity[x]", r"#\#vso[task.setvariable]1 #\#teamcity[x]"),
        ("###[x ####[y", r"##\#[x ###\#[y"),
        ("::add-mask::a", r"\::add-mask::a"),
        ("  ::stop-commands::t", r"  \::stop-commands::t"),
        ("2001:db8::1", "2001:db8::1"),
        ("x\n::add-mask::a", r"x\x0a::add-mask::a"),
        ("", ""),
    ],
)
def test_text_from_outside_is_shown_and_not_obeyed(raw: str, harmless: str) -> None:
    assert clean(raw) == harmless


@given(st.text(st.characters(exclude_categories=[])) | st.text("#[]: \\\nabc"))
def test_clean_text_is_one_printable_line_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.isprintable()
    assert "##[" not in cleaned
    assert not cleaned.lstrip().startswith("::")
    assert clean(cleaned) == cleaned


def test_a_secret_is_masked_in_any_case_and_literally() -> None:
    assert mask("a nbp_X+y and NBP_x+Y", "nbp_X+y") == "a *** and ***"
    assert mask("text", "") == "text"


def test_what_was_concealed_is_masked_from_then_on() -> None:
    assert mask("say Hunter2Hunter2") == "say Hunter2Hunter2"
    conceal("hunter2Hunter2")
    conceal("short")
    assert mask("say HUNTER2hunter2, in short") == "say ***, in short"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token nbp_0aB1cD2eF3gH4 is known", "token *** is known"),
        ("key 522F0485-66EB-4C38-9D6B-0578F6533518.", "key ***."),
        ("user 522f0485-66eb-4c38-9d6b-0578f6533518.", "user 522f0485-66eb-4c38-9d6b-0578f6533518."),
        ("nbp_ is how tokens begin", "nbp_ is how tokens begin"),
    ],
)
def test_what_has_the_form_of_a_secret_of_netbird_is_masked(text: str, shown: str) -> None:
    assert mask(text) == shown
