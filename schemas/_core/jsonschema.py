"""JSON Schema of the language, for editors: derived from the registry of kinds and their models.

It is draft-07, which editors understand best. It describes one file; what only all files together or the account can tell is
left to `nbsync validate` and `nbsync plan`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, get_args

from pydantic import BaseModel

from schemas._core.codec import field_specs, may_be_empty, plain
from schemas._core.document import ADDRESSES, KIND_NAMES, VERSION, Guards, Mode
from schemas._core.fielddocs import field_docs
from schemas._core.fields import LIFECYCLE, Resource, Trait
from schemas._core.jsontypes import Types, any_of, ref, text
from schemas._core.kind import Kind, Layout
from schemas._core.references import whole
from schemas._core.shapes import ANY_TEXT, JsonSchema

SINGLE = (Layout.SINGLE, Layout.FIELD)
NULL: JsonSchema = {"type": "null"}
NO_RENAME: JsonSchema = {
    "description": "NetBird cannot rename it.",
    "type": "array",
    "maxItems": 0,
    "doNotSuggest": True,
}
TRAITS = {
    Trait.KEPT: "Left out: kept as it is.",
    Trait.IMMUTABLE: "A change makes it anew.",
    Trait.CREATE_ONLY: "Used when it is made, never compared.",
}
MODES = "`full`: what no file declares is deleted. `no-delete`: it is left and counted."
ROOT = {
    "version": "Version of the language; needed in one of the files.",
    "manage": "Who deletes what no file declares: `full` kinds lose it, of `no-delete` kinds (the default) it is left and counted.",
    "guards": "Limits on what one apply may do.",
    "vars": "Names for values, used as `${var:NAME}`.",
    "unmanaged": "Addresses or patterns (`policy/legacy-*`) of what is left alone, whatever else the files say.",
    "remove": "Addresses of declared objects that this overlay takes out.",
}


def language_schema(
    kinds: Mapping[str, Kind[Any]], names: Mapping[str, Sequence[str]] | None = None, *, overlay: bool = False
) -> JsonSchema:
    """JSON Schema (draft-07) of one file.

    Args:
        kinds: the kinds that there are.
        names: names of live objects by kind; editors offer them, others are not refused.
        overlay: describe overlays instead, in which objects may be there in part and `remove` is known.
    """
    return _Language(kinds, names or {}, overlay=overlay).document()


class _Language:
    def __init__(self, kinds: Mapping[str, Kind[Any]], names: Mapping[str, Sequence[str]], *, overlay: bool) -> None:
        self.kinds = kinds
        self.overlay = overlay
        self.names = names
        self.types = Types(self._model, names)
        self.inside: dict[str, list[Kind[Any]]] = {name: [] for name in kinds}
        for kind in kinds.values():
            if kind.parent:
                self.inside[kind.parent].append(kind)

    def document(self) -> JsonSchema:
        """The whole schema."""
        definitions = self.types.definitions
        definitions[KIND_NAMES.name] = {"enum": list(self.kinds)}
        definitions[ADDRESSES.name] = text(_addresses(self.kinds), "write KIND/KEY, such as policy/legacy-*")
        root = {"type": "object", "additionalProperties": False, "properties": self._root()}
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": f"https://nbsync.dev/schema/{'overlay' if self.overlay else 'language'}-{VERSION}.json",
            "title": f"nbsync {'overlay' if self.overlay else 'file'}",
            **any_of(root, NULL),
            "definitions": dict(sorted(definitions.items())),
        }

    def _root(self) -> JsonSchema:
        tops = [kind for kind in self.kinds.values() if not kind.parent]
        addresses = {"type": "array", "items": ref(ADDRESSES.name)}
        said = {
            "version": any_of({"enum": [VERSION]}, self.types.interpolated([VERSION])),
            "manage": self._manage(kind.section[0] for kind in tops),
            "guards": any_of(self.types.of(Guards), NULL),
            "vars": any_of({"type": "object", "additionalProperties": self._value()}, NULL),
            "unmanaged": any_of(addresses, ref("variable"), NULL),
            **({"remove": any_of(addresses, NULL)} if self.overlay else {}),
        }
        described = {key: {"description": ROOT[key], **schema} for key, schema in said.items()}
        return {**described, **self._sections(tops)}

    def _manage(self, keys: Iterable[str]) -> JsonSchema:
        def mode() -> JsonSchema:
            return {"description": MODES, **self.types.of(Mode)}

        properties = {key: self.types.define("mode", mode) for key in ("default", *dict.fromkeys(keys))}
        modes = {"type": "object", "additionalProperties": False, "properties": properties}
        return any_of(modes, ref("variable"), NULL)

    def _value(self) -> JsonSchema:
        """Anything whose interpolations are well-formed."""
        inner = ref("value")
        anything = {"pattern": f"^{ANY_TEXT}*$", "items": inner, "additionalProperties": inner}
        return self.types.define("value", lambda: anything)

    def _sections(self, tops: Sequence[Kind[Any]]) -> JsonSchema:
        """Root keys of kinds; those that hold several sections are mappings of their own."""
        said: JsonSchema = {kind.section[0]: self._section(kind) for kind in tops if len(kind.section) == 1}
        for holder in dict.fromkeys(kind.section[0] for kind in tops if len(kind.section) > 1):
            properties = {kind.section[1]: self._section(kind) for kind in tops if kind.section[0] == holder}
            form = {"type": "object", "additionalProperties": False, "properties": properties}
            description = f"Holds {', '.join(f'`{key}`' for key in properties)}."
            said[holder] = {"description": description, **any_of(form, ref("variable"), NULL)}
        return said

    def _section(self, kind: Kind[Any]) -> JsonSchema:
        module = sys.modules[kind.model.__module__].__doc__ or kind.model.__doc__ or ""
        return {"description": module.strip().partition("\n")[0], **self._objects(kind)}

    def _objects(self, kind: Kind[Any]) -> JsonSchema:
        """What stands below the section of a kind."""
        if kind.layout is Layout.FIELD:
            return self._field(kind.model, kind.section[-1])
        one = self.types.define(kind.name, lambda: self._object(kind))
        if kind.layout is Layout.SINGLE:
            return one
        if kind.layout is Layout.LISTED:
            return any_of({"type": "array", "items": one}, ref("variable"), NULL)
        several = {"type": "array", "items": one, "minItems": 1}
        body = any_of(one, several) if kind.layout is Layout.NAMED_LISTS else one
        named = {"type": "object", "propertyNames": self._names(kind), "additionalProperties": body}
        return any_of(named, ref("variable"), NULL)

    def _names(self, kind: Kind[Any]) -> JsonSchema:
        """Names that objects of a kind may have; those that live ones have are offered."""
        shape = kind.name_shape
        pattern = {"pattern": f"^(?:{shape.pattern})$", "patternErrorMessage": shape.hint} if shape.pattern else {}
        reserved = {"not": {"enum": list(kind.reserved)}} if kind.reserved else {}
        any_name = {"type": "string", "minLength": 1, **pattern, **shape.keywords, **reserved}
        live = [name for name in self.names.get(kind.name, ()) if name not in kind.reserved]
        return any_of({"type": "string", "enum": live}, any_name) if live and not kind.parent else any_name

    def _object(self, kind: Kind[Any]) -> JsonSchema:
        model = kind.written_as or kind.model
        schema = {**self._model(model), "title": kind.title}
        properties = schema["properties"]
        properties |= {inner.section[0]: self._section(inner) for inner in self.inside[kind.name]}
        properties |= self._lifecycle(kind)
        is_null_valid = kind.layout is not Layout.SINGLE and (self.overlay or may_be_empty(model))
        return any_of(schema, ref("variable"), *([NULL] if is_null_valid else []))

    def _lifecycle(self, kind: Kind[Any]) -> JsonSchema:
        """What every object may carry; of which names and fields, depends on the kind."""
        said = {name: self._field(Resource, name) for name in sorted(LIFECYCLE)}
        shared = {name: self.types.define(f"any_{name}", partial(said.__getitem__, name)) for name in said}
        fields = [spec.said for spec in field_specs(kind.model)]
        fields += [inner.section[0] for inner in self.inside[kind.name]]
        known = any_of({"enum": fields}, self.types.interpolated(fields))
        ignore = any_of({"type": "array", "items": known}, ref("variable"))
        own = {"ignore": {"description": said["ignore"]["description"], **ignore}}
        if not kind.renames:
            own["previously"] = self.types.define("no_rename", lambda: NO_RENAME)
        return {**shared, **own}

    def _model(self, model: type[BaseModel]) -> JsonSchema:
        """The mapping that a model describes."""
        infos = {info.alias or name: (name, info) for name, info in model.model_fields.items()}
        required = [said for said, (_, info) in infos.items() if info.is_required()]
        rules = [rule for base in model.__mro__ for rule in vars(base).get("RULES", ())]
        return {
            "title": model.__name__,
            "description": (model.__doc__ or "").strip().partition("\n")[0],
            "type": "object",
            "additionalProperties": False,
            "properties": {said: self._field(model, name) for said, (name, _) in infos.items()},
            **({"required": required} if required and not self.overlay else {}),
            **({"allOf": rules} if rules and not self.overlay else {}),
        }

    def _field(self, model: type[BaseModel], name: str) -> JsonSchema:
        info = model.model_fields[name]
        schema = self.types.of(whole(info))
        default = plain(info.get_default(call_default_factory=True))
        if default is None and not info.is_required() and not issubclass(model, Resource):
            schema = any_of(schema, NULL)
        notes = [field_docs(model).get(name, ""), *(TRAITS[mark] for mark in _traits(whole(info)))]
        notes.append(
            "Required." if info.is_required() else "" if default in (None, {}) else f"Left out: {_code(default)}."
        )
        offered = (
            {"default": default} if isinstance(default, bool | int) or (default and isinstance(default, str)) else {}
        )
        return {"description": " ".join(filter(None, notes)), **schema, **offered}


def _code(default: Any) -> str:
    return f"`{json.dumps(default)}`"


def _traits(annotation: Any) -> list[Trait]:
    """Traits of a field, also where it may be absent."""
    found = [mark for mark in getattr(annotation, "__metadata__", ()) if isinstance(mark, Trait)]
    return found + [mark for inner in get_args(annotation) for mark in _traits(inner)]


def _addresses(kinds: Iterable[str]) -> str:
    """Addresses of these kinds, and patterns that may mean some."""
    return rf"(?:(?:{'|'.join(kinds)})/|[a-z_]*[*?\[])[\s\S]*"
