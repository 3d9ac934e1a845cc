"""Annotations of GitHub Actions: every diagnostic as a workflow command, which the runner shows at its line."""

from __future__ import annotations

from reconciler.errors import Diagnostic, Severity
from reconciler.redact import clean
from reconciler.render.view import View
from reconciler.render.wording import sentence

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(view: View) -> str:
    """One line for each diagnostic; nothing where there is none."""
    return "".join(f"{_annotation(diagnostic)}\n" for diagnostic in view.all_diagnostics())


def _annotation(diagnostic: Diagnostic) -> str:
    place = diagnostic.place
    where = {"file": place.file, "line": str(place.line), "col": str(place.column)} if place else {}
    properties = ",".join(f"{key}={_property(value)}" for key, value in {**where, "title": diagnostic.code}.items())
    lines = [sentence(diagnostic), *([f"help: {diagnostic.help}"] if diagnostic.help else [])]
    if diagnostic.request:
        lines.append(f"request: {diagnostic.request}")
    # The runner parses a line once: what is encoded becomes text, never another command.
    return f"::{COMMANDS[diagnostic.severity]} {properties}::{_data(chr(10).join(map(clean, lines)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(clean(text)).replace(":", "%3A").replace(",", "%2C")
