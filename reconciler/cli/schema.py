"""`nbsync schema`: JSON Schema of the files, for editors, and of what nbsync prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import collect, for_account
from reconciler.cli.output import write_text
from reconciler.errors import Diagnostic, NbsyncError, UsageError, reason


@click.command()
@click.option("--plan", "of_plan", is_flag=True, help="Of what -o json prints.")
@click.option("--overlay", is_flag=True, help="Of files for --overlay: objects in part, and remove.")
@click.option("--live", is_flag=True, help="Let editors offer the names of the live account.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file.")
@for_account
def schema(*, of_plan: bool, overlay: bool, live: bool, out: Path | None, **given: Any) -> int:
    """Print the JSON Schema of the files, with which editors complete, explain and check them.

    Write it with --out .nbsync/schema.json and begin each file with this line:

    \b
        # yaml-language-server: $schema=.nbsync/schema.json
    """  # noqa: D301 - click's mark of lines that stay lines
    _check(of_plan=of_plan, overlay=overlay, live=live, given=given)
    if of_plan:
        from reconciler.render.schema import plan_schema

        text = json.dumps(plan_schema(), indent=2)
    else:
        text = _language(_names(given) if live else {}, overlay=overlay)
    if out is None:
        write_text(text + "\n")
        return 0
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        message = f"{out} cannot be written: {reason(error)}"
        raise NbsyncError(Diagnostic("NBS902", message, "choose another file for --out")) from None
    return 0


def _check(*, of_plan: bool, overlay: bool, live: bool, given: dict[str, Any]) -> None:
    if of_plan and (live or overlay):
        other = "--live" if live else "--overlay"
        raise UsageError(Diagnostic("NBS901", f"--plan and {other} do not go together", f"leave {other} out"))
    if not live and (given["simulate"] is not None or given["token_file"]):
        message = "no account is read without --live"
        raise UsageError(Diagnostic("NBS901", message, "add --live, or leave out --simulate and --token-file"))


def _language(names: dict[str, list[str]], *, overlay: bool) -> str:
    from schemas import KINDS
    from schemas._core.jsonschema import language_schema

    return json.dumps(language_schema(KINDS, names, overlay=overlay), indent=1)


def _names(given: dict[str, Any]) -> dict[str, list[str]]:
    """Names of live objects by kind."""
    from reconciler.cli.progress import Progress
    from reconciler.cli.session import Session
    from reconciler.state.referable import referable_names
    from schemas import KINDS

    session = Session("schema", collect(given))
    try:
        with session.reader() as api, session.telling(Progress("reading the account", quiet=session.options.quiet)):
            return referable_names(api, KINDS)
    finally:
        session.hang_up()
