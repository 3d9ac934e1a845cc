"""Where journals are: one folder for each server, in the user's state folder, one file for each run."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from reconciler import private

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
        names = [path for path in folder.iterdir() if path.suffix == _SUFFIX]
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


def prune(folder: Path) -> None:
    """Remove the oldest journals; what cannot be removed stays."""
    with suppress(OSError):
        for path in on_shelf(folder)[KEPT:]:
            path.unlink(missing_ok=True)
