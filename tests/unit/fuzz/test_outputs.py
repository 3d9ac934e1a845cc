"""Whatever names and values come from files and servers, every output stays what it is: one document, or clean lines."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from reconciler.redact import clean
from tests.unit.fuzz.answers import Canned
from tests.unit.fuzz.chance import tries
from tests.unit.harness import Desk, Outcome, json_answer

SPITEFUL = [
    "\x1b[2J\x1b]0;x\x07", "\x9b31m", "a\r\n::error::x", "::set-output name=x::y", "##[group]x", "##vso[task.x]", "]]>", "</testcase>",
    "<!--", "&#27;", "&amp;", "%0A::warning::x", "\u202egnp.exe", "\u2066", "a\u200bb", "\ud800", "\x00", "\ufffe", "[red]x[/]", ":smile:",
    '"', "'", "\\", "{{x}}", "${x}", "`x`", "|", "\t", "\x85", "\u2028", "x" * 5_000, "file=x,line=1", "- a: b", "# x", "*", "&x", "!t", "",
]  # fmt: skip
names = st.lists(st.sampled_from(SPITEFUL) | st.text(st.characters(exclude_categories=[]), max_size=8), max_size=4).map(
    "".join
)
OUTS = {"text": "o.txt", "json": "o.json", "sarif": "o.sarif", "junit": "o.xml", "github": "o.github"}
WRITES_ALL = [word for name, file in OUTS.items() for word in ("--out", f"{name}={file}")]


def check_lines(text: str) -> None:
    """Nothing in a text moves the cursor, hides, or is a command to a CI runner."""
    for line in text.split("\n"):
        assert line.isprintable(), line
        assert clean(line) == line


def check_outputs(outcome: Outcome, desk: Desk) -> None:
    """Every format can be read, and all tell of the same findings."""
    assert outcome.exit_code in (0, 1, 3, 5, 8), outcome.stderr
    texts = {name: (desk.folder / file).read_text(encoding="utf-8") for name, file in OUTS.items()}
    check_lines(texts["text"])
    findings = outcome.document["diagnostics"]
    assert all(found["code"] != "NBS999" for found in findings)
    for name in ("json", "sarif"):
        assert texts[name].isascii()
        check_lines(texts[name])
    assert json.loads(texts["json"])["diagnostics"] == findings
    results = [result for one in json.loads(texts["sarif"])["runs"] for result in one["results"]]
    cases = ET.fromstring(texts["junit"]).findall("testsuite/testcase")
    commands = texts["github"].splitlines()
    assert len(results) == len(commands) == len(findings)
    assert len(cases) == (len(findings) or 1)
    assert len(re.findall("<testcase", texts["junit"])) == len(cases)
    assert all(re.match(r"::(error|warning|notice) [\w=,.%/\\ -]*?title=NBS\d{3}::\S", line) for line in commands), (
        commands
    )
    assert all(line.isprintable() and "##[" not in line for line in commands)


def document(name: str, value: str) -> str:
    """A document full of these; JSON is YAML."""
    said = {
        "version": 1,
        "groups": {name or "g": {"peers": [value]}, f"{name}2": {}},
        "policies": {value or "p": {"from": name, "to": value, "allow": value, "description": value, name: value}},
        "networks": {name: {"resources": {value: {"address": name}}}},
        "dns": {"zones": {name: {"groups": [value], "records": {value: {"A": name}}}}},
        "setup_keys": {name: {"type": value}},
        name or "x": value,
    }
    return json.dumps(said)


@tries(30)
@given(name=names, value=names)
@pytest.mark.parametrize("command", ["validate", "plan"])
def test_names_in_files_stay_names(command: str, name: str, value: str, canned: Canned, desk: Desk) -> None:
    desk.write(document(name, value))
    check_outputs(desk.nbsync(command, "-o", "json", "-q", *WRITES_ALL), desk)
    outcome = desk.nbsync(command, "-q")
    check_lines(outcome.stdout)
    check_lines(outcome.stderr)


TEXTS = [("name",), ("description",), ("domain",), ("email",), ("network_id",), ("hostname",), ("dns_label",)]


def renamed(answer: Any, texts: list[str], seen: list[int]) -> Any:
    """An answer in which every name and description is another one."""
    if isinstance(answer, list):
        return [renamed(one, texts, seen) for one in answer]
    if not isinstance(answer, dict):
        return answer
    copy = {key: renamed(item, texts, seen) for key, item in answer.items()}
    for (key,) in TEXTS:
        if isinstance(copy.get(key), str) and copy[key] not in ("All", ""):
            seen.append(1)
            copy[key] = f"{texts[len(seen) % len(texts)]}{len(seen)}"
    return copy


@tries(20)
@given(texts=st.lists(names, min_size=1, max_size=5))
@pytest.mark.parametrize("command", ["plan", "drift"])
def test_names_from_the_server_stay_names(command: str, texts: list[str], canned: Canned, desk: Desk) -> None:
    canned.instead = {path: json_answer(renamed(answer, texts, [])) for path, answer in canned.answers.items()}
    desk.write("version: 1\nmanage: {default: full, users: no-delete, peers: no-delete}\ngroups: {a: }\npolicies: {p: {from: a, to: nowhere, allow: all}}\n"
               if len(texts) % 2 else "version: 1\nmanage: {default: full}\ngroups: {a: }\npolicies: {p: {from: a, to: a, allow: all}}\n")  # fmt: skip
    check_outputs(desk.nbsync(command, "-o", "json", "-q", *WRITES_ALL), desk)
    outcome = desk.nbsync(command, "-q")
    check_lines(outcome.stdout)
    check_lines(outcome.stderr)


@tries(20)
@given(texts=st.lists(names, min_size=1, max_size=5))
def test_an_export_of_any_names_is_a_document(texts: list[str], canned: Canned, desk: Desk) -> None:
    canned.instead = {path: json_answer(renamed(answer, texts, [])) for path, answer in canned.answers.items()}
    outcome = desk.nbsync("export", "-q")
    assert outcome.exit_code in (0, 1, 3), outcome.stderr
    check_lines(outcome.stderr)
    check_lines(outcome.stdout.replace("\t", ""))
    half = any("\ud800" <= char <= "\udfff" for text in texts for char in text)  # no file can hold that
    if outcome.exit_code == 0 and not half:
        (desk.folder / "exported.yaml").write_text(outcome.stdout, encoding="utf-8")
        validated = desk.nbsync("validate", "-o", "json", "exported.yaml")
        assert validated.exit_code == 0, validated.stdout


@tries(30)
@given(
    said=names,
    status=st.sampled_from([400, 403, 500]),
    media=st.sampled_from(["application/json", "text/html", "text/plain"]),
)
def test_refusals_of_the_server_are_quoted_cleanly(
    said: str, status: int, media: str, canned: Canned, desk: Desk
) -> None:
    body = json.dumps({"message": said, "code": 1}) if media == "application/json" else f"<title>{said}</title>{said}"
    canned.instead = {"/api/groups": Response(body.encode("utf-8", "surrogatepass"), status, content_type=media)}
    outcome = desk.nbsync("plan", "-o", "json", "-q", *WRITES_ALL)
    assert outcome.exit_code == (8 if status == 403 else 1)
    check_outputs(outcome, desk)
