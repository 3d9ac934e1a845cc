"""One file: from YAML to a tree."""

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser


def test_the_parser_written_in_c_is_there():
    assert YAML(typ="safe").Parser is CParser


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "---\n...\n", "~\n", "\ufeff", "\ufeff# nothing"])
def test_an_empty_file_is_an_empty_document(load, text):
    found = load(text)
    assert (found.root, found.diagnostics) == ({}, [])


@pytest.mark.parametrize(
    ("text", "code"),
    [("- a\n", "a.yaml:1:1 NBS006"), ("text\n", "a.yaml:1:1 NBS006"), ("# x\n3\n", "a.yaml:2:1 NBS006")],
)
def test_the_root_is_a_mapping(problems, text, code):
    assert problems(text) == [code]


def test_a_byte_order_mark_and_windows_lines_change_nothing(load):
    found = load("\ufeffgroups:\r\n  dev:\r\n    peers:\r\n    - a\r\n")
    assert found.root == {"groups": {"dev": {"peers": ["a"]}}}
    assert str(found.sources.place(found.root.keys_at["groups"])) == "a.yaml:1:1"
    assert str(found.sources.place(found.root["groups"].keys_at["dev"])) == "a.yaml:2:3"


def test_keys_are_text_whatever_they_look_like(load):
    found = load('true: 1\n1: 2\n0x1f: 3\nNO: 4\n"": 5\n"null": 6\n"<<": 7\n!!str ~: 8\n')
    assert list(found.root) == ["true", "1", "0x1f", "NO", "", "null", "<<", "~"]


@pytest.mark.parametrize("key", ["~", "null", "NULL", "? "])
def test_a_key_that_is_null_is_an_error(problems, key):
    assert [found.split()[1] for found in problems(f"{key}: 1\n" if key != "? " else "? \n: 1\n")] == ["NBS005"]


@pytest.mark.parametrize("key", ["? [a]\n:", "? {a: b}\n:", "[a, b]:"])
def test_a_key_is_not_a_collection(problems, key):
    assert [found.split()[1] for found in problems(f"{key} 1\nb: 2\n")] == ["NBS005"]


def test_an_alias_is_no_key(problems):
    assert problems("a: &x b\n*x : 1\n") == ["a.yaml:2:1 NBS005"]


def test_duplicate_keys_are_shown_with_both_places(load):
    found = load("groups:\n  dev: {}\n  ops: {}\n  dev: {peers: [a]}\n  dev:\n")
    assert found.root == {"groups": {"dev": {}, "ops": {}}}
    assert [(str(d.place), d.code, d.message.split()[-1]) for d in found.diagnostics] == [
        ("a.yaml:4:3", "NBS003", "a.yaml:2:3"),
        ("a.yaml:5:3", "NBS003", "a.yaml:2:3"),
    ]


def test_keys_that_only_look_alike_are_two(load):
    assert load("1: a\ntrue: b\n1.0: c\n'1': d\n").diagnostics[0].message.startswith("the key '1' stands twice")
    assert load("1: a\ntrue: b\n1.0: c\n").root == {"1": "a", "true": "b", "1.0": "c"}


def test_core_tags_are_allowed(load):
    text = "a: !!str 5\nb: !!int '5'\nc: !!float 5\nd: !!bool true\ne: !!null ''\nf: !!map {}\ng: !!seq []\nh: ! 5\ni: ! [{}]\nj: ! {}\n"
    found = load(text)
    assert found.root == {
        "a": "5",
        "b": 5,
        "c": 5.0,
        "d": True,
        "e": None,
        "f": {},
        "g": [],
        "h": "5",
        "i": [{}],
        "j": {},
    }
    assert isinstance(found.root["c"], float)
    assert found.diagnostics == []


@pytest.mark.parametrize(
    "value",
    ["!x y", "!!binary aGk=", "!!python/object/apply:os.system [id]", "!!set {a}", "!!omap []", "!!map []", "!!seq {}",
     "!!str []", "!!int x", "!!int true", "!!bool 1", "!!float ~", "!<tag:example.com,2000:x> y", "!!timestamp 2024-01-01"],
)  # fmt: skip
def test_any_other_tag_is_an_error(problems, value):
    assert problems(f"a: {value}\n") == ["a.yaml:1:4 NBS005"]


def test_a_redefined_core_tag_is_an_error(problems):
    assert problems("%TAG !! tag:example.com,2000:\n---\na: !!str x\n") == ["a.yaml:3:4 NBS005"]


