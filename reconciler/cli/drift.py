"""`nbsync drift`: where the account is not as the files say."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import collect, for_server
from reconciler.cli.planning import make
from reconciler.cli.session import Session, run_session
from reconciler.errors import ExitCode


@click.command()
@for_server
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there is drift.")
def drift(*, detailed_exitcode: bool, **given: Any) -> int:
    """Show where the account is not as the files say. Nothing is written, and no guard refuses.

    PATH is a file or a folder with *.yaml and *.yml files; the default is the current folder.
    """

    def work(session: Session) -> ExitCode:
        made, _ = make(session, session.desired(), session.reader())
        session.view.plan = made.with_verdicts([])
        return ExitCode.CHANGES if made.changes and detailed_exitcode else ExitCode.DONE

    return run_session("drift", collect(given), work)
