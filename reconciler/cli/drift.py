"""`nbsync drift`: where the account is not as the files say."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import collect, for_drift
from reconciler.cli.planning import make
from reconciler.cli.session import Session, run_session
from reconciler.errors import ExitCode
from reconciler.plan.change import Plan


@click.command()
@for_drift
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there is drift.")
def drift(*, detailed_exitcode: bool, **given: Any) -> int:
    """Show where the account is not as the files say. Nothing is written, and no guard refuses.

    What the account has and the files do not say is listed, too, even where apply would leave it alone (manage: no-delete);
    what `unmanaged` names is not, nor are people and peers, who come by themselves. nbsync plan --detailed-exitcode looks at
    declared objects alone.

    With --since, only what somebody changed in the account is drift, and not what the files ask for by now. What no file says
    is not listed then: git does not tell since when the account has it.

    PATH is a file or a folder with *.yaml and *.yml files; the default is the current folder.
    """

    def work(session: Session) -> ExitCode:
        made, _ = make(session, session.desired(), session.reader(), in_order=False)
        made = made.lasting()
        shown = _behind_the_back(session, made) if session.options.since is not None else made
        session.view.plan = shown.with_verdicts([])
        found = bool(shown.changes or shown.undeclared)
        return ExitCode.CHANGES if found and detailed_exitcode else ExitCode.DONE

    return run_session("drift", collect(given), work)


def _behind_the_back(session: Session, plan: Plan) -> Plan:
    from reconciler.plan.origin import behind_the_back

    found = behind_the_back(plan)
    session.view.asked_for = len(plan.changes) - len(found.changes)
    return found
