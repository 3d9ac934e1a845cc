"""`nbsync rotate`: a new secret for a setup key or a token."""

from __future__ import annotations

from typing import Any

import click

from reconciler.api.client import ReadApi
from reconciler.apply.aftermath import LOST
from reconciler.apply.neighbours import ALLOWED
from reconciler.cli.apply import apply_made
from reconciler.cli.options import collect, for_server, for_the_record
from reconciler.cli.planning import read_account
from reconciler.cli.session import Session, run_session
from reconciler.errors import ExitCode
from reconciler.load.desired import Desired
from reconciler.plan.change import Plan
from reconciler.plan.match import Book
from reconciler.plan.rotation import plan_rotation


@click.command()
@click.argument("address")
@for_server
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice([ALLOWED]),
    help="Go on although another run seems to be at work on the account.",
)
@click.option("--yes", is_flag=True, help="Do not ask; needed without a terminal.")
@click.option("--secrets-out", metavar="SINK", help="Where the secret goes: FILE, exec:COMMAND, or - for stdout.")
@for_the_record
def rotate(*, address: str, yes: bool, secrets_out: str | None, **given: Any) -> int:
    """Make the setup key or token ADDRESS anew, with a new secret, and then delete the old one. Nothing else is changed.

    The old one goes when the new one has been handed over and seen to be good. Should this be cut off, run it again: all of
    that name go then but the one it makes.

    PATH is a file or a folder with *.yaml and *.yml files; the default is the current folder.
    """

    def make(session: Session, desired: Desired, api: ReadApi) -> tuple[Plan, Book]:
        snapshot = read_account(session, desired, api)
        plan, book = plan_rotation(desired, snapshot, address, session.options.allowances)
        session.view.plan = plan
        return plan, book

    def work(session: Session) -> ExitCode:
        code = apply_made(session, make, yes=yes, secrets_out=secrets_out)
        if code is ExitCode.DONE:  # this very run has renewed it
            told = session.view.diagnostics
            told[:] = [found for found in told if (found.code, found.address) != (LOST, address)]
        return code

    return run_session("rotate", collect(given), work)
