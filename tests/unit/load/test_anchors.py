"""Anchors, aliases and merge keys, within limits."""

import pytest

from reconciler.load import locate


def test_an_alias_stands_for_what_its_anchor_holds(load):
    found = load("a: &x {k: [1, 2]}\nb: *x\nc: &y text\nd: [*y, *x]\n&k e: *k\n")
    assert found.root == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": "text", "d": ["text", {"k": [1, 2]}], "e": "e"}
    assert found.diagnostics == []


def test_an_alias_is_placed_where_it_is_written_and_what_is_in_it_where_that_is_written(load):
    found = load("a: &x {k: 1}\nb: *x\n")
    assert str(found.sources.place(locate(found.root, ["b"]))) == "a.yaml:2:4"
    assert str(found.sources.place(locate(found.root, ["b", "k"]))) == "a.yaml:1:11"
    assert found.sources.text_at(locate(found.root, ["b"])) == "*x"


def test_the_latest_anchor_of_a_name_counts(load):
    assert load("a: &x 1\nb: &x 2\nc: *x\n").root["c"] == 2


def test_an_alias_needs_an_anchor_before_it(only):
    found = only("a: *x\nb: &x 1\n")
    assert (str(found.place), found.code) == ("a.yaml:1:4", "NBS005")


def test_an_unquoted_wildcard_is_explained(only):
    assert only("a: *.acme.io\n").help == 'quote it if it is text: "*.acme.io"'


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("a: &web 1\nb: *wbe\n", "did you mean '*web'?"),
        ("a: *office\n", "write &office before the value that is meant"),
    ],
)
def test_an_alias_of_nothing_is_explained(only, text, advice):
    assert only(text).help.startswith(advice)


@pytest.mark.parametrize("text", ["a: &x [1, *x]\n", "a: &x {b: *x}\n", "a: &x {<<: *x}\n", "a: &x {b: &x [*x]}\n"])
def test_an_alias_within_itself_is_an_error(only, text):
    assert only(text).code == "NBS004"


def test_merge_keys_add_what_is_not_there(load):
    found = load(
        "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  b: 5\n  <<: *x\nw: {<<: [*x, *y], d: 6}\nv: {<<: {e: 7}}\n"
    )
    assert found.diagnostics == []
    assert found.root["z"] == {"b": 5, "a": 1}
    assert found.root["w"] == {"d": 6, "a": 1, "b": 2, "c": 4}
    assert found.root["v"] == {"e": 7}


def test_merged_keys_are_placed_where_they_are_written(load):
    found = load("x: &x {a: 1}\nz: {<<: *x}\n")
    assert str(found.sources.place(locate(found.root, ["z", "a"], key=True))) == "a.yaml:1:8"


def test_merging_leaves_the_source_as_it_is(load):
    assert load("x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: *x\n").root["x"] == {"a": 1}


@pytest.mark.parametrize("value", ["1", "[1]", "[{a: 1}, b]", "text"])
def test_only_mappings_can_be_merged(problems, value):
    assert problems(f"a: {{<<: {value}}}\n") == ["a.yaml:1:9 NBS005"]


def test_a_quoted_merge_key_is_a_key(load):
    assert load("a: {'<<': 1, b: <<}\n").root == {"a": {"<<": 1, "b": "<<"}}


def test_a_merge_key_may_hold_nothing(load):
    assert load("a: {<<: , b: 1}\n").root == {"a": {"b": 1}}


def test_a_merge_of_a_missing_anchor_is_one_error(problems):
    assert problems("a: {<<: *x, b: 1}\n") == ["a.yaml:1:9 NBS005"]
