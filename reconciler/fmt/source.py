"""A text with all that is known of it: its events, its tokens, and what the loader makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from reconciler.errors import Diagnostic
from reconciler.fmt.shapes import NOTHING, Shape
from reconciler.fmt.tokens import ALIAS, BLOCK_STYLES, COMMENT, PROPERTY, SCALAR, Token, tokens_of
from reconciler.fmt.words import canonical_duration
from reconciler.load.builder import Builder, Stop
from reconciler.load.events import attempts
from reconciler.load.findings import Budget, Findings, TooManyErrors
from reconciler.load.tree import Map, Seq, Sources
from reconciler.load.yaml import load


class Invalid(Exception):
    """A text that the loader does not take, and why."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__()
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True)
class Source:
    """One text, read: its events, its root mapping (None: it is empty), and the way back to places."""

    text: str
    events: list[Any]
    root: Map | None
    sources: Sources


def read_source(text: str, path: Path) -> Source:
    """Read a text, whose lines end in newlines alone.

    Raises:
        Invalid: it is no YAML, or not the YAML that nbsync takes.
    """
    for attempt in attempts(text):
        sources = Sources()
        findings, events = Findings(sources), list[Any]()
        builder = Builder(_noted(attempt(), events), sources.add(path), Budget().nodes, findings)
        root = None
        try:
            root = builder.document()
        except (Stop, TooManyErrors):
            pass
        except YAMLError:
            continue
        if findings.diagnostics:
            raise Invalid(findings.diagnostics)
        return Source(text, events, root, sources)
    raise Invalid(_failures(text, path))


def _noted(events: Iterator[Any], notes: list[Any]) -> Iterator[Any]:
    """Events as they are asked for: what is nested too deep is not read to its end."""
    for event in events:
        notes.append(event)
        yield event


def _failures(text: str, path: Path) -> list[Diagnostic]:
    """What the loader says of a text that is no YAML."""
    findings = Findings(Sources())
    load(text, findings.sources.add(path), Budget(), findings)
    return findings.diagnostics


def says_the_same(one: Source, other: Source, shape: Shape) -> bool:
    """Tell whether two texts mean the same, and have the same comments, anchors and aliases."""
    return _Comparison().same(one.root, other.root, shape) and _remarks(one) == _remarks(other)


def _remarks(source: Source) -> Counter[str]:
    found: Counter[str] = Counter()
    for token in tokens_of(source.text, source.events):
        if token.kind in (COMMENT, PROPERTY, ALIAS):
            found[token.text.rstrip(" \t")] += 1
        elif token.kind == SCALAR and token.event.style in BLOCK_STYLES:
            found[_comment_of_block(token)] += 1
    return found


def _comment_of_block(token: Token) -> str:
    _, sign, comment = token.text.partition("\n")[0].partition("#")
    return (sign + comment).rstrip(" \t")


class _Comparison:
    """Compares trees; each pair of parts once, however many aliases lead to it."""

    def __init__(self) -> None:
        self._same: dict[tuple[int, int, int], bool] = {}

    def same(self, one: Any, other: Any, shape: Shape) -> bool:
        """Tell whether two values mean the same where `shape` says what stands there."""
        one, other = _in_short(one, shape), _in_short(other, shape)
        if not isinstance(one, (Map, Seq)):
            return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124 - NaN
        pair = id(one), id(other), id(shape)
        if pair not in self._same:
            self._same[pair] = self._same_inside(one, other, shape)
        return self._same[pair]

    def _same_inside(self, one: Any, other: Any, shape: Shape) -> bool:
        if type(one) is not type(other) or len(one) != len(other):
            return False
        if isinstance(one, Map):
            return one.keys() == other.keys() and all(self.same(one[key], other[key], shape.at(key)) for key in one)
        items = shape.items or NOTHING
        return all(self.same(mine, others, items) for mine, others in zip(one, other, strict=True))


def _in_short(value: Any, shape: Shape) -> Any:
    """A value as its short form has it."""
    if shape.single and isinstance(value, Seq) and len(value) == 1 and isinstance(value[0], str):
        return value[0]
    if shape.is_duration and isinstance(value, str):
        return canonical_duration(value)
    return None if shape.may_be_empty and isinstance(value, Map) and not value else value
