"""What objects refer to, found by the annotations of their models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas._core.address import Address, encode_part
from schemas._core.fields import LIFECYCLE, RefTo


def ref_key(ref: RefTo, name: str) -> str:
    """Key of the object that a reference names."""
    return name if ref.compound else encode_part(name)


def ref_address(ref: RefTo, name: str) -> Address:
    """Address of the object that a reference names."""
    return Address(ref.kind, ref_key(ref, name))


def referred(value: BaseModel) -> Iterator[Address]:
    """Addresses of all that an object refers to."""
    return (ref_address(ref, text) for _, ref, text in references(value))


def references(value: BaseModel) -> Iterator[tuple[str, RefTo, str]]:
    """Every reference of an object: attribute that holds it, the marker, and the name as written."""
    for name, find in _finders(type(value)):
        for ref, text in find(getattr(value, name)):
            yield name, ref, text


def kinds_referred_to(model: type[BaseModel]) -> frozenset[str]:
    """Kinds to which objects of this model can refer."""
    return _kinds_referred_to(model)


@cache
def _kinds_referred_to(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(kind for info in model.model_fields.values() for kind in _ref_kinds(whole(info)))


def _ref_kinds(annotation: Any) -> Iterator[str]:
    yield from (marker.kind for marker in getattr(annotation, "__metadata__", ()) if isinstance(marker, RefTo))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from kinds_referred_to(annotation)
    for argument in get_args(annotation):
        yield from _ref_kinds(argument)


def whole(info: FieldInfo) -> Any:
    """The type of a field with all its annotations."""
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


Finder = Callable[[Any], Iterator[tuple[RefTo, str]]]


@cache
def _finders(model: type[BaseModel]) -> tuple[tuple[str, Finder], ...]:
    found = []
    for name, info in model.model_fields.items():
        if name not in LIFECYCLE and (find := _finder(whole(info))):
            found.append((name, find))
    return tuple(found)


def _finder(annotation: Any) -> Finder | None:
    """A function that finds the references in a value of this type, or nothing if there can be none."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        ref = next((m for m in arguments[1:] if isinstance(m, RefTo)), None)
        return (lambda value: _texts_of(ref, value)) if ref else _finder(arguments[0])
    if origin in (Union, UnionType):
        return _any_of([find for find in map(_finder, arguments) if find])
    if origin is tuple:
        return _items_of(_finder(arguments[0]))
    if origin is dict:
        return _keys_of(_finder(arguments[0]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and _finders(annotation):
        return lambda value: (
            ((ref, text) for _, ref, text in references(value)) if isinstance(value, annotation) else iter(())
        )
    return None


def _any_of(finders: list[Finder]) -> Finder | None:
    if not finders:
        return None
    return lambda value: (found for find in finders for found in find(value))


def _items_of(find: Finder | None) -> Finder | None:
    if find is None:
        return None
    return lambda value: (found for item in (value if isinstance(value, tuple) else ()) for found in find(item))


def _keys_of(find: Finder | None) -> Finder | None:
    if find is None:
        return None
    return lambda value: (found for key in (value if isinstance(value, dict) else ()) for found in find(key))


def _texts_of(ref: RefTo, value: Any) -> Iterator[tuple[RefTo, str]]:
    if isinstance(value, str):
        yield ref, value
