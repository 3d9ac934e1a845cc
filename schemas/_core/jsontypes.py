"""From the types of fields to JSON Schema: annotation by annotation, with a definition for what is used more than once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas._core.fields import OneOrMany, RefTo
from schemas._core.shapes import ANY_TEXT, REFERENCE, TEMPLATE, VARIABLE, JsonSchema, Shape, Written

_SCALARS = {bool: ("boolean", "write true or false, without quotes"), int: ("integer", "write digits alone")}
_BOUNDS: Mapping[type[Any], tuple[str, str]] = {Ge: ("minimum", "ge"), Le: ("maximum", "le")}


def ref(name: str) -> JsonSchema:
    """A reference to a definition."""
    return {"$ref": f"#/definitions/{name}"}


def any_of(*choices: JsonSchema) -> JsonSchema:
    """One of several forms, each written once."""
    flat: list[JsonSchema] = []
    for choice in choices:
        flat += [one for one in (choice["anyOf"] if choice.keys() == {"anyOf"} else [choice]) if one not in flat]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def text(pattern: str, hint: str = "", **keywords: Any) -> JsonSchema:
    """Text of a pattern, or what may become it once interpolations are done."""
    own = pattern if pattern.startswith(ANY_TEXT) else f"(?:{pattern})$|^{TEMPLATE}"
    return {"type": "string", "pattern": f"^{own}$", **({"patternErrorMessage": hint} if hint else {}), **keywords}


class Types:
    """The schemas of types, and the definitions to which they refer.

    Attributes:
        definitions: what was needed so far, by name.
        names: names of live objects by kind, which an editor may offer.
    """

    def __init__(self, of_model: Callable[[type[BaseModel]], JsonSchema], names: Mapping[str, Sequence[str]]) -> None:
        variable = {
            "type": "string",
            "pattern": f"^{VARIABLE}$",
            "patternErrorMessage": "write ${var:NAME}, or the value",
        }
        self.definitions: dict[str, JsonSchema] = {"variable": variable}
        self.names = names
        self._of_model = of_model

    def define(self, name: str, make: Callable[[], JsonSchema]) -> JsonSchema:
        """A reference to a definition, which is made when it is first needed."""
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = make()
        return ref(name)

    def of(self, annotation: Any) -> JsonSchema:
        """The schema of a type."""
        inner, marks = _peeled(annotation)
        shape = next((mark for mark in reversed(marks) if isinstance(mark, Shape)), Shape())
        said = next((mark for mark in marks if isinstance(mark, Written)), None)
        if said:
            return self.of(said.type)
        if inner is str:
            target = next((mark.kind for mark in marks if isinstance(mark, RefTo)), "")
            return self._text(marks, target)
        if inner in _SCALARS:
            keywords = {**dict(_bounds(marks)), **shape.keywords}
            return _scalar(inner, keywords) if keywords else self.define(inner.__name__, lambda: _scalar(inner, {}))
        return self._compound(inner, marks, shape.keywords)

    def _compound(self, inner: Any, marks: Sequence[Any], keywords: Mapping[str, Any]) -> JsonSchema:
        origin, arguments = get_origin(inner), get_args(inner)
        if origin in (Union, UnionType):
            return any_of(*(self.of(one) for one in arguments if one is not NoneType))
        if origin is Literal:
            return any_of({"enum": list(arguments)}, self.interpolated(arguments))
        if origin is tuple:
            return self._list(arguments[0], keywords, may_be_one=OneOrMany in marks)
        if origin is dict:
            entries = {"type": "object", "propertyNames": self._key(arguments[0]), **keywords}
            return any_of({**entries, "additionalProperties": self.of(arguments[1])}, ref("variable"))
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return self.define(_title(inner), lambda: any_of(self._of_model(inner), ref("variable")))
        return {}

    def _list(self, annotation: Any, keywords: Mapping[str, Any], *, may_be_one: bool) -> JsonSchema:
        item = self.of(annotation)
        many = {"type": "array", "items": item, **keywords}
        if not keywords and not may_be_one and item.keys() == {"$ref"}:
            return self.define(f"{_target(item)}_list", lambda: any_of(many, ref("variable")))
        return any_of(*([item] if may_be_one else []), many, ref("variable"))

    def _key(self, annotation: Any) -> JsonSchema:
        """The schema of the keys of a mapping, in which nothing is interpolated."""
        kind = next((mark.kind for mark in _peeled(annotation)[1] if isinstance(mark, RefTo)), "")
        if not kind:
            return self.of(annotation)
        any_name: JsonSchema = {"type": "string", "minLength": 1}
        live = list(self.names.get(kind, ()))
        return any_of({"type": "string", "enum": live}, any_name) if live else any_name

    def interpolated(self, values: Sequence[Any]) -> JsonSchema:
        """What may become one of these values."""
        if all(isinstance(value, str) for value in values):
            return self.define("interpolated", lambda: {"type": "string", "pattern": f"^{TEMPLATE}$"})
        return self.define("reference", lambda: {"type": "string", "pattern": f"^{REFERENCE}$"})

    def _text(self, marks: Sequence[Any], kind: str) -> JsonSchema:
        """Text in the last form that its annotations give it; what the others say beside the pattern holds as well."""
        shapes = [mark for mark in marks if isinstance(mark, Shape)]
        named = next((shape for shape in reversed(shapes) if shape.name), Shape("text", f"{ANY_TEXT}*"))
        schema = self.define(named.name, lambda: _shaped(named))
        if kind and self.names.get(kind):
            live = [name.replace("${", "$${") for name in self.names[kind]]
            schema = self.define(f"{kind}_name", lambda: any_of({"type": "string", "enum": live}, ref(named.name)))
        keywords = {key: value for shape in shapes for key, value in shape.keywords.items()}
        return {"allOf": [schema], **keywords} if keywords else schema


def _target(reference: JsonSchema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _shaped(shape: Shape) -> JsonSchema:
    return text(shape.pattern, shape.hint, **({"examples": list(shape.examples)} if shape.examples else {}))


def _scalar(kind: type, keywords: Mapping[str, Any]) -> JsonSchema:
    name, hint = _SCALARS[kind]
    return {"type": [name, "string"], **keywords, "pattern": f"^{REFERENCE}$", "patternErrorMessage": hint}


def _peeled(annotation: Any) -> tuple[Any, list[Any]]:
    """A type without its annotations, and these."""
    if get_origin(annotation) is not Annotated:
        return annotation, []
    inner, *marks = get_args(annotation)
    return inner, [one for mark in marks for one in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]


def _bounds(marks: Sequence[Any]) -> Iterator[tuple[str, int]]:
    for mark in marks:
        if type(mark) in _BOUNDS:
            keyword, attribute = _BOUNDS[type(mark)]
            yield keyword, getattr(mark, attribute)


def _title(model: type[BaseModel]) -> str:
    """Name of the definition of a model, which no type of text can have."""
    return f"{model.__module__.rpartition('.')[2]}.{model.__name__}"
