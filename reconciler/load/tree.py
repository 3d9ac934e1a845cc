"""The raw tree of the files: plain values that remember where they were written.

A mark is one packed integer (file, line, column): an account of 10,000 objects has some 300,000 of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from reconciler.errors import Place
from reconciler.load.events import scalars

LINE = 25
FILE = 50
_LOW = (1 << LINE) - 1


def pack(file: int, line: int, column: int) -> int:
    """Return the mark of a position; `line` and `column` count from 0 and stay below 2**25."""
    return file << FILE | line << LINE | column


class Map(dict[str, Any]):
    """A mapping of the files, with the mark of itself, of every key and of every value."""

    __slots__ = ("at", "keys_at", "values_at")

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.keys_at: dict[str, int] = {}
        self.values_at: dict[str, int] = {}

    def put(self, key: str, value: object, key_at: int, value_at: int) -> None:
        """Set `key` to `value`, together with the marks of both."""
        self[key] = value
        self.keys_at[key] = key_at
        self.values_at[key] = value_at

    def take(self, key: str, source: Map) -> None:
        """Set `key` to what `source` has there, with its marks."""
        self.put(key, source[key], source.keys_at[key], source.values_at[key])

    def drop(self, key: str) -> None:
        """Remove `key`, if it is there, together with its marks."""
        for part in (self, self.keys_at, self.values_at):
            part.pop(key, None)

    def copy(self) -> Map:
        """Return a new map with the same values (not copies of them) and marks."""
        copy = Map(self.at)
        copy.update(self)
        copy.keys_at.update(self.keys_at)
        copy.values_at.update(self.values_at)
        return copy


class Seq(list[Any]):
    """A list of the files, with the mark of itself and of every item."""

    __slots__ = ("at", "items_at")

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.items_at: list[int] = []

    def put(self, value: object, at: int) -> None:
        """Append `value`, together with its mark."""
        self.append(value)
        self.items_at.append(at)

    def join(self, other: Seq) -> None:
        """Append the items of `other`, together with their marks."""
        self.extend(other)
        self.items_at.extend(other.items_at)

    def copy(self) -> Seq:
        """Return a new list with the same items (not copies of them) and marks."""
        copy = Seq(self.at)
        copy.join(self)
        return copy


def locate(root: Map, path: Sequence[str | int], *, key: bool = False) -> int:
    """Return the mark of the value at `path`, or of the deepest part of the path that exists.

    With `key`, it is the mark of the key instead of the value, where the part that was found stands in a map.
    """
    node: Any = root
    at = root.at
    for step in path:
        if isinstance(node, Map) and step in node:
            at = (node.keys_at if key else node.values_at)[str(step)]
        elif isinstance(node, Seq) and isinstance(step, int) and 0 <= step < len(node):
            at = node.items_at[step]
        else:
            break
        node = node[step]
    return at


class Sources:
    """The files that were read, and the way back from a mark to a place in one of them."""

    def __init__(self) -> None:
        self.files: list[Path] = []
        self._scalars = lru_cache(maxsize=8)(self._read)

    def add(self, path: Path) -> int:
        """Enter a file into the table and return its index."""
        self.files.append(path)
        return len(self.files) - 1

    def path(self, mark: int) -> Path:
        """Return the file in which `mark` stands."""
        return self.files[mark >> FILE]

    def place(self, mark: int) -> Place:
        """Return the place of `mark`, its file as the user gave it."""
        file = str(self.path(mark)) if self.files else ""
        return Place(file, (mark >> LINE & _LOW) + 1, (mark & _LOW) + 1)

    def text_at(self, mark: int) -> str:
        """Return the scalar that stands at `mark` as it is written (`0.30`, `0x1f`), without quotes.

        It is empty where a map or a list stands, or where the file has changed or gone since it was read: the text is not
        kept but read again, so that only messages pay for it.
        """
        return self._scalars(self.path(mark)).get((mark >> LINE & _LOW, mark & _LOW), "")

    @staticmethod
    def _read(path: Path) -> dict[tuple[int, int], str]:
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, ValueError):
            return {}
        return scalars(text)
