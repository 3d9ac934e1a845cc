"""JSON Schema of the JSON contract."""

from __future__ import annotations

from typing import Any

from reconciler.apply.past import Outcome
from reconciler.doctor.check import Status
from reconciler.errors import ExitCode, Severity
from reconciler.plan.change import Action, Origin

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 1}
_COUNT = {"type": "integer", "minimum": 0}
_ORIGIN = {
    "description": "With --since: the files ask for it, somebody changed the account behind their back, or both",
    "enum": [str(origin) for origin in Origin],
}


def plan_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what `-o json` prints. Readers ignore keys that they do not know: a minor version adds."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://nbsync.dev/schema/plan-1.json",
        "title": "What nbsync prints with -o json",
        **_object(
            {
                "format_version": {"type": "string", "pattern": r"^1\.[0-9]+$"},
                "nbsync_version": _TEXT,
                "command": _TEXT,
                "server": _object({"url": _MAYBE_TEXT, "version": _MAYBE_TEXT}),
                "exit_code": {"enum": [int(code) for code in ExitCode]},
                "summary": _object({**{str(action): _COUNT for action in Action}, "unmanaged": _COUNT}),
                "changes": {"type": "array", "items": {"$ref": "#/$defs/change"}},
                "diagnostics": {"type": "array", "items": {"$ref": "#/$defs/diagnostic"}},
                "requests": _object({"read": _COUNT, "write": _COUNT}),
                "undeclared": {
                    "description": "Of drift: what the account has and the files do not say, and apply would leave alone",
                    "type": "array",
                    "items": _object({"address": _TEXT, "kind": _TEXT, "key": _TEXT, "id": _TEXT}),
                },
                "checks": {"type": "array", "items": {"$ref": "#/$defs/check"}},
                "journals": {
                    "description": "Of history: earlier runs, the newest first; with their calls where one journal is asked for",
                    "type": "array",
                    "items": {"$ref": "#/$defs/run"},
                },
            },
            optional=("undeclared", "checks", "journals"),
        ),
        "$defs": {
            "change": _change(),
            "field": _field(),
            "diagnostic": _diagnostic(),
            "check": _check(),
            "run": _run(),
            "call": _call(),
        },
    }


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _change() -> dict[str, Any]:
    properties = {
        "address": _TEXT,
        "kind": _TEXT,
        "key": _TEXT,
        "action": {"enum": [str(action) for action in Action]},
        "id": _MAYBE_TEXT,
        "previous_key": _TEXT,
        "cause": {"oneOf": [{"type": "null"}, _object({"file": _TEXT, "line": _COUNT, "column": _COUNT})]},
        "reason": _MAYBE_TEXT,
        "fields": {"type": "array", "items": {"$ref": "#/$defs/field"}},
        "origin": _ORIGIN,
        "status": {"enum": ["applied", "failed", "skipped", "unknown"]},
        "error": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/diagnostic"}]},
    }
    return _object(properties, optional=("previous_key", "origin", "status", "error"))


def _field() -> dict[str, Any]:
    switch = {"type": "boolean"}
    properties = {"path": _TEXT, "before": {}, "after": {}, "known_after_apply": switch, "sensitive": switch}
    return _object({**properties, "origin": _ORIGIN}, optional=("origin",))


def _check() -> dict[str, Any]:
    statuses = {"enum": [str(status) for status in Status]}
    found = {"type": "array", "items": {"$ref": "#/$defs/diagnostic"}}
    return _object({"name": _TEXT, "status": statuses, "message": _TEXT, "diagnostics": found})


def _run() -> dict[str, Any]:
    counts = ("planned", "applied", "failed", "skipped", "unknown")
    properties = {
        "path": _TEXT,
        "run": _TEXT,
        "server": _TEXT,
        "account": _MAYBE_TEXT,
        "command": _TEXT,
        "time": _TEXT,
        "ended": _MAYBE_TEXT,
        "outcome": {"enum": [str(outcome) for outcome in Outcome]},
        "exit_code": {"type": ["integer", "null"]},
        "counts": _object(dict.fromkeys(counts, _COUNT)),
        "damaged_lines": _COUNT,
        "calls": {"type": "array", "items": {"$ref": "#/$defs/call"}},
    }
    return _object(properties, optional=("calls",))


def _call() -> dict[str, Any]:
    return _object(
        {
            "number": {"type": "integer"},
            "time": _TEXT,
            "address": _TEXT,
            "action": {"enum": [str(action) for action in Action]},
            "request": _TEXT,
            "id": _MAYBE_TEXT,
            "outcome": {"enum": ["taken", "refused", "not_processed", "unknown", None]},
            "status": {"type": ["integer", "null"]},
            "code": _MAYBE_TEXT,
            "secret_safe": {"type": "boolean"},
        }
    )


def _diagnostic() -> dict[str, Any]:
    return _object(
        {
            "severity": {"enum": [str(severity) for severity in Severity]},
            "code": {"type": "string", "pattern": "^NBS[0-9]{3}$"},
            "message": _TEXT,
            "help": _TEXT,
            "address": _MAYBE_TEXT,
            "file": _MAYBE_TEXT,
            "line": _MAYBE_COUNT,
            "column": _MAYBE_COUNT,
            "request": _MAYBE_TEXT,
        }
    )
