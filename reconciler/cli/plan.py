"""`nbsync plan`: what would change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import collect, for_a_look
from reconciler.cli.planning import make
from reconciler.cli.saved import check_free, save_plan
from reconciler.cli.session import Session, run_session
from reconciler.errors import ExitCode


@click.command()
@for_a_look
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there are changes.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save the plan: nbsync apply --plan FILE carries out just this, or refuses.",
)
def plan(*, detailed_exitcode: bool, save: Path | None, **given: Any) -> int:
    """Show what an apply would change, and what the guards say. The account is left as it is.

    PATH is a file or a folder with *.yaml and *.yml files; the default is the current folder.
    """

    def work(session: Session) -> ExitCode:
        if save is not None:
            check_free(save)
        desired, api = session.desired(), session.reader()
        made, book = make(session, desired, api)
        if save is not None:
            save_plan(session, made, book, save)
        if made.verdicts:
            return ExitCode.REFUSED
        return ExitCode.CHANGES if made.changes and detailed_exitcode else ExitCode.DONE

    return run_session("plan", collect(given), work)
