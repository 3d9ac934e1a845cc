"""`nbsync apply`: make the account what the files ask for."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from reconciler.api.client import Api, ReadApi
from reconciler.apply.course import Interruption
from reconciler.apply.executor import execute, require_sink
from reconciler.apply.forecast import calls_of
from reconciler.apply.neighbours import ALLOWED, Unwatched
from reconciler.apply.outputs import FileSink, Sink, open_sink
from reconciler.apply.permission import require_permission
from reconciler.apply.work import Run
from reconciler.cli import journals
from reconciler.cli.alone import alone
from reconciler.cli.options import collect, for_plans, for_the_record
from reconciler.cli.planning import make
from reconciler.cli.progress import Progress
from reconciler.cli.session import Session, run_session
from reconciler.errors import Diagnostic, ExitCode, NbsyncError, UsageError
from reconciler.load.desired import Desired
from reconciler.plan.change import Plan
from reconciler.plan.match import Book


@click.command()
@for_plans
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Carry out this saved plan and nothing else, without asking.",
)
@click.option("--yes", is_flag=True, help="Do not ask; needed without a terminal.")
@click.option("--secrets-out", metavar="SINK", help="Where new secrets go: FILE, exec:COMMAND, or - for stdout.")
@for_the_record
def apply(*, plan_file: Path | None, yes: bool, secrets_out: str | None, **given: Any) -> int:
    """Show what would change, ask, and change it.

    With --plan, the saved plan says all: its changes are made as they were planned, or, if something that they touch has
    changed since, none of them.

    PATH is a file or a folder with *.yaml and *.yml files; the default is the current folder.
    """

    def work(session: Session) -> ExitCode:
        if plan_file is not None:
            _require_nothing_else(given)
            return _apply_saved(session, plan_file, secrets_out)
        return apply_made(session, make, yes=yes, secrets_out=secrets_out)

    return run_session("apply", collect(given), work)


SAID_BY_THE_PLAN = {
    "paths": "files",
    "overlays": "--overlay",
    "variables": "--var",
    "targets": "--target",
    "allow_empty": "--allow-empty",
}


def _require_nothing_else(given: Mapping[str, Any]) -> None:
    """Refuse what goes into the making of a plan; who else is at work is a matter of this run alone.

    Raises:
        UsageError: something of it was given.
    """
    said = [name for option, name in SAID_BY_THE_PLAN.items() if given.get(option)]
    said += [f"--allow {word}" for word in given.get("allow", ()) if word != ALLOWED]
    if said:
        message = f"--plan and {', '.join(said)} do not go together: the saved plan says all"
        raise UsageError(Diagnostic("NBS901", message, f"leave out {', '.join(said)}, or plan again with it"))


def _apply_saved(session: Session, file: Path, secrets_out: str | None) -> ExitCode:
    from reconciler.cli.saved import load_plan, make_again, meant_by, require_server

    saved = load_plan(file)

    def make_saved(session: Session, desired: Desired, api: ReadApi) -> tuple[Plan, Book]:
        return make_again(session, api, saved, desired)

    desired = meant_by(saved, file)
    require_server(session, saved)
    return apply_made(session, make_saved, yes=True, secrets_out=secrets_out, desired=desired)


Make = Callable[[Session, Desired, ReadApi], tuple[Plan, Book]]


def apply_made(
    session: Session, make: Make, *, yes: bool, secrets_out: str | None, desired: Desired | None = None
) -> ExitCode:
    """Make a plan for a desired state, by default that of the files, have it approved, and carry it out."""
    _require_approval(yes=yes)
    _require_free_stdout(session, secrets_out)
    desired = desired or session.desired()
    api = session.writer()
    with alone(session, api) as watch:
        plan, book = make(session, desired, api)
        if plan.verdicts:
            return ExitCode.REFUSED
        require_permission(api, book, plan)
        sink = _sink(session, plan, secrets_out)
        if plan.changes and not yes:
            _ask(session)
        return _execute(session, api, book, plan, sink=sink, watch=watch)


def _sink(session: Session, plan: Plan, secrets_out: str | None) -> Sink | None:
    if secrets_out and secrets_out != "-":
        _require_own_file(session, Path(secrets_out))
    sink = open_sink(secrets_out, os.environ) if secrets_out else None
    require_sink(plan, sink)
    if isinstance(sink, FileSink) and sink.warning:
        session.view.diagnostics.append(sink.warning)
    return sink


def _require_own_file(session: Session, path: Path) -> None:
    """See that secrets do not go where this run writes something else.

    Raises:
        UsageError: they do.
    """
    options = session.options
    others = [("--journal", options.journal), *(("--out", target) for _, target in options.outs)]
    for option, other in others:
        if other is not None and other.absolute() == path.absolute() and not path.is_char_device():
            message = f"--secrets-out and {option} are the same file {path}"
            raise UsageError(Diagnostic("NBS901", message, "choose another file for --secrets-out"))


def _require_approval(*, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise UsageError(
            Diagnostic("NBS901", "there is no terminal to ask for approval", "apply without asking: --yes")
        )


def _require_free_stdout(session: Session, secrets_out: str | None) -> None:
    if secrets_out == "-" and session.options.output != "text":
        advice = "send the secrets to a file or a command: --secrets-out FILE, --secrets-out exec:COMMAND"
        raise UsageError(
            Diagnostic("NBS901", f"-o {session.options.output} and --secrets-out - would share stdout", advice)
        )


def _ask(session: Session) -> None:
    """Show the plan and wait for a yes.

    Raises:
        NbsyncError: something else was said.
    """
    from rich.console import Console

    from reconciler.render.text import render_diagnostics, render_result

    to_stderr = session.options.output != "text"
    console = Console(stderr=to_stderr, highlight=False, markup=False, emoji=False)
    render_result(session.view, console)
    session.view.plan_was_shown = not to_stderr
    render_diagnostics(session.view, Console(stderr=True, highlight=False, markup=False, emoji=False))
    click.echo("Apply these changes? Only 'yes' will do: ", nl=False, err=True)
    if sys.stdin.readline().strip() != "yes":
        raise NbsyncError(Diagnostic("NBS607", "not applied: the plan was not approved", "say yes, or run with --yes"))


def _execute(session: Session, api: Api, book: Book, plan: Plan, *, sink: Sink | None, watch: Unwatched) -> ExitCode:
    journal = journals.begin(session, plan)
    total, calls = len(plan.changes), calls_of(plan)
    title = f"applying: {calls} call{'' if calls == 1 else 's'} to make" if total else "applying"
    with _interruptible(api) as interruption:
        with session.telling(Progress(title, total=total, quiet=session.options.quiet)) as progress:
            report = execute(api, book, plan, Run(sink, interruption, progress.done, journal, watch))
        if sink is not None:
            sink.close()
        session.view.report = report
        return journals.end(session, journal, report)


@contextmanager
def _interruptible(api: Api) -> Iterator[Interruption]:
    """Until the end of the block a signal ends the work after the call in flight; a second one ends it at once."""
    interruption = Interruption()

    def stop(number: int, _frame: FrameType | None) -> None:
        if interruption.exit_code is not None:
            os._exit(int(interruption.exit_code))
        interruption.exit_code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
        api.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
