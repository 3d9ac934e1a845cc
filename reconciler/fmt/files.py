"""Files that are written anew: whole or not at all, with the same mode and owner."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from reconciler import atomic

BYTE_ORDER_MARK = "\ufeff"


def begins_with_mark(path: Path) -> bool:
    """Tell whether a file begins with a byte order mark, which nobody sees."""
    mark = BYTE_ORDER_MARK.encode()
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def replace(path: Path, text: str) -> None:
    """Write a file anew. What a symbolic link leads to is written, the link stays.

    Raises:
        OSError: it may not be written, or its folder may not.
    """
    target = path.resolve(strict=True)
    found = target.stat()
    if not found.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
        raise PermissionError(None, "it is read-only", str(path))
    atomic.replace(target, text, lambda handle: _take_after(handle, found))


def _take_after(handle: int, found: os.stat_result) -> None:
    """Give a file the owner, as far as that is permitted, and the mode of another one."""
    with suppress(OSError):
        os.fchown(handle, found.st_uid, found.st_gid)
    os.fchmod(handle, stat.S_IMODE(found.st_mode))
