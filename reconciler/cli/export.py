"""`nbsync export`: the live account as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import collect, for_account
from reconciler.cli.output import write_text
from reconciler.cli.progress import Progress
from reconciler.cli.session import Session
from reconciler.errors import Diagnostic, ExitCode, Severity, UsageError
from reconciler.export import Export, Wish, export_account, wish
from reconciler.export.files import require_empty, write
from schemas import KINDS

LEFT_OUT, READ_TOGETHER = "NBS701", "NBS702"
ONE, FILES = "one", "files"


@click.command()
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind (policy), or root key (dns).")
@click.option("--only", "patterns", multiple=True, metavar="PATTERN", help="Only these addresses: policy/dev-*.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write files to this folder.")
@click.option("--layout", type=click.Choice((FILES, ONE)), help="A file for each root key, or one; with --out: files.")
@click.option("--force", is_flag=True, help="Write into a folder that has YAML files, over those of the same name.")
@for_account
def export(
    *,
    kinds: tuple[str, ...],
    patterns: tuple[str, ...],
    out: Path | None,
    layout: str | None,
    force: bool,
    **given: Any,
) -> int:
    """Write the live account as the files that would have made it; nothing is changed.

    Without --out, one document goes to stdout. A plan with these files is empty. Group members that come with somebody's
    auto_groups, and settings and peers that are as NetBird makes them, are left out: --kind account, --kind peer write all.
    """
    asked = wish(KINDS, kinds, patterns)
    if out is None and layout == FILES:
        raise UsageError(Diagnostic("NBS901", "several files cannot go to stdout", "name a folder: --out DIR"))
    if out is not None and not force:
        require_empty(out)
    session = Session("export", collect(given))
    found = _read(session, asked)
    if out is None:
        write_text(found.as_one())
    else:
        _write(session, found, out, layout or FILES)
    _tell(session, found)
    return int(ExitCode.DONE)


def _read(session: Session, asked: Wish) -> Export:
    with session.reader() as api, session.telling(Progress("reading the account", quiet=session.options.quiet)):
        return export_account(api, asked)


def _write(session: Session, found: Export, out: Path, layout: str) -> None:
    texts = found.as_files() if layout == FILES else {"nbsync.yaml": found.as_one()}
    others = write(out, texts)
    if others:
        message = f"{', '.join(map(str, others))}: not written by this export, but read together with what was"
        session.view.diagnostics.append(Diagnostic(READ_TOGETHER, message, "remove what is old", Severity.WARNING))
    if not session.options.quiet:
        click.echo(f"wrote {len(texts)} files to {out}", err=True)


def _tell(session: Session, found: Export) -> None:
    """Say on stderr what is not among the declared objects."""
    from rich.console import Console

    from reconciler.render.text import render_diagnostics

    if found.untold:
        objects = "1 object cannot" if found.untold == 1 else f"{found.untold} objects cannot"
        message = f"{objects} be declared as they are" if found.untold > 1 else f"{objects} be declared as it is"
        advice = "the reasons stand under unmanaged; until they are gone, nbsync leaves these objects alone"
        session.view.diagnostics.append(Diagnostic(LEFT_OUT, message, advice, Severity.WARNING))
    render_diagnostics(session.view, Console(stderr=True, highlight=False, markup=False, emoji=False))
