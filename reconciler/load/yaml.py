"""YAML events to a tree with positions.

YAML 1.2's core schema; keys are text; anchors, aliases and merge keys within limits; no tags but the core ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.load.events import Events, attempts
from reconciler.load.scalars import NULLS, plain, tagged
from reconciler.load.syntax import Failure, failure
from reconciler.load.tree import LINE, Findings, Map, Seq, pack

MAX_DEPTH = 100
_ODD_KEYS = NULLS | {"<<"}
_MAP = "tag:yaml.org,2002:map"
_SEQ = "tag:yaml.org,2002:seq"


@dataclass
class Budget:
    """How many more values all files together may hold; aliases and variables count as what they stand for."""

    nodes: int = 2_000_000


class _Stop(Exception):  # noqa: N818
    """The rest of the file is not read."""


class _Anchored(NamedTuple):
    """What an alias stands for, how many nodes that is, and how many levels."""

    value: Any
    nodes: int
    height: int


def load(text: str, file: int, budget: Budget, findings: Findings) -> Map | None:
    """Return the root mapping of one file, or None where it is empty or no YAML mapping; what is wrong goes to `findings`."""
    failures: list[tuple[Failure, Findings]] = []
    for attempt in attempts(text):
        builder = _Builder(attempt(), file, budget.nodes, Findings(findings.sources))
        try:
            root = builder.document()
        except _Stop:
            root = None
        except YAMLError as error:
            failures.append((failure(error, text), builder.findings))
            continue
        budget.nodes = builder.left
        findings.extend(builder.findings.diagnostics)
        return root
    # Every parser refuses something else first: what lies furthest is what all of them refuse.
    worst, before = max(failures, key=lambda pair: (pair[0].line, pair[0].column))
    findings.extend(before.diagnostics)
    findings.error(worst.code, worst.message, worst.help, pack(file, worst.line, worst.column))
    return None


class _Builder:
    """Builds the tree of one file from its events; problems that leave a readable tree are collected."""

    def __init__(self, events: Events, file: int, nodes: int, findings: Findings) -> None:
        self.findings = findings
        self.next = events.__next__
        self.base = pack(file, 0, 0)
        self.left = nodes
        self.deepest = 0
        self.anchors: dict[str, _Anchored | None] = {}

    def document(self) -> Map | None:
        """Return the root mapping of the only document, or None."""
        self.next()
        start = self.next()
        if start.__class__ is StreamEndEvent:
            return None
        if start.version is not None and tuple(start.version) != (1, 2):
            self.problem(
                "NBS005",
                "%YAML asks for another version than 1.2",
                "Remove the line: files are read as YAML 1.2.",
                start,
            )
        first = self.next()
        root = self.value(first, 0)
        self.next()
        after = self.next()
        if after.__class__ is DocumentStartEvent:
            self.problem("NBS005", "a second YAML document in one file", "Put it into a file of its own.", after)
        return self.root(root, first)

    def root(self, root: Any, first: Any) -> Map | None:
        """Return `root` if it is a mapping."""
        if root is None or isinstance(root, Map):
            return root
        found = "a list" if isinstance(root, Seq) else "a single value"
        self.problem(
            "NBS006",
            f"the file holds {found} where a mapping is needed",
            "Begin with root keys such as `version: 1`.",
            first,
        )
        return None

    def value(self, event: Any, depth: int) -> Any:
        """Return the node that starts with `event`, read to its end."""
        if event.__class__ is AliasEvent:
            return self.alias(event, depth)
        if event.anchor is not None:
            return self.anchored(event, depth)
        return self.node(event, depth)

    def node(self, event: Any, depth: int) -> Any:
        """Return the node that starts with `event`, whatever its anchor."""
        if event.__class__ is ScalarEvent:
            text = event.value
            self.spend(1 + (len(text) >> 10), event)
            if event.tag is not None:
                return self.tagged(event)
            return plain(text) if event.implicit[0] else text
        self.spend(1, event)
        self.check_depth(depth + 1, event)
        if event.__class__ is MappingStartEvent:
            self.check_tag(event, _MAP)
            return self.mapping(event, depth + 1)
        self.check_tag(event, _SEQ)
        return self.sequence(event, depth + 1)

    def sequence(self, event: Any, depth: int) -> Seq:
        """Return the list that starts with `event`."""
        found = Seq(self.at(event))
        while (item := self.next()).__class__ is not SequenceEndEvent:
            found.items_at.append(self.at(item))
            found.append(self.value(item, depth))
        return found

    def mapping(self, event: Any, depth: int) -> Map:
        """Return the mapping that starts with `event`."""
        found = Map(self.at(event))
        merged: list[tuple[Any, Any]] = []
        while (key_event := self.next()).__class__ is not MappingEndEvent:
            key = self.key(key_event, depth)
            value_event = self.next()
            value = self.value(value_event, depth)
            if key is None:
                continue
            if key_event.implicit[0] and key == "<<":
                merged.append((value, value_event))
            elif key in found:
                self.twice(key, found.keys_at[key], key_event)
            else:
                found.put(key, value, self.at(key_event), self.after(key_event, value_event))
        for value, value_event in merged:
            self.merge(found, value, value_event)
        return found

    def twice(self, key: str, first: int, event: Any) -> None:
        """Report a duplicate key."""
        place = self.findings.sources.place(first)
        self.problem(
            "NBS003", f"the key {key!r} stands twice in one mapping, first at {place}", "Keep one of the two.", event
        )

    def key(self, event: Any, depth: int) -> str | None:
        """Return a key as text, or None where it is not one."""
        value = self.value(event, depth)
        if event.__class__ is not ScalarEvent:
            self.problem(
                "NBS005",
                "a key must be plain text",
                "Write the key out; a list, a mapping or an alias cannot be one.",
                event,
            )
            return None
        if value is None:
            self.problem("NBS005", "a key is missing or null", "Quote it if it is a name.", event)
            return None
        return str(event.value)

    def merge(self, found: Map, value: Any, event: Any) -> None:
        """Merge what a key `<<` holds into `found`; keys that are there win."""
        sources = value if isinstance(value, Seq) else [value]
        if not all(isinstance(source, Map) for source in sources):
            self.problem("NBS005", "`<<` takes a mapping or a list of mappings", "Quote it if it is a name.", event)
            return
        for source in sources:
            for key in source:
                if key not in found:
                    found.take(key, source)

    def anchored(self, event: Any, depth: int) -> Any:
        """Return a node that has an anchor, and remember it for its aliases."""
        self.anchors[event.anchor] = None
        left, deepest, self.deepest = self.left, self.deepest, depth
        value = self.node(event, depth)
        self.anchors[event.anchor] = _Anchored(value, left - self.left, self.deepest - depth)
        self.deepest = max(deepest, self.deepest)
        return value

    def alias(self, event: Any, depth: int) -> Any:
        """Return what an alias stands for: the same object, not a copy."""
        if event.anchor not in self.anchors:
            self.problem(
                "NBS005",
                f"*{event.anchor} has no anchor before it",
                f"Write &{event.anchor} where the value stands.",
                event,
            )
            return None
        target = self.anchors[event.anchor]
        if target is None:
            self.stop("NBS004", f"*{event.anchor} stands inside of what it stands for", "Write the value out.", event)
        self.spend(target.nodes, event)
        self.check_depth(depth + target.height, event)
        return target.value

    def tagged(self, event: Any) -> Any:
        """Return a scalar that has a tag."""
        try:
            return tagged(event.tag, event.value)
        except ValueError:
            self.problem(
                "NBS005", f"{event.value!r} is not what its tag says", "Remove the tag or change the value.", event
            )
        except KeyError:
            self.problem(
                "NBS005",
                f"the tag {event.tag} is not known here",
                "Remove it; to insert values use `${var:…}`, `${env:…}`, `${file:…}`.",
                event,
            )
        return event.value

    def check_tag(self, event: Any, core: str) -> None:
        if event.tag not in {None, "!", core}:
            self.problem("NBS005", f"the tag {event.tag} is not known here", "Remove it.", event)

    def check_depth(self, depth: int, event: Any) -> None:
        if depth > MAX_DEPTH:
            self.stop(
                "NBS004",
                f"nested more than {MAX_DEPTH} levels deep",
                "Nothing in the language is nested that deep.",
                event,
            )
        self.deepest = max(self.deepest, depth)

    def spend(self, nodes: int, event: Any) -> None:
        self.left -= nodes
        if self.left < 0:
            self.stop(
                "NBS004",
                "the files hold more values than nbsync reads",
                "Aliases count as what they stand for: use fewer of them.",
                event,
            )

    def at(self, event: Any) -> int:
        mark = event.start_mark
        return int(self.base | mark.line << LINE | mark.column)

    def after(self, key_event: Any, event: Any) -> int:
        """Return the mark of a value; one that is not written at all stands right after its key."""
        if event.__class__ is ScalarEvent and not event.value and event.implicit[0]:
            return pack(0, key_event.end_mark.line, key_event.end_mark.column + 1) | self.base
        return self.at(event)

    def problem(self, code: str, message: str, help: str, event: Any) -> None:  # noqa: A002
        self.findings.error(code, message, help, self.at(event))

    def stop(self, code: str, message: str, help: str, event: Any) -> NoReturn:  # noqa: A002
        self.problem(code, message, help, event)
        raise _Stop
