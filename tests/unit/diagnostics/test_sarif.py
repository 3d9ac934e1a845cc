"""SARIF: a log that code scanning takes."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from reconciler.errors import Diagnostic, ExitCode, Place
from reconciler.render import sarif
from reconciler.render.view import View
from tests.unit.diagnostics.conftest import HOSTILE

TEXT = {"type": "object", "properties": {"text": {"type": "string", "minLength": 1}}, "required": ["text"]}
REGION = {
    "type": "object",
    "properties": {"startLine": {"type": "integer", "minimum": 1}, "startColumn": {"type": "integer", "minimum": 1}},
    "required": ["startLine", "startColumn"],
    "additionalProperties": False,
}
ARTIFACT = {
    "type": "object",
    "properties": {"uri": {"type": "string", "pattern": r"^(file:/)?[A-Za-z0-9._~/%-]+$"}},
    "required": ["uri"],
    "additionalProperties": False,
}
PHYSICAL = {
    "type": "object",
    "properties": {"artifactLocation": ARTIFACT, "region": REGION},
    "required": ["artifactLocation", "region"],
    "additionalProperties": False,
}
LOCATION = {
    "type": "object",
    "properties": {"physicalLocation": PHYSICAL, "logicalLocations": {"type": "array"}},
    "required": ["physicalLocation"],
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {"type": "array", "minItems": 1, "items": LOCATION},
    },
    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
    "additionalProperties": False,
}
RULE = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "help": {**TEXT, "required": ["text", "markdown"]},
    },
    "required": ["id", "shortDescription", "fullDescription", "help"],
    "additionalProperties": False,
}
DRIVER = {
    "type": "object",
    "properties": {
        "name": {"const": "nbsync"},
        "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
        "rules": {"type": "array", "items": RULE, "uniqueItems": True},
    },
    "required": ["name", "rules"],
    "additionalProperties": False,
}
RUN = {
    "type": "object",
    "properties": {
        "tool": {"type": "object", "properties": {"driver": DRIVER}, "required": ["driver"]},
        "automationDetails": {"type": "object"},
        "invocations": {"type": "array", "items": {"type": "object", "required": ["executionSuccessful"]}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
    },
    "required": ["tool", "results"],
    "additionalProperties": False,
}
LOG = jsonschema.Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            "version": {"const": "2.1.0"},
            "runs": {"type": "array", "items": RUN, "minItems": 1, "maxItems": 1},
        },
        "required": ["$schema", "version", "runs"],
        "additionalProperties": False,
    }
)
"""The part of SARIF 2.1.0 that nbsync writes, and what GitHub asks beyond it: a file and a line for every result."""


def rendered(view: View) -> Any:
    """The only run of the log, which is checked."""
    text = sarif.render(view)
    assert text.isascii()
    assert text.endswith("}\n")
    log = json.loads(text)
    LOG.validate(log)
    (run,) = log["runs"]
    return run


def test_every_diagnostic_is_a_result_of_its_rule(view: View) -> None:
    run = rendered(view)
    found = [(r["ruleId"], r["level"], r["message"]["text"]) for r in run["results"]]
    assert found == [
        ("NBS503", "error", "GET /api/groups is not permitted\nuse another token\nrequest: GET /api/groups"),
        ("NBS201", "error", "policy/p: no group is called 'dev'\ndid you mean 'devs'?"),
        ("NBS302", "warning", "peer/gw-9: gw-9 has not joined"),
        ("NBS310", "note", "plan looks it up"),
    ]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [code for code, _, _ in found]
    assert all("## What to do" in rule["help"]["markdown"] for rule in rules)


def test_results_point_at_their_place_and_object(view: View) -> None:
    request, error, warning, _ = (result["locations"][0] for result in rendered(view)["results"])
    assert error["physicalLocation"] == {
        "artifactLocation": {"uri": "a/b.yaml"},
        "region": {"startLine": 3, "startColumn": 9},
    }
    assert error["logicalLocations"] == [{"fullyQualifiedName": "policy/p", "kind": "object"}]
    assert warning["physicalLocation"]["artifactLocation"] == {"uri": "."}
    assert "logicalLocations" not in request


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("net.yaml", "net.yaml"),
        ("../ein ordner/ü:1.yaml", "../ein%20ordner/%C3%BC%3A1.yaml"),
        ("/srv/net b.yaml", "file:///srv/net%20b.yaml"),
        ("\udcff.yaml", "%FF.yaml"),
    ],
)
def test_files_are_references_to_them(file: str, uri: str) -> None:
    run = rendered(View("validate", diagnostics=[Diagnostic("NBS113", "m", place=Place(file, 1, 1))]))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@pytest.mark.parametrize(
    ("code", "ended"),
    [(0, True), (2, True), (3, True), (5, True), (1, False), (7, False), (8, False), (9, False), (64, False)],
)
def test_the_run_says_how_it_ended(code: int, ended: bool) -> None:
    (invocation,) = rendered(View("plan", ExitCode(code)))["invocations"]
    assert invocation == {"executionSuccessful": ended, "exitCode": code}


def test_commands_do_not_replace_the_results_of_one_another() -> None:
    ids = {rendered(View(command))["automationDetails"]["id"] for command in ("plan", "validate", "")}
    assert ids == {"nbsync/plan/", "nbsync/validate/", "nbsync/"}


def test_nothing_to_say_is_a_log_without_results() -> None:
    run = rendered(View("validate"))
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_hostile_names_are_harmless(hostile: View) -> None:
    assert "##" not in sarif.render(hostile)
    (result,) = rendered(hostile)["results"]
    lines = result["message"]["text"].split("\n")
    assert len(lines) == 3
    assert all(line.isprintable() and "](" not in line for line in lines)
    assert HOSTILE[-3:] in lines[0]
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].isprintable()
