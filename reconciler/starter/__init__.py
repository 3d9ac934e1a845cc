"""The files of a new repository: templates that lie beside this, and how they are written without overwriting anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from reconciler import atomic
from reconciler._version import VERSION
from reconciler.errors import Diagnostic, NbsyncError, UsageError, reason

MAIN: Final = "nbsync.yaml"
SCHEMA: Final = ".nbsync/schema.json"
MODELINE: Final = f"# yaml-language-server: $schema={SCHEMA}\n"
NO_CI: Final = "none"
PIPELINES: Final = {"github": ".github/workflows/netbird.yaml", "gitlab": ".gitlab-ci.yml"}
"""Where each service looks for a pipeline; its template is called after the service."""
_ALWAYS: Final = {
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".pre-commit-config.yaml": "pre-commit.yaml",
    ".vscode/settings.json": "vscode.json",
}
_READABLE = 0o644


def example() -> str:
    """Return the text of an example of what to declare."""
    return _template(MAIN)


def surroundings(ci: str) -> dict[str, str]:
    """Return what stands around the declarations: texts by path.

    Args:
        ci: whose pipeline, one of `PIPELINES`, or `none`.
    """
    texts = {target: _template(name) for target, name in _ALWAYS.items()}
    return texts | ({PIPELINES[ci]: _template(f"{ci}.yaml")} if ci in PIPELINES else {})


def require_free(folder: Path, names: Mapping[str, object] | list[str]) -> None:
    """See to it that none of these files is there, under whatever it may be: a file, a folder, a link to nowhere.

    Raises:
        UsageError: some are; all are named.
    """
    taken = [name for name in names if os.path.lexists(folder / name)]
    if taken:
        message = f"{folder} has {', '.join(taken)} already; nothing was written"
        raise UsageError(Diagnostic("NBS901", message, "choose another folder, or overwrite with --force"))


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files by path below a folder. Each is whole or not there; a link in its place is replaced, not followed.

    Raises:
        NbsyncError: a file or folder cannot be written.
    """
    try:
        for target in [folder / name for name in texts]:
            target.parent.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            atomic.replace(folder / name, text, lambda handle: os.fchmod(handle, _READABLE))
    except OSError as error:
        message = f"{error.filename2 or error.filename} cannot be written: {reason(error)}"
        raise NbsyncError(Diagnostic("NBS902", message, "choose another folder, or check the permissions")) from None


def _template(name: str) -> str:
    return files(__package__).joinpath("files", name).read_text("utf-8").replace("@VERSION@", VERSION)
