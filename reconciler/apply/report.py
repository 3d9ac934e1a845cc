"""What an apply did."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.errors import Diagnostic, ExitCode
from reconciler.plan.change import Change


class Status(StrEnum):
    """How a change ended."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """One change and how it ended; `error` says why it was not applied."""

    change: Change
    status: Status
    error: Diagnostic | None = None


@dataclass(slots=True)
class Report:
    """All changes of a plan and how they ended.

    Attributes:
        results: one for each change, in the order of the work.
        written: something reached the account.
        unread: something was written and could not be read again to see that it was kept.
        failure: exit code of the first error.
        stopped: exit code of the signal that ended the work, or of the end of the time that it had.
    """

    results: list[Result] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    written: bool = False
    unread: bool = False
    failure: ExitCode | None = None
    stopped: ExitCode | None = None

    @property
    def exit_code(self) -> ExitCode:
        """0 if all was done; 7 if something was and something was not; else what stood in the way."""
        if self.stopped is not None:
            return self.stopped
        if all(result.status is Status.APPLIED for result in self.results) and not self.unread:
            return ExitCode.DONE
        return ExitCode.PARTIAL if self.written else self.failure or ExitCode.ERROR

    def count(self, status: Status) -> int:
        """How many changes ended so."""
        return sum(1 for result in self.results if result.status is status)
