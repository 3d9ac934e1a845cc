"""YAML 1.2's core schema: what a plain scalar is."""

import math

import pytest

from reconciler.load.scalars import plain


@pytest.mark.parametrize(
    "text",
    ["NO", "no", "on", "yes", "y", "2024-01-01", "12:30:45", "1_000", "0b101", "1e", "0x", "0o8", ".", "-", "+", "=",
     "<<", "1.2.3", "0.60.0", "nUll", "tRUE", "١٢", "1 ", "-.nan", "--1", "10.0.0.0/8", "inf", "nan"],
)  # fmt: skip
def test_what_the_core_schema_does_not_list_is_text(text):
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("010", 10), ("08", 8), ("-12", -12), ("+3", 3), ("0o17", 15), ("0x1f", 31), ("0xFF", 255),
     ("1.5", 1.5), ("0.30", 0.3), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("-1.5E-2", -0.015), ("1e400", math.inf),
     (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf),
     ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
     ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None)],
)  # fmt: skip
def test_what_the_core_schema_lists_is_typed(text, value):
    assert (type(plain(text)), plain(text)) == (type(value), value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number_is_a_number(text):
    assert math.isnan(plain(text))


@pytest.mark.parametrize("text", ["0x" + "f" * 5000, "0o" + "7" * 5000])
def test_a_number_that_python_could_not_print_is_text(text):
    assert plain(text) == text


def test_a_number_with_more_digits_than_any_field_holds_is_infinite():
    assert plain("9" * 5000) == math.inf
