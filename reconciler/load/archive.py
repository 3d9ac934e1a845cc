"""The merged tree of the files as JSON and back, marks included: the desired state without the files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.load import Document
from reconciler.load.tree import FILE, Map, Seq, Sources


@dataclass(frozen=True, slots=True)
class Archive:
    """A document as plain data.

    Attributes:
        files: names of the files, as they were given.
        tree: what they hold, merged and interpolated.
        marks: of the root, then of all that is in the tree, in its order: of every key, its value, and what is in that.
        removed: what overlays take out, with marks.
    """

    files: tuple[str, ...]
    tree: dict[str, Any]
    marks: tuple[int, ...]
    removed: tuple[tuple[str, int], ...] = ()


class Elsewhere(Sources):
    """Files of which only the names are known: nobody knows what stands in them now."""

    def text_at(self, mark: int) -> str:  # noqa: ARG002 - as the files' own
        """Return nothing."""
        return ""


def archived(document: Document) -> Archive:
    """Put a document away."""
    marks = (document.root.at, *_marks(document.root))
    files = tuple(map(str, document.sources.files))
    return Archive(files, _plain(document.root), marks, tuple(document.removed))


def restored(archive: Archive) -> tuple[Map, Sources, list[tuple[str, int]]]:
    """The tree, the way from marks to places, and what overlays take out.

    Raises:
        ValueError: the marks do not belong to the tree, or lead to no file.
    """
    sources = Elsewhere()
    for file in archive.files:
        sources.add(Path(file))
    marks = iter(archive.marks)
    try:
        root = _with_marks(archive.tree, next(marks), marks)
    except StopIteration:
        raise ValueError("there are fewer marks than there should be") from None
    if next(marks, None) is not None:
        raise ValueError("there are more marks than there should be")
    if any(not 0 <= mark >> FILE < len(archive.files) for mark in (*archive.marks, *_second(archive.removed))):
        raise ValueError("a mark leads to no file")
    return root, sources, list(archive.removed)


def _second(pairs: tuple[tuple[str, int], ...]) -> list[int]:
    return [mark for _, mark in pairs]


def _plain(node: Any) -> Any:
    if isinstance(node, Map):
        return {key: _plain(value) for key, value in node.items()}
    return [_plain(item) for item in node] if isinstance(node, Seq) else node


def _marks(node: Any) -> Iterator[int]:
    if isinstance(node, Map):
        for key, value in node.items():
            yield node.keys_at[key]
            yield node.values_at[key]
            yield from _inner(value)
    elif isinstance(node, Seq):
        for item, at in zip(node, node.items_at, strict=True):
            yield at
            yield from _inner(item)


def _inner(node: Any) -> Iterator[int]:
    if isinstance(node, Map | Seq):
        yield node.at
        yield from _marks(node)


def _with_marks(node: Any, at: int, marks: Iterator[int]) -> Any:
    if isinstance(node, dict):
        found = Map(at)
        for key, value in node.items():
            key_at, value_at = next(marks), next(marks)
            found.put(key, _inside(value, marks), key_at, value_at)
        return found
    listed = Seq(at)
    for item in node:
        item_at = next(marks)
        listed.put(_inside(item, marks), item_at)
    return listed


def _inside(node: Any, marks: Iterator[int]) -> Any:
    return _with_marks(node, next(marks), marks) if isinstance(node, dict | list) else node
