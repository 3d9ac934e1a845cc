"""Other runs at work on the same account, on whatever machine: noticed by what they leave in the server's audit log.

Nothing is left in the account for the others to see, no object and no mark: after a `kill -9` it would stay, and have to be
told from one that counts. What a run changes is in the log anyway, with who did it and when, by the server's clock.

A service user is nbsync's alone, as a rule; its events that this run did not cause are another run's. Of two runs the one whose
first event is older goes on, the other stops before its next change; in doubt both stop. Changes of other people and programs
are theirs to make: what they change is not the work of a second run, and a program among them is worth a warning.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from reconciler.api.client import ReadApi
from reconciler.apply.audit import Event, Log, Traces
from reconciler.errors import AccountError, Diagnostic, ExitCode, NbsyncError, Severity
from reconciler.state.caller import Caller, identify
from reconciler.state.snapshot import Live

ANOTHER_RUN, OTHER_PROGRAM, UNSEEN = "NBS642", "NBS643", "NBS644"
ALLOWED = "another-run"
"""The word after `--allow` with which this run goes on, whoever else is at work."""

QUIET: Final = 2.0
"""Seconds after which one who was at work when this run began, and has changed nothing since, is taken to have ended."""
JUST_NOW: Final = timedelta(seconds=10)
"""How long ago the last event may be of one who is asked, by waiting, whether it has ended."""
SETTLED: Final = 1.0
"""Seconds after which the events of a write are all in the log."""
EVERY: Final = 5.0
"""Seconds between two looks, at the least; and so many changes, as a look counts for the server's rate limit."""
CHANGES_BETWEEN: Final = 10
SHARE: Final = 20
"""One look lasts at most this part of the time between two."""
LINKED: Final = timedelta(seconds=60)
"""Events of one initiator that are no further apart are of one run."""


class AnotherRun(NbsyncError):
    """Another run is at work on the account; the message says whose it is, and since when."""

    exit_code: ClassVar[ExitCode] = ExitCode.STALE


class Unwatched:
    """Nobody looks for other runs, such as on a simulated account.

    Attributes:
        traces: of what this run does, so that it is not taken for another's.
    """

    def __init__(self, account: str = "") -> None:
        self.traces = Traces(account)

    def is_time(self) -> bool:
        """Never."""
        return False

    def look(self) -> None:
        """Nothing to see."""

    def by_others(self, live: Live, seen_by: float) -> str:  # noqa: ARG002 - nobody is looked for
        """Nothing is known."""
        return ""

    def findings(self) -> list[Diagnostic]:
        """Nothing was seen."""
        return []


