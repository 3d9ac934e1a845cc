"""Which runs a rollback takes back, and what rollbacks have already made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.apply.lines import TakenBack
from reconciler.apply.past import Outcome, Run, Unreadable, exists, runs_in, whole

COMMANDS = ("apply", "rollback")
"""Commands whose last run is taken back where none is named; a rotation is not."""


class Lost(Exception):
    """A rollback did not come to its end, and the journal of what it was to take back is not there any more.

    Attributes:
        rollback: that rollback.
    """

    def __init__(self, rollback: Run) -> None:
        super().__init__()
        self.rollback = rollback


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be taken back.

    Attributes:
        runs: oldest first; the last one, and, if it is a rollback, those with which it went on.
        rollbacks: that have taken these back, wholly or in part, or one of these again; oldest first.
        leave: addresses that the rollback leaves that is gone on with.
        is_gone_on_with: the last rollback did not come to its end.
        later: all other runs since the first of these.
    """

    runs: tuple[Run, ...]
    rollbacks: tuple[Run, ...] = ()
    leave: tuple[str, ...] = ()
    is_gone_on_with: bool = False
    later: tuple[Run, ...] = ()

    def made_by_others(self) -> frozenset[str]:
        """Ids of objects that other runs have made since; they are looked for where it is not known what these runs have made."""
        calls = [call for run in (*self.runs, *self.rollbacks) for call in run.calls.values()]
        if not any(call.is_open and call.called.method == "POST" for call in calls):
            return frozenset()
        made = (call for run in self.later for call in whole(run).calls.values() if call.called.method == "POST")
        return frozenset(call.answer.id for call in made if call.answer and call.answer.id)

    @property
    def run(self) -> Run:
        """The run itself."""
        return self.runs[-1]

    def taken_back(self, leave: Sequence[str]) -> TakenBack:
        """What the journal of the rollback says of it."""
        path = str(self.run.path.absolute())
        return TakenBack(run=self.run.begin.run, path=path, leave=tuple(dict.fromkeys([*self.leave, *leave])))


def last(seen: Sequence[Run | Unreadable], account: str) -> Target | None:
    """The last run on an account that has changed something; of a rollback that did not come to its end, what it takes back.

    Args:
        seen: how the runs on a server began and ended, newest first.
        account: id of the account, as `Run.may_be_on` takes it.

    Raises:
        Unreadable: a journal has to be read and cannot be.
        Lost: that of what a rollback takes back is not there.
    """
    for run in _readable(seen):
        if run.begin.command in COMMANDS and run.may_be_on(account):
            if _is_unfinished(run) and run.begin.takes_back:
                return _gone_on_with(run, seen)
            found = _target(run, seen)
            if any(map(_has_changed, found.runs)):
                return found
    return None


def of_journal(path: Path, seen: Sequence[Run | Unreadable]) -> Target | None:
    """Likewise of one journal, whatever its runs did; a rollback is gone on with only where what it takes back is there, too.

    Raises:
        Unreadable, Lost: as `last`.
    """
    runs = runs_in(path)
    run = next(filter(_has_changed, reversed(runs)), None)
    if run is None:
        return None
    wanted = run.begin.takes_back
    if wanted and _is_unfinished(run) and wanted.run in {one.begin.run for one in runs}:
        return _gone_on_with(run, seen)
    return _target(run, seen)


def _readable(seen: Sequence[Run | Unreadable]) -> Iterator[Run]:
    for one in seen:
        if isinstance(one, Unreadable):
            raise one
        yield one


def _is_unfinished(run: Run) -> bool:
    return run.outcome not in (Outcome.DONE, Outcome.RUNNING)


def _has_changed(run: Run) -> bool:
    return any(call.has_effect or call.is_open for call in run.calls.values())


def _gone_on_with(run: Run, seen: Sequence[Run | Unreadable]) -> Target:
    wanted = run.begin.takes_back
    assert wanted is not None, "it is a rollback"
    path = Path(wanted.path)
    runs = [*(runs_in(path) if exists(path) else ()), *(one for one in seen if isinstance(one, Run))]
    found = next((one for one in runs if one.begin.run == wanted.run), None)
    if found is None:
        raise Lost(run)
    return _target(found, seen)


def _target(run: Run, seen: Sequence[Run | Unreadable]) -> Target:
    oldest_first = [one for one in reversed(seen) if isinstance(one, Run)]
    runs = [*_halves(run, oldest_first), run]
    known, rollbacks = {one.begin.run for one in runs}, []
    for one in oldest_first:
        if one.begin.takes_back and one.begin.takes_back.run in known and one.begin.run not in known:
            known.add(one.begin.run)
            rollbacks.append(one)
    begun = rollbacks[-1].begin.takes_back if rollbacks and _is_unfinished(rollbacks[-1]) else None
    is_gone_on_with = begun is not None and begun.run == run.begin.run
    leave = begun.leave if begun and is_gone_on_with else ()
    since = min(one.begin.time for one in runs)
    later = tuple(one for one in oldest_first if one.begin.run not in known and one.begin.time > since)
    return Target(tuple(map(whole, runs)), tuple(map(whole, rollbacks)), leave, is_gone_on_with, later)


def _halves(run: Run, oldest_first: Sequence[Run]) -> list[Run]:
    """Rollbacks of the same run that did not come to their end, and with which this one went on."""
    wanted = run.begin.takes_back
    if wanted is None:
        return []
    found: list[Run] = []
    for one in oldest_first:
        if one.begin.run == run.begin.run:
            break
        if one.begin.takes_back and one.begin.takes_back.run == wanted.run:
            found = [*found, one] if _is_unfinished(one) else []
    return found
