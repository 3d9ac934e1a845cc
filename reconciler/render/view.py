"""What a command has to show, whatever the format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.apply.past import Run
from reconciler.apply.report import Report, Result
from reconciler.doctor.check import Check
from reconciler.errors import Diagnostic, ExitCode, Place, Severity
from reconciler.plan.change import Action, Change, Plan, Undeclared
from schemas import KINDS


@dataclass(slots=True)
class View:
    """The outcome of one command.

    Attributes:
        command: as typed, `plan`.
        server_url: None where no server was asked.
        plan: what would be done, once it is known.
        report: what was done, after an apply.
        diagnostics: what is wrong or odd, besides the plan's own and the guards' verdicts.
        checks: what the doctor looked at; their diagnostics count like the others.
        reads, writes: requests that were sent.
        since: git revision at which the files were applied last, if origins are told.
        asked_for: changes that the files ask for since, where only drift is in the plan.
        runs: earlier runs, where these are asked for.
        shows_calls: every call of theirs is shown.
        is_of_file: what is carried out is a plan file.
        plan_was_shown: a person has seen the plan already, to approve it.
    """

    command: str
    exit_code: ExitCode = ExitCode.DONE
    server_url: str | None = None
    server_version: str | None = None
    plan: Plan | None = None
    report: Report | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    reads: int = 0
    writes: int = 0
    since: str | None = None
    asked_for: int = 0
    runs: list[Run] | None = None
    shows_calls: bool = False
    is_of_file: bool = False
    plan_was_shown: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the plan, in the order of the work."""
        return self.plan.changes if self.plan else ()

    @property
    def counts(self) -> Counter[Action]:
        """How many changes there are of each action."""
        return self.plan.counts() if self.plan else Counter()

    @property
    def unmanaged(self) -> int:
        """Live objects that nothing declares and that stay."""
        return self.plan.unmanaged if self.plan else 0

    @property
    def undeclared(self) -> tuple[Undeclared, ...]:
        """Those of them that are drift."""
        return self.plan.undeclared if self.plan and self.command == "drift" else ()

    def results(self) -> dict[Change, Result]:
        """How the changes ended, after an apply."""
        return {result.change: result for result in self.report.results} if self.report else {}

    def all_diagnostics(self) -> list[Diagnostic]:
        """Everything that is wrong or odd, each once: what failed as it came, then errors and warnings as they stand in the files."""
        failed = [result.error for result in self.report.results if result.error] if self.report else []
        found = [*self.diagnostics, *(one for check in self.checks for one in check.diagnostics)]
        if self.plan:
            found += [*self.plan.diagnostics, *(verdict.diagnostic for verdict in self.plan.verdicts)]
        if self.report:
            found += self.report.diagnostics
        return list(dict.fromkeys([*failed, *sorted(found, key=_weight)]))

    def has_errors(self) -> bool:
        """Tell whether anything is wrong, not only odd."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.all_diagnostics())


def _weight(diagnostic: Diagnostic) -> tuple[int, Place]:
    return list(Severity).index(diagnostic.severity), diagnostic.place or Place("", 0, 0)


def by_kind(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """Changes grouped by kind, kinds in the order in which what others refer to comes first."""
    groups: dict[str, list[Change]] = {name: [] for name in KINDS}
    for change in changes:
        groups.setdefault(change.kind.name, []).append(change)
    return {name: group for name, group in groups.items() if group}
