"""What validation found, as diagnostics with a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from reconciler.errors import Diagnostic
from reconciler.load.tree import Map, Seq, Sources

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
    error: ValidationError, model: type[BaseModel], body: Any, at: int, sources: Sources, address: str | None
) -> list[Diagnostic]:
    """Turn all findings about one object into diagnostics; `at` is the mark of the object's key."""
    found = [_one(item, model, body, at, sources) for item in error.errors(include_url=False)]
    return [
        Diagnostic(code, message, advice, address=address, place=sources.place(mark))
        for code, message, advice, mark in found
    ]


def _one(item: Any, model: type[BaseModel], body: Any, at: int, sources: Sources) -> tuple[str, str, str, int]:
    path, said = list(item["loc"]), item["type"]
    if said == "extra_forbidden":
        node, _ = find(body, path[:-1], at)
        key = str(path[-1])
        return UNKNOWN_KEY, f"unknown key '{key}'", _known_keys(model, path, key), _key_mark(node, key, at)
    if said == "missing":
        _, mark = find(body, path[:-1], at)
        return MISSING, f"'{path[-1]}' is missing", "", mark
    node, mark = find(body, path, at)
    context = item.get("ctx") or {}
    if said == "nbsync":
        return INVALID, context["message"], context["help"], mark
    if said in _MEANT:
        message, advice = _wrong_type(_MEANT[said], node, mark, sources)
        return WRONG_TYPE, message, advice, mark
    if said in ("literal_error", "enum"):
        expected = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        return INVALID, f"'{item['input']}' is not possible here", f"possible: {expected}", mark
    return INVALID, _plain(item["msg"]), "", mark


def _key_mark(node: Any, key: str, at: int) -> int:
    return node.keys_at[key] if isinstance(node, Map) and key in node else at


def _known_keys(model: type[BaseModel], path: list[Any], key: str) -> str:
    known = [info.alias or name for name, info in _model_at(model, path[:-1]).model_fields.items()]
    return near(key, known) or f"possible: {', '.join(known)}"


def _model_at(model: type[BaseModel], path: list[Any]) -> type[BaseModel]:
    """The model to which the last named step of a path leads; the outermost one where steps lead through variants."""
    for step in path:
        info = model.model_fields.get(str(step))
        annotation = info.annotation if info else None
        candidates = [t for t in (annotation, *getattr(annotation, "__args__", ())) if isinstance(t, type)]
        model = next((t for t in candidates if issubclass(t, BaseModel)), model)
    return model


def _wrong_type(meant: str, node: Any, mark: int, sources: Sources) -> tuple[str, str]:
    if meant == "text" and (node is None or isinstance(node, bool | int | float)):
        text = sources.text_at(mark) or ("null" if node is None else str(node).lower())
        kind = "nothing" if node is None else "a boolean" if isinstance(node, bool) else "a number"
        return f"text is meant here, and {text} is {kind}", f'quote it: "{text}"'
    return f"{meant} is meant here, not {kind_of(node)}", ""


def kind_of(node: Any) -> str:
    """What a value of the tree is, for a person."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, list | tuple):
        return "a list"
    if node is None:
        return "nothing"
    return f"'{node}'"


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]
