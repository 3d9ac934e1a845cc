"""Journals of runs that are over, read back. People can edit them: what is damaged is passed over and counted."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from reconciler.apply.lines import FINISH, START, Answered, Begin, Called, End, Newer, Safe, Settled, read
from reconciler.apply.shelf import on_shelf, shelf
from reconciler.errors import DesiredStateError, Diagnostic, ExitCode, reason

UNREADABLE = "NBS611"
_ENDS = (START.encode(), FINISH.encode())


class Unreadable(DesiredStateError):
    """A journal cannot be read."""

    def __init__(self, path: Path, why: str, advice: str = "name another journal: nbsync history lists them") -> None:
        super().__init__(Diagnostic(UNREADABLE, f"the journal {path} cannot be read: {why}", advice))


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CUT_OFF = "cut off"
    RUNNING = "running"


@dataclass(slots=True)
class Call:
    """One call, and what it came to; no answer where the run ended before."""

    called: Called
    answer: Answered | None = None

    @property
    def is_open(self) -> bool:
        """Nobody knows whether it took effect."""
        return self.answer is None or self.answer.outcome == "unknown"

    @property
    def has_effect(self) -> bool:
        """The server took it; it had deleted already what it does not find."""
        return self.answer is not None and self.answer.outcome == "taken"


@dataclass(slots=True)
class Run:
    """What one run did, as far as its journal tells.

    Attributes:
        path: of the file.
        calls: in the order in which they were sent.
        safe: address and id of the secrets that have reached their sink.
        is_running: it has not ended, and its process lives.
        damaged: lines that could not be read.
    """

    path: Path
    begin: Begin
    calls: dict[int, Call] = field(default_factory=dict)
    settled: dict[str, Settled] = field(default_factory=dict)
    safe: set[tuple[str, str]] = field(default_factory=set)
    end: End | None = None
    is_running: bool = False
    damaged: int = 0

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        if self.end is None:
            return Outcome.RUNNING if self.is_running else Outcome.CUT_OFF
        code = self.end.exit_code
        if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
            return Outcome.INTERRUPTED
        return Outcome.FAILED if code else Outcome.DONE

    @property
    def made(self) -> int:
        """How many changes were made."""
        return sum(1 for one in self.settled.values() if one.status == "applied")

    def may_be_on(self, account: str | None) -> bool:
        """Tell whether it was on this account, as far as anybody knows; empty: any, None: one that no journal says."""
        return account == "" or self.begin.account in (None, account)

    def add(self, line: Called | Answered | Safe | Settled | End) -> None:
        """Take one line in; an answer to no call is passed over."""
        if isinstance(line, Called):
            self.calls.setdefault(line.number, Call(line))
        elif isinstance(line, Answered):
            if call := self.calls.get(line.number):
                call.answer = line
        elif isinstance(line, Safe):
            self.safe.add((line.address, line.id))
        elif isinstance(line, Settled):
            self.settled[line.address] = line
        else:
            self.end = line


def runs_in(path: Path, *, only_ends: bool = False) -> list[Run]:
    """All runs of a file, in the order in which they began; none where no line is one of a journal.

    Args:
        path: of the file.
        only_ends: of each run take in how it began and ended, and nothing between, which is most of a file.

    Raises:
        Unreadable: the file cannot be read, or a newer version of nbsync has written it.
    """
    runs: dict[str, Run] = {}
    damaged = 0
    try:
        if path.is_fifo():
            raise Unreadable(path, "it is a pipe")
        with path.open("rb") as file:
            is_locked = _is_locked(file.fileno())
            for text in filter(None, map(bytes.strip, file)):
                if not only_ends or text.startswith(_ENDS):
                    damaged += not _take(runs, path, text)
    except OSError as error:
        raise Unreadable(path, reason(error)) from None
    except Newer:
        raise Unreadable(path, "a newer version of nbsync has written it", "use that version") from None
    for run in runs.values():
        run.is_running, run.damaged = is_locked and run.end is None, damaged
    return list(runs.values())


def _take(runs: dict[str, Run], path: Path, text: bytes) -> bool:
    line = read(text)
    if isinstance(line, Begin):
        runs.setdefault(line.run, Run(path, line))
        return True
    run = runs.get(line.run) if line else None
    if line is None or run is None:
        return False
    run.add(line)
    return True


def _is_locked(descriptor: int) -> bool:
    """Tell whether a living process writes to the file."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False


