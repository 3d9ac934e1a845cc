"""What validation found, as diagnostics with a place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Tag, ValidationError

from reconciler.errors import Diagnostic
from reconciler.load.tree import Map, Seq, Sources
from schemas._core.fields import LIFECYCLE, Strict
from schemas._core.shapes import Shape

UNKNOWN_KEY, MISSING, WRONG_TYPE, INVALID = "NBS110", "NBS111", "NBS112", "NBS113"

_MEANT = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_HOW = {
    "text": "write text alone, without brackets and dashes",
    "true or false": "write true or false, without quotes",
    "a whole number": "write digits alone, without quotes",
    "a list": "write a list: [one, two]",
    "a mapping": "write a mapping: {key: value}",
}
_POSSIBLE = "possible: "
MANY = 5
"""Keys that are named as examples."""
_BOUNDS = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}


def near(name: str, known: Iterable[str]) -> str:
    """Help for a name that is not known: the nearest ones that are."""
    close = get_close_matches(name, [other for other in dict.fromkeys(known) if other != name], n=3, cutoff=0.6)
    return f"did you mean {' or '.join(repr(match) for match in close)}?" if close else ""


def find(node: Any, path: Iterable[int | str], at: int) -> tuple[Any, int]:
    """Follow a path of validation into the tree; steps that the tree does not have, such as names of variants, are passed over."""
    for step in path:
        if isinstance(node, Map) and step in node:
            node, at = node[str(step)], node.values_at[str(step)]
        elif isinstance(node, Seq) and isinstance(step, int) and step < len(node):
            node, at = node[step], node.items_at[step]
    return node, at


def diagnose(
    error: ValidationError,
    model: type[BaseModel],
    body: Any,
    at: int,
    sources: Sources,
    address: str | None = None,
    inside: Iterable[str] = (),
) -> list[Diagnostic]:
    """Turn all findings about one object into diagnostics.

    Args:
        error: the findings.
        model: what was expected.
        body: the object as the file has it.
        at: mark of its key.
        sources: the way back from marks to places.
        address: of the object.
        inside: keys that it may have besides those of the model, with objects in them.
    """
    found = [_one(item, model, body, at, sources, inside) for item in error.errors(include_url=False)]
    return [
        Diagnostic(code, message, advice, address=address, place=sources.place(mark))
        for code, message, advice, mark in found
    ]


def _one(
    item: Any, model: type[BaseModel], body: Any, at: int, sources: Sources, inside: Iterable[str]
) -> tuple[str, str, str, int]:
    path, said = list(item["loc"]), item["type"]
    if said == "extra_forbidden":
        node, _ = find(body, path[:-1], at)
        key = str(path[-1])
        advice, mark = _known_keys(model, path, key, inside), _key_mark(node, key, at)
        if _may_be_another(item, advice) and sources.place(mark).line > sources.place(at).line:
            advice += "; if it is an object of its own, indent it less"
        return UNKNOWN_KEY, f"unknown key '{key}'", advice, mark
    if said == "missing":
        _, mark = find(body, path[:-1], at)
        return MISSING, f"'{path[-1]}' is missing", f"it is required: add {path[-1]}", mark
    node, mark = find(body, path, at)
    if said in _MEANT:
        return WRONG_TYPE, *_wrong_type(_MEANT[said], node, _meant(model, path), sources.text_at(mark)), mark
    return INVALID, *_refusal(item, node), mark


def _may_be_another(item: Any, advice: str) -> bool:
    """It may be no key of the object, but the next object."""
    return len(item["loc"]) == 1 and isinstance(item["input"], Mapping | None) and advice.startswith(_POSSIBLE)


def _refusal(item: Any, node: Any) -> tuple[str, str]:
    """Message and help for a value of the right type that may not stand there."""
    said, context = item["type"], item.get("ctx") or {}
    if said == "nbsync":
        return context["message"], context["help"]
    if said in ("literal_error", "enum"):
        expected = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        return f"{shown(node)} is not possible here", f"possible: {expected}"
    if said in _BOUNDS:
        bound, side = _BOUNDS[said]
        return f"{shown(node)} is out of range", f"it is {side} {context[bound]}"
    return item["msg"][:1].lower() + item["msg"][1:], "write another value"


def _key_mark(node: Any, key: str, at: int) -> int:
    return node.keys_at[key] if isinstance(node, Map) and key in node else at


def _known_keys(model: type[BaseModel], path: list[Any], key: str, inside: Iterable[str]) -> str:
    """Help for an unknown key: the nearest of those that can stand there, or all, those of every object last."""
    models = _models_at(model, path[:-1])
    if advice := next((one.INSTEAD_OF[key] for one in models if issubclass(one, Strict) and key in one.INSTEAD_OF), ""):
        return advice
    names = _names(models)
    known = sorted(names, key=lambda said: names[said] in LIFECYCLE)
    if len(path) == 1:
        known += inside
    return near(key, known) or f"{_POSSIBLE}{', '.join(known)}"


def _names(models: Iterable[type[BaseModel]]) -> dict[str, str]:
    """The keys of models, with the attributes that they are."""
    return {info.alias or name: name for one in models for name, info in one.model_fields.items()}


def keys_of(models: Iterable[type[BaseModel]]) -> list[str]:
    """The keys of models without those of every object."""
    return [key for key, name in _names(models).items() if name not in LIFECYCLE]


def _models_at(model: type[BaseModel], path: list[Any]) -> list[type[BaseModel]]:
    """The models of what stands at a path of validation."""
    return [found for one in _meant(model, path) for found in _models(one)]


def _meant(model: type[BaseModel], path: list[Any]) -> list[Any]:
    """The types of what stands at a path of validation; several, where the path does not say which variant is meant."""
    annotations: list[Any] = [model]
    for step in path:
        inner = [found for one in annotations for found in _inner(one, step)]
        annotations = inner or annotations
    return annotations


def _inner(annotation: Any, step: Any) -> Iterator[Any]:
    """What one step leads to: a field of a model, or a variant of a union."""
    if any(isinstance(part, Tag) and part.tag == step for part in get_args(annotation)):
        yield get_args(annotation)[0]
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = (info for name, info in annotation.model_fields.items() if step in (name, info.alias))
        yield from (Annotated[info.annotation, None, *info.metadata] for info in fields)
    else:
        for argument in get_args(annotation):
            yield from _inner(argument, step)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """All models that stand in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _shapes(annotation: Any) -> Iterator[Shape]:
    """What is said of the texts of a type."""
    if isinstance(annotation, Shape) and annotation.pattern:
        yield annotation
    for argument in get_args(annotation):
        yield from _shapes(argument)