class Watch(Unwatched):
    """Looks for other runs, from the moment at which it is made: before the account is read.

    Args:
        api: reads the log.
        account: id of the account; empty where it is not known.
        tolerant: another run is a warning, and this one goes on.
        clock: replaces `time.monotonic`.
    """

    def __init__(
        self, api: ReadApi, account: str = "", *, tolerant: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(account)
        self._api = api
        self._log = Log(api)
        self._tolerant = tolerant
        self._clock = clock
        self._caller: Caller | None = None
        self._said: list[Diagnostic] = []
        self._looked_at = -1
        self._next = 0.0
        self._earlier: list[Event] = []
        self._seen = self._began = 0
        self._is_blind = False
        self._deeds: list[Event] = []
        self._deeds_until = -math.inf
        try:
            self._earlier = self._log.read()
        except AccountError as error:
            self._go_blind(str(error))
        else:
            self._seen = self._began = max((event.number for event in self._earlier), default=0)
            if not self._earlier:
                self._go_blind("the server keeps no audit log")

    def findings(self) -> list[Diagnostic]:
        """Warnings and remarks on what was seen."""
        others: dict[str, list[Event]] = {}
        for event in self.traces.unexplained if self._caller else ():
            if not self._is_caller(event):
                others.setdefault(event.initiator, []).append(event)
        return [*self._said, *map(_other_program, others.values())]

    def look(self) -> None:
        """Look, if it is time: before the first change, after it, and every now and then.

        Raises:
            AnotherRun: another run is at work, and it was first.
            Stopped: a signal ended the wait.
        """
        if not self.is_time():
            return
        started = self._clock()
        try:
            self._judge()
        except AccountError as error:
            self._go_blind(str(error))
        self._looked_at = self.traces.calls
        now = self._clock()
        self._next = now + max(EVERY, SHARE * (now - started))

    def by_others(self, live: Live, seen_by: float) -> str:
        """Who else has changed an object since this run began, and the last thing done; empty where nobody has, or nobody knows.

        One look at the log is enough for all objects that were seen before it.

        Args:
            live: the object.
            seen_by: the time, by this run's clock, at which the object had been seen as it was found.

        Raises:
            Stopped: a signal ended the wait for the log.
        """
        if self._is_blind:
            return ""
        try:
            if self._deeds_until < seen_by:
                self._see_deeds(seen_by)
        except AccountError:
            return ""
        words = self.traces.words_of(live)
        last = next((event for event in reversed(self._deeds) if words & event.words), None)
        return f"{last.name or 'somebody'}: {last.said}" if last else ""

    def _see_deeds(self, until: float) -> None:
        """Read what others have done up to a time; what was done then is in the log a little later."""
        missing = until + SETTLED - self._clock()
        if missing > 0:
            self._api.wait(missing, "something is not as this run left it; the audit log may say why")
        settled = self._clock() - SETTLED
        news = [event for event in self._log.read() if event.number > self._began]
        self._deeds = [event for event in news if not self._is_caller(event)]
        self._deeds_until = max(until, settled)

    def is_time(self) -> bool:
        """Whether to look now; whoever does has no write under way, as nothing is known yet of what that makes."""
        if self._is_blind:
            return False
        if self._looked_at < 1:
            return self.traces.calls > self._looked_at
        return self._clock() >= self._next and self.traces.calls >= self._looked_at + CHANGES_BETWEEN

    def _judge(self) -> None:
        known = self._theirs()
        found = self._theirs_now()
        if self.traces.calls and found > known:
            self._api.wait(SETTLED, "the account was changed by another run, or the audit log is not complete yet")
            if self._theirs_now() > known:
                self._go_on_or_stop()
        elif not self.traces.calls and (found or self._was_another_just_at_work()):
            self._api.wait(QUIET, "another run has changed the account just now; has it ended?")
            if self._theirs_now() > found:
                self._refuse()

    def _was_another_just_at_work(self) -> bool:
        """It may have been this machine's last run, or one that still is at work; the clocks of both need not agree for a guess."""
        last = next((event for event in reversed(self._earlier) if event.is_by_program), None)
        return last is not None and abs(datetime.now(UTC) - last.at) < JUST_NOW and self._is_caller(last)

    def _theirs(self) -> int:
        """How many events are known that another run of the caller's has caused."""
        return sum(1 for event in self.traces.unexplained if self._is_caller(event))

    def _theirs_now(self) -> int:
        """Likewise, after another look. People, machines and keys are not asked what they do."""
        news = [event for event in self._log.read() if event.number > self._seen]
        self._seen = max((event.number for event in news), default=self._seen)
        self.traces.take(event for event in news if event.is_by_program)
        return self._theirs()

    def _is_caller(self, event: Event) -> bool:
        self._caller = self._caller or identify(self._api)
        return bool(event.initiator == self._caller.seen.get("id"))

    def _go_on_or_stop(self) -> None:
        if self.traces.first is None or self._their_run()[0].number < self.traces.first:
            self._refuse()
        else:
            self._say("this run was first and goes on; the other one is to stop")

    def _their_run(self) -> list[Event]:
        """The other run's events, with those that it left before this run began."""
        run = [event for event in self.traces.unexplained if self._is_caller(event)]
        for event in reversed(self._earlier):
            if event.initiator == run[0].initiator:
                if run[0].at - event.at > LINKED:
                    break
                run.insert(0, event)
        return run

    def _refuse(self) -> None:
        if self._tolerant:
            self._say(f"this run goes on all the same (--allow {ALLOWED})")
            return
        advice = f"run this again when the other has ended; if it is no run of nbsync: --allow {ALLOWED}, or give nbsync a service user of its own"
        raise AnotherRun(Diagnostic(ANOTHER_RUN, self._message(), advice))

    def _say(self, advice: str) -> None:
        """Warn; the last word on it stands."""
        others = [said for said in self._said if said.code != ANOTHER_RUN]
        self._said = [*others, Diagnostic(ANOTHER_RUN, self._message(), advice, Severity.WARNING)]

    def _message(self) -> str:
        return f"another run with a token of {_told(self._their_run())}"

    def _go_blind(self, why: str) -> None:
        self._is_blind = True
        message = f"runs on other machines cannot be noticed: {why}"
        advice = "see to it by other means that no two run at once, such as a pipeline that runs one job at a time"
        self._said.append(Diagnostic(UNSEEN, message, advice, Severity.INFO))


def _told(events: list[Event]) -> str:
    """Who has done how much since when."""
    first, last = events[0], events[-1]
    count = f"{len(events)} events" if len(events) > 1 else "one event"
    return f"the service user {first.name} has been changing the account since {_time(first.at)}: {count}, the last one: {last.said}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _other_program(events: list[Event]) -> Diagnostic:
    advice = "plan again when it has ended: the two may undo what the other does"
    return Diagnostic(OTHER_PROGRAM, f"while this run was at work, {_told(events)}", advice, Severity.WARNING)
