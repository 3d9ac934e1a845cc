"""`nbsync plan`: what would change."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import collect, for_a_look
from reconciler.cli.planning import make
from reconciler.cli.session import Session, run_session
from reconciler.errors import ExitCode


@click.command()
@for_a_look
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there are changes.")
def plan(*, detailed_exitcode: bool, **given: Any) -> int:
    """Show what an apply would change, and what the guards say. Nothing is written.

    PATH is a file or a folder with *.yaml and *.yml files; the default is the current folder.
    """

    def work(session: Session) -> ExitCode:
        made, _ = make(session, session.desired(), session.reader())
        if made.verdicts:
            return ExitCode.REFUSED
        return ExitCode.CHANGES if made.changes and detailed_exitcode else ExitCode.DONE

    return run_session("plan", collect(given), work)