def _wrong_type(meant: str, node: Any, annotations: list[Any], text: str) -> tuple[str, str]:
    if meant == "text" and (node is None or isinstance(node, bool | int | float)):
        if node is None and not text:
            return "text is meant here, and there is nothing", "write it, or take the line out"
        text = text or str(node).lower()
        kind = "nothing" if node is None else "a boolean" if isinstance(node, bool) else "a number"
        # Quotes do not keep an interpolation from having the type that its text has.
        advice = f"make it text: !!str {text}" if "${" in text else _quoted(text, annotations)
        return f"text is meant here, and {text} is {kind}", advice
    keys = keys_of(found for one in annotations for found in _models(one)) if meant == "a mapping" else []
    return f"{meant} is meant here, not {shown(node)}", how(meant, node, keys)


def _quoted(text: str, annotations: list[Any]) -> str:
    """Help for a number where text is meant: quotes, unless what is between them would not do either."""
    shapes = [shape for one in annotations for shape in _shapes(one)]
    narrow = [shape for shape in shapes if shape.hint and not re.fullmatch(shape.pattern, text)]
    return "; ".join(dict.fromkeys(shape.hint for shape in narrow)) or f'quote it: "{text}"'


def how(meant: str, node: Any, keys: Sequence[str] = ()) -> str:
    """Help for something that stands where something else is meant; `keys` can stand in the mapping that is."""
    if meant.startswith("a list") and node is not None and not isinstance(node, Mapping | list | tuple):
        return f"write a list: [{node}]"
    if meant == "a mapping" and keys:
        return f"write a mapping, with keys such as {', '.join(keys[:MANY])}"
    return next(advice for start, advice in _HOW.items() if meant.startswith(start))


def wrong_type(what: str, meant: str, node: Any, advice: str = "") -> tuple[str, str]:
    """Message and help for something that stands where something else is meant: `a list`, `a mapping`."""
    return f"'{what}' is {meant}, not {shown(node)}", advice or how(meant, node)


def shown(node: Any) -> str:
    """A value of the tree in a message: what it is, or a scalar as it reads."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, list | tuple):
        return "a list"
    if node is None:
        return "nothing"
    return f"'{str(node).lower() if isinstance(node, bool) else node}'"


def with_article(kind: str) -> str:
    """Name of a kind in a sentence: a network router, an account."""
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind.replace('_', ' ')}"
