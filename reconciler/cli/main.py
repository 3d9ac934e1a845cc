"""Entry point: finds the command, turns every failure into its exit code."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from itertools import pairwise
from types import FrameType
from typing import Any, NoReturn

import click

from reconciler._version import VERSION
from reconciler.cli.stdout import Unwritable
from reconciler.errors import Diagnostic, ExitCode, NbsyncError

COMMANDS = {
    "plan": "what would change, and what the guards say",
    "apply": "make the account what the files ask for",
    "show": "what is in a saved plan",
    "validate": "check the files without a server",
    "fmt": "write the files in one layout",
    "drift": "what the account has that the files do not say",
    "export": "write the account as files",
    "explain": "what a diagnostic code means",
    "rotate": "a new secret for a setup key or a token",
    "rollback": "the account as it was before the last apply",
    "history": "what was changed from here, run by run",
    "schema": "JSON Schema of the files, for editors, and of what -o json prints",
    "doctor": "whether the server can be reached, and the token is good enough",
    "init": "a repository to begin with",
    "simulate": "a NetBird account to try things on",
}


class Terminated(BaseException):
    """SIGTERM came while nothing was being written."""


class Lazy(click.Group):
    """Commands whose modules are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"reconciler.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest ones."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from reconciler.load.messages import near

            advice = near(name, COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command '{name}'; {advice}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="nbsync", message="%(prog)s %(version)s")
def cli() -> None:
    """Keep a NetBird account equal to YAML files in git: plan, apply, no state file.

    The server is NB_MANAGEMENT_URL (default https://api.netbird.io), the token NB_PAT, NB_ACCESS_TOKEN or --token-file.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code.

    Raises:
        Unwritable: its outcome could not be shown on stdout.
    """
    try:
        result: Any = cli.main(args=list(arguments), prog_name="nbsync", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt, Terminated) as error:
        found = Diagnostic("NBS900", "interrupted; nothing was written", "run it again when it suits")
        code = ExitCode.TERMINATED if isinstance(error, Terminated) else ExitCode.INTERRUPTED
        return _failed([found], code, arguments)
    except NbsyncError as error:
        return _failed(error.diagnostics, error.exit_code, arguments)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return int(ExitCode.USAGE)
    except click.ClickException as error:
        advice = "nbsync COMMAND --help shows what there is"
        return _failed([Diagnostic("NBS901", error.format_message(), advice)], ExitCode.USAGE, arguments)
    except Unwritable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        return _failed(_fallen_over(error), ExitCode.ERROR, arguments)
    return int(result or 0)


def _fallen_over(error: Exception) -> Sequence[Diagnostic]:
    """What to say of an exception that nobody expected; whoever reads the output gets a document and an exit code all the same."""
    from reconciler.state.unreadable import account_error
    from schemas._core.reading import Unreadable

    if "NBSYNC_DEBUG" in os.environ:
        _print_traceback(error)
    if isinstance(error, Unreadable):
        return account_error(error).diagnostics
    printed = "NBSYNC_DEBUG" in os.environ
    advice = "report what it printed" if printed else "run it again with NBSYNC_DEBUG=1 and report what it prints"
    return [Diagnostic("NBS999", f"nbsync failed: {type(error).__name__}", advice)]


def _print_traceback(error: Exception) -> None:
    """Print where an exception comes from: without values of variables, and without secrets that stand in its text."""
    import traceback

    from reconciler.redact import clean, mask

    for line in mask("".join(traceback.format_exception(error))).splitlines():
        click.echo(clean(line), err=True)


def _failed(found: Sequence[Diagnostic], code: ExitCode, arguments: Sequence[str]) -> int:
    """Show a failure that no command could show, in the format that was asked for."""
    from reconciler.cli.output import show
    from reconciler.render.view import View

    command = next((word for word in arguments if word in COMMANDS), "")
    show(View(command, code, diagnostics=list(found)), _wanted_format(arguments))
    return int(code)


def _wanted_format(arguments: Sequence[str]) -> str:
    """The format after the last `-o`, if it is one; text otherwise."""
    from reconciler.cli.options import FORMATS

    wanted = "text"
    for word, value in pairwise((*arguments, "")):
        said = value if word in ("-o", "--output") else word.removeprefix("--output=").removeprefix("-o")
        if said in FORMATS and (said != word):
            wanted = said
    return wanted


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def _open_streams() -> None:
    """Put the null device in the place of streams that the caller closed (`nbsync plan >&-`): Python has None there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal has no letters for ends no run


def _run_to_its_end() -> int:
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except Unwritable as error:
        why = error.why
    except OSError as error:
        why = Unwritable(error).why
    else:
        return code
    if why:
        sys.stderr.write(f"error[NBS902] stdout cannot be written: {why}\n")
    return ExitCode.ERROR


def main() -> None:
    """Run nbsync as a program."""
    # A plan makes many objects and few cycles: most of what the collector would do here is in vain.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    signal.signal(signal.SIGTERM, _terminate)
    _open_streams()
    code = _run_to_its_end()
    sys.stderr.flush()
    # Taking every object apart at the end costs seconds on large accounts, and nothing is left to close.
    os._exit(code)
