"""What a change was planned on, and how the object differs by now: "description was "a" when planned, is "b" now"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.plan.change import Change
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas._core.codec import FieldSpec, comparable_specs, identifiers, plain
from schemas._core.fields import JsonObject, Resource
from schemas._core.reading import CannotExpress
from schemas._core.references import references

LONG = 200
"""Characters from which on a list is not repeated, but what came to it and what went from it."""


@dataclass(frozen=True, slots=True)
class State:
    """A live object as far as it counts for a change of it.

    What comes and goes by itself is left out: what the server computes and, where others write to the objects of a kind all
    the time, all that the change does not touch (members of a group that the files do not say).

    Attributes:
        id: of the object.
        key: by what it is called, and where it stands, now.
        name: in the form in which names are compared; empty if objects have none.
        parent: id of the object in which it stands.
        fields: in the files' words, for people. Names in them follow the objects that they refer to.
        sent: what a request that changes nothing would send: ids, and fields that nbsync does not know. This decides.
    """

    id: str
    key: str
    name: str
    parent: str
    fields: JsonObject
    sent: JsonObject


def state_of(book: Book, live: Live, change: Change | None = None) -> State:
    """The state of a live object.

    Args:
        book: what is what.
        live: the object.
        change: what is to be done to it, with the desired object; None if it goes with another object.
    """
    is_touched_in_part = live.kind.volatile and change is not None and not change.removes
    decoded, sent = _decoded(book, live), _sent(book, live)
    fields = (
        {spec.said: plain(getattr(decoded, spec.name)) for spec in comparable_specs(live.kind.model)} if decoded else {}
    )
    if change is not None and decoded is not None and is_touched_in_part:
        written = [spec for spec in comparable_specs(live.kind.model) if spec.name in change.writes]
        members = {spec.wire: _that_count(book, live, spec, change, decoded) for spec in written if _is_members(spec)}
        fields = {spec.said: fields[spec.said] for spec in written}
        sent = {key: value for key, value in sent.items() if not isinstance(value, list | dict)} | members
    return State(live.id, book.key_now(live), live.name, live.parent, fields, _in_order(sent))


def differences(then: State, now: State) -> list[str]:
    """How an object (of one id) differs from what it was, in the files' words; nothing if it is the same, whatever it refers to is called.

    Returns:
        Texts such as `enabled was true when planned, is false now`.
    """
    if (then.name, then.parent, then.sent) == (now.name, now.parent, now.sent):
        return []
    found = []
    if (then.name, then.parent) != (now.name, now.parent):
        found.append(f"it was {then.key} when planned, is {now.key} now")
    paths = dict.fromkeys([*then.fields, *now.fields])
    found += [_said(path, then.fields.get(path), now.fields.get(path)) for path in paths if _differs(then, now, path)]
    return found or list(_without_words(then.sent, now.sent))


def _decoded(book: Book, live: Live) -> Resource | None:
    try:
        decoded: Resource = live.kind.decode(live.kind.model, live.seen, book)
    except CannotExpress:
        return None
    return decoded


def _sent(book: Book, live: Live) -> JsonObject:
    kind = live.kind
    try:
        sent: JsonObject = kind.request(kind.model, live.seen, kind.computed, book)
    except CannotExpress:
        known = {other.id for other in book.snapshot} - {live.id}
        return {key: _with_ids(value, known) for key, value in live.seen.items() if key not in kind.computed}
    return sent


def _with_ids(value: Any, known: set[str]) -> Any:
    """The same with ids in the place of other live objects: what is shown of them is their own, such as their members' number."""
    if isinstance(value, list):
        return [_with_ids(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    identifier = value.get("id")
    if isinstance(identifier, str) and identifier in known:
        return identifier
    return {key: _with_ids(item, known) for key, item in value.items()}


def _is_members(spec: FieldSpec) -> bool:
    return spec.many and spec.ref is not None


def _that_count(book: Book, live: Live, spec: FieldSpec, change: Change, decoded: Resource) -> list[str]:
    """Ids of the members that the files name, or that the change would take out; others come and go by themselves."""
    kind, desired = live.kind, change.desired
    if spec.ref is None or desired is None:
        return []
    named = {text for attribute, _, text in references(desired) if attribute == spec.name}
    left = set(getattr(kind.settle(desired, decoded, live.seen, book), spec.name) or ())
    present = {member: book.label(spec.ref.kind, member) for member in identifiers(live.seen.get(spec.wire))}
    return [member for member, label in present.items() if label in named or label not in left]


def _in_order(value: Any) -> Any:
    """The same value in one form: without what is empty, lists of text and of objects with ids in one order."""
    if isinstance(value, dict):
        return {key: _in_order(item) for key, item in value.items() if item not in (None, [], {})}
    if not isinstance(value, list):
        return value
    if all(isinstance(item, str) for item in value):
        return sorted(value)
    if all(isinstance(item, dict) and isinstance(item.get("id"), str) for item in value):
        return [_in_order(item) for item in sorted(value, key=lambda item: item["id"])]
    return [_in_order(item) for item in value]


def _differs(then: State, now: State, path: str) -> bool:
    return bool(then.fields.get(path) != now.fields.get(path))


def _said(path: str, then: Any, now: Any) -> str:
    whole = f"{path} was {_shown(then)} when planned, is {_shown(now)} now"
    if len(whole) < LONG or not (isinstance(then, list) and isinstance(now, list)):
        return whole
    come, gone = [item for item in now if item not in then], [item for item in then if item not in now]
    return f"{path} has changed: {_shown(come)} came to it, and {_shown(gone)} went from it"


def _shown(value: Any) -> str:
    return "not there" if value is None else json.dumps(value, ensure_ascii=False)


def _without_words(then: JsonObject, now: JsonObject) -> Iterator[str]:
    for key in sorted(then.keys() | now.keys()):
        if then.get(key) != now.get(key):
            yield f"{key}, for which the files have no word, is another one now than when planned"
