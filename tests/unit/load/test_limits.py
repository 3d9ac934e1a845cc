"""Whatever a file holds, reading it ends soon, with one clear error, in bounded memory."""

import time

import pytest

from reconciler.load import findings

WIDE = "[x, x, x, x, x, x, x, x, x]"


def levels(count, first, line):
    return first + "".join(line.format(i=index, p=index - 1) for index in range(1, count))


BOMBS = {
    "lists": levels(30, f"a0: &a0 {WIDE}\n", "a{i}: &a{i} [*a{p}, *a{p}, *a{p}, *a{p}]\n"),
    "maps": levels(60, "a0: &a0 {x: 1}\n", "a{i}: &a{i} {{p: *a{p}, q: *a{p}}}\n"),
    "merges": levels(60, "a0: &a0 {x: 1}\n", "a{i}: &a{i} {{<<: [*a{p}, *a{p}], k{i}: 1}}\n"),
    "long texts": "a: &x '" + "y" * 1_000_000 + "'\nb: [" + "*x, " * 100_000 + "]\n",
    "variables": levels(60, "vars:\n  v0: [1]\n", "  v{i}: ['${{var:v{p}}}', '${{var:v{p}}}']\n") + "x: ${var:v59}\n",
    "variable texts": levels(60, "vars:\n  v0: abcdefgh\n", "  v{i}: '${{var:v{p}}}${{var:v{p}}}'\n"),
    "deep variables": levels(500, "vars:\n  v0: 1\n", "  v{i}: ['${{var:v{p}}}']\n"),
    "long texts of variables": "vars: {v: '" + "y" * 1_000_000 + "'}\nx:\n" + "- ${var:v}x\n" * 10_000,
    "flow depth": "a: " + "[" * 100_000,
    "closed flow depth": "a: " + "[" * 1000 + "]" * 1000,
    "braces": "a: " + "{" * 100_000,
    "block depth": "".join(" " * index + "a:\n" for index in range(1000)),
    "dashes": "a:\n " + "- " * 100_000,
    "questions": "? " * 100_000,
    "depth through aliases": levels(200, "a0: &a0 []\n", "a{i}: &a{i} [*a{p}]\n"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_one_error(only, name):
    start = time.process_time()
    assert only(BOMBS[name]).code == "NBS004"
    assert time.process_time() - start < 10


def test_a_hundred_levels_are_fine(load):
    found = load("a: " + "[" * 99 + "]" * 99)
    assert found.diagnostics == []
    assert [d.code for d in load("a: " + "[" * 100 + "]" * 100).diagnostics] == ["NBS004"]


def test_the_depth_of_an_anchor_is_that_of_the_anchors_in_it(problems):
    inner = "[" * 60 + "]" * 60
    deep = "- " * 50
    assert problems(f"a: &o [&i {inner}, 1]\nb:\n {deep}*i\n") == ["a.yaml:3:102 NBS004"]
    assert problems(f"a: &o [&i {inner}, 1]\nb:\n {deep}*o\n") == ["a.yaml:3:102 NBS004"]
    assert problems(f"a: &o [{inner}, &i 1]\nb:\n {deep}*o\n") == ["a.yaml:3:102 NBS004"]
    assert problems(f"a: &o [1]\nb: {inner}\nc:\n {deep}*o\n") == []


def test_aliases_count_as_what_they_stand_for(load, monkeypatch):
    monkeypatch.setattr(findings.Budget, "__init__", lambda self: setattr(self, "nodes", 20))
    assert load("a: &x [1, 2]\nb: [*x, *x, *x]\n").diagnostics == []
    assert [str(d.place) for d in load("a: &x [1, 2]\nb: [*x, *x, *x, *x, *x]\n").diagnostics] == ["a.yaml:2:21"]


def test_all_files_count_together(load, monkeypatch):
    monkeypatch.setattr(findings.Budget, "__init__", lambda self: setattr(self, "nodes", 10))
    assert load("a: [1, 2]\n").diagnostics == []
    assert [str(d.place) for d in load("a: [1, 2]\n", "b: [1, 2, 3]\n").diagnostics] == ["b.yaml:1:11"]


def test_long_chains_of_variables_are_fine(load):
    text = levels(20_000, "vars:\n  v0: 1\n", "  v{i}: ${{var:v{p}}}\n") + "x: ${var:v19999}\n"
    found = load(text)
    assert (found.root, found.diagnostics) == ({"x": 1}, [])


@pytest.mark.parametrize(
    "text",
    ["a: 1\n" * 5000, "a:\n" + "- !x y\n" * 5000, "a:\n" + "- ${var:b}\n" * 5000, "vars:\n" + "".join(f"  vvvvvvvv{i}: 1\n" for i in range(5000)) + "x:\n" + "".join(f"- ${{var:wvvvvvv{i}}}\n" for i in range(5000))],
    ids=["duplicate keys", "tags", "unset variables", "near matches"],
)  # fmt: skip
def test_thousands_of_errors_are_cut(load, text):
    found = load("b: !x 1\n", text)
    assert len(found.diagnostics) == findings.MAX_ERRORS + 1
    assert found.diagnostics[-1].message == "more than 1000 errors; the others are not shown"


@pytest.mark.parametrize(
    "text",
    ["}{[]:?- " * 100_000, "a: '" + "x" * 2_000_000, "\t" * 1_000_000 + "a", "a: [" + ":" * 200_000, "%TAG !a! b\n" * 50_000,
     "'" * 300_001, "a: |\n" + "\n" * 500_000 + "\t x", 'a: "' + "\\q" * 100_000, "&a " * 100_000, "!!str " * 50_000],
)  # fmt: skip
def test_rubbish_is_one_error(only, text):
    start = time.process_time()
    assert only(text).code == "NBS002"
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "text",
    ["a: " + "x" * 2_000_000, "# x\n" * 300_000 + "a: 1", "\n" * 2_000_000 + "a: 1", "? " + "k" * 1_000_000 + "\n: 1",
     "a: " + "9" * 1_000_000, "a: '" + "$" * 1_000_000 + "'", "a: '" + "$${" * 200_000 + "'"],
)  # fmt: skip
def test_large_and_dull_is_fine(load, text):
    start = time.process_time()
    assert load(text).diagnostics == []
    assert time.process_time() - start < 10
