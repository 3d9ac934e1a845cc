"""What the models say about the layout of files: the order of keys, and which short forms there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from reconciler.load.document import BASE_KEYS, LATER
from schemas import AnyKind
from schemas._core.codec import may_be_empty
from schemas._core.document import LAST, Guards, place_of_section
from schemas._core.fields import LIFECYCLE, Duration, DurationOrNever, OneOrMany, Resource
from schemas._core.kind import Layout
from schemas._core.references import whole

_DURATIONS = tuple(get_args(annotated)[1] for annotated in (Duration, DurationOrNever))


@dataclass(frozen=True)
class Shape:
    """What is known of a value.

    Attributes:
        fields: the keys of a mapping, in order.
        each: what stands under any other key; a mapping that has it is one of names, whose order means something to people.
        items: what stands in a list.
        single: a list of one text may be written as that text.
        is_duration: the text is a length of time.
        may_be_empty: an object that needs no field.
    """

    fields: Mapping[str, Shape] = field(default_factory=dict)
    each: Shape | None = None
    items: Shape | None = None
    single: bool = False
    is_duration: bool = False
    may_be_empty: bool = False

    def at(self, key: str) -> Shape:
        """What is known of the value of a key."""
        return self.fields.get(key) or self.each or NOTHING


NOTHING = Shape()


def root_shape(kinds: Mapping[str, AnyKind]) -> Shape:
    """What is known of a whole file."""
    tops = [kind for kind in kinds.values() if not kind.parent]
    sections = sorted(dict.fromkeys(kind.section[0] for kind in tops), key=place_of_section)
    keys = dict.fromkeys([*(key for key in BASE_KEYS if key not in LAST), *sections, *LATER])
    fields = dict.fromkeys((*(key for key in keys if key not in LAST), *LAST), NOTHING)
    fields |= {
        "manage": Shape({"default": NOTHING, **dict.fromkeys(sections, NOTHING)}),
        "guards": Shape(_fields(Guards)),
    }
    for key in sections:
        fields[key] = _section(key, tops, kinds)
    return Shape(fields)


def _section(key: str, tops: list[AnyKind], kinds: Mapping[str, AnyKind]) -> Shape:
    inside = [kind for kind in tops if kind.section[0] == key]
    if len(inside[0].section) == 1:
        return _objects(inside[0], kinds)
    return Shape({kind.section[1]: _objects(kind, kinds) for kind in inside})


def _objects(kind: AnyKind, kinds: Mapping[str, AnyKind]) -> Shape:
    """All objects of a kind, as they stand below its section."""
    one = _object(kind, kinds)
    if kind.layout is Layout.FIELD:
        return one.fields[kind.section[-1]]
    if kind.layout is Layout.SINGLE:
        return one
    if kind.layout is Layout.LISTED:
        return Shape(items=one)
    return Shape(each=Shape(one.fields, items=one, may_be_empty=one.may_be_empty))


def _object(kind: AnyKind, kinds: Mapping[str, AnyKind]) -> Shape:
    model = kind.written_as or kind.model
    inner = [other for other in kinds.values() if other.parent == kind.name]
    inner.sort(key=lambda other: other.layout is not Layout.LISTED)
    fields = {**_fields(model), **{other.section[0]: _objects(other, kinds) for other in inner}}
    return Shape(fields, may_be_empty=not kind.parent and may_be_empty(model))


def _fields(model: type[BaseModel]) -> dict[str, Shape]:
    """Fields in the order of the model: what leads, what is the object's own, what every object may carry."""
    shapes = {info.alias or name: _shape(whole(info)) for name, info in model.model_fields.items()}
    leading = getattr(model, "LEADING", ())
    carried = LIFECYCLE if issubclass(model, Resource) else frozenset()
    order = sorted(shapes, key=lambda name: (leading.index(name) if name in leading else len(leading), name in carried))
    return {name: shapes[name] for name in order}


def _shape(annotation: Any) -> Shape:
    markers = list(_markers(annotation))
    models = [part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    fields: dict[str, Shape] = {}
    for model in models:
        fields |= {name: shape for name, shape in _fields(model).items() if name not in fields}
    mappings = [part for part in _parts(annotation) if get_origin(part) is dict]
    return Shape(
        fields,
        each=replace(_shape(get_args(mappings[0])[1]), single=False) if mappings else None,
        items=Shape(fields) if fields else None,
        single=any(marker is OneOrMany for marker in markers),
        is_duration=any(marker in _DURATIONS for marker in markers),
    )


def _markers(annotation: Any) -> Iterator[Any]:
    """Annotations of a value itself: through unions, not into lists and mappings."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        yield from metadata
        yield from _markers(inner)
    elif get_origin(annotation) in (Union, UnionType):
        for argument in get_args(annotation):
            yield from _markers(argument)


def _parts(annotation: Any) -> Iterator[Any]:
    """The types of which a value is made, through lists, not into mappings."""
    if get_origin(annotation) is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType, tuple):
        for argument in get_args(annotation):
            yield from _parts(argument)
    else:
        yield annotation
