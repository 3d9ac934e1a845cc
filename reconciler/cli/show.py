"""`nbsync show`: what is in a plan file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import collect, for_output
from reconciler.cli.session import Session, run_session
from reconciler.errors import ExitCode
from schemas import KINDS


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@for_output
def show(*, file: Path, **given: Any) -> int:
    """Show the plan in FILE, which nbsync plan --save has written. No server is asked, no token is needed."""

    def work(session: Session) -> ExitCode:
        from reconciler.cli.saved import load_plan, tell_whose

        saved = load_plan(file)
        view = session.view
        view.plan, view.since = saved.plan(KINDS), saved.since
        view.server_url, view.server_version = saved.target.url, saved.target.version
        tell_whose(session, saved)
        return ExitCode.DONE

    return run_session("show", collect(given), work)
