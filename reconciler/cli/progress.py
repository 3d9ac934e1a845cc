"""Progress on stderr: a bar on a terminal, plain lines elsewhere, nothing if it is to be quiet."""

from __future__ import annotations

import math
import os
import sys
from typing import Protocol, Self

from reconciler.apply.report import Result
from reconciler.plan.change import Change
from reconciler.redact import clean


class Display(Protocol):
    """Where progress is shown; all text is clean."""

    def start(self) -> None:
        """The work begins."""

    def step(self, done: int, text: str) -> None:
        """So many steps are done; `text` is the last one."""

    def wait(self, seconds: float, reason: str) -> None:
        """Nothing will happen for some seconds; may be called from any thread."""

    def say(self, text: str) -> None:
        """Something that is to stay on the screen; may be called from any thread."""

    def stop(self) -> None:
        """The work is over, done or not."""


class Progress:
    """Tells a person how far a piece of work is; a context manager around that work.

    Args:
        title: what is done, `reading the account`.
        total: number of steps, where it is known.
        quiet: say nothing.
    """

    def __init__(self, title: str, *, total: int | None = None, quiet: bool = False) -> None:
        self._ended: set[Change] = set()
        self._display = _display(title, total, quiet=quiet)

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def done(self, result: Result) -> None:
        """Note that one change has ended, or that it has ended otherwise than was said."""
        self._ended.add(result.change)
        self._display.step(len(self._ended), clean(f"{result.status} {result.change.address}"))

    def waiting(self, seconds: float, reason: str) -> None:
        """Note that nothing will happen for some seconds; may be called from any thread."""
        self._display.wait(seconds, clean(reason))

    def tell(self, text: str) -> None:
        """Say something about the rest of the work; may be called from any thread."""
        self._display.say(clean(text))


def _display(title: str, total: int | None, *, quiet: bool) -> Display:
    if quiet:
        return _Silence()
    if not sys.stderr.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return _Lines(title, total)
    from reconciler.cli.bar import Bar

    return Bar(title, total)


class _Silence:
    def start(self) -> None:
        """Say nothing."""

    def step(self, done: int, text: str) -> None:
        """Say nothing."""

    def wait(self, seconds: float, reason: str) -> None:
        """Say nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def stop(self) -> None:
        """Say nothing."""


class _Lines:
    """One line for every step."""

    def __init__(self, title: str, total: int | None) -> None:
        self._title = title
        self._total = total

    def start(self) -> None:
        self._line(self._title)

    def step(self, done: int, text: str) -> None:
        self._line(f"{text} ({done}/{self._total})" if self._total else text)

    def wait(self, seconds: float, reason: str) -> None:
        self._line(f"waiting {math.ceil(seconds)} s: {reason}")

    def say(self, text: str) -> None:
        self._line(text)

    def _line(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def stop(self) -> None:
        """Leave the lines as they are."""
