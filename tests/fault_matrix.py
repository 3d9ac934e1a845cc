"""A pytest plugin that counts what became of every cut apply, and prints it as README has it.

make faults
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest

VERBS = ("created", "updated", "deleted")

Cut = tuple[str, str, str]
"""What went wrong, at which call (`group created`), and which run made it good."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables, of the tests that passed."""
    cuts = [
        tuple(value)
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "cut"
    ]
    failed = len(terminalreporter.getreports("failed"))
    terminalreporter.write_line("")
    for line in [*by_fault(cuts), "", *by_kind(cuts), "", f"{len(cuts)} cuts made good, {failed} not."]:
        terminalreporter.write_line(line)


def by_fault(cuts: Sequence[Cut]) -> list[str]:
    """Rows: what went wrong. Columns: what the call was to do, and which run made it good."""
    counts = Counter((fault, place.partition(" ")[2]) for fault, place, _ in cuts)
    ends = Counter((fault, end) for fault, _, end in cuts)
    rows = [
        (fault, *(counts[fault, verb] for verb in VERBS), ends[fault, "same run"], ends[fault, "next run"])
        for fault in dict.fromkeys(fault for fault, *_ in cuts)
    ]
    heads = ("fault", *(f"objects {verb}" for verb in VERBS), "made good by the same run", "by the next run")
    return _table(heads, rows)


def by_kind(cuts: Sequence[Cut]) -> list[str]:
    """Rows: kinds. Columns: how many cuts there were, of all faults, at calls that were to do this."""
    counts = Counter(place for _, place, _ in cuts)
    kinds = sorted({place.partition(" ")[0] for place in counts})
    rows = [(kind, *(counts[f"{kind} {verb}"] for verb in VERBS)) for kind in kinds]
    return _table(("cuts by kind", *VERBS), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]
