"""`nbsync fmt`: the files in one layout."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import collect, for_layout
from reconciler.cli.output import write_text
from reconciler.cli.session import Session, run_session
from reconciler.errors import Diagnostic, ExitCode, Place, Severity, UsageError, reason
from reconciler.fmt import Invalid, formatted
from reconciler.fmt.files import BYTE_ORDER_MARK, begins_with_mark, replace
from reconciler.load.files import MAX_BYTES, Unreadable, read_text
from reconciler.load.merge import Layout
from reconciler.load.reading import Reading
from reconciler.redact import clean

NOT_FORMATTED, UNWRITABLE = "NBS710", "NBS902"
STDIN = Path("-")


@click.command()
@for_layout
@click.option("--check", is_flag=True, help="Write nothing; exit 2 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
def fmt(*, check: bool, diff: bool, **given: Any) -> int:
    """Write the files in the layout of nbsync: order of keys, indentation, quotes, short forms.

    What they mean stays, and so does every comment and anchor. Files that change are listed. PATH is a file, a folder with
    *.yaml and *.yml files, or - for stdin to stdout; the default is the current folder. A file with errors is left as it
    is, and the exit code is 3.
    """
    options = collect(given)
    if diff and options.output != "text":
        raise UsageError(Diagnostic("NBS901", "--diff is text", "leave -o out, or --diff"))
    if STDIN in options.paths and (len(options.paths) > 1 or options.output != "text"):
        raise UsageError(Diagnostic("NBS901", "stdin goes alone, and to stdout as text", "write nbsync fmt -"))
    return run_session("fmt", options, lambda session: _Formatting(session, check=check, diff=diff).run())


class _Formatting:
    """One run over all files."""

    def __init__(self, session: Session, *, check: bool, diff: bool) -> None:
        self._view = session.view
        self._options = session.options
        self._check = check
        self._diff = diff
        self._changed = 0

    def run(self) -> ExitCode:
        """Format all files, and tell how it went."""
        for path in self._paths():
            try:
                before, after = self._formatted(path)
            except (Unreadable, Invalid) as error:
                self._view.diagnostics += [error.diagnostic] if isinstance(error, Unreadable) else error.diagnostics
            except OSError as error:
                message = f"{path} cannot be written: {reason(error)}"
                self._view.diagnostics.append(Diagnostic(UNWRITABLE, message, "check its permissions"))
            else:
                self._changed += before != after
                self._show(path, before, after)
        errors = [one for one in self._view.diagnostics if one.severity is Severity.ERROR]
        if errors:
            return ExitCode.ERROR if all(one.code == UNWRITABLE for one in errors) else ExitCode.INVALID
        return ExitCode.CHANGES if self._check and self._changed else ExitCode.DONE

    def _paths(self) -> list[Path]:
        if self._options.paths == (STDIN,):
            return [STDIN]
        reading = Reading(Layout(frozenset(), frozenset()))
        files = reading.find(self._options.paths, set())
        self._view.diagnostics += reading.findings.diagnostics
        return files

    def _formatted(self, path: Path) -> tuple[str, str]:
        """Read one file, and write it anew unless that is not wanted; return its text before and after."""
        is_stdin = path == STDIN
        before = _stdin() if is_stdin else _text(path)
        after = formatted(before, Path("<stdin>") if is_stdin else path)
        if before != after and not (self._check or self._diff or is_stdin):
            replace(path, after)
        return before, after

    def _show(self, path: Path, before: str, after: str) -> None:
        if self._diff:
            write_text("".join(_difference(path, before, after)))
        elif path == STDIN:
            write_text("" if self._check else after)
        elif before != after:
            self._tell(path)

    def _tell(self, path: Path) -> None:
        if self._options.output == "text":
            click.echo(clean(str(path)))
            return
        message = "the file is not in the layout of nbsync" if self._check else "the file was written in its layout"
        advice, weight = ("run nbsync fmt", Severity.WARNING) if self._check else ("", Severity.INFO)
        place = Place(str(path), 1, 1)
        self._view.diagnostics.append(Diagnostic(NOT_FORMATTED, message, advice, weight, place=place))


def _text(path: Path) -> str:
    text = read_text(path)
    return BYTE_ORDER_MARK + text if begins_with_mark(path) else text


def _stdin() -> str:
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Unreadable("NBS004", f"stdin is larger than {MAX_BYTES:,} bytes", "split it into several files")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"stdin is not UTF-8 text (byte 0x{data[error.start]:02x})"
        raise Unreadable("NBS009", message, "save it as UTF-8") from error


def _difference(path: Path, before: str, after: str) -> Iterator[str]:
    name = clean(str(path))
    for line in difflib.unified_diff(_lines(before), _lines(after), name, f"{name} (formatted)", lineterm=""):
        yield f"{clean(line)}\n"


def _lines(text: str) -> list[str]:
    """Lines that end in newlines alone, as `diff` counts them; what is unprintable is shown."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]
