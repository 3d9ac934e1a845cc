"""The folder to which an export goes: nothing in it is overwritten by accident."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import Diagnostic, NbsyncError, UsageError, reason
from reconciler.load.files import find

MOST_NAMED = 5


def yaml_files(folder: Path) -> list[Path]:
    """The YAML files that nbsync would read in a folder, which need not be there.

    Raises:
        UsageError: it is no folder.
    """
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise UsageError(Diagnostic("NBS901", f"{folder} is no folder", "name the folder that the files go to"))
    return find([folder])[0]


def require_empty(folder: Path) -> None:
    """See to it that no YAML files are in a folder.

    Raises:
        UsageError: there are some.
    """
    found = yaml_files(folder)
    if found:
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        message = f"{folder} has YAML files already: {', '.join(map(str, found[:MOST_NAMED]))}{more}"
        raise UsageError(Diagnostic("NBS901", message, "choose another folder, or overwrite with --force"))


def write(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write files by name, over those of the same name; the folder is made if it is not there.

    Returns:
        Other YAML files that are in the folder: they are read together with the new ones.

    Raises:
        NbsyncError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{error.filename} cannot be written: {reason(error)}"
        raise NbsyncError(Diagnostic("NBS902", message, "choose another folder for --out")) from None
    return [path for path in yaml_files(folder) if path not in {folder / name for name in texts}]
