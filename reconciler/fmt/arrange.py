"""Keys in the order of the models, each with the comments that speak of it."""

from __future__ import annotations

from itertools import chain

from reconciler.fmt.comments import Span, line_end, spans
from reconciler.fmt.shapes import NOTHING, Shape
from reconciler.fmt.tokens import ALIAS, COMMENT, NEWLINE, PROPERTY, Token
from reconciler.fmt.tree import Entry, Node

_MERGE = "<<"


def arrange(node: Node, shape: Shape, tokens: list[Token]) -> None:
    """Put the keys of all mappings in order, in place; where they cannot be moved safely, they stay."""
    if node.is_list:
        for entry in node.entries:
            arrange(entry.value, shape.items or NOTHING, tokens)
        return
    if not node.is_map:
        return
    order = _order(node, shape)
    moves = order != sorted(order) and _may_move(node.entries, order, tokens)
    # What belongs to an entry shows only before anything inside of it moves.
    found = spans(node, tokens) if moves and node.is_block else []
    for entry in node.entries:
        arrange(entry.value, shape.at(entry.name), tokens)
    if found:
        _arrange_block(found, order, tokens)
    elif moves and node.opening >= 0:
        _arrange_flow(node, order, tokens)


def _order(node: Node, shape: Shape) -> list[int]:
    """Indices of entries in the order of their keys; unknown ones come last, as they stand."""
    if not shape.fields:
        return []
    ranks = {name: rank for rank, name in enumerate(shape.fields)}
    return sorted(range(len(node.entries)), key=lambda index: _rank(node.entries[index], ranks))


def _rank(entry: Entry, ranks: dict[str, int]) -> int:
    if entry.name == _MERGE and entry.key and entry.key.event.implicit[0]:
        return -1
    return ranks.get(entry.name, len(ranks))


def _may_move(entries: list[Entry], order: list[int], tokens: list[Token]) -> bool:
    """Tell whether all that mentions an anchor that is made here stays in its order, so that aliases mean what they meant."""
    if any(entry.is_explicit for entry in entries):
        return False
    made = {name for entry in entries for name in _names(entry, PROPERTY, "&", tokens)}
    if not made:
        return True
    mentions: dict[str, list[int]] = {name: [] for name in made}
    for index in order:
        entry = entries[index]
        for name in (_names(entry, PROPERTY, "&", tokens) | _names(entry, ALIAS, "*", tokens)) & made:
            mentions[name].append(index)
    return all(indices == sorted(indices) for indices in mentions.values())


def _names(entry: Entry, kind: str, sign: str, tokens: list[Token]) -> set[str]:
    part = tokens[entry.first : entry.last + 1]
    return {token.text.removeprefix(sign) for token in part if token.kind == kind and token.text.startswith(sign)}


def _arrange_block(found: list[Span], order: list[int], tokens: list[Token]) -> None:
    if found[0].first > 0 and tokens[found[0].first - 1].kind != NEWLINE:
        _arrange_compact(found, order, tokens)
        return
    chunks = [tokens[span.lead : span.end + 1] for span in found]
    _swap_empty_lines(chunks[0], chunks[order[0]])
    separators = [tokens[span.end + 1] for span in found[:-1]]
    tokens[found[0].lead : found[-1].end + 1] = _joined([chunks[index] for index in order], separators)


def _swap_empty_lines(first: list[Token], new_first: list[Token]) -> None:
    """The empty lines above what is to be first go above what was first."""
    while new_first and new_first[0].kind == NEWLINE:
        first.insert(0, new_first.pop(0))


def _joined(chunks: list[list[Token]], separators: list[Token]) -> list[Token]:
    return [
        *chunks[0],
        *chain.from_iterable((mark, *chunk) for mark, chunk in zip(separators, chunks[1:], strict=True)),
    ]


def _arrange_compact(found: list[Span], order: list[int], tokens: list[Token]) -> None:
    """The first key stands behind a dash: comments of what is to be first go above the dash."""
    dash = found[0].first - 1
    if tokens[dash].kind != "-" or (dash > 0 and tokens[dash - 1].kind != NEWLINE):
        return
    chunks = [tokens[found[0].first : found[0].end + 1], *(tokens[span.lead : span.end + 1] for span in found[1:])]
    leads = [0, *(span.first - span.lead for span in found[1:])]
    _swap_empty_lines(chunks[0], chunks[order[0]])
    first = chunks[order[0]]
    length = leads[order[0]] - (len(tokens[found[order[0]].lead : found[order[0]].end + 1]) - len(first))
    above, chunks[order[0]] = first[:length], first[length:]
    for token in above:
        token.column = tokens[dash].column
    separators = [tokens[span.end + 1] for span in found[:-1]]
    rest = _joined([chunks[index] for index in order], separators)
    tokens[dash : found[-1].end + 1] = [*above, tokens[dash], *rest]


def _arrange_flow(node: Node, order: list[int], tokens: list[Token]) -> None:
    """Between brackets: what parts the entries stays where it is, unless each has lines of its own, with comments."""
    entries = node.entries
    borders = [node.opening, *chain.from_iterable((entry.first, entry.last) for entry in entries), node.last]
    gaps = [tokens[before + 1 : after] for before, after in zip(borders[::2], borders[1::2], strict=True)]
    pieces = [tokens[entry.first : entry.last + 1] for entry in entries]
    if not any(token.kind == COMMENT for token in chain.from_iterable(gaps)):
        moved = [pieces[index] for index in order]
        whole = chain(gaps[0], *(part for piece, gap in zip(moved, gaps[1:], strict=True) for part in (piece, gap)))
        tokens[node.opening + 1 : node.last] = list(whole)
    elif all(any(token.kind == NEWLINE for token in gap) for gap in gaps):
        _arrange_lines(node, order, tokens)


def _arrange_lines(node: Node, order: list[int], tokens: list[Token]) -> None:
    entries = node.entries
    commas = [_comma(entry, tokens) for entry in entries]
    ends = [line_end(comma or entry.last, tokens) for entry, comma in zip(entries, commas, strict=True)]
    starts = [line_end(node.opening, tokens) + 2, *(end + 2 for end in ends[:-1])]
    if any(tokens[start - 1].kind != NEWLINE for start in starts) or any(
        comma and comma != entry.last + 1 for entry, comma in zip(entries, commas, strict=True)
    ):
        return
    built: list[Token] = []
    for place, index in enumerate(order):
        comma = commas[place]
        built += tokens[starts[index] : entries[index].last + 1]
        built += [tokens[comma]] if comma else []
        built += tokens[(commas[index] or entries[index].last) + 1 : ends[index] + 1]
        built += [tokens[ends[place] + 1]] if place + 1 < len(order) else []
    tokens[starts[0] : ends[-1] + 1] = built


def _comma(entry: Entry, tokens: list[Token]) -> int:
    """Index of the comma after an entry, or 0."""
    index = entry.last + 1
    while tokens[index].kind in (COMMENT, NEWLINE):
        index += 1
    return index if tokens[index].kind == "," else 0
