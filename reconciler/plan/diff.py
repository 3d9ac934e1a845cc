"""What the files ask for against what is live, object by object. Equality decides; deepdiff names the paths."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.errors import Diagnostic, Severity
from reconciler.load.desired import Declared
from reconciler.plan.change import Action, Change, FieldChange, Undeclared
from reconciler.plan.match import Book
from reconciler.plan.resolve import Resolved
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.codec import FieldSpec, comparable_specs, field_specs, plain
from schemas._core.fields import Resource, Trait
from schemas._core.reading import CannotExpress

UNMANAGED, NOT_THERE, REMARK = "NBS303", "NBS302", "NBS304"
UNDECLARABLE, CANNOT_EXPRESS, NO_RENAME = "NBS204", "NBS205", "NBS206"


@dataclass(slots=True)
class Difference:
    """All changes, not yet in order; what is left alone; what is wrong or odd."""

    changes: list[Change] = field(default_factory=list)
    unmanaged: int = 0
    undeclared: list[Undeclared] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def diff(book: Book, resolved: Resolved, gone: Collection[tuple[str, str]] | None = None) -> Difference:
    """Compare every declared object with its live one, and find the live ones that nothing declares.

    Args:
        book: what is what.
        resolved: the declared objects that can be planned.
        gone: kind and id of the live objects that are to be deleted, whoever owns their kind.
    """
    result = Difference()
    differ = _Differ(book, result)
    for declared in book.desired.objects.values():
        if declared.address in resolved.models:
            differ.declared(declared, resolved.models[declared.address])
        elif declared.address not in book.refused:
            result.diagnostics += remarks(book, declared)
    for kind in book.desired.registry.values():
        if gone is not None:
            differ.going(kind, gone)
        elif kind.name in book.desired.kinds and not kind.endpoint.singleton:
            differ.undeclared(kind)
    return result


def remarks(book: Book, declared: Declared) -> list[Diagnostic]:
    """What is odd about a declared object, whether it differs from a live one or not."""
    place, address = book.desired.place(declared.at), str(declared.address)
    if book.desired.is_unmanaged(declared.address):
        message = f"{address} is declared and listed under unmanaged: it is left alone"
        return [Diagnostic(UNMANAGED, message, "take it out of one of the two", Severity.WARNING, address, place)]
    live = book.pairs.get(declared.address)
    found = declared.kind.remarks(declared.model, declared.parts, live.seen if live else None, book)
    return [Diagnostic(REMARK, message, advice, Severity.WARNING, address, place) for message, advice in found]


class _Differ:
    def __init__(self, book: Book, result: Difference) -> None:
        self.book = book
        self.result = result
        self.paired = {(address.kind, live.id) for address, live in book.pairs.items()}
        self.deleted: set[tuple[str, str]] = set()
        self.left_alone: set[Address] = set()

    def _note(self, severity: Severity, declared: Declared, code: str, message: str, advice: str) -> None:
        place = self.book.desired.place(declared.at)
        self.result.diagnostics.append(Diagnostic(code, message, advice, severity, str(declared.address), place))

    def declared(self, declared: Declared, model: Resource | None) -> None:
        """Compare one declared object; without a model it waits for something that has not arrived."""
        live = self.book.pairs.get(declared.address)
        if self._is_ignored(declared):
            return
        try:
            change = self._change(declared, model, live)
        except CannotExpress as error:
            self._note(Severity.ERROR, declared, CANNOT_EXPRESS, str(error), error.advice)
            return
        self.result.diagnostics += remarks(self.book, declared)
        if change:
            self.result.changes.append(change)

    def _is_ignored(self, declared: Declared) -> bool:
        """The object around it is live and ignores all objects of this kind."""
        parent = self.book.desired.objects.get(declared.parent) if declared.parent else None
        return (
            parent is not None and declared.kind.section[0] in parent.model.ignore and parent.address in self.book.pairs
        )

    def _change(self, declared: Declared, model: Resource | None, live: Live | None) -> Change | None:
        kind = declared.kind
        if live and (reason := kind.undeclarable(live.seen) or kind.reserved.get(live.name)):
            self._note(Severity.ERROR, declared, UNDECLARABLE, reason, "take it out of the files")
            return None
        if model is None or self._is_left_alone(declared, live):
            return None
        return self._comparison(declared, model, live) if live else self._creation(declared, model)

    def _is_left_alone(self, declared: Declared, live: Live | None) -> bool:
        """The live object, or the one around it, is unmanaged by the name or in the place that it has now."""
        desired = self.book.desired
        if not desired.unmanaged:
            return False
        now = Address(declared.kind.name, self.book.key_now(live)) if live else declared.address
        if not desired.is_unmanaged(now) and declared.parent not in self.left_alone:
            return False
        self.left_alone.add(declared.address)
        message = f"{now} is listed under unmanaged: it is left alone, whatever {declared.address} says"
        self._note(Severity.WARNING, declared, UNMANAGED, message, "take it out of one of the two")
        return True

    def _creation(self, declared: Declared, model: Resource) -> Change | None:
        if missing := declared.kind.missing(model):
            self._note(
                Severity.WARNING,
                declared,
                NOT_THERE,
                f"{declared.address} {missing}",
                "take it out of the files if it never will",
            )
            return None
        return creation(self.book, declared, model)

    def _comparison(self, declared: Declared, model: Resource, live: Live) -> Change | None:
        kind = declared.kind
        before = kind.decode(kind.model, live.seen, self.book)
        after = kind.settle(model, before, live.seen, self.book)
        differing = [spec for spec in managed(declared) if getattr(after, spec.name) != getattr(before, spec.name)]
        previous = self._previous_key(declared, live)
        if not differing and previous is None:
            return None
        fixed = [spec.said for spec in differing if Trait.IMMUTABLE in spec.traits]
        action = Action.REPLACE if fixed else Action.RENAME if previous is not None else Action.UPDATE
        change = Change(
            declared.address,
            kind,
            action,
            id=live.id,
            previous_key=previous,
            cause=self.book.desired.place(declared.at),
            fields=tuple(_field_changes(differing, before, after)),
            desired=model,
            live=live,
            before=before,
            after=self._after(differing, before, after),
            writes=frozenset(spec.name for spec in differing),
            parent=declared.parent,
            name=declared.name,
        )
        return self._replacement(change, declared, fixed) if fixed else change

    def _replacement(self, change: Change, declared: Declared, fixed: list[str]) -> Change:
        reason = f"NetBird cannot change {' and '.join(fixed)} of a {change.kind.name.replace('_', ' ')}"
        sent = frozenset(spec.name for spec in field_specs(change.kind.model) if _is_sent_on_create(spec, declared))
        return replace(change, reason=reason, writes=sent, after=change.desired)

    def _after(self, differing: list[FieldSpec], before: Resource, after: Resource) -> Resource:
        """The live object as it will be, kept fields included."""
        return before.model_copy(update={spec.name: getattr(after, spec.name) for spec in differing})

    def _previous_key(self, declared: Declared, live: Live) -> str | None:
        """Key so far, if the object has another name or stands elsewhere."""
        kind = declared.kind
        renamed = bool(kind.name_field) and live.name != kind.name_form(declared.name)
        around = self.book.meant(declared.parent) if declared.parent else None
        moved = kind.moves and (around is None or around.id != live.parent)
        if not renamed and not moved:
            return None
        if renamed and not kind.renames:
            said = kind.title
            message = f"the {said} with the id {live.id} is called '{live.name}', and NetBird cannot rename it"
            self._note(Severity.ERROR, declared, NO_RENAME, message, "declare it under that name, or without id")
            return None
        return self.book.key_now(live)

    def undeclared(self, kind: AnyKind) -> None:
        """Find live objects of a kind that nothing declares: they go, if the kind is owned in full."""
        ownership = self.book.desired.owns(kind.name)
        for live in self.book.snapshot.of(kind.name).values():
            if (
                (kind.name, live.id) in self.paired
                or not self._is_covered(live)
                or kind.server_owned(live.seen, self.book)
            ):
                continue
            address = self.book.addresses[kind.name, live.id]
            if self.book.desired.is_unmanaged(address):
                self.result.unmanaged += 1
            elif not ownership.full:
                self.result.unmanaged += 1
                if not kind.deleted_only_by_name:
                    self.result.undeclared.append(Undeclared(address, live.id))
            elif (kind.parent, live.parent) not in self.deleted:
                self.deleted.add((kind.name, live.id))
                self.result.changes.append(self._deletion(live, address))

    def going(self, kind: AnyKind, gone: Collection[tuple[str, str]]) -> None:
        """Delete these live objects of a kind; those inside others of them go with these."""
        for live in self.book.snapshot.of(kind.name).values():
            place = (kind.name, live.id)
            if place in gone and (kind.parent, live.parent) not in self.deleted:
                self.deleted.add(place)
                self.result.changes.append(self._deletion(live, self.book.addresses[place]))

    def _is_covered(self, live: Live) -> bool:
        """Children belong to nobody unless their parent declares its children of that kind, or goes itself."""
        kind = live.kind
        if not kind.parent:
            return True
        parent = self.book.addresses.get((kind.parent, live.parent))
        if parent is None or (kind.name, parent) not in self.book.desired.parts:
            return (kind.parent, live.parent) in self.deleted
        declared = self.book.desired.objects.get(parent)
        return declared is not None and kind.section[0] not in declared.model.ignore

    def _deletion(self, live: Live, address: Address) -> Change:
        inside = [child for child in self.book.inside(live) if (child.kind.name, child.id) not in self.paired]
        inside += self.book.taken_along(live)
        fallen = tuple((self.book.addresses[child.kind.name, child.id], child.id) for child in inside)
        try:
            before = live.kind.decode(live.kind.model, live.seen, self.book)
        except CannotExpress:
            before = None
        fields = tuple(_shown(before)) if before else ()
        return Change(
            address,
            live.kind,
            Action.DELETE,
            id=live.id,
            cause=self.book.desired.place(self.book.desired.owns(live.kind.name).at),
            fields=fields + tuple(_inside(self.book, inside)),
            live=live,
            before=before,
            parent=self.book.addresses.get((live.kind.parent, live.parent)),
            referred_to_as=self.book.referred_to_as(live),
            falls=fallen,
        )


def creation(book: Book, declared: Declared, model: Resource) -> Change:
    """Make a declared object that is not there."""
    specs = field_specs(type(model))
    given = [spec for spec in specs if spec.name in declared.said and getattr(model, spec.name) is not None]
    return Change(
        declared.address,
        declared.kind,
        Action.CREATE,
        cause=book.desired.place(declared.at),
        fields=tuple(FieldChange(spec.said, None, plain(getattr(model, spec.name))) for spec in given),
        desired=model,
        after=model,
        writes=frozenset(spec.name for spec in specs if _is_sent_on_create(spec, declared)),
        parent=declared.parent,
        name=declared.name,
    )


def managed(declared: Declared) -> Iterator[FieldSpec]:
    """Fields that are compared: those with a value in the file, and those whose absence is a value."""
    for spec in comparable_specs(declared.kind.model):
        kept = Trait.KEPT in spec.traits and spec.name not in declared.said
        if not kept and spec.said not in declared.model.ignore:
            yield spec


def _is_sent_on_create(spec: FieldSpec, declared: Declared) -> bool:
    return Trait.KEPT not in spec.traits or spec.name in declared.said


def _shown(before: Resource) -> Iterator[FieldChange]:
    """What there is to lose: the fields that are not as they are when nobody says anything."""
    for spec in comparable_specs(type(before)):
        value = getattr(before, spec.name)
        usual = type(before).model_fields[spec.name].get_default()
        if value not in (None, "", (), usual):
            yield FieldChange(spec.said, plain(value), None)


def _inside(book: Book, children: list[Live]) -> Iterator[FieldChange]:
    sections = {child.kind.section[0]: child.kind.name for child in children}
    for section, kind in sections.items():
        keys = sorted(
            book.addresses[kind, child.id].key.partition("/")[2] for child in children if child.kind.name == kind
        )
        yield FieldChange(section, keys, None)


def _field_changes(differing: list[FieldSpec], before: Resource, after: Resource) -> Iterator[FieldChange]:
    """Fields that differ, down to the keys of mappings; a list is one value."""
    for spec in differing:
        old, new = plain(getattr(before, spec.name)), plain(getattr(after, spec.name))
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for path in _paths(old, new):
                yield FieldChange(".".join((spec.said, *path)), _at(old, path), _at(new, path))
        else:
            yield FieldChange(spec.said, old, new)


def _paths(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, ...]]:
    from deepdiff import DeepDiff

    found = DeepDiff(old, new, view="tree", threshold_to_diff_deeper=0)
    paths = (node.path(output_format="list") for nodes in found.values() for node in nodes)
    return sorted({_to_list(path) for path in paths})


def _to_list(path: list[Any]) -> tuple[str, ...]:
    """The path as far as the first list."""
    end = next((index for index, step in enumerate(path) if isinstance(step, int)), len(path))
    return tuple(path[:end])


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
