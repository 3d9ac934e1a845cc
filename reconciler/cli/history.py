"""`nbsync history`: what earlier runs have done."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from reconciler.apply.past import Run, Unreadable, runs_in
from reconciler.apply.shelf import on_any_shelf
from reconciler.cli.journals import named
from reconciler.cli.options import collect, for_output
from reconciler.cli.session import Session, run_session
from reconciler.errors import ExitCode, Severity, reason


@click.command()
@click.argument("journal", required=False)
@for_output
def history(*, journal: str | None, **given: Any) -> int:
    """List what was changed from here, the newest run first; or show every call of one run. Nothing is asked of a server.

    JOURNAL is a file, or the name of one in the state folder, as the list shows it.
    """

    def work(session: Session) -> ExitCode:
        view = session.view
        if journal is not None:
            runs = runs_in(path := named(journal, os.environ))
            if not runs:
                raise Unreadable(path, "no line of it is the first one of a journal")
            view.runs, view.shows_calls = runs, True
        else:
            view.runs = _all(session)
        return ExitCode.DONE

    return run_session("history", collect(given), work)


def _all(session: Session) -> list[Run]:
    """All runs by server, the newest first; journals that cannot be read are warned of."""
    found: list[Run] = []
    for path in _paths():
        try:
            found += reversed(runs_in(path))
        except Unreadable as error:
            session.view.diagnostics += [replace(one, severity=Severity.WARNING) for one in error.diagnostics]
    return sorted(found, key=lambda run: run.begin.server)


def _paths() -> list[Path]:
    try:
        return on_any_shelf(os.environ)
    except (OSError, RuntimeError) as error:
        raise Unreadable(Path("folder"), reason(error), "see who owns the state folder") from None
