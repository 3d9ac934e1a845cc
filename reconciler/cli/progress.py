"""Progress on stderr: a bar on a terminal, plain lines elsewhere, nothing if it is to be quiet."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from reconciler.apply.report import Result
from reconciler.redact import clean

if TYPE_CHECKING:
    from rich.console import Console


class _Display(Protocol):
    def start(self) -> None: ...

    def step(self, done: int, text: str) -> None: ...

    def note(self, text: str) -> None: ...

    def stop(self) -> None: ...


class Progress:
    """Tells a person how far a piece of work is; a context manager around that work.

    Args:
        title: what is done, `reading the account`.
        total: number of steps, where it is known.
        quiet: say nothing.
        plain: lines instead of a bar, where something else writes to the terminal meanwhile.
    """

    def __init__(self, title: str, *, total: int | None = None, quiet: bool = False, plain: bool = False) -> None:
        self._total = total
        self._done = 0
        self._display = _display(title, total, quiet=quiet, plain=plain)

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()

    def done(self, result: Result) -> None:
        """Note that one change has ended."""
        self._done += 1
        self._display.step(self._done, clean(f"{result.status} {result.change.address}"))

    def waiting(self, seconds: float, reason: str) -> None:
        """Note that nothing will happen for some seconds; may be called from any thread."""
        self._display.note(clean(f"waiting {seconds:.0f} s: {reason}"))


def _display(title: str, total: int | None, *, quiet: bool, plain: bool) -> _Display:
    if quiet:
        return _Silence()
    if plain or not sys.stderr.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return _Lines(title, total)
    from rich.console import Console

    return _Bar(title, total, Console(stderr=True, highlight=False, markup=False, emoji=False))


class _Silence:
    def start(self) -> None:
        """Say nothing."""

    def step(self, done: int, text: str) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def stop(self) -> None:
        """Say nothing."""


class _Lines:
    """One line for every step."""

    def __init__(self, title: str, total: int | None) -> None:
        self._title = title
        self._total = total

    def start(self) -> None:
        self.note(self._title)

    def step(self, done: int, text: str) -> None:
        self.note(f"{text} ({done}/{self._total})" if self._total else text)

    def note(self, text: str) -> None:
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stderr.flush()

    def stop(self) -> None:
        """Leave the lines as they are."""


class _Bar:
    """A bar that is gone when the work is done. It leaves stdout alone: that belongs to the data."""

    def __init__(self, title: str, total: int | None, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        counted = (BarColumn(), MofNCompleteColumn()) if total else ()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            *counted,
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(title, total=total, note="")

    def start(self) -> None:
        self._progress.start()

    def step(self, done: int, text: str) -> None:
        self._progress.update(self._task, completed=done, note=text)

    def note(self, text: str) -> None:
        self._progress.update(self._task, note=text)

    def stop(self) -> None:
        self._progress.stop()
