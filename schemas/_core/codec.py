"""Between an object in the files' words and an object of the API: names and ids, field by field, driven by annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from schemas._core.fields import LIFECYCLE, LIVE, JsonObject, OneOrMany, RefTo, Resource, Single, Trait, Wire
from schemas._core.reading import CannotExpress, WrongType, require_list, require_type
from schemas._core.references import ref_key, whole

if TYPE_CHECKING:
    from schemas._core.kind import Account, Ids

M = TypeVar("M", bound=Resource)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What annotations say about one field of a model.

    Attributes:
        name: attribute of the model.
        said: key in the files.
        wire: key in the API.
        ref: the kind that the text, or each text of the list, refers to.
        many: the field is a list.
        listed: the empty list is a value of the field; where it is not, the field is left out instead.
        single: a list of one may be written as that one.
        traits: how it departs from a plain field.
        to, of: from a value of the model to one of the API, and back, where their forms differ.
    """

    name: str
    said: str
    wire: str
    ref: RefTo | None
    many: bool
    listed: bool
    single: bool
    traits: frozenset[Trait]
    to: Callable[[Any], Any] | None
    of: Callable[[Any], Any] | None


def _markers(annotation: Any) -> Iterator[Any]:
    """All annotations of a type, outermost first, through unions and tuples."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        yield from metadata
        yield from _markers(inner)
    elif get_origin(annotation) in (Union, UnionType, tuple):
        for argument in get_args(annotation):
            yield from _markers(argument)


def _holds_tuple(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is tuple:
        return True
    if origin in (Annotated, Union, UnionType):
        return any(_holds_tuple(argument) for argument in get_args(annotation))
    return False


def field_specs(model: type[BaseModel]) -> tuple[FieldSpec, ...]:
    """The fields of a model without those of the life cycle, in the order of the model."""
    return _field_specs(model)


def comparable_specs(model: type[BaseModel]) -> tuple[FieldSpec, ...]:
    """Those that tell whether an object is another one than it was: not what only its creation takes."""
    return _comparable_specs(model)


@cache
def _comparable_specs(model: type[BaseModel]) -> tuple[FieldSpec, ...]:
    return tuple(spec for spec in field_specs(model) if Trait.CREATE_ONLY not in spec.traits)


@cache
def _field_specs(model: type[BaseModel]) -> tuple[FieldSpec, ...]:
    return tuple(_spec(name, info) for name, info in model.model_fields.items() if name not in LIFECYCLE)


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    markers = [*_markers(info.annotation), *info.metadata]
    wire = next((m for m in reversed(markers) if isinstance(m, Wire)), Wire())
    said = info.alias or name
    return FieldSpec(
        name=name,
        said=said,
        wire=wire.name or said,
        ref=next((m for m in markers if isinstance(m, RefTo)), None),
        many=_holds_tuple(info.annotation),
        listed=_holds_tuple(info.annotation) and info.get_default() is not None,
        single=any(m is OneOrMany for m in markers),
        traits=frozenset(m for m in markers if isinstance(m, Trait)),
        to=wire.to,
        of=wire.of,
    )


def identifiers(values: Any) -> list[str]:
    """Ids of a list in an answer, whether it shows ids or objects; nothing is an empty list.

    Raises:
        WrongType: it is no such list.
    """
    found = [value["id"] if isinstance(value, dict) else value for value in require_list(values)]
    if not all(isinstance(one, str) for one in found):
        raise WrongType("an id to which it refers is no text")
    return found


def labels(kind: str, values: Any, account: Account) -> list[str]:
    """Names of the objects that a list in an answer shows."""
    return [account.label(kind, identifier) for identifier in identifiers(values)]


def kept_items(wanted: list[JsonObject], seen: Any) -> list[JsonObject]:
    """Elements of a list as wanted; one that the server already shows keeps the fields that nbsync does not know."""
    known = [item for item in seen or () if isinstance(item, dict)]
    return [next((old for old in known if new.items() <= old.items()), new) for new in wanted]


def decode_fields(model: type[M], seen: JsonObject, account: Account) -> M:
    """Read an answer field by field: ids become names, what is null or absent the field's empty value."""
    return lenient(model, decoded_values(model, seen, account))


