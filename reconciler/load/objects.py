"""From the sections of the tree to declared objects: every mapping becomes a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from reconciler.load.desired import Declared, Desired
from reconciler.load.messages import INVALID, WRONG_TYPE, diagnose, how, keys_of, near, with_article
from reconciler.load.notes import Notes
from reconciler.load.tree import Map, Seq
from schemas import AnyKind
from schemas._core.address import Address, encode_part
from schemas._core.codec import field_specs
from schemas._core.fields import Resource
from schemas._core.kind import Layout

DECLARED_TWICE = "NBS101"
WHOLE = (Layout.SINGLE, Layout.FIELD)
"""Layouts of kinds of which there is exactly one object."""
NAMED = (Layout.NAMED, Layout.NAMED_LISTS)
"""Layouts in which objects are keyed by name."""
BY_NAME = "write a mapping: each of them below it as `NAME:` with its fields, without a dash"


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as it stands in the tree.

    Attributes:
        name: its key; for entries of lists, what to call it in messages.
        at: mark of the key, or of the entry; `body_at` of the value.
        parent: address of the object in which it stands, `around` the parts of that one's key.
    """

    kind: AnyKind
    name: str
    body: Any
    at: int
    body_at: int
    parent: Address | None = None
    around: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Parts of the key as far as they are names."""
        has_name = self.kind.name_field or self.kind.layout in WHOLE
        return (*self.around, self.kind.name_form(self.name)) if has_name else self.around

    @property
    def shown(self) -> Address:
        """What to call the object in messages, before its key is known."""
        return Address.of(self.kind.name, *self.around, self.kind.name_form(self.name))


class Objects:
    """Reads the sections of all kinds into a desired state."""

    def __init__(self, desired: Desired, notes: Notes) -> None:
        self._desired = desired
        self._notes = notes
        self._declared: dict[tuple[str, str], Entry] = {}
        self._inside: dict[str, dict[str, AnyKind]] = {name: {} for name in desired.registry}
        for kind in desired.registry.values():
            if kind.parent:
                self._inside[kind.parent][kind.section[0]] = kind

    def read(self, root: Map) -> None:
        """Read all objects of all kinds."""
        for kind in self._desired.registry.values():
            *around, last = kind.section
            holder: Any = root
            for step in around:
                holder = holder.get(step) if isinstance(holder, Map) else None
            if not kind.parent and isinstance(holder, Map) and last in holder:
                self._section(kind, holder, last)

    def _section(self, kind: AnyKind, holder: Map, key: str, inside: Entry | None = None) -> None:
        """Read all objects of one kind that stand under one key."""
        self._desired.kinds.add(kind.name)
        node, parent = holder[key], inside.shown if inside else None
        if parent is not None:
            self._desired.parts.add((kind.name, parent))
        if node in (None, _form(kind)(0)) and kind.layout not in WHOLE:
            self._desired.empty[str(parent or ".".join(kind.section)), parent] = holder.keys_at[key]
            return
        for entry in self._entries(kind, holder, key):
            self._object(replace(entry, parent=parent, around=inside.named) if inside else entry)

    def _entries(self, kind: AnyKind, holder: Map, key: str) -> Iterator[Entry]:
        node: Any = holder[key]
        at = holder.values_at[key]
        if kind.layout is Layout.FIELD:
            body = Map(holder.keys_at[key])
            body.take(key, holder)
            yield Entry(kind, kind.name, body, holder.keys_at[key], at)
        elif not isinstance(node, _form(kind)):
            meant = "a list" if kind.layout is Layout.LISTED else "a mapping"
            self._notes.wrong_type(key, meant, node, at, advice=BY_NAME if kind.layout in NAMED else "")
        elif kind.layout is Layout.LISTED:
            for index, item in enumerate(node):
                yield Entry(kind, f"entry {index + 1}", item, node.items_at[index], node.items_at[index])
        elif kind.layout is Layout.SINGLE:
            yield Entry(kind, kind.name, node, holder.keys_at[key], at)
        else:
            yield from self._named(kind, node)

    def _named(self, kind: AnyKind, node: Map) -> Iterator[Entry]:
        for name, body in node.items():
            at = node.values_at[name]
            if kind.layout is not Layout.NAMED_LISTS or not isinstance(body, Seq):
                yield Entry(kind, name, body, node.keys_at[name], at)
                continue
            for index, item in enumerate(body):
                yield Entry(kind, name, item, body.items_at[index], body.items_at[index])
            if not body:
                message, advice = f"'{name}' is an empty list", "give it an entry, or take it out"
                self._notes.error(INVALID, message, advice, at, Address.of(kind.name, name))

    def _object(self, entry: Entry) -> None:
        """Read one object, and those that stand inside it."""
        if entry.body is None:
            entry = replace(entry, body=Map(entry.at))
        if not isinstance(entry.body, Map):
            advice = self._how(entry)
            self._notes.wrong_type(
                entry.name, "a mapping", entry.body, entry.body_at, advice=advice, address=entry.shown
            )
            return
        if not self._name_is_fine(entry):
            return
        inner = self._inside[entry.kind.name]
        own = {key: value for key, value in entry.body.items() if key not in inner} if inner else entry.body
        written = self._model(entry, own)
        if written is not None:
            for model in self._expanded(entry, written):
                self._declare(entry, model)
        for key, kind in inner.items():
            if key in entry.body:
                self._section(kind, entry.body, key, inside=entry)

    def _how(self, entry: Entry) -> str:
        """Help for an object that is no mapping."""
        keys = [*keys_of([entry.kind.written_as or entry.kind.model]), *self._inside[entry.kind.name]]
        if entry.name in keys and entry.kind.layout in NAMED:
            return f"if {entry.name} belongs to what is above it, indent it further"
        return how("a mapping", entry.body, keys)

    def _name_is_fine(self, entry: Entry) -> bool:
        if entry.kind.layout is Layout.LISTED:
            return True
        reason, advice = entry.kind.reserved.get(entry.name, ""), "take it out; refer to it by name where it is needed"
        if not entry.name:
            reason, advice = "a name cannot be empty", "give it one"
        elif not reason:
            try:
                entry.kind.check_name(entry.name)
            except PydanticCustomError as error:
                context = error.context or {}
                reason, advice = context.get("message", ""), context.get("help", "")
        if reason:
            self._notes.error(INVALID, reason, advice, entry.at, entry.shown)
        return not reason

    def _model(self, entry: Entry, own: Mapping[str, Any]) -> Any:
        """The validated mapping; nothing, if anything about it is wrong."""
        model = entry.kind.written_as or entry.kind.model
        known = {info.alias or name for name, info in model.model_fields.items()}
        nulls = [key for key, value in own.items() if value is None and key in known]
        for key in nulls:
            advice = "give it one, or leave the key out"
            self._notes.error(WRONG_TYPE, f"'{key}' has no value", advice, entry.body.values_at[key], entry.shown)
        try:
            written = model.model_validate(own)
        except ValidationError as error:
            inside = self._inside[entry.kind.name]
            found = diagnose(error, model, entry.body, entry.at, self._notes.sources, str(entry.shown), inside)
            said = {self._notes.sources.place(entry.body.values_at[key]) for key in nulls}
            self._notes.diagnostics += [diagnostic for diagnostic in found if diagnostic.place not in said]
            return None
        return written if self._lifecycle_is_fine(entry, written) and not nulls else None

    def _lifecycle_is_fine(self, entry: Entry, written: Any) -> bool:
        before = len(self._notes.diagnostics)
        kind, body = entry.kind, entry.body
        said = with_article(kind.name)
        if written.previously and not kind.renames:
            advice = "leave previously out: the object is made anew under its new name"
            self._notes.error(INVALID, f"NetBird cannot rename {said}", advice, body.keys_at["previously"], entry.shown)
        fields = [spec.said for spec in field_specs(kind.model)] + list(self._inside[kind.name])
        for index, name in enumerate(written.ignore):
            if name not in fields:
                advice = near(name, fields) or f"possible: {', '.join(fields)}"
                self._notes.error(
                    INVALID, f"{said} has no field '{name}'", advice, body["ignore"].items_at[index], entry.shown
                )
        return len(self._notes.diagnostics) == before

    def _expanded(self, entry: Entry, written: Any) -> list[Resource]:
        """The objects that one mapping stands for: mostly itself."""
        if entry.kind.expand is None:
            return [written]
        models = list(entry.kind.expand(written, entry.name, entry.around))
        if written.id and len(models) > 1:
            message = f"one id cannot belong to {len(models)} objects"
            self._notes.error(INVALID, message, "leave id out", entry.body.keys_at["id"], entry.shown)
        return models

    def _declare(self, entry: Entry, model: Resource) -> None:
        kind = entry.kind
        suffix = kind.suffix(model, entry.around) if kind.suffix else ()
        address = Address(kind.name, "/".join((*map(encode_part, entry.named), *suffix)))
        # Where objects move between parents, their names are unique in the whole account.
        identity = (kind.name, entry.name) if kind.moves else address
        if other := self._declared.get(identity):
            message = f"{address} is declared twice, first in {self._notes.sources.place(other.at)}"
            self._notes.error(DECLARED_TWICE, message, "keep one of the two, or rename one", entry.at, address)
            return
        self._declared[identity] = entry
        parts = (*entry.named, *suffix)
        self._desired.objects[address] = Declared(
            address,
            kind,
            kind.complete(model, parts),
            parts,
            entry.name if kind.name_field else "",
            entry.parent,
            entry.at,
            entry.body,
        )


def _form(kind: AnyKind) -> type[Any]:
    """What holds the objects of a kind."""
    return Seq if kind.layout is Layout.LISTED else Map
