"""Values in their shortest form: lists of one, lengths of time, empty objects, and quotes only where they are needed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ruamel.yaml.events import ScalarEvent
from ruamel.yaml.resolver import implicit_resolvers

from reconciler.export.scalars import key_text
from reconciler.fmt.shapes import NOTHING, Shape
from reconciler.fmt.tokens import NEWLINE, SCALAR, Token
from reconciler.fmt.tree import Node
from reconciler.load.scalars import NULLS, plain
from schemas._core.fields import duration, seconds

_OLD = (1, 1)
_OTHERWISE_READ = [pattern for versions, _, pattern, _ in implicit_resolvers if _OLD in versions]
"""What YAML 1.1 takes for something else than text: `NO`, `on`, `1_000`, `2001-12-14`, `22:22`."""

_ONE_LETTER = frozenset("yYnN")


def shorten(node: Node, shape: Shape, tokens: list[Token]) -> None:
    """Put values into their short forms, as far as the models have some.

    What has an anchor stays as it is: its alias may stand where the short form means something else.
    """
    if node.event.anchor is not None:
        return
    if node.is_map:
        for entry in node.entries:
            _shorten_value(entry.value, shape.at(entry.name), tokens)
    elif node.is_list:
        for entry in node.entries:
            shorten(entry.value, shape.items or NOTHING, tokens)


def _shorten_value(node: Node, shape: Shape, tokens: list[Token]) -> None:
    if shape.single and node.is_list:
        _unlist(node, tokens)
    elif shape.is_duration and _is_own_text(node):
        tokens[node.last].text = _duration(node.event.value, tokens[node.last].text)
    elif shape.may_be_empty and _says_nothing(node, tokens):
        for token in tokens[node.first : node.last + 1]:
            token.remove()
    shorten(node, shape, tokens)


def _is_own_text(node: Node) -> bool:
    """It is a scalar in one line, without anchor and tag."""
    event = node.event
    is_plain = isinstance(event, ScalarEvent) and event.anchor is None and event.tag is None
    return is_plain and node.first == node.last and event.style not in ("|", ">")


def _unlist(node: Node, tokens: list[Token]) -> None:
    """Write a list of one text as that text."""
    if len(node.entries) != 1 or node.event.anchor is not None or node.event.tag is not None:
        return
    item = node.entries[0].value
    if not _is_own_text(item) or "\n" in tokens[item.last].text or not is_safe_alone(item.event):
        return
    first = node.first
    if node.opening < 0:
        while tokens[first - 1].kind == NEWLINE:
            first -= 1
    around = [token for token in tokens[first : node.last + 1] if token is not tokens[item.last]]
    if all(token.kind in (NEWLINE, "-", "[", "]", ",") for token in around) and tokens[first - 1].kind == ":":
        for token in around:
            token.remove()
        tokens[item.last].is_flow = tokens[first - 1].is_flow


def is_safe_alone(event: Any) -> bool:
    """It is text, and no variable, which might be a list."""
    value = event.value
    return "${" not in value and "\n" not in value and (not event.implicit[0] or _is_text(value))


def _is_text(value: str) -> bool:
    return isinstance(plain(value), str)


def _duration(value: str, written: str) -> str:
    """A length of time as nbsync itself writes it: `1h30m` for `90m`."""
    shortest = canonical_duration(value)
    return written if shortest == value else written.replace(value, shortest)


def canonical_duration(value: str) -> str:
    """The shortest text of a duration; of anything else, the text itself."""
    try:
        length = seconds(value)
    except ValueError:
        return value
    return duration(length) if length else value


def _says_nothing(node: Node, tokens: list[Token]) -> bool:
    event = node.event
    if node.last < 0 or event.anchor is not None or event.tag is not None or tokens[node.first].is_flow:
        return False
    if node.is_map:
        return event.flow_style and not node.entries and node.last == node.first + 1 and not _is_inner(node, tokens)
    return bool(isinstance(event, ScalarEvent) and event.implicit[0] and event.value in NULLS) and not _is_inner(
        node, tokens
    )


def _is_inner(node: Node, tokens: list[Token]) -> bool:
    """It does not stand behind its key."""
    return tokens[node.first - 1].kind != ":"


def requote(tokens: list[Token]) -> None:
    """Take quotes away where they are not needed, and prefer double ones where they are.

    What does not show in an editor, a bidi mark among it, stays as it is written: perhaps as an escape that does.
    """
    for token in tokens:
        if token.kind == SCALAR and token.text[0] in "'\"" and token.event.tag is None and "\n" not in token.text:
            token.text = _spelled(token)


def _spelled(token: Token) -> str:
    value: str = token.event.value
    if not value.isprintable():
        return token.text
    if token.text[1:-1] != value and canonical_duration(value) == token.text[1:-1]:
        value = token.text[1:-1]
    if not is_misread(value) and key_text(value, flow=token.is_flow) == value:
        return value
    if token.text[0] == "'" and not set(value) & set('"\\'):
        return f'"{value}"'
    return token.text


@lru_cache(maxsize=100_000)
def is_misread(text: str) -> bool:
    """Tell whether readers of YAML 1.1, people among them, would take plain text for something else."""
    return not text or text in _ONE_LETTER or any(pattern.match(text) for pattern in _OTHERWISE_READ)
