"""Two verdicts about one document: that of the JSON Schema, and that of the loader about the objects of this file alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs

from reconciler.errors import Severity
from reconciler.load import read
from reconciler.load.document import sections, understand
from reconciler.load.findings import Budget, Findings
from reconciler.load.tree import Sources
from reconciler.load.yaml import load
from schemas import KINDS
from schemas._core.jsonschema import language_schema

SCHEMA = language_schema(KINDS)
_VALIDATOR = jsonschema_rs.Draft7Validator(SCHEMA)
_OBJECTS, _SINGLETONS = sections(KINDS)


def by_schema(document: Any) -> list[str]:
    """What the schema has against a document."""
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in _VALIDATOR.iter_errors(document)]


def by_loader(document: Any, folder: Path) -> list[str]:
    """What the loader has against a document, which is the only file."""
    path = folder / "one.yaml"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    found = read([path], environ={}, objects=_OBJECTS, singletons=_SINGLETONS)
    desired = understand(found.root, found.sources, found.removed, KINDS, is_whole="version" in document)
    every = [*found.diagnostics, *desired.diagnostics]
    return [f"{one.place}: {one.message}" for one in every if one.severity is Severity.ERROR]


def as_written(text: str) -> Any:
    """The tree of a YAML file as an editor sees it: nothing merged, nothing interpolated."""
    sources = Sources()
    findings = Findings(sources)
    root = load(text, sources.add(Path("one.yaml")), Budget(), findings)
    assert not findings.diagnostics
    return root