def exists(path: Path) -> bool:
    """Tell whether there is something at a path; where nobody may look, or no path is so long, there is nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def known_runs(server: str, environ: Mapping[str, str], *files: Path | None) -> list[Run | Unreadable]:
    """How the runs against a server began and ended, of the state folder and of more files, newest first.

    A journal that cannot be read stands in its place.

    Raises:
        Unreadable: the folder cannot be read.
    """
    paths = _paths(server, environ, None)
    found = [one for path in paths for one in _ends(path, server)]
    others = [one for file in files if file for one in _paths(server, environ, file) if one.absolute() not in paths]
    for run in (one for file in dict.fromkeys(others) for one in reversed(_ends(file, server))):
        found.insert(_place(run, found), run)
    return found


def _place(run: Run | Unreadable, newest_first: Sequence[Run | Unreadable]) -> int:
    if isinstance(run, Unreadable):
        return 0
    older = (at for at, one in enumerate(newest_first) if isinstance(one, Run) and one.begin.time < run.begin.time)
    return next(older, len(newest_first))


def _paths(server: str, environ: Mapping[str, str], file: Path | None) -> list[Path]:
    if file is not None:
        return [file] if exists(file) and file.is_file() else []
    try:
        return on_shelf(shelf(server, environ))
    except (OSError, RuntimeError) as error:
        raise Unreadable(Path("of the last run"), reason(error), "see who owns the state folder") from None


END_LENGTH = 4096
"""Bytes at the end of a file that hold its last line, if the run has ended."""


def has_ended(path: Path) -> bool:
    """Tell whether the last line of a file ends a run: the rest need not be read then."""
    try:
        with path.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - END_LENGTH, 0))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
        return isinstance(read(last), End)
    except (OSError, Newer):
        return False


def left_open(
    server: str, account: Callable[[], str], environ: Mapping[str, str], file: Path | None = None
) -> list[Run]:
    """Runs on an account that were cut off (killed, or the power went) since one ran to its end, and that one if it failed.

    The newest comes first. A run whose journal does not say on which account it was may have been on any.

    Args:
        server: its URL.
        account: gives the account's id, empty where it is not known; called only where it matters.
        environ: `os.environ`, or a test's stand-in.
        file: the journal, where it is not in the state folder.

    Raises:
        Unreadable: the folder cannot be read, or a journal that has to be.
    """
    paths = _paths(server, environ, file)
    seen = [one for path in (paths if file else _down_to_ended(paths)) for one in _ends(path, server)]
    accounts = {None, *(run.begin.account for run in seen if isinstance(run, Run))}
    if not any(True for one in accounts for _ in _since_an_end(seen, one)):
        return []
    return [whole(run) for run in _since_an_end(seen, account())]


def _down_to_ended(paths: Sequence[Path]) -> Sequence[Path]:
    """Of journals with one run each those down to the oldest whose run has not ended, and one more."""
    return paths[: 1 + max((number for number, path in enumerate(paths, 1) if not has_ended(path)), default=0)]


def _ends(path: Path, server: str) -> list[Run | Unreadable]:
    """How the runs of a journal began and ended, newest first; or why it cannot be read."""
    try:
        return [run for run in reversed(runs_in(path, only_ends=True)) if run.begin.server == server]
    except Unreadable as error:
        return [error]


def _since_an_end(seen: Sequence[Run | Unreadable], account: str | None) -> Iterator[Run | Unreadable]:
    """Those that were cut off, and what cannot be read, down to the last run of an account that was not, if that failed."""
    for one in seen:
        if isinstance(one, Run):
            if not one.may_be_on(account):
                continue
            if one.outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
                yield one
            if one.outcome is not Outcome.CUT_OFF:
                return
        yield one


def whole(run: Run | Unreadable) -> Run:
    """The run with all its lines.

    Raises:
        Unreadable: it cannot be read.
    """
    if isinstance(run, Unreadable):
        raise run
    return next((one for one in runs_in(run.path) if one.begin.run == run.begin.run), run)
