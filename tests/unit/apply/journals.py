"""Journals as tests look at them and cut them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def journals(folder: Path) -> list[Path]:
    """All journals in the state folder, the oldest first."""
    return sorted((folder / ".state/nbsync/journals").glob("*/*.jsonl"), key=lambda path: path.name)


def lines(path: Path) -> list[Line]:
    """The lines of a journal."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def calls(path: Path) -> list[Line]:
    """The lines about calls that are sent."""
    return [line for line in lines(path) if line["line"] == "call"]


def cut(path: Path, kind: str, nth: int = 1) -> None:
    """Leave of a journal what was in it when the process was killed: all lines up to the nth of a kind."""
    kept, seen = [], 0
    for text in path.read_text().splitlines(keepends=True):
        kept.append(text)
        seen += json.loads(text)["line"] == kind
        if seen == nth:
            break
    path.write_text("".join(kept))
