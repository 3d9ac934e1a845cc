"""SARIF 2.1.0: every diagnostic as a result, for code scanning."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler._version import VERSION
from reconciler.errors import Diagnostic, ExitCode, Place, Severity
from reconciler.explain import find
from reconciler.redact import clean
from reconciler.render.explanation import as_markdown
from reconciler.render.view import View
from reconciler.render.wording import sentence

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
COMPLETE = frozenset(
    {ExitCode.DONE, ExitCode.CHANGES, ExitCode.INVALID, ExitCode.TEST_FAILED, ExitCode.REFUSED, ExitCode.STALE}
)
"""Exit codes of runs that came to their end, whatever they found."""


def render(view: View) -> str:
    """One SARIF log, in ASCII, with a newline at the end."""
    return json.dumps(log(view), indent=2, ensure_ascii=True).replace("##", "#\\u0023") + "\n"


def log(view: View) -> dict[str, Any]:
    """The log as data."""
    found = view.all_diagnostics()
    codes = sorted({diagnostic.code for diagnostic in found})
    driver = {"name": "nbsync", "semanticVersion": VERSION, "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "/".join(["nbsync", *filter(None, [view.command]), ""])},
        "invocations": [{"executionSuccessful": view.exit_code in COMPLETE, "exitCode": int(view.exit_code)}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    entry = find(code)
    if entry is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.what},
        "help": {"text": f"{entry.why}\n\n{entry.mend}", "markdown": as_markdown(entry)},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": _physical(diagnostic.place)}
    if diagnostic.address:
        location["logicalLocations"] = [{"fullyQualifiedName": clean(diagnostic.address), "kind": "object"}]
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": LEVELS[diagnostic.severity],
        "message": {"text": "\n".join(map(_plain, _lines(diagnostic)))},
        "locations": [location],
    }


def _lines(diagnostic: Diagnostic) -> list[str]:
    lines = [sentence(diagnostic), diagnostic.help]
    if diagnostic.request:
        lines.append(f"request: {diagnostic.request}")
    return [line for line in lines if line]


def _plain(text: str) -> str:
    """Text in which nothing reads as a link: `[text](target)` is one in a message."""
    return clean(text).replace("](", "] (")


def _physical(place: Place | None) -> dict[str, Any]:
    """Where to show a result. GitHub takes no log with a result that has no file and line, so it gets the folder."""
    if place is None:
        return {"artifactLocation": {"uri": "."}, "region": {"startLine": 1, "startColumn": 1}}
    return {
        "artifactLocation": {"uri": _uri(place.file)},
        "region": {"startLine": place.line, "startColumn": place.column},
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
