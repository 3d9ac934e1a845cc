"""Tokens to text, line by line."""

from __future__ import annotations

import re
from itertools import pairwise

from reconciler.fmt.tokens import (
    ALIAS,
    BLOCK_STYLES,
    COMMENT,
    GONE,
    NEWLINE,
    PROPERTY,
    SCALAR,
    Token,
    indentation,
)

_HEAD = re.compile(r"([|>])([0-9+-]*)([ \t]*)(.*)", re.DOTALL)


def text_of(tokens: list[Token]) -> str:
    """The text: no two empty lines in a row, none at either end, no white space at ends of lines."""
    lines: list[str] = []
    line: list[Token] = []
    keeps = False
    for token in tokens:
        if token.kind == NEWLINE:
            keeps = _add(lines, line, keeps=keeps)
            line = []
        elif token.kind != GONE:
            line.append(token)
    _add(lines, line, keeps=keeps)
    if lines and not lines[-1]:
        lines.pop()
    return "".join(f"{line}\n" for line in lines)


def _add(lines: list[str], line: list[Token], *, keeps: bool) -> bool:
    """Add a line; an empty one not twice, and not where a scalar keeps the empty lines below it. Tell whether this one does."""
    if not line:
        if lines and lines[-1] and not keeps:
            lines.append("")
        return keeps
    lines.append(_line(line))
    return _keeps_empty_lines(line[-1])


def _keeps_empty_lines(token: Token) -> bool:
    is_block = token.kind == SCALAR and token.event.style in BLOCK_STYLES
    return is_block and "+" in token.text.partition("\n")[0].partition("#")[0]


def _line(line: list[Token]) -> str:
    first = line[0]
    parts = [" " * first.column, _written(first)]
    for before, token in pairwise(line):
        parts += [_gap(before, token), _written(token)]
    return "".join(parts)


def _gap(before: Token, token: Token) -> str:
    """White space between two tokens of a line."""
    if token.kind == COMMENT:
        return token.gap.replace("\t", " ") or " "
    if before.kind in ("{", "["):
        return ""
    if token.kind in (",", "}", "]"):
        return " " if before.kind == ":" or (before.kind in (ALIAS, PROPERTY) and token.gap) else ""
    if token.kind == ":":
        is_open = before.kind in (ALIAS, PROPERTY, "?") or (token.gap and before.text.endswith(":"))
        return " " if is_open else ""
    return " "


def _written(token: Token) -> str:
    if token.kind != SCALAR:
        return token.text.rstrip(" \t")
    if token.event.style in BLOCK_STYLES:
        return _block(token)
    return _wrapped(token) if "\n" in token.text else token.text


def _wrapped(token: Token) -> str:
    """A scalar of several lines: white space around its line breaks means nothing, but behind a backslash."""
    first, *rest = token.text.split("\n")
    margin = " " * token.column
    lines = [first if _is_escaped(first) else first.rstrip(" \t")]
    for line in rest:
        inner = line.lstrip(" \t")
        inner = inner if _is_escaped(inner) else inner.rstrip(" \t")
        lines.append(margin + inner if inner else "")
    return "\n".join(lines)


def _is_escaped(line: str) -> bool:
    return line.rstrip(" \t").endswith("\\")


def _block(token: Token) -> str:
    """A block scalar, with its content two columns further in than what it belongs to."""
    head, *lines = token.text.split("\n")
    sign, marks, gap, comment = _HEAD.match(head).groups()  # type: ignore[union-attr]
    old = indentation(lines, token.event.value)
    margin = " " * token.column
    if any(mark.isdigit() for mark in marks):
        marks = re.sub("[0-9]", "2", marks)
    inner = [line[old:] if len(line) > old or line.strip(" ") else "" for line in lines]
    marks, inner = _chomped(marks, inner, token.event.value)
    content = [margin + line if line else "" for line in inner]
    behind = (gap.replace("\t", " ") or " ") + comment.rstrip(" \t") if comment else ""
    return "\n".join((sign + marks + behind, *content))


def _chomped(marks: str, lines: list[str], value: str) -> tuple[str, list[str]]:
    """At the end of a file without a newline a block scalar has fewer of them than it says."""
    if "-" in marks or not any(line.strip(" ") for line in lines):
        return marks, lines
    ends = len(value) - len(value.rstrip("\n"))
    bare = marks.replace("+", "")
    if ends == 0:
        return f"{bare}-", _without_empty_ends(lines)
    if ends == 1 and not lines[-1] and "+" in marks:
        return bare, _without_empty_ends(lines)
    return marks, lines


def _without_empty_ends(lines: list[str]) -> list[str]:
    kept = list(lines)
    while kept and not kept[-1]:
        kept.pop()
    return kept
