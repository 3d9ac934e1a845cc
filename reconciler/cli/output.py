"""Writes a view: data to stdout, diagnostics to stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from reconciler.render.view import View


def show(view: View, output: str) -> None:
    """Show the outcome on stdout, and for text what is wrong or odd on stderr."""
    if output == "json":
        from reconciler.render.json import render

        sys.stdout.write(render(view))
        return
    from rich.console import Console

    from reconciler.render.text import render_diagnostics, render_result

    render_result(view, Console(highlight=False, markup=False, emoji=False), brief=view.plan_was_shown)
    sys.stdout.flush()
    render_diagnostics(view, Console(stderr=True, highlight=False, markup=False, emoji=False))


def write_file(view: View, output: str, target: Path) -> None:
    """Write the outcome to a file.

    Raises:
        OSError: the file cannot be written.
    """
    with target.open("w", encoding="utf-8") as file:
        _write(view, output, file)


def _write(view: View, output: str, file: IO[str]) -> None:
    if output == "json":
        from reconciler.render.json import render

        file.write(render(view))
        return
    from rich.console import Console

    from reconciler.render.text import render_diagnostics, render_result

    console = Console(file=file, highlight=False, markup=False, emoji=False, no_color=True)
    render_result(view, console)
    render_diagnostics(view, console)
