"""What a run does, line by line, on disk before and after each call; never a secret."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from reconciler._version import VERSION
from reconciler.apply.lines import (
    Answered,
    AnyLine,
    Begin,
    Called,
    Effect,
    End,
    Planned,
    Safe,
    Settled,
    TakenBack,
    written,
)
from reconciler.apply.outputs import Revealed, Sink
from reconciler.apply.report import Report, Result, Status
from reconciler.apply.shelf import new_path, open_end, open_new
from reconciler.errors import Diagnostic, NbsyncError, reason
from reconciler.plan.change import Change

NOT_WRITTEN = "NBS608"


class JournalFailed(NbsyncError):
    """A journal cannot be opened or written; what would have been sent next was not sent."""

    def __init__(self, path: Path | str, why: str) -> None:
        advice = "make room, or name another file with --journal FILE"
        super().__init__(Diagnostic(NOT_WRITTEN, f"the journal {path} cannot be written: {why}", advice))


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a run is, for the first line of its journal: the fields of `Begin`."""

    server: str
    command: str
    account: str | None = None
    takes_back: TakenBack | None = None
    plan: str | None = None


class Unrecorded:
    """A journal that nobody keeps, such as of a run on a simulated account.

    Attributes:
        failure: why a line could not be written; no call is announced any more then.
    """

    def __init__(self) -> None:
        self.failure: JournalFailed | None = None

    def call(self, change: Change, **sent: Any) -> int:  # noqa: ARG002 - nothing is written
        """Note nothing."""
        return 0

    def answer(self, number: int, outcome: Effect, **shown: Any) -> None:
        """Note nothing."""

    def safe(self, address: str, identifier: str) -> None:
        """Note nothing."""

    def settled(self, result: Result) -> None:
        """Note nothing."""

    def end(self, report: Report) -> None:
        """Note nothing."""


class Journal(Unrecorded):
    """Appends lines to a file; each is on disk when the method returns. May be used from several threads.

    Args:
        descriptor: of the open file.
        path: for messages.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        super().__init__()
        self.path = path
        self.run = secrets.token_hex(4)
        self._descriptor = descriptor
        self._is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._calls = 0
        self._lock = Lock()

    def begin(self, occasion: Occasion, changes: Sequence[Change]) -> None:
        """Write the first line.

        Raises:
            JournalFailed: there is no room for it.
        """
        planned = tuple(
            Planned(address=str(one.address), action=one.action, id=one.id, previous_key=one.previous_key)
            for one in changes
        )
        self._append(
            Begin(
                run=self.run,
                nbsync=VERSION,
                server=occasion.server,
                account=occasion.account,
                command=occasion.command,
                time=_now(),
                pid=os.getpid(),
                takes_back=occasion.takes_back,
                plan=occasion.plan,
                changes=planned,
            )
        )
        self._require()

    def call(self, change: Change, **sent: Any) -> int:
        """Note that a call is about to be sent, and return its number.

        Args:
            change: for which it is made.
            sent: the other fields of `Called`.

        Raises:
            JournalFailed: this line, or an earlier one, could not be written: nothing may be sent.
        """
        with self._lock:
            self._calls += 1
            number = self._calls
        about = {"address": str(change.address), "kind": change.kind.name, "action": change.action}
        self._append(Called(run=self.run, number=number, time=_now(), **about, **sent))
        self._require()
        return number

    def answer(self, number: int, outcome: Effect, **shown: Any) -> None:
        """Note what a call came to; `shown` has the other fields of `Answered`. If it cannot be written, the next call is not sent."""
        self._append(Answered(run=self.run, number=number, outcome=outcome, **shown))

    def safe(self, address: str, identifier: str) -> None:
        """Note that a secret has reached its sink."""
        self._append(Safe(run=self.run, address=address, id=identifier))

    def settled(self, result: Result) -> None:
        """Note how a change ended; on disk with the next line that has to be."""
        change = result.change
        line = Settled(run=self.run, address=str(change.address), action=change.action, status=result.status.value)
        self._append(line, sync=False)

    def end(self, report: Report) -> None:
        """Write the last line and close the file."""
        counts = {status.value: count for status in Status if (count := report.count(status))}
        self._append(End(run=self.run, time=_now(), exit_code=int(report.exit_code), counts=counts))
        os.close(self._descriptor)

    def _append(self, line: AnyLine, *, sync: bool = True) -> None:
        with self._lock:
            if self.failure:
                return
            try:
                self._write(written(line), sync=sync)
            except (OSError, ValueError) as error:
                self.failure = JournalFailed(self.path, reason(error))

    def _write(self, data: bytes, *, sync: bool) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]
        if sync and self._is_regular:
            os.fsync(self._descriptor)

    def _require(self) -> None:
        if self.failure:
            raise self.failure


class MarkedSink:
    """A sink whose journal says which secrets are safe."""

    def __init__(self, sink: Sink, journal: Unrecorded) -> None:
        self._sink = sink
        self._journal = journal

    def put(self, revealed: Revealed) -> None:
        """Hand over one secret, and note that it is safe.

        Raises:
            SinkFailed: as of the sink.
        """
        self._sink.put(revealed)
        self._journal.safe(revealed.address, revealed.id)

    def close(self) -> None:
        """Close the sink."""
        self._sink.close()


def open_journal(
    occasion: Occasion, changes: Sequence[Change], environ: Mapping[str, str], file: Path | None = None
) -> Journal:
    """Begin a journal, in its place in the state folder or at the end of a file.

    Raises:
        JournalFailed: it cannot be opened or written.
    """
    try:
        path = file or new_path(occasion.server, occasion.command, environ)
    except (OSError, RuntimeError) as error:
        raise JournalFailed("of this run", reason(error)) from None
    try:
        journal = Journal(open_end(path) if file else open_new(path), path)
    except OSError as error:
        raise JournalFailed(path, reason(error)) from None
    journal.begin(occasion, changes)
    return journal


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
