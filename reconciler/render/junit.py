"""JUnit XML: every diagnostic as a test case, for the test reports of CI systems. Errors are failures, the rest passes."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from reconciler.errors import Diagnostic, Severity
from reconciler.redact import clean
from reconciler.render.view import View
from reconciler.render.wording import sentence


def render(view: View) -> str:
    """One document in ASCII, with a newline at the end; a single passing test case where there is nothing to say."""
    found = view.all_diagnostics()
    failures = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    counts = {"tests": str(len(found) or 1), "failures": str(failures), "errors": "0", "skipped": "0", "time": "0"}
    root = ET.Element("testsuites", {"name": "nbsync", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": f"nbsync {view.command}".rstrip(), **counts})
    for diagnostic in found:
        _case(suite, diagnostic)
    if not found:
        ET.SubElement(suite, "testcase", {"classname": "nbsync", "name": "no findings", "time": "0"})
    ET.indent(root)
    # Characters beyond ASCII as references: the encoding of stdout does not matter then.
    document: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return document.decode("ascii") + "\n"


def _case(suite: ET.Element, diagnostic: Diagnostic) -> None:
    place, message = diagnostic.place, clean(sentence(diagnostic))
    where = {"file": clean(place.file), "line": str(place.line)} if place else {}
    names = {"classname": clean(str(place or diagnostic.address or "nbsync")), "name": f"{diagnostic.code}: {message}"}
    case = ET.SubElement(suite, "testcase", {**names, **where, "time": "0"})
    if diagnostic.severity is Severity.ERROR:
        said = ET.SubElement(case, "failure", {"type": diagnostic.code, "message": message})
    else:
        said = ET.SubElement(case, "system-out")
    said.text = _text(diagnostic)


def _text(diagnostic: Diagnostic) -> str:
    at = f"{diagnostic.place} " if diagnostic.place else ""
    lines = [f"{diagnostic.severity}[{diagnostic.code}] {at}{sentence(diagnostic)}"]
    lines += [f"help: {diagnostic.help}"] if diagnostic.help else []
    lines += [f"request: {diagnostic.request}"] if diagnostic.request else []
    return "\n".join(map(clean, lines))