@pytest.mark.parametrize(("version", "wrong"), [("1.1", True), ("1.2", False)])
def test_only_version_1_2_may_be_asked_for(problems, version, wrong):
    assert problems(f"%YAML {version}\n---\na: no\n") == ["a.yaml:1:1 NBS005"] * wrong


def test_a_version_that_no_parser_knows_is_an_error(only):
    found = only("%YAML 1.3\n---\na: 1\n")
    assert (found.code, "%YAML" in found.message) == ("NBS002", True)


@pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "a: 1\n---\n", "a: 1\n...\n---\nb: [fd00::/8]\n"])
def test_a_second_document_is_an_error(problems, text):
    assert problems(text) == [f"a.yaml:{text.split('---')[0].count(chr(10)) + 1}:1 NBS005"]


def test_everything_wrong_in_a_file_is_reported_at_once(problems):
    text = "a: !x 1\nb: *nowhere\na: 2\n~: 3\nc: !!int y\n"
    assert problems(text) == [
        "a.yaml:1:4 NBS005",
        "a.yaml:2:4 NBS005",
        "a.yaml:3:1 NBS003",
        "a.yaml:4:1 NBS005",
        "a.yaml:5:4 NBS005",
    ]


def test_problems_before_a_syntax_error_are_reported_once(problems):
    assert problems("a: !x 1\nb: [\n") == ["a.yaml:1:4 NBS005", "a.yaml:3:1 NBS002"]


def test_a_broken_file_does_not_hide_the_others(load):
    found = load("a: [\n", "groups: {dev: {}}\n")
    assert found.root == {"groups": {"dev": {}}}
    assert [d.code for d in found.diagnostics] == ["NBS002"]


def test_flow_lists_hold_plain_addresses_with_colons(load):
    text = "a: [fd00::/8, ::/0, '::1', fe80::, http://x:80, 80:90, a::b]\nb: {c: ::1, d: fe80::}\n"
    assert load(text).root == {
        "a": ["fd00::/8", "::/0", "::1", "fe80::", "http://x:80", "80:90", "a::b"],
        "b": {"c": "::1", "d": "fe80::"},
    }


def test_what_only_the_c_parser_takes_does_not_break_a_file_with_such_addresses(load):
    assert load("a:\t1\t# a tab\nb: [fd00::/8]\n").root == {"a": 1, "b": ["fd00::/8"]}


def test_what_the_c_parser_refuses_for_other_reasons_is_read_too(load):
    assert load("%UNKNOWN\n---\na: [b:, fd00::/8]\n").root == {"a": ["b:", "fd00::/8"]}


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("more", ["", "c: [x::y]\n", "c: [x:]\n"])
def test_only_line_feeds_and_returns_end_lines(load, char, more):
    found = load(f"# {char}\na: 'x{char}y'\nb: x{char}y\n{more}")
    assert (found.root["a"], found.root["b"]) == (f"x{char}y", f"x{char}y")
    assert str(found.sources.place(found.root.values_at["b"])) == "a.yaml:3:4"
    assert found.sources.text_at(found.root.values_at["b"]) == f"x{char}y"


@pytest.mark.parametrize(
    "private", ["\ue000", "\ue000\ue001\ue002\ue003\ue004", "".join(map(chr, range(0xE000, 0xF900)))]
)
def test_private_characters_stay_what_they_are(load, private):
    assert load(f"a: {private}:y\nb: [fd00::/8, {private}]\n").root == {"a": f"{private}:y", "b": ["fd00::/8", private]}


@pytest.mark.parametrize("escape", ["\\ue000", "\\uE000", "\\U0000e000"])
def test_private_characters_stay_what_they_are_when_escaped(load, escape):
    assert load(f'"{escape}?": x\nb: [fd00::/8]\nc: ?d\n').root == {"\ue000?": "x", "b": ["fd00::/8"], "c": "?d"}


def test_text_in_every_style(load):
    text = "a: |\n  x\n   y\nb: >-\n  x\n  y\nc: \"\\u00e9\\n\"\nd: 'it''s'\ne: x\n  y # z\nf: a#b\n"
    assert load(text).root == {"a": "x\n y\n", "b": "x y", "c": "é\n", "d": "it's", "e": "x y", "f": "a#b"}


def test_a_question_mark_without_a_space_is_text(load):
    text = "a: [?x, a?b, http://x/?q=1]\nb: {?c: d?}\n?e: '?f'\n? g\n: ?h\n"
    assert load(text).root == {
        "a": ["?x", "a?b", "http://x/?q=1"],
        "b": {"?c": "d?"},
        "?e": "?f",
        "g": "?h",
    }
