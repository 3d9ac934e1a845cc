"""Works through a plan: independent changes go on when one fails, its dependents are skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from reconciler.api.problems import OutOfTime, RateLimited, Stopped, TimedOut, TokenRefused, Unreachable
from reconciler.apply.batches import Batch, batches
from reconciler.apply.calls import Calls
from reconciler.apply.findings import about, halfway, may_have_effect, mistake, skipped, status_of, unread
from reconciler.apply.forecast import calls, reads_of
from reconciler.apply.journal import JournalFailed, Unrecorded
from reconciler.apply.neighbours import AnotherRun, Unwatched
from reconciler.apply.outputs import Sink, SinkFailed
from reconciler.apply.renewal import Renewal, Withdrawn
from reconciler.apply.report import Report, Result, Status
from reconciler.apply.wire import Wire
from reconciler.errors import Diagnostic, ExitCode, NbsyncError
from reconciler.plan.change import Change, Step

AT_A_TIME = 4
Progress = Callable[[Result], None]


@dataclass(slots=True)
class Interruption:
    """Set by a signal handler; looked at between calls."""

    exit_code: ExitCode | None = None


@dataclass(slots=True)
class Run:
    """What one run has besides its plan.

    Attributes:
        sink: where secrets go.
        progress: told of every change that has ended.
        journal: what all is noted in; its end is left to the caller.
        watch: looks for other runs.
    """

    sink: Sink | None = None
    interruption: Interruption = field(default_factory=Interruption)
    progress: Progress = lambda _result: None
    journal: Unrecorded = field(default_factory=Unrecorded)
    watch: Unwatched = field(default_factory=Unwatched)


@dataclass(slots=True)
class Work:
    """The work on one plan, and what has become of it so far.

    Attributes:
        left: calls still to make, for forecasts.
        undone: changes that were not made, with how they ended.
        ended: why nothing more is tried.
        is_cut_off: nothing can be read any more, either.
        touched: something has reached the account.
    """

    wire: Wire
    calls: Calls
    renewal: Renewal
    run: Run
    left: int
    report: Report = field(default_factory=Report)
    undone: dict[Change, tuple[Status, Diagnostic]] = field(default_factory=dict)
    ended: str = ""
    is_cut_off: bool = False
    touched: bool = False

    def work_through(self, stage: Sequence[Step]) -> None:
        """Take the steps of one stage; one read shows what came of the stage before and what this one was planned on."""
        likely = [step.change for step in stage if not self._reason_to_skip(step) and step.change not in self.undone]
        if likely:
            checked = [path for change in dict.fromkeys(likely) for path in self.calls.meanwhile.paths(change)]
            self.look_back(checked)
        self.left -= reads_of(stage)
        for batch in batches(stage):
            self._take_all(batch)

    def _take_all(self, batch: Batch) -> None:
        """Take the steps of one batch, several at a time if there are several."""
        if len(batch) == 1:
            self.take(batch[0])
            return
        with self.wire.aside(), ThreadPoolExecutor(AT_A_TIME, "nbsync-write") as pool:
            for done in [pool.submit(self._take_in_turn, step) for step in batch]:
                done.result()

    def _take_in_turn(self, step: Step) -> None:
        with self.wire.turn:
            self.take(step)

    def look_back(self, checked: Sequence[str] = ()) -> None:
        """Read again what was written, and these lists; what was not kept as it was meant has failed."""
        readback = self.calls.readback
        if self.is_cut_off:
            self._leave_unread(self.ended)
            return
        written = readback.paths()
        if not written and not checked:
            return
        self.calls.fresh.read(written, checked)
        try:
            found = readback.verify()
        except NbsyncError as error:
            self._leave_unread(error.diagnostics[0].message)
            return
        for change, failure in found:
            self._amend(change, about(change, failure.diagnostics[0]), failure.exit_code)

    def _leave_unread(self, reason: str) -> None:
        count = self.calls.readback.forget()
        if count:
            self.report.unread = True
            self.report.diagnostics.append(unread(count, reason))

    def _amend(self, change: Change, error: Diagnostic, exit_code: ExitCode) -> None:
        """A change that was thought to be made was not kept."""
        self.undone[change] = Status.FAILED, error
        self.report.failure = self.report.failure or exit_code
        results = self.report.results
        place = next((place for place, result in enumerate(results) if result.change is change), None)
        if place is None:
            return  # its own turn is to come
        if results[place].status is not Status.APPLIED:
            self.report.diagnostics.append(error)
            return
        results[place] = Result(change, Status.FAILED, error)
        self.run.journal.settled(results[place])
        self.run.progress(results[place])

    def take(self, step: Step) -> None:
        """Take one step, unless something that it needs was not done."""
        self.wire.begin(self.left)
        self.left -= calls(step)
        change = step.change
        if change not in self.undone and (reason := self._reason_to_skip(step) or self._reason_to_end()):
            self.undone[change] = Status.SKIPPED, skipped(change, reason)
        if change not in self.undone:
            self._attempt(step)
        elif not step.detour:
            self._end(change, *self.undone[change])

    def _reason_to_skip(self, step: Step) -> str:
        if self.run.interruption.exit_code is not None:
            self.report.stopped = self.run.interruption.exit_code
            return "the run was interrupted"
        if self.ended:
            return self.ended
        missing = sorted(str(needed.address) for needed in step.needs & self.undone.keys())
        return f"it needs {', '.join(missing)}" if missing else ""

    def _reason_to_end(self) -> str:
        try:
            if self.run.watch.is_time():
                self.wire.await_answers()
                self.run.watch.look()
        except Stopped:
            self.report.stopped = self.run.interruption.exit_code or ExitCode.INTERRUPTED
            self.ended = "the run was interrupted"
        except AnotherRun as error:
            self.report.diagnostics += error.diagnostics
            self.report.failure = self.report.failure or error.exit_code
            self.ended = f"the run ended before it: {error}"
        return self.ended

    def _attempt(self, step: Step) -> None:
        change, done = step.change, self.wire.done
        try:
            self._make(step)
        except Stopped:
            self.report.stopped = self.run.interruption.exit_code or ExitCode.INTERRUPTED
            if self.wire.has_begun:
                self._failed(step, Status.FAILED, halfway(change), ExitCode.INTERRUPTED)
            else:
                self._failed(step, Status.SKIPPED, skipped(change, "the run was interrupted"), ExitCode.INTERRUPTED)
        except OutOfTime as error:
            self._out_of_time(step, error.diagnostics[0])
        except NbsyncError as error:
            self._note_end(error)
            self.touched = self.touched or may_have_effect(error)
            self._failed(step, status_of(error), about(change, error.diagnostics[0]), error.exit_code)
            done = self.wire.done if isinstance(error, Withdrawn) else done
        except Exception as error:
            # A mistake of nbsync's own, which must not hide what was done before.
            if "NBSYNC_DEBUG" in os.environ:
                raise
            self.touched = True
            self._failed(step, Status.UNKNOWN, about(change, mistake(error)), ExitCode.ERROR)
        else:
            if not step.detour:
                self._end(change, Status.APPLIED, None)
        self.touched = self.touched or self.wire.done > done

    def _make(self, step: Step) -> None:
        change = step.change
        if step.common is not None:
            self.calls.narrow(change, step.common)
        elif step.detour:
            self.calls.step_aside(change, step.detour)
        elif change.beside:
            self.renewal.make(change)
        else:
            self.calls.make(change)

    def _out_of_time(self, step: Step, diagnostic: Diagnostic) -> None:
        """Nothing of this step was sent, nor is anything of the others."""
        if self.report.stopped is None:
            self.report.diagnostics.append(diagnostic)
        self.report.stopped = self.report.stopped or ExitCode.THROTTLED
        self.ended = diagnostic.message
        self._failed(step, Status.SKIPPED, skipped(step.change, self.ended), ExitCode.THROTTLED)

    def _note_end(self, error: NbsyncError) -> None:
        """After some failures no other change could do better."""
        unheard = isinstance(error, Unreachable | RateLimited | TimedOut) and error.outcome == "not_processed"
        self.is_cut_off = self.is_cut_off or unheard or isinstance(error, TokenRefused)
        if unheard or isinstance(error, TokenRefused | SinkFailed | JournalFailed):
            self.ended = f"the run ended before it: {error.diagnostics[0].message}"

    def _failed(self, step: Step, status: Status, error: Diagnostic, exit_code: ExitCode) -> None:
        """A step that comes before the change itself ends the change where its own turn would be."""
        self.undone[step.change] = status, error
        if self.report.failure is None or exit_code is ExitCode.STALE:
            self.report.failure = exit_code
        if not step.detour:
            self._end(step.change, status, error)

    def _end(self, change: Change, status: Status, error: Diagnostic | None) -> None:
        result = Result(change, status, error)
        self.report.results.append(result)
        self.run.journal.settled(result)
        self.run.progress(result)
