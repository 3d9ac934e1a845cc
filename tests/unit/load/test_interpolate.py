"""Interpolation of scalar values."""

from pathlib import Path

import pytest

from reconciler.load import Map, Seq, Sources, locate, read
from reconciler.load.findings import Budget, Findings
from reconciler.load.interpolate import interpolate


def value(load, text, **options):
    found = load(text, **options)
    assert found.diagnostics == []
    return found.root["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x: ${var:a}", 5),
        ('x: "${var:a}"', 5),
        ("x: ${var:a}0", "50"),
        ("x: '${var:a} and ${var:b}'", "5 and text"),
        ("x: ${var:yes}", True),
        ("x: ${var:none}", None),
        ("x: ${var:quoted}", "0.30"),
        ("x: ${var:number}", 0.3),
        ("x: v${var:number}, ${var:hex}, ${var:yes}", "v0.30, 0x1f, True"),
        ("x: ${var:list}", [1, "text"]),
        ("x: ['${var:map}']", [{"k": 5}]),
        ("x: ${var:a b.c:d}", "odd"),
        ("x: ${env:HOME}", "/home/ana"),
        ("x: ${env:PORT}", 443),
        ("x: tcp/${env:PORT}", "tcp/443"),
        ("x: ${env:NO}", "NO"),
        ("x: ${env:NOPE:-7}", 7),
        ("x: ${env:NOPE:-a:-b c}", "a:-b c"),
        ("x: '${env:NOPE:-}'", ""),
        ("x: ${env:EMPTY:-full}", "full"),
        ('x: "${env:NOPE:-a\\nb}"', "a\nb"),
        ("x: ${env:EMPTY}", ""),
        ("x: a${env:EMPTY}b", "ab"),
        ("x: ${env:PORT:-1}", 443),
        ("x: $${var:a}", "${var:a}"),
        ("x: a $${ b", "a ${ b"),
        ("x: $${${var:a}", "${5"),
        ("x: $ $$ $5 $(a) $HOME {a}", "$ $$ $5 $(a) $HOME {a}"),
        ("x: ${env:TRICK}", "${var:a}"),
        ("x: ${var:trick}", "${var:a}"),
        ("x: !!str ${env:PORT}", "443"),
        ("x: !!str ${var:number}", "0.30"),
        ("x: !!str $5", "$5"),
        ("x: ${var:hidden}", "${ x"),
    ],
)
def test_values(load, text, expected):
    environ = {"HOME": "/home/ana", "PORT": "443", "NO": "NO", "EMPTY": "", "TRICK": "${var:a}"}
    variables = (
        "vars: {a: 5, b: text, yes: True, none: , quoted: '0.30', number: 0.30, hex: 0x1f, list: [1, '${var:b}'],"
        " map: {k: '${var:a}'}, 'a b.c:d': odd, trick: '${env:TRICK}', hidden: '$${ x'}\n"
    )
    found = value(load, variables + text + "\n", environ=environ)
    assert (type(found), found) == (type(expected), expected) or found == expected != 0


def test_keys_are_left_alone(load):
    assert load("x: {'${var:a}': 1}\n'${env:A}': 2\n").root == {"x": {"${var:a}": 1}, "${env:A}": 2}


def test_variables_stay_out_of_the_result(load):
    assert load("vars: {a: 1}\nx: ${var:a}\n", variables={"b": "2"}).root == {"x": 1}


def test_variables_use_one_another_in_any_order_and_over_files(load):
    found = load(
        "vars: {a: '${var:b}/x', b: '${var:c}'}\n", "vars: {c: '${env:C}'}\nx: '${var:a}'\n", environ={"C": "1"}
    )
    assert (found.root, found.diagnostics) == ({"x": "1/x"}, [])


def test_the_text_of_a_variable_is_that_of_what_it_uses(load):
    found = load("vars: {a: 0.30, b: '${var:a}', c: '${var:b}'}\nx: v${var:c}\ny: ${var:c}\n", "z: v${var:c}\n")
    assert found.root == {"x": "v0.30", "y": 0.3, "z": "v0.30"}


def test_arguments_override_variables_and_are_typed(load):
    text = "vars: {a: '${env:NOPE}', b: '${var:a}', c: 1}\nx: ['${var:a}', '${var:b}', '${var:c}', '${var:d}', 'v${var:a}']\n"
    variables = {"a": "0.30", "c": "true", "d": "${var:c}"}
    assert value(load, text, variables=variables) == [0.3, 0.3, True, "${var:c}", "v0.30"]


