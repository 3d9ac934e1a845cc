"""What becomes of the work on a plan: how each change ended, what that means for the others, and what ends the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.api.problems import OutOfTime, RateLimited, Stopped, TimedOut, TokenRefused, Unreachable
from reconciler.apply.findings import about, after_a_step, halfway, may_have_effect, mistake, skipped, status_of, unread
from reconciler.apply.journal import JournalFailed, Unrecorded
from reconciler.apply.neighbours import AnotherRun
from reconciler.apply.outputs import SinkFailed
from reconciler.apply.report import Report, Result, Status
from reconciler.errors import Diagnostic, ExitCode, NbsyncError
from reconciler.plan.change import Change, Step

Progress = Callable[[Result], None]


@dataclass(slots=True)
class Interruption:
    """Set by a signal handler; looked at between calls."""

    exit_code: ExitCode | None = None


@dataclass(slots=True)
class Course:
    """The course that the work on one plan has taken so far.

    Attributes:
        journal: every end of a change is noted in it.
        progress: told of every change that has ended.
        interruption: what a signal has asked for.
        undone: changes that were not made, with how they ended.
        begun: changes of which a first step was made.
        ended: why nothing more is tried.
        is_cut_off: nothing can be read any more, either.
        touched: something has reached the account.
    """

    journal: Unrecorded
    progress: Progress
    interruption: Interruption
    report: Report = field(default_factory=Report)
    undone: dict[Change, tuple[Status, Diagnostic]] = field(default_factory=dict)
    begun: set[Change] = field(default_factory=set)
    ended: str = ""
    is_cut_off: bool = False
    touched: bool = False

    def reason_to_skip(self, step: Step) -> str:
        """Why a step is not to be taken; nothing if it is."""
        if step.change in self.undone:
            return self.undone[step.change][1].message
        if self.interruption.exit_code is not None:
            self._interrupted()
        if self.ended:
            return self.ended
        missing = sorted(str(needed.address) for needed in step.needs & self.undone.keys())
        return f"it needs {', '.join(missing)}" if missing else ""

    def may_take(self, step: Step) -> bool:
        """Whether to take a step; one that is not to be taken has ended with that, once its own turn has come."""
        reason = self.reason_to_skip(step)
        if not reason:
            return True
        self.undone.setdefault(step.change, (Status.SKIPPED, self._skipped(step.change, reason)))
        if not step.detour:
            self._end(step.change, *self.undone[step.change])
        return False

    def made(self, step: Step) -> None:
        """A step was taken; the change is made with the last one."""
        if step.detour:
            self.begun.add(step.change)
        else:
            self._end(step.change, Status.APPLIED, None)

    def failed(self, step: Step, error: Exception, *, has_begun: bool) -> None:
        """A step was not taken, or not wholly.

        Args:
            step: what was tried.
            error: why; what is no `NbsyncError` is a mistake of nbsync's own.
            has_begun: something of the change may have had an effect.
        """
        change = step.change
        if isinstance(error, Stopped):
            self._interrupted()
            self._break_off(step, ExitCode.INTERRUPTED, has_begun=has_begun)
        elif isinstance(error, OutOfTime):
            self._out_of_time(error.diagnostics[0])
            self._break_off(step, ExitCode.THROTTLED, has_begun=has_begun)
        elif isinstance(error, NbsyncError):
            self.hear(error)
            self.touched = self.touched or may_have_effect(error)
            found = about(change, error.diagnostics[0])
            found = after_a_step(change, found) if change in self.begun else found
            self._undo(step, status_of(error), found, error.exit_code)
        else:
            self.touched = True
            self._undo(step, Status.UNKNOWN, about(change, mistake(error)), ExitCode.ERROR)

    def end_by(self, error: Stopped | AnotherRun) -> None:
        """Nothing more is tried."""
        if isinstance(error, Stopped):
            self._interrupted()
            return
        self.report.diagnostics += error.diagnostics
        self.report.failure = self.report.failure or error.exit_code
        self.ended = f"the run ended before it: {error}"

    def unseen(self, error: Exception) -> str:
        """Why something cannot be read again, which may end the run."""
        if isinstance(error, Stopped):
            self._interrupted()
            return self.ended
        if isinstance(error, OutOfTime):
            self._out_of_time(error.diagnostics[0])
        return (error.diagnostics[0] if isinstance(error, NbsyncError) else mistake(error)).message

    def leave_unread(self, count: int, reason: str) -> None:
        """So many changes could not be read again."""
        if count:
            self.report.unread = True
            self.report.diagnostics.append(unread(count, reason))

    def amend(self, change: Change, failure: NbsyncError) -> None:
        """A change that was thought to be made was not kept."""
        error = about(change, failure.diagnostics[0])
        self.undone[change] = Status.FAILED, error
        self.report.failure = self.report.failure or failure.exit_code
        results = self.report.results
        whole = change.beside or None  # a renewal is made by changes of its own
        place = next((at for at, one in enumerate(results) if one.change is change or one.change.beside is whole), None)
        if place is None:
            return  # its own turn is to come
        if results[place].status is not Status.APPLIED:
            self.report.diagnostics.append(error)
            return
        results[place] = Result(results[place].change, Status.FAILED, error)
        self._tell(results[place])

    def _interrupted(self) -> None:
        self.report.stopped = self.interruption.exit_code or ExitCode.INTERRUPTED
        self.ended = "the run was interrupted"

    def _out_of_time(self, diagnostic: Diagnostic) -> None:
        """Nothing more is begun."""
        if self.report.stopped is None:
            self.report.diagnostics.append(diagnostic)
        self.report.stopped = self.report.stopped or ExitCode.THROTTLED
        self.ended = diagnostic.message

    def hear(self, error: NbsyncError) -> None:
        """After some failures no other change could do better. Whoever has got one may tell of it without having the turn."""
        unheard = isinstance(error, Unreachable | RateLimited | TimedOut) and error.outcome == "not_processed"
        if unheard or isinstance(error, TokenRefused):
            self.is_cut_off = True
        if unheard or isinstance(error, TokenRefused | SinkFailed | JournalFailed):
            self.ended = f"the run ended before it: {error.diagnostics[0].message}"

    def _break_off(self, step: Step, exit_code: ExitCode, *, has_begun: bool) -> None:
        if has_begun:
            self._undo(step, Status.FAILED, halfway(step.change, self.ended), exit_code)
        else:
            self._undo(step, Status.SKIPPED, self._skipped(step.change, self.ended), exit_code)

    def _skipped(self, change: Change, reason: str) -> Diagnostic:
        if change in self.begun:
            return halfway(change, reason)
        return skipped(change, reason, is_mistake=self.report.stopped is None)

    def _undo(self, step: Step, status: Status, error: Diagnostic, exit_code: ExitCode) -> None:
        """A step that comes before the change itself ends the change where its own turn would be."""
        self.undone[step.change] = status, error
        if self.report.failure is None or exit_code is ExitCode.STALE:
            self.report.failure = exit_code
        if not step.detour:
            self._end(step.change, status, error)

    def _end(self, change: Change, status: Status, error: Diagnostic | None) -> None:
        result = Result(change, status, error)
        self.report.results.append(result)
        self._tell(result)

    def _tell(self, result: Result) -> None:
        self.journal.settled(result)
        self.progress(result)
