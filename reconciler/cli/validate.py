"""`nbsync validate`: check the files without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import click

from reconciler.cli.options import collect, for_files
from reconciler.cli.session import Session, run_session
from reconciler.errors import DesiredStateError, Diagnostic, ExitCode, Severity
from reconciler.load.desired import Desired
from reconciler.plan.diff import remarks
from reconciler.plan.lint import lint
from reconciler.plan.match import Book
from reconciler.plan.resolve import names_for_the_account, place_of
from reconciler.state.snapshot import Snapshot

FOR_THE_ACCOUNT = "NBS310"


@click.command()
@for_files
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
def validate(*, strict: bool, **given: Any) -> int:
    """Check everything that the files alone show. No server is asked, no token is needed.

    PATH is a file or a folder with *.yaml and *.yml files; the default is the current folder.
    """

    def work(session: Session) -> ExitCode:
        try:
            found = _findings(session.desired())
        except DesiredStateError as error:
            found = list(error.diagnostics)
        session.view.diagnostics = list(_strictly(found)) if strict else found
        return ExitCode.INVALID if session.view.has_errors() else ExitCode.DONE

    return run_session("validate", collect(given), work)


def _findings(desired: Desired) -> list[Diagnostic]:
    return [*desired.diagnostics, *_remarks(desired), *lint(desired), *_open_names(desired)]


def _strictly(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    for one in found:
        yield replace(one, severity=Severity.ERROR) if one.severity is Severity.WARNING else one


def _remarks(desired: Desired) -> list[Diagnostic]:
    """What is odd about the objects as far as the files alone show it: no account is there to compare with."""
    book = Book(desired, Snapshot(self_hosted=False))
    return [remark for declared in desired.objects.values() for remark in remarks(book, declared)]


def _open_names(desired: Desired) -> list[Diagnostic]:
    """Names that no file declares, each once: the account has to know them."""
    found: dict[tuple[str, str], Diagnostic] = {}
    for declared, reference in names_for_the_account(desired):
        _, ref, text = reference
        message = f"the {ref.kind.replace('_', ' ')} '{text}' is to be found in the account"
        place = place_of(desired, declared, reference)
        found.setdefault(
            (ref.kind, text),
            Diagnostic(FOR_THE_ACCOUNT, message, "plan looks it up", Severity.INFO, str(declared.address), place),
        )
    return list(found.values())
