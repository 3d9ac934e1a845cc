"""From the merged tree to declared objects: every kind finds its section, every mapping becomes a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from reconciler.errors import Diagnostic, Severity
from reconciler.load.desired import Declared, Desired, Ownership
from reconciler.load.messages import INVALID, MISSING, UNKNOWN_KEY, WRONG_TYPE, diagnose, kind_of, near
from reconciler.load.tree import Map, Seq, Sources
from schemas import AnyKind
from schemas._core.address import Address, encode_part
from schemas._core.codec import field_specs
from schemas._core.document import VERSION, Guards, Mode
from schemas._core.fields import Resource
from schemas._core.kind import Layout

DECLARED_TWICE = "NBS101"
BASE_KEYS = ("version", "manage", "guards", "vars", "unmanaged")
LATER = ("identity_providers", "reverse_proxy", "agent_network", "tests")


def sections(kinds: Mapping[str, AnyKind]) -> tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """Paths of the mappings whose children are objects, and paths of what is one object as a whole."""
    top = [kind for kind in kinds.values() if not kind.parent]
    single = frozenset(kind.section for kind in top if kind.layout in (Layout.SINGLE, Layout.FIELD))
    return frozenset(kind.section for kind in top) - single, single


def understand(root: Map, sources: Sources, removed: list[tuple[str, int]], kinds: Mapping[str, AnyKind]) -> Desired:
    """Read the merged tree. What is wrong is collected in the diagnostics of the result; nothing raises."""
    reading = Reading(sources, kinds)
    reading.root(root)
    reading.remove(removed)
    return reading.desired


class Reading:
    """One reading of a tree: the result and what is wrong so far."""

    def __init__(self, sources: Sources, kinds: Mapping[str, AnyKind]) -> None:
        self.kinds = kinds
        self.desired = Desired(sources, kinds)
        self.children = {
            name: {kind.section[0]: kind for kind in kinds.values() if kind.parent == name} for name in kinds
        }

    def problem(self, code: str, message: str, advice: str, mark: int, address: Address | None = None) -> None:
        """Note what is wrong at a mark."""
        place = self.desired.sources.place(mark)
        shown = str(address) if address else None
        self.desired.diagnostics.append(Diagnostic(code, message, advice, address=shown, place=place))

    def warning(self, code: str, message: str, advice: str, mark: int) -> None:
        """Note what is odd at a mark."""
        place = self.desired.sources.place(mark)
        self.desired.diagnostics.append(Diagnostic(code, message, advice, severity=Severity.WARNING, place=place))

    def root(self, root: Map) -> None:
        """Read the whole document."""
        self._check_root_keys(root)
        self._version(root)
        self._settings(root)
        for kind in self.kinds.values():
            if not kind.parent:
                self._section(kind, root)
        self._ownership(root)

    def _check_root_keys(self, root: Map) -> None:
        tops = {kind.section for kind in self.kinds.values() if not kind.parent}
        known = [*BASE_KEYS, *{section[0]: None for section in tops}]
        self._check_keys(root, known)
        for holder in {section[0] for section in tops if len(section) > 1}:
            node = root.get(holder)
            if isinstance(node, Map):
                self._check_keys(node, [section[1] for section in tops if section[0] == holder])
            elif node is not None:
                self.problem(WRONG_TYPE, f"'{holder}' is a mapping, not {kind_of(node)}", "", root.values_at[holder])

    def _check_keys(self, node: Map, known: list[str]) -> None:
        for key in node:
            if key in known:
                continue
            if key in LATER:
                message, advice = f"'{key}' is not managed by this version of nbsync", "take it out of the files"
            else:
                message, advice = f"unknown key '{key}'", near(key, known) or f"possible: {', '.join(known)}"
            self.problem(UNKNOWN_KEY, message, advice, node.keys_at[key])

    def _version(self, root: Map) -> None:
        if "version" not in root:
            self.problem(MISSING, "'version' is missing", f"write version: {VERSION} in one of the files", root.at)
        elif (root["version"] is not VERSION and root["version"] != VERSION) or isinstance(root["version"], bool):
            shown = root["version"]
            self.problem(
                INVALID,
                f"version {shown!r} of the language is not known",
                f"write version: {VERSION}",
                root.values_at["version"],
            )

    def _settings(self, root: Map) -> None:
        guards = self._validated(Guards, root, "guards")
        if isinstance(guards, Guards):
            self.desired.guards = guards
            self._known_kinds(root)
            self._patterns(guards.protect, root["guards"], "protect")
        unmanaged = root.get("unmanaged")
        if unmanaged is None:
            return
        if not isinstance(unmanaged, Seq) or not all(isinstance(item, str) and item for item in unmanaged):
            self.problem(
                WRONG_TYPE,
                "'unmanaged' is a list of addresses or patterns",
                "write unmanaged: [policy/legacy-*]",
                root.values_at["unmanaged"],
            )
            return
        self.desired.unmanaged = tuple(unmanaged)
        self._patterns(tuple(unmanaged), root, "unmanaged")

    def _validated(self, model: type[BaseModel], root: Map, key: str) -> BaseModel | None:
        if key not in root:
            return None
        if not isinstance(root[key], Map):
            self.problem(WRONG_TYPE, f"'{key}' is a mapping, not {kind_of(root[key])}", "", root.values_at[key])
            return None
        try:
            return model.model_validate(root[key])
        except ValidationError as error:
            found = diagnose(error, model, root[key], root.values_at[key], self.desired.sources, None)
            self.desired.diagnostics.extend(found)
            return None

    def _known_kinds(self, root: Map) -> None:
        limits = root["guards"].get("max_delete_for") or Map(0)
        for name in limits:
            if name not in self.kinds:
                advice = near(name, self.kinds) or f"possible: {', '.join(self.kinds)}"
                self.problem(UNKNOWN_KEY, f"no kind is called '{name}'", advice, limits.keys_at[name])

    def _patterns(self, patterns: tuple[str, ...], holder: Map, key: str) -> None:
        """A pattern whose kind is spelt out must name a kind that there is."""
        for index, pattern in enumerate(patterns):
            kind, slash, _ = pattern.partition("/")
            if set(kind) & set("*?["):
                continue
            if not slash or kind not in self.kinds:
                advice = near(kind, self.kinds) or "write KIND/KEY, such as policy/legacy-*"
                self.problem(INVALID, f"'{pattern}' is no address of any kind", advice, holder[key].items_at[index])

    def _section(self, kind: AnyKind, root: Map) -> None:
        *around, last = kind.section
        holder: Any = root
        for step in around:
            holder = holder.get(step) if isinstance(holder, Map) else None
        if isinstance(holder, Map) and last in holder:
            self.desired.kinds.add(kind.name)
            self._objects(kind, holder, last, parent=None, parts=())

    def _objects(self, kind: AnyKind, holder: Map, key: str, parent: Address | None, parts: tuple[str, ...]) -> None:
        """Read all objects of one kind that stand under one key."""
        node, at = holder[key], holder.values_at[key]
        if kind.layout in (Layout.SINGLE, Layout.FIELD):
            self._single(kind, holder, key)
            return
        if node is None or (isinstance(node, Map | Seq) and not node):
            self.desired.empty[(key if parent is None else str(parent), parent)] = holder.keys_at[key]
            return
        meant: type = Seq if kind.layout is Layout.LISTED else Map
        if not isinstance(node, meant):
            said = "a list" if meant is Seq else "a mapping of names to objects"
            self.problem(WRONG_TYPE, f"'{key}' is {said}, not {kind_of(node)}", "", at)
            return
        for name, body, mark in _entries(kind, node):
            self._object(kind, name, body, mark, parent, parts)

    def _single(self, kind: AnyKind, holder: Map, key: str) -> None:
        node, mark = holder[key], holder.keys_at[key]
        if kind.layout is Layout.FIELD:
            body = Map(mark)
            body.put(key, node, mark, holder.values_at[key])
        elif node is None or not isinstance(node, Map):
            self.problem(WRONG_TYPE, f"'{key}' is a mapping, not {kind_of(node)}", "", holder.values_at[key])
            return
        else:
            body = node
        self._object(kind, kind.name, body, mark, None, ())

    def _object(
        self, kind: AnyKind, name: str, body: Any, mark: int, parent: Address | None, parts: tuple[str, ...]
    ) -> None:
        """Read one object, and those that stand inside it."""
        if body is None:
            body = Map(mark)
        shown = Address.of(kind.name, *parts, name)
        if not isinstance(body, Map):
            self.problem(WRONG_TYPE, f"'{name}' is a mapping, not {kind_of(body)}", "", mark, shown)
            return
        if not self._name_is_fine(kind, name, mark, shown):
            return
        own, inside = self._divided(kind, body)
        written = self._model(kind, own, body, mark, shown)
        if written is not None:
            for model in self._expanded(kind, written, name, parts, mark, shown):
                self._declare(kind, name, model, mark, body, parent, parts)
        below = Address.of(kind.name, *parts, kind.name_form(name))
        for key in inside:
            child = self.children[kind.name][key]
            self.desired.kinds.add(child.name)
            self.desired.parts.add((child.name, below))
            self._objects(child, body, key, below, (*parts, kind.name_form(name)))

    def _name_is_fine(self, kind: AnyKind, name: str, mark: int, shown: Address) -> bool:
        if kind.layout is Layout.LISTED:
            return True
        if reason := kind.reserved.get(name):
            self.problem(INVALID, reason, "take it out; refer to it by name where it is needed", mark, shown)
            return False
        try:
            kind.check_name(name)
        except PydanticCustomError as error:
            context = error.context or {}
            self.problem(INVALID, context.get("message", ""), context.get("help", ""), mark, shown)
            return False
        if not name:
            self.problem(INVALID, "a name cannot be empty", "", mark, shown)
        return bool(name)

    def _divided(self, kind: AnyKind, body: Map) -> tuple[dict[str, Any], list[str]]:
        """Fields of the object itself, and the keys under which other objects stand."""
        inner = self.children[kind.name]
        if not inner:
            return body, []
        return {key: value for key, value in body.items() if key not in inner}, [key for key in body if key in inner]

    def _model(self, kind: AnyKind, own: dict[str, Any], body: Map, mark: int, shown: Address) -> Any:
        model = kind.written_as or kind.model
        nulls = [key for key, value in own.items() if value is None]
        for key in nulls:
            self.problem(
                WRONG_TYPE, f"'{key}' has no value", "give it one, or leave the key out", body.values_at[key], shown
            )
        try:
            written = model.model_validate(own)
        except ValidationError as error:
            found = diagnose(error, model, body, mark, self.desired.sources, str(shown))
            covered = {self.desired.sources.place(body.values_at[key]) for key in nulls}
            self.desired.diagnostics.extend(d for d in found if d.place not in covered)
            return None
        if nulls or not self._lifecycle_is_fine(kind, written, body, shown):
            return None
        return written

    def _lifecycle_is_fine(self, kind: AnyKind, written: Any, body: Map, shown: Address) -> bool:
        before = len(self.desired.diagnostics)
        if written.previously and not kind.renames:
            advice = "delete and make it anew under its new name, or leave previously out"
            self.problem(INVALID, f"NetBird cannot rename a {kind.name}", advice, body.keys_at["previously"], shown)
        fields = [spec.said for spec in field_specs(kind.model)] + list(self.children[kind.name])
        for index, name in enumerate(written.ignore):
            if name not in fields:
                advice = near(name, fields) or f"possible: {', '.join(fields)}"
                self.problem(
                    INVALID, f"'{name}' is no field of a {kind.name}", advice, body["ignore"].items_at[index], shown
                )
        return len(self.desired.diagnostics) == before

    def _expanded(
        self, kind: AnyKind, written: Any, name: str, parts: tuple[str, ...], mark: int, shown: Address
    ) -> Iterator[Resource]:
        models = list(kind.expand(written, name, parts)) if kind.expand else [written]
        if written.id and len(models) > 1:
            advice = "declare them one by one"
            self.problem(INVALID, f"one id cannot belong to {len(models)} objects", advice, mark, shown)
            return
        yield from models

    def _declare(
        self,
        kind: AnyKind,
        name: str,
        model: Resource,
        mark: int,
        body: Map,
        parent: Address | None,
        parts: tuple[str, ...],
    ) -> None:
        named = kind.name_form(name)
        has_name = bool(kind.name_field) or kind.layout in (Layout.SINGLE, Layout.FIELD)
        inner = (*parts, named) if has_name else parts
        suffix = kind.suffix(model, parts) if kind.suffix else ()
        address = Address(kind.name, "/".join([*map(encode_part, inner), *suffix]))
        if kind.layout in (Layout.SINGLE, Layout.FIELD):
            address = Address(kind.name, kind.name)
        if (other := self.desired.objects.get(address)) is not None:
            first = self.desired.sources.place(other.at)
            self.problem(
                DECLARED_TWICE, f"{address} is declared twice, first in {first}", "keep one of the two", mark, address
            )
            return
        model = kind.complete(model, (*inner, *suffix))
        self.desired.objects[address] = Declared(
            address, kind, model, (*inner, *suffix), name if kind.name_field else "", parent, mark, body
        )

    def _ownership(self, root: Map) -> None:
        """Who owns each kind that the files mention; modes of kinds that they do not mention are warned about."""
        manage = root.get("manage")
        if manage is not None and not isinstance(manage, Map):
            self.problem(
                WRONG_TYPE,
                f"'manage' is a mapping, not {kind_of(manage)}",
                "write manage: {default: full}",
                root.values_at["manage"],
            )
        if not isinstance(manage, Map):
            return
        roots = {self._root_key(kind): None for kind in self.kinds.values()}
        for key in manage:
            self._check_mode(manage, key, list(roots))
        default = manage.get("default")
        self.desired.ownership = {
            name: self._mode(kind, manage, default) for name, kind in self.kinds.items() if name in self.desired.kinds
        }

    def _check_mode(self, manage: Map, key: str, roots: list[str]) -> None:
        if key != "default" and key not in roots:
            advice = near(key, roots) or f"possible: default, {', '.join(roots)}"
            self.problem(UNKNOWN_KEY, f"manage knows no '{key}'", advice, manage.keys_at[key])
        elif manage[key] not in _MODES:
            self.problem(INVALID, f"'{manage[key]}' is no mode", "write full or no-delete", manage.values_at[key])
        elif key != "default" and not any(self._root_key(self.kinds[name]) == key for name in self.desired.kinds):
            message = f"the mode of '{key}' does nothing: no file has {key}"
            self.warning(
                "NBS301", message, f"declare {key}, if only as {key}: {{}}, or take the line out", manage.keys_at[key]
            )

    def _mode(self, kind: AnyKind, manage: Map, default: Any) -> Ownership:
        key = self._root_key(kind)
        if key in manage:
            return Ownership(manage[key] == "full", manage.values_at[key])
        if default == "full" and not kind.deleted_only_by_name:
            return Ownership(full=True, at=manage.values_at["default"])
        return Ownership()

    def _root_key(self, kind: AnyKind) -> str:
        return self._root_key(self.kinds[kind.parent]) if kind.parent else kind.section[0]

    def remove(self, removed: list[tuple[str, int]]) -> None:
        """Take out of the document what overlays remove, with all that stands inside."""
        for text, mark in removed:
            try:
                address = Address.parse(text)
            except ValueError as error:
                self.problem(INVALID, str(error), "", mark)
                continue
            if address not in self.desired.objects:
                near_ones = near(text, map(str, self.desired.objects))
                self.problem(INVALID, f"no file declares {text}, so it cannot be removed", near_ones, mark)
                continue
            del self.desired.objects[address]
            for inner in [a for a, declared in self.desired.objects.items() if declared.parent == address]:
                del self.desired.objects[inner]
            self.desired.parts = {part for part in self.desired.parts if part[1] != address}


_MODES = get_args(Mode)


def _entries(kind: AnyKind, node: Any) -> Iterator[tuple[str, Any, int]]:
    """Name, body and mark of every object in a section."""
    if isinstance(node, Seq):
        for index, body in enumerate(node):
            yield f"entry {index + 1}", body, node.items_at[index]
        return
    for name, body in node.items():
        if kind.layout is Layout.NAMED_LISTS and isinstance(body, Seq):
            for index, entry in enumerate(body):
                yield name, entry, body.items_at[index]
        else:
            yield name, body, node.keys_at[name]
