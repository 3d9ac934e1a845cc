"""Journals as tests look at them and cut them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.journal import Journal

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


def fill_up(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let the disk take so many lines of a journal and no more."""
    taken = [0]
    write = Journal._write

    def full(self: Journal, data: bytes, *, sync: bool) -> None:
        taken[0] += 1
        if taken[0] > room:
            raise OSError(28, "No space left on device")
        write(self, data, sync=sync)

    monkeypatch.setattr(Journal, "_write", full)
