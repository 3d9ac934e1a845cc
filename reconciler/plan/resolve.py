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
from schemas._core.address import Address
from schemas._core.codec import ref_key, references
from schemas._core.fields import RefTo, Resource

UNKNOWN, NOT_JOINED = "NBS201", "NBS302"


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
    for _, ref, text in references(declared.model):
        if (ref.kind, text) not in seen:
            seen[ref.kind, text] = _look_up(book, ref, text)
        found = seen[ref.kind, text]
        if found is _Found.ABSENT:
            absent.add(text)
            resolved.diagnostics.append(_not_joined(book, declared, ref, text))
        elif found is not _Found.THERE:
            resolved.diagnostics.append(_bad_name(book, declared, ref, text, found))
    return declared.kind.without(declared.model, frozenset(absent)) if absent else declared.model


def _look_up(book: Book, ref: RefTo, text: str) -> _Found:
    kind = book.desired.registry.get(ref.kind)
    address = Address(ref.kind, ref_key(ref, text))
    if address in book.pairs or address in book.refused:
        return _Found.THERE
    arrives = kind is not None and kind.arrives
    if address in book.desired.objects and not book.desired.is_unmanaged(address):
        return _Found.ABSENT if arrives else _Found.THERE
    live = book.found(address)
    if len(live) > 1:
        return _Found.AMBIGUOUS
    return _Found.THERE if live else _Found.ABSENT if arrives else _Found.UNKNOWN


def _bad_name(book: Book, declared: Declared, ref: RefTo, text: str, found: _Found) -> Diagnostic:
    place = place_of(book.desired, declared, text)
    said, address = ref.kind.replace("_", " "), Address(ref.kind, ref_key(ref, text))
    if found is _Found.AMBIGUOUS:
        ids = ", ".join(live.id for live in book.found(address))
        message = f"'{text}' could be any of several live objects, with the ids {ids}"
        advice = f"declare the {said} with id: to say which one is meant, or rename the others"
        return Diagnostic(AMBIGUOUS, message, advice, address=str(declared.address), place=place)
    advice = near(address.key, book.known(ref.kind)) or f"declare the {said}, or correct the name"
    message = f"no {said} is called '{text}', neither in the files nor in the account"
    return Diagnostic(UNKNOWN, message, advice, address=str(declared.address), place=place)


def _not_joined(book: Book, declared: Declared, ref: RefTo, text: str) -> Diagnostic:
    advice = near(text, book.known(ref.kind)) or "what needs it is left out until it has"
    message = f"the {ref.kind} '{text}' has not joined yet"
    place = place_of(book.desired, declared, text)
    return Diagnostic(NOT_JOINED, message, advice, Severity.WARNING, str(declared.address), place)


def place_of(desired: Desired, declared: Declared, text: str) -> Place | None:
    """Where a name stands inside a declared object; the object itself if it cannot be found."""
    last = text.rpartition("/")[2]
    marks = [mark for mark, value in _scalars(declared.body) if value in (text, last)]
    return desired.place(marks[0] if marks else declared.at)


def _scalars(node: Any) -> Iterator[tuple[int, str]]:
    if isinstance(node, Map):
        for key, value in node.items():
            yield node.keys_at[key], key
            yield from _scalars(value) if isinstance(value, Map | Seq) else [(node.values_at[key], value)]
    elif isinstance(node, Seq):
        for value, mark in zip(node, node.items_at, strict=True):
            yield from _scalars(value) if isinstance(value, Map | Seq) else [(mark, value)]


def names_for_the_account(desired: Desired) -> list[tuple[Declared, RefTo, str]]:
    """References that no file answers: only the account can."""
    return [
        (declared, ref, text)
        for declared in desired.objects.values()
        for _, ref, text in references(declared.model)
        if Address(ref.kind, ref_key(ref, text)) not in desired.objects
    ]
