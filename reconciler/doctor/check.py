"""What came of one check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.errors import Diagnostic, ExitCode, Severity


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's: what was looked at, what was seen, and as diagnostics what is wrong or odd with it."""

    name: str
    message: str
    diagnostics: tuple[Diagnostic, ...] = ()
    exit_code: ExitCode = ExitCode.DONE
    was_checked: bool = True

    @property
    def status(self) -> Status:
        """How it ended: as badly as the worst of its diagnostics."""
        if not self.was_checked:
            return Status.NOT_CHECKED
        weights = {diagnostic.severity for diagnostic in self.diagnostics}
        if Severity.ERROR in weights:
            return Status.FAILED
        return Status.WARNING if Severity.WARNING in weights else Status.OK


def warned(code: str, message: str, advice: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """A message that is a warning."""
    return message, (Diagnostic(code, message, advice, Severity.WARNING),)


def told(diagnostics: Sequence[Diagnostic]) -> str:
    """One line for all of these: the first, and how many more there are."""
    first = diagnostics[0]
    place = f"{first.place} " if first.place else ""
    more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
    return f"{place}{first.message}{more}"
