"""A progress bar on a terminal; imported only where there is one."""

from __future__ import annotations

import math
import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text


class Bar:
    """A bar on stderr that is gone when the work is done. It leaves stdout alone: that belongs to the data."""

    def __init__(self, title: str, total: int | None) -> None:
        counted = (BarColumn(bar_width=20), MofNCompleteColumn()) if total else ()
        self._note = _Note()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            *counted,
            TimeElapsedColumn(),
            self._note,
            console=Console(stderr=True, highlight=False, markup=False, emoji=False),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(title, total=total)

    def start(self) -> None:
        """Show the bar."""
        self._progress.start()

    def step(self, done: int, text: str) -> None:
        """Move on."""
        self._note.text = text
        self._progress.update(self._task, completed=done)

    def wait(self, seconds: float, reason: str) -> None:
        """Count down; may be called from any thread."""
        self._note.wait = (time.monotonic() + seconds, reason)

    def say(self, text: str) -> None:
        """Write a line above the bar; it stays when the bar goes."""
        self._progress.console.print(text)

    def stop(self) -> None:
        """Take the bar away."""
        self._progress.stop()


class _Note(ProgressColumn):
    """The last step, or while there is a wait how long it lasts."""

    text = ""
    wait = (0.0, "")

    def render(self, task: Task) -> Text:  # noqa: ARG002 - rich's signature
        end, reason = self.wait
        left = math.ceil(end - time.monotonic())
        return Text(f"waiting {left} s: {reason}" if left > 0 else self.text, no_wrap=True, overflow="ellipsis")
