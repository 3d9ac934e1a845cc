"""`nbsync doctor`: what is wrong with the way to the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import collect, for_the_doctor
from reconciler.cli.progress import Progress
from reconciler.cli.session import Session, run_session
from reconciler.doctor.steps import Case, examine, verdict
from reconciler.errors import ExitCode
from reconciler.load.desired import Desired
from reconciler.load.files import find


@click.command()
@for_the_doctor
def doctor(**given: Any) -> int:
    """Check the way to the server, step by step: URL, TLS, token, role, version and more. Nothing is written.

    PATH is a file or a folder; what its files need is compared with what token and server can. The default is the current
    folder, which may be without files. Exits 8 if token or role are not good enough, 1 if anything else is not.
    """

    def work(session: Session) -> ExitCode:
        case = _case(session, are_named=bool(given.get("paths")))
        try:
            with Progress("asking the server", quiet=session.options.quiet):
                session.view.checks = list(examine(case))
        finally:
            case.close()
        view = session.view
        view.server_url, view.server_version, view.reads = case.url or None, case.version, case.reads
        return verdict(view.checks)

    return run_session("doctor", collect(given), work)


def _case(session: Session, *, are_named: bool) -> Case:
    options = session.options

    def files() -> Desired | None:
        return session.desired() if are_named or options.overlays or find([Path()])[0] else None

    if options.simulate is None:
        return Case(os.environ, files, options.token_file)
    from reconciler.cli.simulated import simulated

    settings, transport = simulated(options.simulate)
    return Case({}, files, settings=settings, transport=transport)
