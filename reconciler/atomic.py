"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def replace(path: Path, text: str, prepare: Callable[[int], None]) -> None:
    """Put a file with this text, as UTF-8, in the place of `path`, whatever is there; nobody ever sees a part of it.

    Args:
        path: where it is to be; a symbolic link is replaced, not followed.
        text: what it holds, with the ends of lines as they are.
        prepare: gives the new file its mode and owner, by its descriptor; it is readable by its owner alone until then.

    Raises:
        OSError: the file may not be written, or its folder may not.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            prepare(file.fileno())
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
