"""Whether every name in the files names something, in the files or in the account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from reconciler.errors import Diagnostic, Place, Severity
from reconciler.load.desired import Declared, Desired
from reconciler.load.messages import near
from reconciler.load.tree import Map, Seq
from reconciler.plan.match import AMBIGUOUS, Book
from schemas._core.address import Address, decode_part
from schemas._core.fields import RefTo, Resource
from schemas._core.references import ref_address, references

UNKNOWN, NOT_JOINED = "NBS201", "NBS302"
Reference = tuple[str, RefTo, str]
"""Attribute that holds it, what it refers to, and the name as written."""


class _Found(Enum):
    THERE = auto()
    ABSENT = auto()
    UNKNOWN = auto()
    AMBIGUOUS = auto()


@dataclass(slots=True)
class Resolved:
    """Declared objects that can be planned, and what is wrong or odd about the names in them.

    Attributes:
        models: declared objects without the things that have not arrived yet; None where they cannot be without them.
    """

    models: dict[Address, Resource | None] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def resolve(book: Book) -> Resolved:
    """Look up every reference of the declared objects, in the files first, then in the account."""
    resolved = Resolved()
    seen: dict[tuple[str, str], _Found] = {}
    for declared in book.desired.objects.values():
        if declared.address not in book.refused and not book.desired.is_unmanaged(declared.address):
            resolved.models[declared.address] = _checked(book, declared, resolved, seen)
    return resolved


def _checked(
    book: Book, declared: Declared, resolved: Resolved, seen: dict[tuple[str, str], _Found]
) -> Resource | None:
    absent: set[str] = set()
    for reference in references(declared.model):
        _, ref, text = reference
        if (ref.kind, text) not in seen:
            seen[ref.kind, text] = _look_up(book, ref, text)
        found = seen[ref.kind, text]
        if found is _Found.ABSENT:
            absent.add(text)
            resolved.diagnostics.append(_not_joined(book, declared, reference))
        elif found is not _Found.THERE:
            resolved.diagnostics.append(_bad_name(book, declared, reference, found))
    return declared.kind.without(declared.model, frozenset(absent)) if absent else declared.model


def _look_up(book: Book, ref: RefTo, text: str) -> _Found:
    kind = book.desired.registry.get(ref.kind)
    address = ref_address(ref, text)
    if address in book.pairs or address in book.refused:
        return _Found.THERE
    arrives = kind is not None and kind.arrives
    if address in book.desired.objects and not book.desired.is_unmanaged(address):
        return _Found.ABSENT if arrives else _Found.THERE
    live = book.found(address)
    if len(live) > 1:
        return _Found.AMBIGUOUS
    return _Found.THERE if live else _Found.ABSENT if arrives else _Found.UNKNOWN


def _bad_name(book: Book, declared: Declared, reference: Reference, found: _Found) -> Diagnostic:
    _, ref, text = reference
    place = place_of(book.desired, declared, reference)
    said = ref.kind.replace("_", " ")
    if found is _Found.AMBIGUOUS:
        ids = ", ".join(live.id for live in book.found(ref_address(ref, text)))
        message = f"'{text}' could be any of several live objects, with the ids {ids}"
        advice = f"declare the {said} with id: to say which one is meant, or rename the others"
        return Diagnostic(AMBIGUOUS, message, advice, address=str(declared.address), place=place)
    advice = near(text, _names(book, ref)) or f"declare the {said}, or correct the name"
    message = f"no {said} is called '{text}', neither in the files nor in the account"
    return Diagnostic(UNKNOWN, message, advice, address=str(declared.address), place=place)


def _not_joined(book: Book, declared: Declared, reference: Reference) -> Diagnostic:
    _, ref, text = reference
    advice = near(text, _names(book, ref)) or "what needs it is left out until it has"
    message = f"the {ref.kind} '{text}' has not joined yet"
    place = place_of(book.desired, declared, reference)
    return Diagnostic(NOT_JOINED, message, advice, Severity.WARNING, str(declared.address), place)


def _names(book: Book, ref: RefTo) -> Iterator[str]:
    """All that could be named instead, as a file would name it."""
    return (key if ref.compound else decode_part(key) for key in book.known(ref.kind))


def place_of(desired: Desired, declared: Declared, reference: Reference) -> Place | None:
    """Where a name stands inside a declared object; the object itself if it cannot be found."""
    attribute, _, text = reference
    field = type(declared.model).model_fields[attribute].alias or attribute
    names = {text, decode_part(text.rpartition("/")[2])}
    found = scalars(declared.body.get(field), declared.body.values_at.get(field, declared.at))
    return desired.place(next((mark for mark, value in found if value in names), declared.at))


def scalars(node: Any, at: int) -> Iterator[tuple[int, Any]]:
    """All scalars of a part of the tree, keys included, with their marks."""
    if isinstance(node, Map):
        for key, value in node.items():
            yield node.keys_at[key], key
            yield from scalars(value, node.values_at[key])
    elif isinstance(node, Seq):
        for value, mark in zip(node, node.items_at, strict=True):
            yield from scalars(value, mark)
    else:
        yield at, node


def names_for_the_account(desired: Desired) -> list[tuple[Declared, Reference]]:
    """References that no file answers: only the account can. Names that NetBird itself gives are in every account."""
    return [
        (declared, reference)
        for declared in desired.objects.values()
        for reference in references(declared.model)
        if not _is_answered(desired, *reference[1:])
    ]


def _is_answered(desired: Desired, ref: RefTo, text: str) -> bool:
    return text in desired.registry[ref.kind].reserved or ref_address(ref, text) in desired.objects
