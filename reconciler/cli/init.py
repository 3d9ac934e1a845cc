"""`nbsync init`: a repository to begin with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import Options, collect, for_account
from reconciler.errors import Diagnostic, Severity, UsageError
from reconciler.redact import clean
from reconciler.settings import ACCESS_TOKEN_VARIABLE, PAT_VARIABLE
from reconciler.starter import MAIN, MODELINE, NO_CI, PIPELINES, SCHEMA, example, require_free, surroundings, write

READ_TOGETHER = "NBS702"


@click.command()
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path(path_type=Path))
@click.option("--example", "is_example", is_flag=True, help="Begin with an example, also where there is a token.")
@click.option(
    "--ci", type=click.Choice([*PIPELINES, NO_CI]), default="github", show_default=True, help="Whose pipeline."
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@for_account
def init(folder: Path, *, is_example: bool, ci: str, force: bool, **given: Any) -> int:
    """Write a repository to begin with: nbsync.yaml, its schema for editors, a pipeline, pre-commit hooks, .gitignore.

    With a token (or --simulate), nbsync.yaml is the account as it is; without, it is an example. The account is only read.
    """
    options = collect(given)
    if is_example and (options.simulate is not None or options.token_file):
        raise UsageError(Diagnostic("NBS901", "--example reads no account", "leave out --simulate and --token-file"))
    if folder.exists() and not folder.is_dir():
        raise UsageError(Diagnostic("NBS901", f"{folder} is no folder", "name the folder of the repository"))
    texts = surroundings(ci)
    if not force:
        require_free(folder, [MAIN, SCHEMA, *texts])
    text, origin = _declarations(options, is_example=is_example)
    texts = {MAIN: _formatted(MODELINE + text), SCHEMA: _schema(), **texts}
    write(folder, texts)
    _tell(folder, origin, len(texts), ci)
    return 0


def _declarations(options: Options, *, is_example: bool) -> tuple[str, str]:
    """The text of nbsync.yaml, and where it comes from."""
    has_token = options.token_file or any(
        os.environ.get(name, "").strip() for name in (PAT_VARIABLE, ACCESS_TOKEN_VARIABLE)
    )
    if is_example or not (has_token or options.simulate is not None):
        return example(), "an example" if is_example else "an example, as there is no token"
    from reconciler.cli.progress import Progress
    from reconciler.cli.session import Session
    from reconciler.export import export_account, wish
    from schemas import KINDS

    session = Session("init", options)
    try:
        with session.reader() as api, session.telling(Progress("reading the account", quiet=options.quiet)):
            return export_account(api, wish(KINDS, (), ())).as_one(), f"the account at {session.view.server_url}"
    finally:
        session.hang_up()


def _formatted(text: str) -> str:
    from reconciler.fmt import formatted

    return formatted(text, Path(MAIN))


def _schema() -> str:
    from schemas import KINDS
    from schemas._core.jsonschema import language_schema

    return json.dumps(language_schema(KINDS, {}), indent=1) + "\n"


def _tell(folder: Path, origin: str, count: int, ci: str) -> None:
    """Say what was written, what else is there, and what to do next."""
    click.echo(clean(f"wrote {count} files to {folder}; {MAIN} is {origin}"))
    _warn(folder)
    settings = "" if ci == NO_CI else "; give your pipeline NB_PAT and NB_MANAGEMENT_URL"
    click.echo(f"1. read {MAIN}, and answer what its comments ask")
    click.echo("2. nbsync doctor && nbsync plan: is the way to the server clear, and does the plan say what you mean?")
    click.echo(f"3. commit{settings}")


def _warn(folder: Path) -> None:
    from reconciler.export.files import yaml_files

    others = [path for path in yaml_files(folder) if path != folder / MAIN]
    if not others:
        return
    from rich.console import Console

    from reconciler.render.text import render_diagnostics
    from reconciler.render.view import View

    message = f"{', '.join(map(str, others[:5]))}{' and more' if others[5:] else ''}: read together with {MAIN}"
    found = Diagnostic(READ_TOGETHER, message, "remove what is not nbsync's", Severity.WARNING)
    render_diagnostics(
        View("init", diagnostics=[found]), Console(stderr=True, highlight=False, markup=False, emoji=False)
    )
