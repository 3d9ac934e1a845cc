"""The JSON contract: one document for every outcome, and its schema."""

from __future__ import annotations

import json
from typing import Any

from reconciler._version import VERSION
from reconciler.apply.report import Report, Result
from reconciler.doctor.check import Check
from reconciler.errors import Diagnostic, Place
from reconciler.plan.change import Action, Change, FieldChange, Origin, Undeclared
from reconciler.render.runs import run_object
from reconciler.render.view import View

FORMAT_VERSION = "1.0"


def render(view: View) -> str:
    """One JSON document, with a newline at the end.

    What is not ASCII is escaped, and so is what CI runners take for a command wherever it stands (`##[`).
    """
    return json.dumps(document(view), indent=2, ensure_ascii=True).replace("##", "#\\u0023") + "\n"


def document(view: View) -> dict[str, Any]:
    """The document as data."""
    counts, results = view.counts, view.results()
    server = {"url": view.server_url, "version": view.server_version}
    return {
        "format_version": FORMAT_VERSION,
        "nbsync_version": VERSION,
        "command": view.command,
        "server": server,
        "exit_code": int(view.exit_code),
        "summary": {**{str(action): counts[action] for action in Action}, "unmanaged": view.unmanaged},
        "changes": [_change(change, view.report, results.get(change)) for change in view.changes],
        "diagnostics": [diagnostic_object(diagnostic) for diagnostic in view.all_diagnostics()],
        "requests": {"read": view.reads, "write": view.writes},
        **({"undeclared": [_undeclared(one) for one in view.undeclared]} if view.command == "drift" else {}),
        **({"checks": [_check(check) for check in view.checks]} if view.checks else {}),
        **_journals(view),
    }


def _journals(view: View) -> dict[str, Any]:
    if view.runs is None:
        return {}
    return {"journals": [run_object(run, with_calls=view.shows_calls) for run in view.runs]}


def _undeclared(one: Undeclared) -> dict[str, Any]:
    return {"address": str(one.address), "kind": one.address.kind, "key": one.address.key, "id": one.id}


def _check(check: Check) -> dict[str, Any]:
    diagnostics = [diagnostic_object(diagnostic) for diagnostic in check.diagnostics]
    return {"name": check.name, "status": str(check.status), "message": check.message, "diagnostics": diagnostics}


def _change(change: Change, report: Report | None, result: Result | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "address": str(change.address),
        "kind": change.address.kind,
        "key": change.address.key,
        "action": str(change.action),
        "id": change.id,
    }
    if change.previous_key is not None:
        shown["previous_key"] = change.previous_key
    shown |= {
        "cause": _place(change.cause),
        "reason": change.reason,
        "fields": [_field(field) for field in change.fields],
        **_origin(change.origin),
    }
    if report is not None:
        shown["status"] = str(result.status) if result else "skipped"
        shown["error"] = diagnostic_object(result.error) if result and result.error else None
    return shown


def _field(field: FieldChange) -> dict[str, Any]:
    return {
        "path": field.path,
        "before": field.before,
        "after": field.after,
        "known_after_apply": field.known_after_apply,
        "sensitive": field.sensitive,
        **_origin(field.origin),
    }


def _origin(origin: Origin | None) -> dict[str, str]:
    return {} if origin is None else {"origin": str(origin)}


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None


def diagnostic_object(diagnostic: Diagnostic) -> dict[str, Any]:
    """One diagnostic as data."""
    place = diagnostic.place
    return {
        "severity": str(diagnostic.severity),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "address": diagnostic.address,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "request": diagnostic.request,
    }
