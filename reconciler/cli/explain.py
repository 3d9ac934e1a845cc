"""`nbsync explain`: what a diagnostic code means."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from reconciler.errors import Diagnostic, NbsyncError, UsageError, reason
from reconciler.explain import codes, entries, find
from reconciler.render import explanation


@click.command()
@click.argument("code", required=False)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write a page for every code to a folder.")
def explain(*, code: str | None, out: Path | None) -> int:
    """Explain a diagnostic code: what it means, why it matters, how to mend it, an example.

    Without CODE, all codes are listed.
    """
    if code is not None and out:
        raise click.UsageError("--out writes the pages of all codes: leave CODE out")
    if out:
        _write(out)
    else:
        click.echo(explanation.as_list(entries()) if code is None else _one(code), nl=False)
    return 0


def _one(code: str) -> str:
    entry = find(code)
    if entry is None:
        from reconciler.load.messages import near

        advice = near(code.upper(), codes()) or "nbsync explain lists all codes"
        raise UsageError(Diagnostic("NBS901", f"there is no code '{code}'", advice))
    return explanation.as_text(entry, shutil.get_terminal_size().columns)


def _write(out: Path) -> None:
    found = entries()
    pages = {f"{entry.code}.md": explanation.as_page(entry) for entry in found}
    pages["README.md"] = explanation.as_index(found)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{error.filename} cannot be written: {reason(error)}"
        raise NbsyncError(Diagnostic("NBS902", message, "choose another folder for --out")) from None
