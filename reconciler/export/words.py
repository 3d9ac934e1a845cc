"""One live object in the words of a file: short, defaults left out, and sure to read back as what is live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import PydanticCustomError

from reconciler.export.names import Names
from reconciler.export.reading_back import Flaw, Subject, read_back, written_model
from reconciler.load.desired import Declared
from reconciler.load.objects import WHOLE
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address, decode_part
from schemas._core.codec import FieldSpec, field_specs, identifiers, plain
from schemas._core.fields import JsonObject, Resource, Trait
from schemas._core.kind import Layout
from schemas._core.reading import CannotExpress

BY_ID = "The server keeps another one of this name; the id tells them apart."
BY_KEY = (Layout.NAMED, Layout.NAMED_LISTS)
"""Layouts in which every object has a key."""


class CannotSay(Exception):
    """A live object that no file can declare; `lines` say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = tuple(filter(None, lines))


@dataclass(slots=True)
class Words:
    """A mapping of a file with its key (where the layout has one), and what a person should know who reads it."""

    key: str
    said: JsonObject
    notes: list[str] = field(default_factory=list)


class Speaker:
    """Puts live objects into the words of a file.

    Args:
        names: by which objects can be referred to.
        whole: kinds of which everything is said that can be, also what is as on a new object.
    """

    def __init__(self, names: Names, whole: frozenset[str]) -> None:
        self._names = names
        self._whole = whole
        self._filled = _filled(names)

    def say(self, lives: Sequence[Live]) -> Words | None:
        """Say what one mapping stands for: one object, or all of one label.

        Fields that are kept when they are left out are left out where they cannot be said, with a note.

        Returns:
            Nothing, where a person would have nothing to write down.

        Raises:
            CannotSay: no file could declare it, or it would not read back as it is.
        """
        subject = self._subject(lives)
        words = Words(subject.key, self._chosen(subject), [BY_ID] if self._names.needs_id(lives[0]) else [])
        if not words.said and not _exists_by_being_named(subject.kind):
            return None
        self._check_name(subject)
        self._say_what_reads_back(subject, words)
        return words

    def _say_what_reads_back(self, subject: Subject, words: Words) -> None:
        kept = {spec.said for spec in field_specs(subject.kind.model) if Trait.KEPT in spec.traits}
        while True:
            try:
                declared = read_back(self._names, subject, words.said)
            except Flaw as flaw:
                if flaw.name not in kept & words.said.keys():
                    raise CannotSay(*_about(flaw)) from None
                del words.said[flaw.name]
                words.notes.append(f"{flaw.name} is left out: {'; '.join(flaw.lines)}")
            else:
                words.notes += self._remarks(subject, declared)
                return

    def _check_name(self, subject: Subject) -> None:
        kind, live = subject.kind, subject.lives[0]
        if namesakes := self._names.namesakes(live):
            what, advice = ("have this name", "rename") if kind.name_field else ("are alike in this", "delete")
            said = f"{len(namesakes)} live objects {what}, with the ids {', '.join(namesakes)}"
            raise CannotSay(said, f"{advice} all but one in the dashboard, and export again")
        if kind.layout in BY_KEY and (flaw := _name_flaw(kind, subject.key)):
            raise CannotSay(*flaw)
        if reason := kind.undeclarable(live.seen):
            raise CannotSay(reason)

    def _subject(self, lives: Sequence[Live]) -> Subject:
        kind = lives[0].kind
        try:
            models = [kind.decode(kind.model, live.seen, self._names.book) for live in lives]
        except CannotExpress as error:
            raise CannotSay(str(error), error.advice) from None
        return Subject(kind, lives, models, key_of(lives[0], models[0], self._names), self._names.around(lives[0]))

    def _chosen(self, subject: Subject) -> JsonObject:
        """The fields that a careful person would write down."""
        kind, first = subject.kind, subject.lives[0]
        full = kind.write(subject.models, [live.seen for live in subject.lives])
        said: JsonObject = {"id": first.id} if self._names.needs_id(first) else {}
        initial = {} if kind.name in self._whole else kind.initial(first.seen)
        specs = {spec.said: spec for spec in field_specs(written_model(kind))}
        for spec in (specs[key] for key in full if key in specs):
            value = self._without_servers_own(spec, full[spec.said])
            if value is not None and not self._goes_without_saying(subject, spec, value, initial):
                said[spec.said] = value[0] if spec.single and isinstance(value, list) and len(value) == 1 else value
        return said

    def _goes_without_saying(self, subject: Subject, spec: FieldSpec, value: Any, initial: JsonObject) -> bool:
        if Trait.KEPT in spec.traits or subject.kind.layout in WHOLE:
            filled = any((subject.kind.name, spec.name, live.id) in self._filled for live in subject.lives)
            return filled or value in ([], {}) or (spec.said in initial and bool(initial[spec.said] == value))
        info = written_model(subject.kind).model_fields[spec.name]
        return bool(plain(info.get_default(call_default_factory=True)) == value)

    def _without_servers_own(self, spec: FieldSpec, value: Any) -> Any:
        """Leave out what comes and goes by itself: groups that a login brings, and a list with peers that are soon gone."""
        if not (
            spec.ref and Trait.KEPT in spec.traits and isinstance(value, list) and (spec.ref.fills or spec.ref.weak)
        ):
            return value
        targets = {name: self._names.target(spec.ref, name) for name in value}
        if spec.ref.weak:
            return None if any(one and self._names.servers_own(one) for one in targets.values()) else value
        return [name for name, one in targets.items() if one is None or not one.kind.undeclarable(one.seen)]

    def _remarks(self, subject: Subject, declared: dict[Address, Declared]) -> list[str]:
        """What a plan would warn about."""
        found: dict[str, None] = {}
        for live in subject.lives:
            one = declared[self._names.address(live)]
            for message, advice in subject.kind.remarks(one.model, one.parts, live.seen, self._names.book):
                found[f"{message} ({advice})"] = None
        return list(found)


def key_of(live: Live, model: Resource, names: Names) -> str:
    """Key of the mapping that stands for an object: its name; for a part of what one mapping says, the first part of the rest."""
    kind = live.kind
    if kind.expand and kind.suffix:
        return decode_part(kind.suffix(model, names.around(live))[0])
    return live.name


def _about(flaw: Flaw) -> list[str]:
    """The lines of a flaw, the first of which names the field."""
    first, *rest = flaw.lines
    return [first if first.startswith(flaw.name) else f"{flaw.name}: {first}", *rest]


def _exists_by_being_named(kind: AnyKind) -> bool:
    """Tell whether an object without fields says something: that it is to be there."""
    return kind.endpoint.creates and kind.layout not in WHOLE


def _filled(names: Names) -> set[tuple[str, str, str]]:
    """Fields that the server fills because of what other objects say: kind, attribute, id."""
    found = set()
    for live in names.book.snapshot:
        for spec in field_specs(live.kind.model):
            if spec.ref and spec.ref.fills:
                found |= {(spec.ref.kind, spec.ref.fills, group) for group in identifiers(live.seen.get(spec.wire))}
    return found


def _name_flaw(kind: AnyKind, name: str) -> tuple[str, ...]:
    """Why a file cannot declare an object of this name: reason and advice, or nothing."""
    if not name:
        return ("it has no name that a file could have", "give it one in the dashboard, and export again")
    if reason := kind.reserved.get(name, ""):
        return (reason,)
    try:
        kind.check_name(name)
    except PydanticCustomError as error:
        context = error.context or {}
        return context.get("message", ""), context.get("help", "")
    return ()
