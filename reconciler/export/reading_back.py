"""Whether the words for a live object read back as what is live: the same checks that loading and planning would make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from reconciler.export.names import Names
from reconciler.load.desired import Declared
from reconciler.load.tree import Map
from reconciler.plan.diff import managed
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address, encode_part
from schemas._core.codec import field_specs
from schemas._core.fields import JsonObject, RefTo, Resource
from schemas._core.reading import CannotExpress
from schemas._core.references import references

UNSAYABLE = "the language cannot say what is live"


class Flaw(Exception):
    """A field that cannot be said as it is, and why ("it" is the field); without a name where it is not one field."""

    def __init__(self, name: str, *lines: str) -> None:
        super().__init__(name, *lines)
        self.name = name
        self.lines = tuple(filter(None, lines))


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be put into words: one live object, or all those for which one mapping stands.

    Attributes:
        models: the objects as decoded.
        key: of the mapping.
        around: parts of the key of the object in which they stand.
    """

    kind: AnyKind
    lives: Sequence[Live]
    models: list[Resource]
    key: str
    around: tuple[str, ...]


def written_model(kind: AnyKind) -> type[BaseModel]:
    """The model of a mapping of the files."""
    return kind.written_as or kind.model


def read_back(names: Names, subject: Subject, said: JsonObject) -> dict[Address, Declared]:
    """What loading these words would make of them.

    Raises:
        Flaw: they would be refused, or a plan would change something.
    """
    for flaw in _bad_references(names, subject, said):
        raise flaw
    try:
        declared = _declared(subject, said)
        for flaw in _differences(names, subject, declared):
            raise flaw
    except ValidationError as error:
        raise _refusal(error) from None
    except CannotExpress as error:
        raise Flaw("", str(error), error.advice) from None
    return declared


def _bad_references(names: Names, subject: Subject, said: JsonObject) -> Iterator[Flaw]:
    specs = {spec.name: spec.said for spec in field_specs(subject.kind.model)}
    for model in subject.models:
        for attribute, ref, text in references(model):
            if specs[attribute] in said and names.target(ref, text) is None:
                yield Flaw(specs[attribute], *_unnamable(ref, text))


def _unnamable(ref: RefTo, text: str) -> tuple[str, str]:
    kind = ref.kind.replace("_", " ")
    if text.startswith(f"(no {ref.kind} with id "):
        said = f"it refers to a {kind} that is gone {text.replace(f'no {ref.kind} with ', '')}"
        return said, "take it out or choose another one in the dashboard, and export again"
    said = f"it refers to the {kind} {text}, and others have the same name"
    return said, "rename all but one in the dashboard, and export again"


def _declared(subject: Subject, said: JsonObject) -> dict[Address, Declared]:
    kind, first = subject.kind, subject.lives[0]
    written = written_model(kind).model_validate(said)
    models = list(kind.expand(written, subject.key, subject.around)) if kind.expand else [written]
    named = (*subject.around, first.name) if kind.name_field else subject.around
    found = {}
    for model in models:
        suffix = kind.suffix(model, subject.around) if kind.suffix else ()
        parts = (*named, *suffix)
        address = Address(kind.name, "/".join((*map(encode_part, named), *suffix)) or kind.name)
        found[address] = Declared(address, kind, kind.complete(model, parts), parts, first.name, None, 0, Map(0))
    return found


def _differences(names: Names, subject: Subject, declared: dict[Address, Declared]) -> Iterator[Flaw]:
    """Fields that a plan would change."""
    if declared.keys() != {names.address(live) for live in subject.lives}:
        yield Flaw("", UNSAYABLE)
        return
    for live, before in zip(subject.lives, subject.models, strict=True):
        one = declared[names.address(live)]
        after = subject.kind.settle(one.model, before, live.seen, names.book)
        for spec in managed(one):
            if getattr(after, spec.name) != getattr(before, spec.name):
                yield Flaw(spec.said, UNSAYABLE)


def _refusal(error: ValidationError) -> Flaw:
    """The first thing that the language does not accept."""
    item = error.errors(include_url=False)[0]
    name, context = str(item["loc"][0]) if item["loc"] else "", item.get("ctx") or {}
    if item["type"] == "nbsync":
        return Flaw(name, context["message"], context["help"])
    return Flaw(name, f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg'][:1].lower()}{item['msg'][1:]}")