def test_files_are_relative_to_the_file_that_names_them(load, folder):
    load(
        files={
            "conf/sub/a.yaml": "x: '${file:../key.txt}'\ny: '${file:n.txt}'\nz: a${file:n.txt}b\nw: '${var:v}'\n",
            "conf/vars.yaml": "vars: {v: '${file:key.txt}'}\n",
            "conf/key.txt": "line\nline\n\n",
            "conf/sub/n.txt": "\ufeff8080\r\n",
        }
    )
    found = read([Path("conf")], environ={}, objects=frozenset(), singletons=frozenset())
    assert found.diagnostics == []
    assert found.root == {"x": "line\nline\n", "y": 8080, "z": "a8080b", "w": "line\nline\n"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        ("a\n", "a"),
        ("a\r\n", "a"),
        ("a\n\n", "a\n"),
        ("a\r", "a\r"),
        ("a \n", "a "),
        ("\n", ""),
        ("", ""),
        ("7\n", 7),
    ],
)
def test_one_newline_at_the_end_of_a_file_is_dropped(load, text, expected):
    assert value(load, "x: ${file:f.txt}\n", files={"f.txt": text}) == expected


@pytest.mark.parametrize(
    ("name", "says"),
    [("nope.txt", "does not exist"), (".", "is a folder"), ("/dev/zero", "is a pipe, a socket or a device"),
     ("big.txt", "larger than"), ("bad.txt", "not UTF-8"), ("a\\0b", "no file can be called")],
)  # fmt: skip
def test_files_that_cannot_be_inserted(load, folder, name, says):
    (folder / "bad.txt").write_bytes(b"\xff")
    with (folder / "big.txt").open("wb") as file:
        file.truncate(10_000_000_000)
    (found,) = load(f'a: 1\nx: "${{file:{name}}}"\n').diagnostics
    assert (found.code, str(found.place)) == ("NBS102", "a.yaml:2:4")
    assert says in found.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("${", "never closed"),
        ("a ${var:b", "never closed"),
        ("${}", "says neither"),
        ("${a}", "says neither"),
        ("${var}", "says neither"),
        ("${var:}", "says neither"),
        ("${VAR:a}", "says neither"),
        ("${ var:a }", "says neither"),
        ("${vault:a}", "says neither"),
        ("${env:}", "says neither"),
        ("${env:A B}", "names no environment variable"),
        ("${env:1A}", "names no environment variable"),
        ("${env:A-b}", "names no environment variable"),
        ("${env:A:b}", "names no environment variable"),
        ("${env:A:-${var:b}}", "holds another interpolation"),
        ("${var:l} x", "cannot stand inside of text"),
        ("${var:m} x", "cannot stand inside of text"),
    ],
)
def test_malformed_interpolations(load, text, says):
    found = load(f"vars: {{l: [1], m: {{a: 1}}}}\nx: [1, {text!r}]\n")
    (problem,) = found.diagnostics
    assert (problem.code, str(problem.place)) == ("NBS102", "a.yaml:2:8")
    assert says in problem.message
    assert found.root == {"x": [1, text]}


def test_an_unset_variable_has_near_matches(only):
    found = only("vars: {office_network: 1}\nx: ${var:office_networks}\n")
    assert (found.code, str(found.place)) == ("NBS103", "a.yaml:2:4")
    assert found.message == "no variable is called office_networks"
    assert found.help == "did you mean 'office_network'?"


def test_an_unset_variable_without_near_matches(only):
    assert "--var" in only("x: ${var:a}\n").help


def test_an_unset_environment_variable(only):
    found = only("\nx: [a, '${env:NBSYNC_NOPE}']\n", environ={"NBSYNC_NOP": "secret"})
    assert (found.code, str(found.place)) == ("NBS103", "a.yaml:2:8")
    assert "NBSYNC_NOPE" in found.message
    assert "secret" not in found.message + found.help


def test_an_unset_variable_is_reported_where_it_stands_even_if_nobody_uses_it(problems):
    assert problems("vars: {a: '${env:NOPE}'}\nx: ${var:a}\ny: ${var:a}\n") == ["a.yaml:1:11 NBS103"]


def test_everything_that_is_wrong_is_reported(problems):
    text = "x: ['${var:a}', '${env:B}', '${c}', '${file:d}']\ny: {z: '${var:a}${var:b}'}\n"
    assert problems(text) == [
        "a.yaml:1:5 NBS103", "a.yaml:1:17 NBS103", "a.yaml:1:29 NBS102", "a.yaml:1:37 NBS102", "a.yaml:2:8 NBS103",
    ]  # fmt: skip


