"""The text of one file to its tree.

YAML 1.2's core schema; keys are text; anchors, aliases and merge keys within limits; no tags but the core ones.
"""

from __future__ import annotations

from ruamel.yaml.error import YAMLError

from reconciler.load.builder import Builder, Stop
from reconciler.load.events import attempts
from reconciler.load.findings import Budget, Findings, TooManyErrors
from reconciler.load.syntax import Failure, failure
from reconciler.load.tree import Map, pack

_SOMEWHERE = Failure(-1, -1, "not YAML", "Look for what is not text: is this a YAML file?")


def load(text: str, file: int, budget: Budget, findings: Findings) -> Map | None:
    """Return the root mapping of one file, or None where it is empty or no YAML mapping; what is wrong goes to `findings`."""
    failures: list[tuple[Failure, Findings]] = []
    for attempt in attempts(text):
        found = Findings(findings.sources)
        builder = Builder(attempt(), file, budget.nodes, found)
        try:
            root = builder.document()
        except (Stop, TooManyErrors):
            root = None
        except YAMLError as error:
            failures.append((failure(error, text) or _SOMEWHERE, found))
            continue
        budget.nodes = builder.left
        findings.extend(found.diagnostics)
        return root
    # Each parser has its own follies: what it refuses counts where no other got further.
    worst, found = max(reversed(failures), key=lambda pair: pair[0][:2])
    findings.extend(found.diagnostics)
    findings.error(worst.code, worst.message, worst.help, pack(file, max(worst.line, 0), max(worst.column, 0)))
    return None
