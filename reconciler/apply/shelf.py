"""Where journals are: one folder for each server, in the user's state folder, one file for each run; a lock on it as long as that lasts."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from reconciler import private
from reconciler.apply.lines import START

KEPT = 100
"""Journals of a server that are kept; the oldest go."""
_SUFFIX = ".jsonl"


def home(environ: Mapping[str, str]) -> Path:
    """Folder of all journals.

    Raises:
        RuntimeError: as `state_folder`.
    """
    return private.state_folder(environ) / "journals"


def shelf(server: str, environ: Mapping[str, str]) -> Path:
    """Folder of the journals of one server, given its URL."""
    return home(environ) / re.sub(r"[^\w.-]+", "_", server.removeprefix("https://"), flags=re.ASCII).lower()


def new_path(server: str, command: str, environ: Mapping[str, str]) -> Path:
    """Place for the journal of a run that begins now; names are in the order of time.

    Raises:
        RuntimeError: as `home`.
    """
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z-{command}-{secrets.token_hex(2)}{_SUFFIX}"
    return shelf(server, environ) / name


def on_shelf(folder: Path) -> list[Path]:
    """Journals in a folder, the newest first.

    Raises:
        OSError: the folder cannot be read; one that is not there is empty.
    """
    try:
        names = [path for path in folder.iterdir() if path.suffix == _SUFFIX and path.is_file()]
    except FileNotFoundError:
        return []
    return sorted(names, key=lambda path: path.name, reverse=True)


def on_any_shelf(environ: Mapping[str, str]) -> list[Path]:
    """Journals of all servers, the newest first.

    Raises:
        OSError: a folder cannot be read.
        RuntimeError: as `home`.
    """
    try:
        folders = [path for path in home(environ).iterdir() if path.is_dir()]
    except FileNotFoundError:
        return []
    return sorted((path for folder in folders for path in on_shelf(folder)), key=lambda path: path.name, reverse=True)


def open_new(path: Path) -> int:
    """Make the file of a new journal, in a folder for its owner alone, and give its descriptor.

    Raises:
        OSError: it cannot be made.
    """
    folder = path.parent
    folder.mkdir(mode=private.FOLDER, parents=True, exist_ok=True)
    for one in (folder, folder.parent):
        one.chmod(private.FOLDER)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, private.FILE)
    _lock(descriptor)
    _keep_name(folder)
    prune(folder)
    return descriptor


def _keep_name(folder: Path) -> None:
    """Let the name of a new file outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_end(path: Path) -> int:
    """Open a file for the lines of another run, and give its descriptor; the next line begins on a line of its own.

    Raises:
        OSError: it cannot be opened, or is no journal.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, private.FILE)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode):
        os.close(descriptor)
        raise OSError("it is a pipe, for which a run could have to wait for ever")
    if not stat.S_ISREG(mode):
        return descriptor
    _lock(descriptor)
    try:
        _go_to_new_line(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _go_to_new_line(descriptor: int) -> None:
    if not START.encode().startswith(os.pread(descriptor, len(START), 0)):
        raise OSError("it is a file of something else")
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")


def _lock(descriptor: int) -> None:
    """Show others, as long as the process lives, that the run has not ended yet."""
    with suppress(OSError):  # another run writes to the same file, or the file system has no locks
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def prune(folder: Path) -> None:
    """Remove the oldest journals; what cannot be removed stays."""
    with suppress(OSError):
        for path in on_shelf(folder)[KEPT:]:
            path.unlink(missing_ok=True)