def test_what_has_aliases_is_reported_once(problems):
    assert problems("x: &x {k: '${var:a}'}\ny: *x\nz: {<<: *x}\n") == ["a.yaml:1:11 NBS103"]


def test_a_malformed_variable_is_reported_where_it_stands(problems):
    assert problems("vars: {a: '${x}', b: ['${var:a}']}\nx: ${var:a}\n") == ["a.yaml:1:11 NBS102"]


def test_what_is_marked_as_text_takes_no_list(only):
    assert only("vars: {l: [1]}\nx: !!str ${var:l}\n").code == "NBS102"


@pytest.mark.parametrize(
    ("variables", "circle"),
    [
        ("{a: '${var:a}'}", {"a uses a"}),
        (
            "{a: '${var:b}', b: 'x${var:c}', c: ['${var:a}']}",
            {"a uses b uses c uses a", "b uses c uses a uses b", "c uses a uses b uses c"},
        ),
        ("{a: {k: '${var:b}'}, b: '${var:a}', c: '${var:a}'}", {"a uses b uses a", "b uses a uses b"}),
    ],
)
def test_a_circle_is_named(load, variables, circle):
    found = load(f"vars: {variables}\nx: ${{var:a}}\n")
    (problem,) = found.diagnostics
    assert problem.code == "NBS104"
    assert problem.message.removeprefix("variables go in a circle: ") in circle
    assert found.root == {"x": "${var:a}"}


def test_every_circle_is_reported_but_not_thousands(problems):
    assert problems("vars: {a: '${var:a}', b: '${var:b}', c: 1}\nx: ${var:c}\n") == [
        "a.yaml:1:11 NBS104",
        "a.yaml:1:26 NBS104",
    ]
    many = "vars:\n" + "".join(f"  a{index}: ${{var:a{index}}}\n" for index in range(1000))
    assert {found.split()[1] for found in problems(many)} == {"NBS104"}
    assert len(problems(many)) < 100


def test_a_long_circle_is_cut(only):
    found = only("vars:\n" + "".join(f"  a{index}: ${{var:a{(index + 1) % 1000}}}\n" for index in range(1000)))
    assert found.message.endswith("…")
    assert len(found.message) < 200


def test_an_argument_breaks_a_circle(load):
    assert value(load, "vars: {a: '${var:b}', b: '${var:a}'}\nx: ${var:a}\n", variables={"b": "3"}) == 3


def test_a_list_or_mapping_is_taken_over_with_its_places(load):
    found = load("vars:\n  m: {k: [a, '${env:B}']}\nx:\n  - ${var:m}\n", environ={"B": "b"})
    assert found.root == {"x": [{"k": ["a", "b"]}]}
    places = [str(found.sources.place(locate(found.root, ["x", 0, *path]))) for path in ([], ["k"], ["k", 1])]
    assert places == ["a.yaml:4:5", "a.yaml:2:10", "a.yaml:2:14"]
    assert found.sources.text_at(locate(found.root, ["x", 0])) == "${var:m}"


def test_what_has_no_interpolation_is_not_copied(load):
    root = load("groups:\n  a: &a {peers: [b]}\n  c: *a\n  d: {x: *a, y: '${env:Y:-1}'}\n").root
    assert root["groups"]["c"] is root["groups"]["a"]
    assert root["groups"]["d"] == {"x": {"peers": ["b"]}, "y": 1}
    assert root["groups"]["d"]["x"] is root["groups"]["a"]


def test_shared_subtrees_are_not_changed_in_place(load):
    found = load("g: &g {a: ['${env:A:-1}']}\nx: *g\n")
    assert (found.root["g"], found.root["x"]) == ({"a": [1]}, {"a": [1]})


def test_the_tree_that_is_interpolated_is_not_changed(load):
    root = Map(0)
    root.put("vars", Map(0), 0, 0)
    root.put("x", Map(0), 0, 0)
    root["x"].put("list", Seq(0), 0, 0)
    root["x"]["list"].put("${env:A}", 0)
    result = interpolate(root, {}, {"A": "1"}, Budget(), Findings(Sources()))
    assert result == {"x": {"list": [1]}}
    assert root == {"vars": {}, "x": {"list": ["${env:A}"]}}


@pytest.mark.parametrize("declared", ["[1]", "text", "5"])
def test_vars_is_a_mapping(problems, declared):
    assert problems(f"vars: {declared}\n") == ["a.yaml:1:7 NBS006"]


def test_vars_may_be_empty(load):
    assert value(load, "vars:\nx: 1\n") == 1