def decoded_values(model: type[BaseModel], seen: JsonObject, account: Account) -> JsonObject:
    """Values of a model as an answer shows them, by the keys of the files; absent ones are left out."""
    values: JsonObject = {}
    for spec in field_specs(model):
        value = seen.get(spec.wire)
        if spec.many and spec.ref and value:
            values[spec.said] = labels(spec.ref.kind, value, account)
        elif spec.listed:
            values[spec.said] = value or []
        elif value is None or value == []:
            if spec.wire in seen and Trait.IMMUTABLE in spec.traits and model.model_fields[spec.name].is_required():
                raise WrongType(f"{spec.said} is nothing")
        elif spec.ref:
            require_type(spec.said, str, value)
            if value:
                values[spec.said] = account.label(spec.ref.kind, value)
        else:
            values[spec.said] = spec.of(value) if spec.of else value
    return values


def lenient(model: type[M], values: JsonObject) -> M:
    """Validate what the server shows. What it keeps although the language forbids it is taken over as it is, field by field.

    Raises:
        WrongType: a field holds another type of JSON than it can have.
        CannotExpress: a field that only a new object could get holds what the language has no word for.
    """
    try:
        return model.model_validate(values, context=LIVE)
    except ValidationError:
        parts: dict[str, Any] = {name: _lenient_value(model, name, values) for name in model.model_fields}
        return cast("M", model.model_construct(**parts))


def _lenient_value(model: type[BaseModel], name: str, values: JsonObject) -> Any:
    info = model.model_fields[name]
    said = info.alias or name
    if said not in values:
        return None if info.is_required() else info.get_default(call_default_factory=True)
    value = values[said]
    try:
        return _adapter(model, name).validate_python(value, context=LIVE)
    except ValidationError:
        require_type(said, info.annotation, value)
        if Trait.IMMUTABLE in info.metadata and get_origin(info.annotation) is Literal:
            # With another word the object would have to be made anew.
            message = f"it has the {said} '{value}', for which the language has no word"
            raise CannotExpress(message, "update nbsync, or list its address under unmanaged") from None
        return tuple(value) if isinstance(value, list) else value


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(whole(model.model_fields[name]))


def encode_fields(desired: Resource, fields: frozenset[str], base: JsonObject, ids: Ids) -> JsonObject:
    """Lay the given fields of an object over a request body, names become ids."""
    return {**base, **encoded_values(desired, fields, ids)}


def encoded_values(desired: BaseModel, fields: frozenset[str], ids: Ids) -> JsonObject:
    """The given fields of an object as the API wants them."""
    body: JsonObject = {}
    for spec in field_specs(type(desired)):
        if spec.name in fields:
            body[spec.wire] = _encoded(spec, getattr(desired, spec.name), ids)
    return body


def _encoded(spec: FieldSpec, value: Any, ids: Ids) -> Any:
    if value is None:
        return None
    if spec.ref and spec.many:
        return [ids(spec.ref.kind, ref_key(spec.ref, name)) for name in value]
    if spec.ref:
        return ids(spec.ref.kind, ref_key(spec.ref, value))
    if spec.to:
        return spec.to(value)
    return list(value) if isinstance(value, tuple) else value


def request_body(model: type[BaseModel], seen: JsonObject, computed: frozenset[str], _account: Account) -> JsonObject:
    """Turn an answer into a request that changes nothing: computed fields dropped, objects of other kinds as ids.

    Fields that nbsync does not know stay as they are.
    """
    body = {key: value for key, value in seen.items() if key not in computed}
    for spec in field_specs(model):
        if spec.ref and spec.many and spec.wire in body:
            body[spec.wire] = identifiers(body[spec.wire])
    return body


def plain(value: Any) -> Any:
    """A value of a model as JSON, in the files' words."""
    if isinstance(value, BaseModel):
        said = {
            info.alias or name: plain(item)
            for name, info in type(value).model_fields.items()
            if (item := getattr(value, name)) is not None
        }
        return [said] if isinstance(value, Single) else said
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def may_be_empty(model: type[BaseModel]) -> bool:
    """Tell whether an object of which nothing is said is valid: then it may be written without a value."""
    try:
        model.model_validate({})
    except ValidationError:
        return False
    return True
