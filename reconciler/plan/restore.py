"""`nbsync rollback`: the objects that a run has touched, as they were before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from reconciler.errors import Diagnostic, Place, Severity, StalePlan, UsageError
from reconciler.load.desired import Declared, Desired
from reconciler.load.messages import near
from reconciler.load.tree import Map, Sources
from reconciler.plan.change import Action, Change, Plan
from reconciler.plan.diff import diff
from reconciler.plan.footprint import Footprint, changed, decoded, since, was_moved, was_renamed
from reconciler.plan.guard import Allowances, guard
from reconciler.plan.match import Book
from reconciler.plan.occupied import parts_of
from reconciler.plan.order import order
from reconciler.plan.resolve import resolve
from reconciler.state.snapshot import Live, Snapshot
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.codec import comparable_specs, field_specs, plain
from schemas._core.fields import JsonObject, Resource, Trait
from schemas._core.reading import CannotExpress

STALE, NOT_RESTORED = "NBS612", "NBS613"


class Remembered(Desired):
    """A desired state that stands in no file."""

    def place(self, mark: int | None) -> Place | None:  # noqa: ARG002 - there are no files
        """There is none."""
        return None

    def brings_back(self, address: Address, now: Address) -> bool:  # noqa: ARG002 - the address tells
        """What the run that is taken back has shut as well, the files would open again."""
        return address in self.objects


def nothing_asked(registry: Mapping[str, AnyKind]) -> Desired:
    """A desired state without any object."""
    return Remembered(Sources(), registry)


def plan_restoration(
    touched: Sequence[Footprint], now: Book, allowances: Allowances, leave: Collection[str] = ()
) -> tuple[Plan, Book]:
    """Plan to put back what a run has touched: what it made goes, what it deleted is made again, what it changed is as before.

    Fields that the run did not change are left as they are now.

    Args:
        touched: what the run has done.
        now: the account, with all kinds around what was touched.
        allowances: guards that are lifted.
        leave: addresses of objects that are to stay as they are.

    Raises:
        StalePlan: objects have changed since the run, or what they need is gone; each is named.
        UsageError: the run has not touched an address of `leave`.
    """
    restoration = _Restoration(now, _without(touched, leave))
    desired = restoration.desired()
    book = Book(desired, now.snapshot)
    resolved = resolve(book)
    gone = restoration.made - {(address.kind, live.id) for address, live in book.pairs.items()}
    found = diff(book, resolved, gone)
    restoration.judge(book, found.changes, (*book.problems, *resolved.diagnostics, *found.diagnostics))
    steps, wider, _ = order(found.changes, book)  # all that could be guessed was read
    plan = Plan(steps, diagnostics=(*restoration.warnings, *wider))
    return guard(book, plan, allowances), book


def _without(touched: Sequence[Footprint], leave: Collection[str]) -> list[Footprint]:
    known = [str(one.address) for one in touched]
    unknown = sorted(set(leave) - set(known))
    if unknown:
        raise UsageError(
            Diagnostic(
                "NBS901", f"the run has not touched {text}", near(text, known) or "nbsync history shows what it has"
            )
            for text in unknown
        )
    return [one for one in touched if str(one.address) not in leave]


@dataclass(slots=True)
class _Restoration:
    now: Book
    touched: list[Footprint]
    warnings: list[Diagnostic] = field(default_factory=list)
    stale: list[Diagnostic] = field(default_factory=list)
    made: set[tuple[str, str]] = field(default_factory=set)
    models: dict[Address, tuple[Footprint, Declared]] = field(default_factory=dict)

    def desired(self) -> Desired:
        """The objects as they were, declared as files would."""
        wanted = [one for one in self.touched if self._is_to_be_touched(one)]
        then = Book(nothing_asked(self.now.desired.registry), _as_it_was(self.now.snapshot, wanted))
        desired = nothing_asked(self.now.desired.registry)
        for one in wanted:
            declared = self._declared(one, then) if one.before else None
            if declared and declared.address in desired.objects:
                self._refuse(one.address, "another object that the run has touched had the same name")
            elif declared:
                desired.objects[declared.address] = declared
                self.models[declared.address] = (one, declared)
        desired.kinds = {one.kind.name for one in wanted}
        return desired

    def _is_to_be_touched(self, one: Footprint) -> bool:
        """Tell whether there is anything to do; say what has changed since."""
        if one.after is None:
            return True
        live = self.now.snapshot.of(one.kind.name).get(one.id)
        if live is None:
            self._warn(one.address, "it is not there any more, and is left so")
            return False
        if differences := since(one, live, self.now, self._drawn(one)):
            self._refuse(one.address, f"it has changed since that run: {'; '.join(differences)}")
        if one.before is None:
            self.made.add(one.place)
        return True

    def _drawn(self, one: Footprint) -> set[str]:
        """What other objects that the run has touched bring along into this one: machines of people come with them."""
        owners = [other for other in self.touched if one.kind.name in other.kind.stirs]
        return {
            self.now.label(kind, live.id)
            for other in owners
            for kind, field in other.kind.takes_along.items()
            for live in self.now.snapshot.of(kind).values()
            if live.seen.get(field) == other.id
        }

    def _declared(self, one: Footprint, then: Book) -> Declared | None:
        before = then.snapshot.of(one.kind.name)[one.id]
        model = decoded(one.kind, before.seen, then)
        address = then.addresses[one.place]
        if model is None:
            self._warn(one.address, "the files have no words for it as it was")
            return None
        parts = parts_of(address.key)
        model = self._again(one, model, parts, then) if one.after is None else self._in_part(one, model)
        if model is None:
            return None
        name = before.seen[one.kind.name_field] if one.kind.name_field else ""
        parent = then.addresses.get((one.kind.parent, before.parent)) if one.kind.parent else None
        return Declared(address, one.kind, model, parts, name, parent, 0, Map(0))

    def _in_part(self, one: Footprint, model: Resource) -> Resource:
        """Of an object that is there, what the run has not changed is not asked for."""
        touched = {spec.name for spec in changed(one, self.now)}
        ignore = tuple(spec.said for spec in field_specs(one.kind.model) if spec.name not in touched)
        identifier = None if one.kind.endpoint.singleton else one.id
        return model.model_copy(update={"id": identifier, "ignore": ignore})

    def _again(self, one: Footprint, model: Resource, parts: tuple[str, ...], then: Book) -> Resource | None:
        """An object that was deleted, as it has to be asked for to be made again; None if it cannot be, which is said."""
        assert one.before is not None, "it was there"
        kind, seen = one.kind, one.before.seen
        if why := _why_not(kind, model, seen, parts, then):
            self._warn(one.address, why)
            return None
        self._inside(one)
        said = kind.write([model], [seen])
        used_once = {
            spec.name: said[spec.said]
            for spec in field_specs(kind.model)
            if Trait.CREATE_ONLY in spec.traits and spec.said in said
        }
        whole: Resource = kind.complete(model.model_copy(update=used_once), parts)
        return whole

    def _inside(self, one: Footprint) -> None:
        """What has no list of its own is read only where files declare it."""
        for kind in self.now.desired.registry.values():
            known = any(other.kind is kind and other.before and other.before.parent == one.id for other in self.touched)
            if kind.parent == one.kind.name and "{parent}" in kind.endpoint.path and not known:
                why = "do not come back: nobody had read them when it was deleted"
                self._warn(one.address, f"{kind.title}s that may have been in it {why}")

    def judge(self, book: Book, changes: Sequence[Change], found: Sequence[Diagnostic]) -> None:
        """Say what stands in the way, and what will not be as it was.

        Raises:
            StalePlan: something stands in the way.
        """
        self._taken(book)
        self._holding(changes)
        for wrong in found:
            if wrong.severity is Severity.ERROR and wrong.address:
                self._refuse(Address.parse(wrong.address), f"it cannot be as it was: {wrong.message}")
        if self.stale:
            raise StalePlan(dict.fromkeys(self.stale))
        self._kept(book)
        self._secrets(changes)

    def _taken(self, book: Book) -> None:
        """What is made again must not meet somebody else's object of its name."""
        for address, (one, _) in self.models.items():
            live = book.pairs.get(address)
            if one.after is None and live is not None and (live.kind.name, live.id) not in self.made:
                self._refuse(one.address, f"another {one.kind.title} is called so by now (id {live.id})")

    def _holding(self, changes: Sequence[Change]) -> None:
        """What the run made must not go with something in it that others have made."""
        for change in changes:
            others = [
                str(address) for address, identifier in change.falls if (address.kind, identifier) not in self.made
            ]
            if others:
                self._refuse(change.address, f"it holds what that run has not made: {', '.join(others)}")

    def _kept(self, book: Book) -> None:
        """Fields that the server does not take back."""
        for address, (one, declared) in self.models.items():
            live = book.pairs.get(address)
            now = decoded(one.kind, live.seen, book) if live else None
            if live is None or now is None:
                continue
            try:
                settled = one.kind.settle(declared.model, now, live.seen, book)
            except CannotExpress as error:
                self._warn(one.address, str(error))
                continue
            for spec in comparable_specs(one.kind.model):
                if spec.said not in declared.model.ignore and _stays(declared.model, settled, now, spec.name):
                    self._warn(
                        one.address,
                        f"{spec.said} stays {plain(getattr(now, spec.name))}: NetBird does not take that back",
                    )

    def _secrets(self, changes: Sequence[Change]) -> None:
        coming = {change.address for change in changes if change.action in (Action.CREATE, Action.REPLACE)}
        for address, (one, _) in self.models.items():
            if one.kind.reveals and one.after is None:
                comes = (
                    "it comes back with a new secret"
                    if address in coming
                    else "it stays with the secret that it has now"
                )
                self._warn(one.address, f"{comes}; the one before that run cannot be brought back")

    def _warn(self, address: Address, why: str) -> None:
        advice = "what else the run has changed is put back all the same"
        self.warnings.append(Diagnostic(NOT_RESTORED, f"{address}: {why}", advice, Severity.WARNING, str(address)))

    def _refuse(self, address: Address, why: str) -> None:
        advice = f"to put back the rest and leave it as it is: --leave {address.quoted}"
        self.stale.append(Diagnostic(STALE, f"{address}: {why}", advice, address=str(address)))


