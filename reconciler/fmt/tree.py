"""Tokens and events to a tree: which tokens a node, an entry of a mapping, an item of a list consists of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamStartEvent,
)

from reconciler.fmt.tokens import MARK, NEWLINE, PROPERTY, TRIVIA, Token, Unformattable

INDENT = 2
_NOT_NODES = (StreamStartEvent, DocumentStartEvent)


@dataclass(slots=True)
class Entry:
    """An entry of a mapping, or an item of a list (which has no key); `first` and `last` are indices of tokens."""

    key: Node | None
    value: Node
    first: int
    last: int
    is_explicit: bool = False

    @property
    def name(self) -> str:
        """Text of the key."""
        return self.key.event.value if self.key and isinstance(self.key.event, ScalarEvent) else ""


@dataclass(slots=True)
class Node:
    """A value. One that is not written at all has no tokens: its `last` is before its `first`.

    Attributes:
        event: the scalar, the alias, or the start of the mapping or list.
        column: where the entries of a block begin their lines.
        opening: the bracket, where there is one.
        in_list: it is an item of a block list.
    """

    event: Any
    column: int
    first: int
    last: int = -1
    entries: list[Entry] = field(default_factory=list)
    opening: int = -1
    in_list: bool = False

    @property
    def is_map(self) -> bool:
        """It is a mapping."""
        return isinstance(self.event, MappingStartEvent)

    @property
    def is_list(self) -> bool:
        """It is a list."""
        return isinstance(self.event, SequenceStartEvent)

    @property
    def is_block(self) -> bool:
        """It is a mapping or list without brackets, with at least one entry."""
        return bool(self.entries) and not self.event.flow_style


def tree_of(tokens: list[Token], events: list[Any]) -> Node | None:
    """Return the root node of the first document, if there is one, and give the tokens their columns.

    Raises:
        Unformattable: tokens and events do not fit together.
    """
    nodes = iter([event for event in events if not isinstance(event, _NOT_NODES)])
    first = next(nodes)
    if not isinstance(first, (AliasEvent, ScalarEvent, MappingStartEvent, SequenceStartEvent)):
        return None
    parser = _Parser(tokens, nodes)
    parser.skip_marks()
    return parser.node(first, -INDENT)


class _Parser:
    """Walks over tokens and events at once."""

    def __init__(self, tokens: list[Token], events: Iterator[Any]) -> None:
        self._tokens = tokens
        self._events = events
        self._at = 0
        self._last = -1
        self._column = 0
        self._depth = 0

    def skip_marks(self) -> None:
        """Pass over what stands before the document."""
        while self._peek() == MARK:
            self._take(MARK)

    def node(self, event: Any, outer: int, *, in_list: bool = False) -> Node:
        """Read a node that stands inside of a block whose lines begin in the column `outer`."""
        if not self._depth:
            self._column = outer + INDENT
        node = Node(event, outer + INDENT, len(self._tokens), in_list=in_list)
        for _ in range((event.anchor is not None) + (getattr(event, "tag", None) is not None)):
            if isinstance(event, AliasEvent):
                break
            node.first = min(node.first, self._take(PROPERTY))
        self._content(node)
        return node

    def _content(self, node: Node) -> None:
        event = node.event
        if isinstance(event, (ScalarEvent, AliasEvent)):
            if self._peek() is not None and self._tokens[self._at].event is event:
                node.first = min(node.first, self._advance())
        elif event.flow_style:
            self._flow(node)
        elif node.is_map:
            self._block_map(node)
        else:
            self._block_list(node)
        node.first, node.last = (node.first, self._last) if node.first < len(self._tokens) else (0, -1)

    def _block_map(self, node: Node) -> None:
        for event in self._until(MappingEndEvent):
            self._peek()
            first = self._at
            self._column = node.column
            entry = self._pair(event, node.column, first)
            node.entries.append(entry)
            node.first = min(node.first, first)
            self._tokens[first].column = node.column

    def _pair(self, event: Any, outer: int, first: int) -> Entry:
        """A key, its colon, and its value."""
        is_explicit = self._peek() == "?"
        if is_explicit:
            self._take("?")
        key = self.node(event, outer)
        if self._peek() == ":":
            colon = self._take(":")
            if is_explicit and not self._depth:
                self._tokens[colon].column = outer
        value = self.node(next(self._events), outer)
        return Entry(key, value, first, self._last, is_explicit)

    def _block_list(self, node: Node) -> None:
        for event in self._until(SequenceEndEvent):
            self._column = node.column
            first = self._take("-")
            value = self.node(event, node.column, in_list=True)
            node.entries.append(Entry(None, value, first, self._last))
            node.first = min(node.first, first)
            self._tokens[first].column = node.column

    def _flow(self, node: Node) -> None:
        opening, closing, end = ("{", "}", MappingEndEvent) if node.is_map else ("[", "]", SequenceEndEvent)
        if node.is_map and self._peek() != "{":  # the pair in [a: 1]
            for event in self._until(end):
                node.entries.append(self._pair(event, 0, self._at))
                node.first = min(node.first, node.entries[-1].first)
            return
        node.opening = self._take(opening)
        node.first = min(node.first, node.opening)
        before = self._column
        if not self._depth and not (node.in_list or self._begins_line(node.opening)):
            self._column -= INDENT
        margin = self._column
        self._column += INDENT
        self._depth += 1
        for event in self._until(end):
            self._entry_between_brackets(node, event)
            self._column = margin + INDENT
        self._peek()
        self._column = margin
        self._take(closing)
        self._depth -= 1
        self._column = before

    def _entry_between_brackets(self, node: Node, event: Any) -> None:
        self._peek()
        first = self._at
        if node.is_map:
            node.entries.append(self._pair(event, 0, first))
        else:
            value = self.node(event, 0)
            node.entries.append(Entry(None, value, first, self._last))
        if self._peek() == ",":
            self._take(",")

    def _begins_line(self, index: int) -> bool:
        return index == 0 or self._tokens[index - 1].kind == NEWLINE

    def _until(self, end: type[Any]) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _peek(self) -> str | None:
        """Kind of the next token that is neither comment nor end of line."""
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind not in TRIVIA:
                return token.kind
            self._place(token)
            self._at += 1
        return None

    def _take(self, kind: str) -> int:
        if self._peek() != kind:
            raise Unformattable(f"no {kind}")
        return self._advance()

    def _advance(self) -> int:
        """Pass over a token, and return its index."""
        self._place(self._tokens[self._at])
        self._last = self._at
        self._at += 1
        return self._last

    def _place(self, token: Token) -> None:
        token.column = max(self._column, 0)
        token.is_flow = self._depth > 0
