"""Text that is no YAML: the place and the words."""

import pytest


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("groups:\n\ta: 1\n", "2:1", "a tab where only spaces may stand"),
        ('groups:\n  a: "x\n  b: 2\n', "2:6", "a quote that is never closed"),
        ("groups:\n  a:1\n  b: 2\n", "3:4", "a `: ` where no key can be"),
        ("groups:\n  a: 1\n b: 2\n", "3:2", "does not belong to what is above it, in what begins at line 1"),
        ("a: b: c\n", "1:5", "a `: ` where no key can be"),
        ("groups: {a: 1\npolicies: {}\n", "2:9", "a bracket that is not closed, or a comma that is missing, in what begins at line 1"),
        ("groups: [a, b\n", "2:1", "a bracket that is not closed"),
        ("a: [a}\n", "1:6", "a bracket that is not closed"),
        ("a: ]\n", "1:4", "a bracket, comma or end where a value should be"),
        ("a: @x\n", "1:4", "a character that YAML keeps for itself"),
        ("a: 'it's'\n", "1:8", "does not belong to what is above it"),
        ("a: |x\n", "1:5", "more text after `|` or `>`"),
        ('a: "\\q"\n', "1:6", "a backslash in double quotes that means nothing"),
        ("a: - b\n", "1:4", "a `- ` where no list can begin"),
        ("a: [*]\n", "1:6", "a `*` or `&` without a name"),
        (" a: 1\nb: 2\n", "2:1", "further left than the first one"),
        ("a:\n  k: 1\n  x\n", "4:1", "neither `key: value` nor part of a text"),
        ('a: "\\UFFFFFFFF"\n', "1:7", "not YAML"),
        ('a: "\\ud800"\n', "1:7", "not YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(only, text, place, says):
    found = only(text)
    assert (found.code, str(found.place)) == ("NBS002", f"a.yaml:{place}")
    assert says in found.message


SIDES = "<<<<<<< HEAD\n  a: 1\n=======\n  a: 2\n>>>>>>> branch\n"


@pytest.mark.parametrize("text", [SIDES, SIDES.replace("\n", "\r\n")])
def test_what_a_merge_left_is_called_so(only, text):
    found = only("b:\n" + text)
    assert str(found.place) == "a.yaml:2:1"
    assert "a merge left both versions of these lines here" in found.message
    assert "take out the lines that begin with <<<<<<<" in found.help


@pytest.mark.parametrize("text", [SIDES.replace("=======\n", ""), SIDES.replace(">>>>>>> ", "")])
def test_other_marks_are_no_merge(only, text):
    assert "merge" not in only("b:\n" + text).message


def test_where_it_began_is_said_if_that_is_another_line(only):
    assert "begins at line" not in only("a: [a}\n").message
    assert "begins at line 1" in only("a: [a,\n b}\n").message


@pytest.mark.parametrize("text", ["a: @x\n", "a: [b\n", "a: 'x\n", "a: b: c\n", "\ta: 1\n"])
def test_there_is_always_help(only, text):
    assert only(text).help


@pytest.mark.parametrize(
    "harmless", ["a:\t1\n", "a: 1\t# x\n", "a: [fd00::/8]\n", "a: [b:]\n", "a: [fd00::/8]\nc: 1\t# x\n"]
)
def test_the_folly_of_one_parser_does_not_hide_the_error(problems, harmless):
    assert problems(harmless + "b: {\n") == [f"a.yaml:{harmless.count(chr(10)) + 2}:1 NBS002"]