def _stays(wanted: Resource, settled: Resource, now: Resource, name: str) -> bool:
    """Tell whether a field was wanted otherwise than it is, and is not going to change."""
    is_now = getattr(now, name)
    return bool(getattr(wanted, name) != is_now and getattr(settled, name) == is_now)


def _as_it_was(snapshot: Snapshot, touched: Sequence[Footprint]) -> Snapshot:
    """The account as it would be if the run had not touched these: what it did not change of them is as it is now."""
    objects = {kind: dict(lives) for kind, lives in snapshot.objects.items()}
    for one in touched:
        lives = objects.setdefault(one.kind.name, {})
        if one.before is None:
            lives.pop(one.id, None)
        else:
            lives[one.id] = _goal(one, one.before, lives.get(one.id))
    return replace(snapshot, objects=objects)


def _goal(one: Footprint, before: Live, now: Live | None) -> Live:
    if now is None or one.after is None:
        return before
    name = one.kind.name_field
    seen: JsonObject = before.seen if was_renamed(one) or not name else {**before.seen, name: now.seen.get(name)}
    return replace(before, seen=seen, parent=before.parent if was_moved(one) else now.parent)


def _why_not(kind: AnyKind, model: Resource, seen: JsonObject, parts: tuple[str, ...], then: Book) -> str:
    """Why an object that was deleted cannot be made again, or should not."""
    try:
        cannot = not kind.endpoint.creates or bool(kind.missing(model))
    except CannotExpress:
        cannot = True
    if cannot:
        return f"it was deleted, and no {kind.title} can be made from here"
    if not kind.reveals:
        return ""
    if _has_ended(kind.end_of(seen)):
        return "it was deleted, and would have expired by now: it is not made again"
    remark = next((message for message, _ in kind.remarks(model, parts, seen, then)), "")
    return f"it was deleted, and is not made again: {remark}" if remark else ""


def _has_ended(end: str | None) -> bool:
    try:
        return end is not None and datetime.fromisoformat(end) < datetime.now(UTC)
    except (ValueError, TypeError):
        return False
