"""JUnit XML: well-formed whatever the names hold, one test case for each finding."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from reconciler.errors import Diagnostic, ExitCode, Place
from reconciler.render import junit
from reconciler.render.view import View


def rendered(view: View) -> ET.Element:
    """The root of the document."""
    text = junit.render(view)
    assert text.isascii()
    return ET.fromstring(text)


def test_errors_fail_and_the_rest_passes(view: View) -> None:
    root = rendered(view)
    (suite,) = root
    for element in (root, suite):
        assert {key: element.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
            "tests": "4",
            "failures": "2",
            "errors": "0",
            "skipped": "0",
        }
    assert suite.get("name") == "nbsync plan"
    found = [(case.get("name"), [inner.tag for inner in case]) for case in suite]
    assert found == [
        ("NBS503: GET /api/groups is not permitted", ["failure"]),
        ("NBS201: policy/p: no group is called 'dev'", ["failure"]),
        ("NBS302: peer/gw-9: gw-9 has not joined", ["system-out"]),
        ("NBS310: plan looks it up", ["system-out"]),
    ]


def test_cases_say_where_what_and_what_to_do(view: View) -> None:
    request, error, warning, remark = rendered(view)[0]
    assert {key: error.get(key) for key in ("classname", "file", "line")} == {
        "classname": "a/b.yaml:3:9",
        "file": "a/b.yaml",
        "line": "3",
    }
    failure = error[0]
    assert (failure.get("type"), failure.get("message")) == ("NBS201", "policy/p: no group is called 'dev'")
    assert failure.text == "error[NBS201] a/b.yaml:3:9 policy/p: no group is called 'dev'\nhelp: did you mean 'devs'?"
    assert (request[0].text or "").endswith("\nrequest: GET /api/groups")
    assert (warning.get("classname"), warning.get("file")) == ("peer/gw-9", None)
    assert remark.get("classname") == "nbsync"


def test_nothing_to_say_is_one_passing_case() -> None:
    (suite,) = rendered(View("validate", ExitCode.DONE))
    (case,) = suite
    assert (suite.get("tests"), suite.get("failures"), len(case)) == ("1", "0", 0)


def test_hostile_names_leave_the_document_well_formed(hostile: View) -> None:
    (case,) = rendered(hostile)[0]
    said = case[0].text or ""
    assert [line.partition(" ")[0] for line in said.split("\n")] == ["error[NBS201]", "help:", "request:"]
    assert all(line.isprintable() for line in said.split("\n"))
    assert "<b a='1'&amp;" in said
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in junit.render(hostile).split("\n"))


def test_every_character_can_be_written() -> None:
    characters = "".join(map(chr, [*range(0x3000), *range(0xD7F0, 0xE010), *range(0xFFF0, 0x10010), 0x10FFFF]))
    (case,) = rendered(View("plan", diagnostics=[Diagnostic("NBS201", characters, place=Place(characters, 1, 1))]))[0]
    assert case[0].tag == "failure"
