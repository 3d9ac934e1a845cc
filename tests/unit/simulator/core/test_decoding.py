"""Bodies are read as Go's encoding/json reads them into a struct."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.simulator.decoding import (
    BOOL,
    FLOAT,
    INT,
    TEXT,
    TEXTS,
    Integer,
    ListOf,
    MapOf,
    NotJsonError,
    Nullable,
    Struct,
    decode,
)

THING = Struct(
    {
        "name": TEXT,
        "on": BOOL,
        "size": INT,
        "small": Integer(32),
        "share": FLOAT,
        "tags": TEXTS,
        "note": Nullable(TEXT),
        "labels": MapOf(TEXT),
        "parts": ListOf(Struct({"id": TEXT, "count": INT})),
        "inner": Struct({"a": TEXT, "b": TEXT}),
    }
)
BLANK = {
    "name": "",
    "on": False,
    "size": 0,
    "small": 0,
    "share": 0,
    "tags": None,
    "note": None,
    "labels": None,
    "parts": None,
    "inner": {"a": "", "b": ""},
}


def read(text: str) -> dict[str, Any]:
    """What differs from the blank thing."""
    found = decode(text.encode(), THING)
    return {key: value for key, value in found.items() if value != BLANK[key]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", {}),
        ("null", {}),
        ('{"name": null, "on": null, "size": null}', {}),
        ('{"NAME": "x", "Tags": ["a"]}', {"name": "x", "tags": ["a"]}),
        ('{"name": "x", "Name": "y"}', {"name": "y"}),
        ('{"name": "x", "name": null}', {"name": "x"}),
        ('{"tags": ["a"], "tags": null}', {}),
        ('{"tags": []}', {"tags": []}),
        ('{"tags": [null, "a"]}', {"tags": ["", "a"]}),
        (
            '{"parts": [{"id": "x", "count": 2}], "parts": [{"count": 3}, {}]}',
            {"parts": [{"id": "x", "count": 3}, {"id": "", "count": 0}]},
        ),
        ('{"inner": {"a": "1"}, "inner": {"b": "2"}}', {"inner": {"a": "1", "b": "2"}}),
        ('{"labels": {"a": "1"}, "labels": {"b": "2"}}', {"labels": {"a": "1", "b": "2"}}),
        ('{"other": [1, {"x": 2}]} and more', {}),
        (r'{"name": "\ud83d"}', {"name": "\ufffd"}),
        (r'{"name": "\ud83d\ude00"}', {"name": "😀"}),
        ('{"share": 2.0}', {"share": 2}),
        ('{"size": -9223372036854775808}', {"size": -(2**63)}),
    ],
)
def test_what_go_accepts_is_accepted(text: str, found: dict[str, Any]) -> None:
    """Unknown fields, letter case, repeated keys, data after the value."""
    assert read(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '"text"',
        "\ufeff{}",
        '{"name": 1}',
        '{"on": "true"}',
        '{"on": 1}',
        '{"size": 1.0}',
        '{"size": 1e2}',
        '{"size": "1"}',
        '{"size": true}',
        '{"size": 9223372036854775808}',
        '{"small": 2147483648}',
        '{"share": "1"}',
        '{"tags": "a"}',
        '{"tags": {}}',
        '{"tags": [1]}',
        '{"labels": []}',
        '{"inner": []}',
        '{"parts": ["x"]}',
        '{"name": "x",}',
        "{'name': 'x'}",
        '{"name": "a\nb"}',
        '{"share": NaN}',
        '{"size": 01}',
    ],
)
def test_what_go_refuses_is_refused(text: str) -> None:
    """No JSON, or a value of a type that the field does not have."""
    with pytest.raises(NotJsonError):
        read(text)


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert decode(b'{"name": "a\xff"}', THING)["name"] == "a\ufffd"


def test_deep_nesting_is_refused_and_nothing_more() -> None:
    with pytest.raises(NotJsonError):
        read("[" * 100_000)
