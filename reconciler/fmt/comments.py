"""Whose comments are whose: those above an entry are its own, those further in belong to what is above them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from reconciler.fmt.tokens import BLOCK_STYLES, COMMENT, NEWLINE, Token
from reconciler.fmt.tree import INDENT, Entry, Node

_FOR_EDITORS = ("# yaml-language-server:", "# vim:", "# -*-")
"""Comments about the whole file, which stay at its head."""


class Span(NamedTuple):
    """Tokens of an entry of a block: from its comments (`lead`) over its first own token to its end, its comments inside included."""

    lead: int
    first: int
    end: int


def spans(node: Node, tokens: list[Token]) -> list[Span]:
    """Tell of every entry of a block what belongs to it; between two of them is one end of a line."""
    found: list[Span] = []
    for index, entry in enumerate(node.entries):
        after = node.entries[index + 1].first if index + 1 < len(node.entries) else None
        lead = _end(found[-1].end, tokens) + 1 if found else _lead(entry.first, tokens)
        end = _last_inside(entry, after, tokens)
        found.append(Span(lead, entry.first, end))
    return found


def _end(last: int, tokens: list[Token]) -> int:
    """The end of the line after an entry."""
    return min(last + 1, len(tokens) - 1)


def line_end(last: int, tokens: list[Token]) -> int:
    """The last token of the line on which `last` stands: itself, or the comment behind it."""
    following = last + 1
    return following if following < len(tokens) and tokens[following].kind == COMMENT else last


def _lead(first: int, tokens: list[Token]) -> int:
    """Where the comments right above the first entry of a block begin; what an empty line parts from it is a heading."""
    while (comment := first - 2) >= 0 and tokens[first - 1].kind == NEWLINE and tokens[comment].kind == COMMENT:
        is_behind_key = comment > 0 and tokens[comment - 1].kind != NEWLINE
        if is_behind_key or tokens[comment].text.startswith(_FOR_EDITORS):
            break
        first = comment
    return first


def _last_inside(entry: Entry, after: int | None, tokens: list[Token]) -> int:
    """The last token of an entry, with the comments below it that stand further in than what comes after it."""
    end = line_end(entry.last, tokens)
    margin = tokens[entry.first].at
    for index in _comment_lines(end + 1, after, tokens):
        if tokens[index].at <= margin:
            break
        end = index
    return end


def _comment_lines(start: int, stop: int | None, tokens: list[Token]) -> Iterator[int]:
    index = start
    while index < (len(tokens) if stop is None else stop) and tokens[index].kind in (COMMENT, NEWLINE):
        if tokens[index].kind == COMMENT:
            yield index
        index += 1


def place_comments(node: Node, tokens: list[Token]) -> None:
    """Give the comments between the entries of all blocks their columns."""
    if not node.is_block:
        return
    for entry in node.entries:
        place_comments(entry.value, tokens)
        if entry.value.is_block:
            _before(entry.value, tokens)
    for index, entry in enumerate(node.entries):
        after = node.entries[index + 1].first if index + 1 < len(node.entries) else None
        if after is not None:
            _between(node, entry, after, tokens)


def place_ends(root: Node, tokens: list[Token]) -> None:
    """Give the comments before and after all blocks their columns."""
    _before(root, tokens)
    if root.is_block:
        _between(root, root.entries[-1], None, tokens)


def _before(node: Node, tokens: list[Token]) -> None:
    index = node.first - 1
    while index >= 0 and tokens[index].kind in (COMMENT, NEWLINE):
        tokens[index].column = node.column
        index -= 1


def _between(node: Node, entry: Entry, after: int | None, tokens: list[Token]) -> None:
    levels = list(_levels(node, entry, tokens))
    margin = levels[0][0]
    is_above = False
    for index in _comment_lines(line_end(entry.last, tokens) + 1, after, tokens):
        token = tokens[index]
        is_above = is_above or token.at <= margin
        token.column = node.column if is_above else _inside(token.at, levels, tokens[entry.last])


def _inside(at: int, levels: list[tuple[int, int]], last: Token) -> int:
    for old, new in levels[1:]:
        if old >= at:
            return new
    is_block = last.event is not None and getattr(last.event, "style", None) in BLOCK_STYLES
    # Further in it would be taken for a line of the block scalar above it.
    return levels[-1][1] + (0 if is_block else INDENT)


def _levels(node: Node, entry: Entry, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Columns, old and new, of all blocks that end with an entry, outermost first."""
    while True:
        yield tokens[entry.first].at, node.column
        if not entry.value.is_block:
            return
        node, entry = entry.value, entry.value.entries[-1]
