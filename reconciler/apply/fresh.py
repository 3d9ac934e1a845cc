"""The account as it is now, read in bulk: one read of a list serves all changes of its objects for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any, Final

from reconciler.apply.wire import Wire
from reconciler.errors import AccountError
from reconciler.plan.match import Book
from reconciler.state.observe import objects_of, paths_of
from reconciler.state.snapshot import Live
from schemas import AnyKind

SOON: Final = 5.0
"""Seconds for which a read is good."""

AT_ONCE: Final = 0.5
"""Seconds for which it is good where others write to the objects all the time."""

SLOWLY: Final = 60.0
"""Seconds for which it is good until `FEW` changes have been sent: where a rate limit makes every request wait."""

FEW: Final = 5

Place = tuple[str, str]
"""Kind and id of an object."""


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """One answer; `at` is when it was asked for, `writes` how many changes had been sent by then, `until` when it was there."""

    answer: Any
    at: float
    writes: int
    until: float


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Objects of a kind by id, as they were at some time between two."""

    objects: Mapping[str, Live]
    at: float
    until: float
    readings: tuple[_Reading, ...]


class Fresh:
    """Reads lists when they are needed, and knows what this run has itself done to their objects since.

    May be used from several threads: who needs a list that is being read waits for it.
    """

    def __init__(self, wire: Wire, book: Book, clock: Callable[[], float] = time.monotonic) -> None:
        self._wire = wire
        self._registry = book.desired.registry
        self._clock = clock
        self._readings: dict[str, _Reading | AccountError] = {}
        self._views: dict[tuple[str, str], View] = {}
        self._own: dict[Place, tuple[Live | None, float]] = {}
        self._stirred: dict[str, set[str]] = {}
        self._lock = RLock()

    def read(self, *groups: Iterable[str]) -> None:
        """Read these lists now, all together; what was read before is forgotten.

        Where that fails, each group is read by itself, and what cannot be read is an error for who needs it.
        """
        wanted = [list(dict.fromkeys(group)) for group in groups]
        with self._lock:
            self._readings.clear()
            self._views.clear()
            try:
                self._take([path for group in wanted for path in group])
            except AccountError as error:
                if len([group for group in wanted if group]) == 1:
                    self._readings |= dict.fromkeys([path for group in wanted for path in group], error)
                    return
                for group in wanted:
                    self._try(group)

    def _try_together(self, paths: list[str]) -> None:
        """What one of these lists shows now another one that was read before some write need not show yet."""
        if any(path not in self._readings for path in paths):
            for path in paths:
                self._readings.pop(path, None)
        self._try(paths)

    def _try(self, paths: list[str], *, overtime: bool = False) -> None:
        try:
            self._take(paths, overtime=overtime)
        except AccountError as error:
            self._readings |= {path: error for path in paths if path not in self._readings}

    def _take(self, paths: list[str], *, overtime: bool = False) -> None:
        missing = [path for path in dict.fromkeys(paths) if path not in self._readings]
        if not missing:
            return
        at, writes = self._clock(), self._wire.done
        answers = self._wire.get_many(missing, overtime=overtime)
        until = self._clock()
        read = zip(missing, answers, strict=True)
        self._readings |= {path: _Reading(answer, at, writes, until) for path, answer in read}

    def now(self, kind: AnyKind, parent: str = "", *, limit: float = SOON) -> View:
        """Objects of a kind (inside one parent, where they have no list of their own), from a read that is young enough.

        Args:
            kind: what to see.
            parent: id of the one parent.
            limit: seconds for which a read is good; for `SOON`, where a rate limit makes requests wait, a few changes will do
                as well.

        Raises:
            AccountError: they cannot be read.
        """
        with self._lock:
            paths = paths_of(kind, self._registry, parent)
            for path in paths:
                reading = self._readings.get(path)
                if isinstance(reading, _Reading) and not self._is_good(reading, limit):
                    del self._readings[path]
            self._try_together(paths)
            return self._view(kind, parent, paths)

    def around(self, kind: AnyKind, parent: str = "") -> View:
        """Likewise, for what is only referred to: where a rate limit makes requests wait, one read serves a stage.

        Raises:
            AccountError: they cannot be read.
        """
        return self.now(kind, parent, limit=SLOWLY if self._wire.is_limited else SOON)

    def await_answers(self) -> None:
        """Wait until no write is under way."""
        self._wire.await_answers()

    def renewed(self, kind: AnyKind, parent: str = "", *, overtime: bool = False) -> View:
        """Likewise, from a read that begins now, after the end of the run's time if it has to.

        Raises:
            AccountError: they cannot be read.
        """
        with self._lock:
            paths = paths_of(kind, self._registry, parent)
            for path in paths:
                self._readings.pop(path, None)
            self._try(paths, overtime=overtime)
            return self._view(kind, parent, paths)

    def look(self, where: str) -> Any:
        """What is at a path now.

        Raises:
            AccountError: it cannot be read; `Missing` where there is nothing.
        """
        return self._wire.get(where)

    def since_written(self, kind: AnyKind, identifier: str, parent: str = "") -> View:
        """Likewise, from a read that began after this run had written the object, however long ago.

        Raises:
            AccountError: they cannot be read.
        """
        with self._lock:
            paths = paths_of(kind, self._registry, parent)
            self._try_together(paths)
            view = self._view(kind, parent, paths)
            return self.renewed(kind, parent) if self.written_since(view, kind, identifier) else view

    def _is_good(self, reading: _Reading, limit: float) -> bool:
        age = self._clock() - reading.at
        is_slow = self._wire.is_limited and limit == SOON
        return age <= limit or (is_slow and age <= SLOWLY and self._wire.done - reading.writes < FEW)

    def _view(self, kind: AnyKind, parent: str, paths: list[str]) -> View:
        readings = tuple(self._reading(path) for path in paths)
        view = self._views.get((kind.name, parent))
        if view is None or view.readings != readings:
            answers = {path: reading.answer for path, reading in zip(paths, readings, strict=True)}
            objects = objects_of(kind, self._registry, answers, parent)
            at, until = min(reading.at for reading in readings), max(reading.until for reading in readings)
            view = View(objects, at, until, readings)
            self._views[kind.name, parent] = view
        return view

    def _reading(self, path: str) -> _Reading:
        reading = self._readings[path]
        if isinstance(reading, AccountError):
            raise reading
        return reading

    def wrote(self, kind: AnyKind, identifier: str, live: Live | None) -> None:
        """Note what this run has just made of an object; nothing if it has deleted it."""
        with self._lock:
            self._own[kind.name, identifier] = (live, self._clock())
            for other, fields in kind.stirs.items():
                self._stirred.setdefault(other, set()).update(fields)

    def confirm(self, live: Live) -> None:
        """Note what a list shows of an object that this run has written: it says more than the answer."""
        with self._lock:
            _, at = self._own[live.kind.name, live.id]
            self._own[live.kind.name, live.id] = live, at

    def own(self, kind: AnyKind, identifier: str) -> Live | None:
        """The object as this run has left it; None if it did not write it, or has deleted it."""
        return self._own.get((kind.name, identifier), (None, 0.0))[0]

    def is_own(self, kind: AnyKind, identifier: str) -> bool:
        """This run has written the object."""
        return (kind.name, identifier) in self._own

    def written_since(self, view: View, kind: AnyKind, identifier: str) -> bool:
        """This run has written the object after it was read."""
        written = self._own.get((kind.name, identifier))
        return written is not None and written[1] >= view.at

    def stirred(self, kind: AnyKind) -> set[str]:
        """Fields of the API that what this run wrote to other kinds may have changed in objects of this one."""
        return self._stirred.get(kind.name, set())

    @property
    def has_written(self) -> bool:
        """Something was written in this run."""
        return self._wire.done > 0
