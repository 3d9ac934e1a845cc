"""YAML as people write it: small mappings and lists in one line, larger ones line by line, comments above what they speak of.

Only scalars go through ruamel.yaml: its emitter takes some 100 microseconds for each of the 100,000 nodes of a large account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from textwrap import wrap
from typing import Any

from reconciler.export.scalars import key_text, value_text
from reconciler.redact import clean

WIDTH = 100
"""Columns up to which a mapping or list stands in one line."""
LONGEST_KEY = 1000
"""Characters up to which YAML takes a key for one without a question mark before it (it says 1024)."""
INDENT = "  "


class Block(dict[str, Any]):
    """A mapping that is written line by line; `comments` stand above its keys."""

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(items)
        self.comments: dict[str, list[str]] = {}

    def put(self, key: str, value: Any, comments: Sequence[str] = ()) -> None:
        """Set a key, with comments above it."""
        self[key] = value
        if comments:
            self.comments[key] = list(comments)


class Rows(list[Any]):
    """A list that is written item by item; `comments` stand above its items."""

    def __init__(self) -> None:
        super().__init__()
        self.comments: dict[int, list[str]] = {}

    def put(self, value: Any, comments: Sequence[str] = ()) -> None:
        """Append an item, with comments above it."""
        if comments:
            self.comments[len(self)] = list(comments)
        self.append(value)


def document(root: Block) -> str:
    """The text of a file, with an empty line between its larger parts."""
    parts = ["\n".join(_entry(root, key, "")) for key in root]
    text = parts[0] if parts else ""
    for before, part in pairwise(parts):
        text += ("\n\n" if "\n" in before + part else "\n") + part
    return text + "\n"


def comment(text: str, margin: str = "") -> Iterator[str]:
    """Lines of a comment. What it quotes may hold anything."""
    lines = wrap(clean(text), max(WIDTH - len(margin) - 2, 40), break_long_words=False, break_on_hyphens=False)
    return (f"{margin}# {line}" for line in lines)


def _entry(block: Block | Mapping[str, Any], key: str, margin: str) -> Iterator[str]:
    if isinstance(block, Block):
        for text in block.comments.get(key, ()):
            yield from comment(text, margin)
    said = key_text(key)
    head = f"{margin}{said}:" if len(said) < LONGEST_KEY else f"{margin}? {said}\n{margin}:"
    yield from _after(head, block[key], margin)


def _after(head: str, value: Any, margin: str) -> Iterator[str]:
    """A value behind its key or dash: in one line if it is small enough, else below."""
    if value is None:
        yield head
        return
    one = f"{head} {_inline(value)}" if not isinstance(value, Block | Rows) else ""
    if one and (len(one) <= WIDTH or not value or not isinstance(value, Mapping | list)):
        yield one
        return
    yield head
    yield from _below(value, margin + INDENT)


def _below(value: Any, margin: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key in value:
            yield from _entry(value, key, margin)
        return
    for index, item in enumerate(value):
        if isinstance(value, Rows):
            for text in value.comments.get(index, ()):
                yield from comment(text, margin)
        yield from _item(item, margin)


def _item(item: Any, margin: str) -> Iterator[str]:
    """An item of a list; a mapping begins behind the dash."""
    one = f"{margin}- {_inline(item)}"
    if len(one) <= WIDTH or not item or not isinstance(item, Mapping | list):
        yield one
        return
    first, *rest = _below(item, margin + INDENT)
    yield f"{margin}- {first.removeprefix(margin + INDENT)}"
    yield from rest


def _inline(value: Any) -> str:
    """A value in one line, as it stands between brackets; a scalar as it stands alone."""
    if isinstance(value, Mapping | list):
        return _flow(value)
    return value_text(value, flow=False)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key_text(key, flow=True)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value_text(value, flow=True)
