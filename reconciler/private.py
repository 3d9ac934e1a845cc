"""What is for its owner's eyes alone: modes of files and folders, and the folder for what a run leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE: Final = 0o600
FOLDER: Final = 0o700


def state_folder(environ: Mapping[str, str]) -> Path:
    """Folder of nbsync among those that the XDG Base Directory Specification gives a user for the state of programs.

    Args:
        environ: `os.environ`, or a test's stand-in.

    Raises:
        RuntimeError: nobody knows where the user's home is.
    """
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "nbsync"
