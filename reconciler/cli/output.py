"""Writes a view: data to stdout, diagnostics to stderr."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import IO

from reconciler.cli.stdout import writing
from reconciler.errors import Diagnostic, NbsyncError, reason
from reconciler.render.view import View


def show(view: View, output: str) -> None:
    """Show the outcome on stdout, and for text what is wrong or odd on stderr.

    Raises:
        Unwritable: stdout takes nothing more; the rest was shown.
    """
    if output != "text":
        text, encoding = rendered(view, output), sys.stdout.encoding or "utf-8"
        with writing():
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    from rich.console import Console

    from reconciler.render.text import render_diagnostics, render_result

    try:
        with writing():
            render_result(view, Console(highlight=False, markup=False, emoji=False), brief=view.plan_was_shown)
    finally:
        # Where a secret is kept, or what was left undone, is said also to somebody who has closed stdout.
        render_diagnostics(view, Console(stderr=True, highlight=False, markup=False, emoji=False))


def write_text(text: str) -> None:
    """Write the text of a file to stdout: in UTF-8, as files are, whatever a terminal is set to.

    Raises:
        NbsyncError: the disk is full, or whatever else keeps it from being written.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"stdout cannot be written: {reason(error)}"
        raise NbsyncError(Diagnostic("NBS902", message, "make room, or write elsewhere")) from None


def write_file(view: View, output: str, target: Path) -> None:
    """Write the outcome to a file.

    Raises:
        OSError: the file cannot be written.
    """
    with target.open("w", encoding="utf-8") as file:
        if output == "text":
            _write_sheet(view, file)
        else:
            file.write(rendered(view, output))


def rendered(view: View, output: str) -> str:
    """The outcome in a format for machines: the module of its name renders it."""
    text: str = import_module(f"reconciler.render.{output}").render(view)
    return text


def _write_sheet(view: View, file: IO[str]) -> None:
    from rich.console import Console

    from reconciler.render.text import render_diagnostics, render_result

    console = Console(file=file, highlight=False, markup=False, emoji=False, no_color=True)
    render_result(view, console)
    render_diagnostics(view, console)
