"""YAML events of one file to a tree with positions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.load.events import Events
from reconciler.load.findings import MAX_DEPTH, Findings, weight
from reconciler.load.messages import near
from reconciler.load.scalars import plain, tagged
from reconciler.load.tree import LINE, Map, Seq, pack

_PLAIN_NAME = re.compile(r"[\w-]+")
_MAP = "tag:yaml.org,2002:map"
_SEQ = "tag:yaml.org,2002:seq"


class Stop(Exception):
    """The rest of the file is not read; why is reported."""


class _Anchored(NamedTuple):
    """What an alias stands for, how many nodes that is, and how many levels."""

    value: Any
    nodes: int
    height: int


class Builder:
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
            self.problem("NBS005", "%YAML asks for another version than 1.2", "files are read as YAML 1.2", start)
        first = self.next()
        root = self.value(first, 0)
        self.next()
        after = self.next()
        if after.__class__ is DocumentStartEvent:
            self.problem("NBS005", "a second YAML document in one file", "put it into a file of its own", after)
        return self.root(root, first)

    def root(self, root: Any, first: Any) -> Map | None:
        """Return `root` if it is a mapping."""
        if root is None or isinstance(root, Map):
            return root
        found = "a list" if isinstance(root, Seq) else "a single value"
        self.problem(
            "NBS006",
            f"the file holds {found} where a mapping is needed",
            "begin with root keys such as `version: 1`",
            first,
        )
        return None

    def value(self, event: Any, depth: int) -> Any:
        """Return the node that starts with `event`, read to its end."""
        kind = event.__class__
        if kind is AliasEvent:
            return self.alias(event, depth)
        if event.anchor is not None:
            return self.anchored(event, depth)
        return self.scalar(event) if kind is ScalarEvent else self.collection(event, depth + 1)

    def scalar(self, event: Any) -> Any:
        """Return the value of a scalar."""
        text = event.value
        self.spend(weight(text), event)
        if event.tag is not None:
            return self.tagged(event)
        return plain(text) if event.implicit[0] else text

    def collection(self, event: Any, depth: int) -> Map | Seq:
        """Return the mapping or list that starts with `event`, at this depth."""
        self.spend(1, event)
        self.check_depth(depth, event)
        if event.__class__ is MappingStartEvent:
            self.check_tag(event, _MAP)
            return self.mapping(event, depth)
        self.check_tag(event, _SEQ)
        return self.sequence(event, depth)

    def sequence(self, event: Any, depth: int) -> Seq:
        """Return the list that starts with `event`."""
        found = Seq(self.at(event))
        while (item := self.next()).__class__ is not SequenceEndEvent:
            found.put(self.value(item, depth), self.at(item))
        return found

    def mapping(self, event: Any, depth: int) -> Map:
        """Return the mapping that starts with `event`."""
        found = Map(self.at(event))
        merged: list[Map] = []
        while (key_event := self.next()).__class__ is not MappingEndEvent:
            key = self.key(key_event, depth)
            value_event = self.next()
            value = self.value(value_event, depth)
            if key is None:
                continue
            if key == "<<" and key_event.implicit[0]:
                merged += self.sources(value, value_event)
            elif key in found:
                self.twice(key, found.keys_at[key], key_event)
            else:
                found.put(key, value, self.at(key_event), self.after(key_event, value_event))
        for source in merged:
            for key in source.keys() - found.keys():
                found.take(key, source)
        return found

    def key(self, event: Any, depth: int) -> str | None:
        """Return a key as text, or None where it is not one."""
        value = self.value(event, depth)
        if event.__class__ is not ScalarEvent:
            self.problem("NBS005", "a key must be plain text", "quote a text that begins with a bracket or `*`", event)
            return None
        if value is None:
            self.problem("NBS005", "a key is missing or null", "quote it if it is a name", event)
            return None
        return str(event.value)

    def twice(self, key: str, first: int, event: Any) -> None:
        """Report a duplicate key."""
        message = f"the key {key!r} stands twice in one mapping, first at {self.findings.sources.place(first)}"
        self.problem("NBS003", message, "keep one of the two", event)

    def sources(self, value: Any, event: Any) -> list[Map]:
        """Return the mappings that a key `<<` holds."""
        sources = value if isinstance(value, Seq) else [] if value is None else [value]
        if all(isinstance(source, Map) for source in sources):
            return sources
        self.problem("NBS005", "`<<` takes a mapping or a list of mappings", "quote it if it is a name", event)
        return []

    def anchored(self, event: Any, depth: int) -> Any:
        """Return a node that has an anchor, and remember it for its aliases."""
        self.anchors[event.anchor] = None
        left, deepest, self.deepest = self.left, self.deepest, depth
        value = self.scalar(event) if event.__class__ is ScalarEvent else self.collection(event, depth + 1)
        self.anchors[event.anchor] = _Anchored(value, left - self.left, self.deepest - depth)
        self.deepest = max(deepest, self.deepest)
        return value

    def alias(self, event: Any, depth: int) -> Any:
        """Return what an alias stands for: the same object, not a copy."""
        if event.anchor not in self.anchors:
            message = f"*{event.anchor} refers to an anchor that is not there"
            advice = _instead_of_alias(event.anchor, self.anchors)
            self.problem("NBS005", message, advice, event)
            return None
        target = self.anchors[event.anchor]
        if target is None:
            self.stop("NBS004", f"*{event.anchor} stands inside of what it stands for", "write the value out", event)
        self.spend(target.nodes, event)
        self.check_depth(depth + target.height, event)
        return target.value

    def tagged(self, event: Any) -> Any:
        """Return a scalar that has a tag."""
        try:
            return tagged(event.tag, event.value)
        except ValueError:
            self.problem(
                "NBS005", f"{event.value!r} is not what its tag says", "remove the tag or change the value", event
            )
        except KeyError:
            self.problem(
                "NBS005",
                f"the tag {event.tag} is not known here",
                "remove it; to insert values use `${var:…}`, `${env:…}`, `${file:…}`",
                event,
            )
        return event.value

    def check_tag(self, event: Any, core: str) -> None:
        """Report a mapping or list with another tag than its own."""
        if event.tag not in {None, "!", core}:
            self.problem("NBS005", f"the tag {event.tag} is not known here", "remove it", event)

    def check_depth(self, depth: int, event: Any) -> None:
        """Stop at what is nested too deep."""
        if depth > MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
            self.stop("NBS004", message, "nothing in the language is nested that deep", event)
        self.deepest = max(self.deepest, depth)

    def spend(self, nodes: int, event: Any) -> None:
        """Count what was read; stop where it is too much."""
        self.left -= nodes
        if self.left < 0:
            message = "the files hold more values than nbsync reads"
            self.stop("NBS004", message, "use fewer aliases: each counts as what it stands for", event)

    def at(self, event: Any) -> int:
        """Return the mark of an event."""
        mark = event.start_mark
        at: int = self.base | mark.line << LINE | mark.column
        return at

    def after(self, key_event: Any, event: Any) -> int:
        """Return the mark of a value; one that is not written at all stands right after its key."""
        if event.__class__ is ScalarEvent and not event.value and event.implicit[0]:
            end = key_event.end_mark
            return self.base | pack(0, end.line, end.column + 1)
        return self.at(event)

    def problem(self, code: str, message: str, advice: str, event: Any) -> None:
        """Report something that leaves a readable tree."""
        self.findings.error(code, message, advice, self.at(event))

    def stop(self, code: str, message: str, advice: str, event: Any) -> NoReturn:
        """Report something that ends the reading of this file."""
        self.problem(code, message, advice, event)
        raise Stop


def _instead_of_alias(name: str, known: Iterable[str]) -> str:
    """Help for an alias of what has no anchor; YAML takes `*.x:` for one called `.x:`."""
    if name.endswith(":"):
        return f'quote it: "*{name[:-1]}":'
    if not _PLAIN_NAME.fullmatch(name):
        return f'quote it if it is text: "*{name}"'
    define = f'write &{name} before the value that is meant, further up; quote it if it is text: "*{name}"'
    return near(f"*{name}", (f"*{anchor}" for anchor in known)) or define
