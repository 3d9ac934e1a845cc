"""One live object in the words of a file: short, defaults left out, and sure to read back as what is live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from reconciler.export.names import Names
from reconciler.load.desired import Declared
from reconciler.load.objects import WHOLE
from reconciler.load.tree import Map
from reconciler.plan.diff import managed
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address, decode_part, encode_part
from schemas._core.codec import FieldSpec, field_specs, identifiers, plain, references
from schemas._core.fields import JsonObject, RefTo, Resource, Trait
from schemas._core.kind import CannotExpress


class CannotSay(Exception):
    """A live object that no file can declare; `lines` say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = tuple(filter(None, lines))


class _Flaw(Exception):
    """A field that cannot be said as it is, and why; no name where it is not one field."""

    def __init__(self, name: str, *lines: str) -> None:
        super().__init__(name, *lines)
        self.name = name
        self.lines = tuple(filter(None, lines))


@dataclass(slots=True)
class Words:
    """A mapping of a file with its key (where the layout has one), and what a person should know who reads it."""

    key: str
    said: JsonObject
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is to be put into words: one live object, or all those for which one mapping stands."""

    kind: AnyKind
    lives: Sequence[Live]
    models: list[Resource]
    key: str
    around: tuple[str, ...]


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
        words = Words(subject.key, self._chosen(subject))
        if not words.said and not _exists_by_being_named(subject.kind):
            return None
        self._check_name(subject)
        self._say_what_reads_back(subject, words)
        if not words.said and not _exists_by_being_named(subject.kind):
            raise CannotSay(*words.notes)
        return words

    def _say_what_reads_back(self, subject: _Subject, words: Words) -> None:
        kept = {spec.said for spec in field_specs(subject.kind.model) if Trait.KEPT in spec.traits}
        while True:
            try:
                declared = self._read_back(subject, words.said)
            except _Flaw as flaw:
                if flaw.name not in kept & words.said.keys():
                    raise CannotSay(*flaw.lines) from None
                del words.said[flaw.name]
                words.notes.append(f"{flaw.name} is left out: {'; '.join(flaw.lines)}")
            else:
                words.notes += self._remarks(subject, declared)
                return

    def _check_name(self, subject: _Subject) -> None:
        kind, live = subject.kind, subject.lives[0]
        if namesakes := self._names.namesakes(live):
            said = f"{len(namesakes)} live objects are called this: the ids are {', '.join(namesakes)}"
            raise CannotSay(said, "rename all but one in the dashboard, then it can be declared")
        if kind.name_field and (flaw := _name_flaw(kind, live.name)):
            raise CannotSay(*flaw)
        if reason := kind.undeclarable(live.seen):
            raise CannotSay(reason)

    def _subject(self, lives: Sequence[Live]) -> _Subject:
        kind = lives[0].kind
        try:
            models = [kind.decode(kind.model, live.seen, self._names.book) for live in lives]
        except CannotExpress as error:
            raise CannotSay(str(error), error.advice) from None
        return _Subject(kind, lives, models, key_of(lives[0], models[0], self._names), self._names.around(lives[0]))

    def _chosen(self, subject: _Subject) -> JsonObject:
        """The fields that a careful person would write down."""
        kind, first = subject.kind, subject.lives[0]
        full = kind.write(subject.models, [live.seen for live in subject.lives])
        said: JsonObject = {"id": first.id} if self._names.needs_id(first) else {}
        initial = {} if kind.name in self._whole else kind.initial(first.seen)
        specs = {spec.said: spec for spec in field_specs(_written(kind))}
        for spec in (specs[key] for key in full if key in specs):
            value = self._without_servers_own(spec, full[spec.said])
            if value is not None and not self._goes_without_saying(subject, spec, value, initial):
                said[spec.said] = value[0] if spec.single and isinstance(value, list) and len(value) == 1 else value
        return said

    def _goes_without_saying(self, subject: _Subject, spec: FieldSpec, value: Any, initial: JsonObject) -> bool:
        if Trait.KEPT in spec.traits or subject.kind.layout in WHOLE:
            filled = any((subject.kind.name, spec.name, live.id) in self._filled for live in subject.lives)
            return filled or value in ([], {}) or (spec.said in initial and bool(initial[spec.said] == value))
        info = _written(subject.kind).model_fields[spec.name]
        return bool(plain(info.get_default(call_default_factory=True)) == value)

    def _without_servers_own(self, spec: FieldSpec, value: Any) -> Any:
        """Leave out what comes and goes by itself: groups that a login brings, and a list with peers that are soon gone."""
        if not (spec.ref and isinstance(value, list) and (spec.ref.fills or spec.ref.weak)):
            return value
        ours = [name for name in value if not self._is_servers_own(spec.ref, name)]
        return None if spec.ref.weak and len(ours) < len(value) else ours

    def _is_servers_own(self, ref: RefTo, name: str) -> bool:
        target = self._names.target(ref, name)
        return target is not None and self._names.servers_own(target)

    def _read_back(self, subject: _Subject, said: JsonObject) -> dict[Address, Declared]:
        """What loading these words would make of them.

        Raises:
            _Flaw: they would be refused, or a plan would change something.
        """
        for flaw in self._bad_references(subject, said):
            raise flaw
        try:
            declared = self._declared(subject, said)
            for flaw in self._differences(subject, declared):
                raise flaw
        except ValidationError as error:
            raise _refusal(error) from None
        except CannotExpress as error:
            raise _Flaw("", str(error), error.advice) from None
        return declared

    def _bad_references(self, subject: _Subject, said: JsonObject) -> Iterator[_Flaw]:
        names = {spec.name: spec.said for spec in field_specs(subject.kind.model)}
        for model in subject.models:
            for attribute, ref, text in references(model):
                if names[attribute] in said and self._names.target(ref, text) is None:
                    yield _Flaw(names[attribute], _unnamable(names[attribute], ref, text))

    def _declared(self, subject: _Subject, said: JsonObject) -> dict[Address, Declared]:
        kind, first = subject.kind, subject.lives[0]
        written = _written(kind).model_validate(said)
        models = list(kind.expand(written, subject.key, subject.around)) if kind.expand else [written]
        named = (*subject.around, first.name) if kind.name_field else subject.around
        found = {}
        for model in models:
            suffix = kind.suffix(model, subject.around) if kind.suffix else ()
            parts = (*named, *suffix)
            address = Address(kind.name, "/".join((*map(encode_part, named), *suffix)) or kind.name)
            found[address] = Declared(address, kind, kind.complete(model, parts), parts, first.name, None, 0, Map(0))
        return found

    def _differences(self, subject: _Subject, declared: dict[Address, Declared]) -> Iterator[_Flaw]:
        """Fields that a plan would change."""
        for live, before in zip(subject.lives, subject.models, strict=True):
            one = declared.get(self._names.address(live))
            if one is None or len(declared) != len(subject.lives):
                yield _Flaw("", "the language cannot say what is live")
                return
            after = subject.kind.settle(one.model, before, live.seen, self._names.book)
            for spec in managed(one):
                if getattr(after, spec.name) != getattr(before, spec.name):
                    yield _Flaw(spec.said, f"the language cannot say its {spec.said}")

    def _remarks(self, subject: _Subject, declared: dict[Address, Declared]) -> list[str]:
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


def _exists_by_being_named(kind: AnyKind) -> bool:
    """Tell whether an object without fields says something: that it is to be there."""
    return kind.endpoint.creates and kind.layout not in WHOLE


def _written(kind: AnyKind) -> type[BaseModel]:
    return kind.written_as or kind.model


def _filled(names: Names) -> set[tuple[str, str, str]]:
    """Fields that the server fills because of what other objects say: kind, attribute, id."""
    found = set()
    for live in names.book.snapshot:
        for spec in field_specs(live.kind.model):
            if spec.ref and spec.ref.fills:
                found |= {(spec.ref.kind, spec.ref.fills, group) for group in identifiers(live.seen.get(spec.wire))}
    return found


def _unnamable(said: str, ref: RefTo, text: str) -> str:
    kind = ref.kind.replace("_", " ")
    if text.startswith(f"(no {ref.kind} with id "):
        return f"{said} refers to a {kind} that is gone: {text.removeprefix('(').removesuffix(')')}"
    return f"{said} refers to the {kind} '{text}', and others have the same name"


def _refusal(error: ValidationError) -> _Flaw:
    """The first thing that the language does not accept."""
    item = error.errors(include_url=False)[0]
    name, context = str(item["loc"][0]) if item["loc"] else "", item.get("ctx") or {}
    if item["type"] == "nbsync":
        return _Flaw(name, context["message"], context["help"])
    return _Flaw(name, f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg'][:1].lower()}{item['msg'][1:]}")


def _name_flaw(kind: AnyKind, name: str) -> tuple[str, ...]:
    """Why a file cannot declare an object of this name: reason and advice, or nothing."""
    if not name:
        return ("it has no name that a file could have",)
    if reason := kind.reserved.get(name, ""):
        return (reason,)
    try:
        kind.check_name(name)
    except PydanticCustomError as error:
        context = error.context or {}
        return context.get("message", ""), context.get("help", "")
    return ()
