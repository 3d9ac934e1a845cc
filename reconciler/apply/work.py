"""Works through a plan: independent changes go on when one fails, its dependents are skipped."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from reconciler.api.problems import Stopped
from reconciler.apply.batches import Batch, batches
from reconciler.apply.calls import Calls
from reconciler.apply.course import Course, Interruption, Progress
from reconciler.apply.forecast import Stage, calls
from reconciler.apply.journal import Unrecorded
from reconciler.apply.neighbours import AnotherRun, Unwatched
from reconciler.apply.outputs import Sink
from reconciler.apply.renewal import Renewal, Withdrawn
from reconciler.apply.wire import Wire
from reconciler.errors import NbsyncError
from reconciler.plan.change import Step

AT_A_TIME = 4


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
    """The work on one plan.

    Attributes:
        left: calls still to make, for forecasts.
        course: what has become of it so far.
    """

    wire: Wire
    calls: Calls
    renewal: Renewal
    run: Run
    left: int
    course: Course

    def work_through(self, stage: Stage) -> None:
        """Take the steps of one stage; one read shows what came of the stage before and what this one was planned on."""
        likely = [step.change for step in stage.steps if not self.course.reason_to_skip(step)]
        if likely:
            checked = [path for change in dict.fromkeys(likely) for path in self.calls.meanwhile.paths(change)]
            self.look_back(checked)
        self.left -= stage.reads
        for batch in batches(stage.steps):
            self._take_all(batch)

    def _take_all(self, batch: Batch) -> None:
        """Take the steps of one batch, several at a time as long as the server's rate limit has not been met."""
        waiting = deque(batch)
        if len(waiting) > 1:
            with self.wire.aside(), ThreadPoolExecutor(AT_A_TIME, "nbsync-write") as pool:
                for done in [pool.submit(self._take_in_turn, waiting) for _ in range(AT_A_TIME)]:
                    done.result()
        for step in waiting:
            self.take(step)

    def _take_in_turn(self, waiting: deque[Step]) -> None:
        with self.wire.turn:
            while waiting and not self.wire.is_limited:
                self.take(waiting.popleft())

    def look_back(self, checked: Sequence[str] = ()) -> None:
        """Read again what was written, and these lists; what was not kept as it was meant has failed."""
        readback = self.calls.readback
        written = readback.paths()
        if self.course.is_cut_off or not (written or checked):
            self.course.leave_unread(readback.forget(), self.course.ended)
            return
        try:
            self.calls.fresh.read(written, checked)
            found = readback.verify()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            _raise_for_debugging(error)
            self.course.leave_unread(readback.forget(), self.course.unseen(error))
            return
        for change, failure in found:
            self.course.amend(change, failure)

    def take(self, step: Step) -> None:
        """Take one step, unless something that it needs was not done."""
        self.wire.begin(self.left)
        self.left -= calls(step)
        if self.course.may_take(step) and not self._has_to_end(step):
            self._attempt(step)

    def _has_to_end(self, step: Step) -> bool:
        """Look for other runs, if it is time; where this one is to stop, the step is skipped."""
        try:
            if self.run.watch.is_time():
                self.wire.await_answers()
                self.run.watch.look()
        except (Stopped, AnotherRun) as error:
            self.course.end_by(error)
        return not self.course.may_take(step)

    def _attempt(self, step: Step) -> None:
        done = self.wire.done
        try:
            self._make(step)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            _raise_for_debugging(error)
            self.course.failed(step, error, has_begun=self.wire.has_begun)
            done = self.wire.done if isinstance(error, Withdrawn) else done
        else:
            self.course.made(step)
        self.course.touched = self.course.touched or self.wire.done > done

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


def _raise_for_debugging(error: Exception) -> None:
    """A mistake of nbsync's own must not hide what was done before, unless somebody looks for it."""
    if "NBSYNC_DEBUG" in os.environ and not isinstance(error, NbsyncError):
        raise error
