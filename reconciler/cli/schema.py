"""`nbsync schema`: JSON Schema of what nbsync prints."""

from __future__ import annotations

import json
from pathlib import Path

import click

from reconciler.errors import Diagnostic, NbsyncError
from reconciler.render.schema import plan_schema


@click.command()
@click.option("--plan", "of_plan", is_flag=True, required=True, help="Of what -o json prints.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file.")
def schema(*, of_plan: bool, out: Path | None) -> int:  # noqa: ARG001 - the only one so far
    """Print a JSON Schema."""
    text = json.dumps(plan_schema(), indent=2) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return 0
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}"
        raise NbsyncError(Diagnostic("NBS902", message, "choose another file for --out")) from None
    return 0
