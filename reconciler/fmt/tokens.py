"""The text of one file cut into tokens: all that YAML's events leave out is kept, comments and ends of lines among them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ruamel.yaml.events import AliasEvent, ScalarEvent

SCALAR, ALIAS, PROPERTY, COMMENT, NEWLINE, MARK, GONE = "scalar", "alias", "property", "comment", "newline", "mark", ""
"""Kinds of tokens; an indicator such as `{` or `-` is its own kind. What is taken out is GONE."""

TRIVIA = frozenset({COMMENT, NEWLINE, GONE})
BLOCK_STYLES = ("|", ">")

_BETWEEN = re.compile(
    r"(?P<space>[ \t]+)|(?P<newline>\n)|(?P<comment>\#[^\n]*)|(?P<property>!<[^>\n]*>|[&!][^ \t\n,\[\]{}]*)|(?P<sign>[{}\[\],:?-])"
)
_MARK = re.compile(r"(?:---|\.\.\.)(?=[ \t\n]|\Z)|%[^\n]*")


class Unformattable(Exception):
    """A text that is YAML, but laid out in a way that is not known here."""


class Token:
    """A piece of the text.

    Attributes:
        kind: what it is.
        text: as it is to be written; the lines of a multi-line scalar are indented only then.
        at: the column in which it stood.
        gap: the white space before it, on its line.
        event: of scalars and aliases.
        column: where it is to stand, should it be the first of its line.
        is_flow: it stands between brackets.
    """

    __slots__ = ("at", "column", "event", "gap", "is_flow", "kind", "text")

    def __init__(self, kind: str, text: str, at: int, gap: str, event: Any = None) -> None:
        self.kind = kind
        self.text = text
        self.at = at
        self.gap = gap
        self.event = event
        self.column = 0
        self.is_flow = False

    def remove(self) -> None:
        """Take it out; whoever counts tokens still counts it."""
        self.kind = GONE


def tokens_of(text: str, events: Iterable[Any]) -> list[Token]:
    """Cut a text, whose lines end in newlines alone, along its events.

    Raises:
        Unformattable: something stands between two events that is not known.
    """
    lexer = _Lexer(text)
    for event in events:
        if isinstance(event, ScalarEvent):
            lexer.scalar(event)
        elif isinstance(event, AliasEvent):
            lexer.between(event.start_mark.index)
            lexer.take(ALIAS, event.end_mark.index, event)
    lexer.between(len(text))
    return lexer.tokens


class _Lexer:
    def __init__(self, text: str) -> None:
        self.tokens: list[Token] = []
        self._text = text
        self._at = 0
        self._line = 0
        self._gap = ""

    def scalar(self, event: Any) -> None:
        """Take a scalar, with the anchor and the tag before it; one that is not written has no token."""
        self.between(event.start_mark.index)
        end = event.end_mark.index
        if event.anchor is not None or event.tag is not None:
            self.between(end, properties=True)
        if event.style in BLOCK_STYLES:
            end = self._end_of_block(event, end)
        if self._at < end:
            self.take(SCALAR, end, event)

    def between(self, end: int, *, properties: bool = False) -> None:
        """Take all tokens up to `end`, or, with `properties`, up to what is neither anchor nor tag nor comment."""
        while self._at < end:
            found = (self._at == self._line and _MARK.match(self._text, self._at)) or None
            if found and not properties:
                self.take(MARK, found.end())
                continue
            found = _BETWEEN.match(self._text, self._at)
            if found is None or (properties and found.lastgroup == "sign"):
                if properties:
                    return
                raise Unformattable(self._text[self._at : self._at + 20])
            self._take_found(found)

    def _take_found(self, found: re.Match[str]) -> None:
        if found.lastgroup == "space":
            self._gap = found[0]
            self._at = found.end()
        else:
            self.take(found[0] if found.lastgroup == "sign" else str(found.lastgroup), found.end())

    def take(self, kind: str, end: int, event: Any = None) -> None:
        """Take one token that ends at `end`."""
        text = self._text[self._at : end]
        self.tokens.append(Token(kind, text, self._at - self._line, self._gap, event))
        self._gap = ""
        self._at = end
        if "\n" in text:
            self._line = self._text.rindex("\n", 0, end) + 1

    def _end_of_block(self, event: Any, end: int) -> int:
        """Where the last line of a block scalar ends, without its newline.

        Empty lines after it belong to it only where it keeps them (`|+`).
        """
        head = self._text.find("\n", self._at)
        if not 0 <= head < end:
            return len(self._text) if head < 0 else head
        if self._text[end - 1] != "\n" and end < len(self._text):
            end = self._text.rindex("\n", 0, end) + 1
        lines = self._text[head + 1 : end].removesuffix("\n").split("\n") if end > head + 1 else []
        if "+" not in self._text[self._at : head].partition("#")[0]:
            indent = indentation(lines, event.value)
            while lines and len(lines[-1]) <= indent and not lines[-1].strip(" "):
                lines.pop()
        return head + len("\n".join(("", *lines)))


def indentation(lines: list[str], value: str) -> int:
    """Columns by which the content of a block scalar is indented, given its lines and its value."""
    content = next((line for line in lines if line.strip(" ")), None)
    inner = next((line for line in value.split("\n") if line.strip(" ")), None)
    if content is None or inner is None:
        longest = max(map(len, value.split("\n")))
        return max(map(len, lines), default=0) - longest
    return (len(content) - len(content.lstrip(" "))) - (len(inner) - len(inner.lstrip(" ")))
