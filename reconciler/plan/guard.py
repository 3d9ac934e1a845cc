"""Guards: reasons to refuse a plan as a whole. Each verdict says exactly what it refuses and what would allow it."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import Diagnostic, Place
from reconciler.load.desired import matches
from reconciler.plan.change import Action, Change, Plan, Verdict
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.fields import Resource
from schemas._core.reading import CannotExpress
from schemas._core.references import kinds_referred_to, ref_address, references

MAX_DELETE, PROTECTED, VETO, ADMINS, EMPTY, STILL_NEEDED = "NBS401", "NBS402", "NBS403", "NBS404", "NBS405", "NBS406"
SMALL = 10
"""Kinds with up to so many live objects are judged by count alone."""


@dataclass(frozen=True, slots=True)
class Allowances:
    """What a person lifts for one run: `--allow delete:N`, `--allow WORD`, `--allow-empty SECTION`."""

    deletes: int = 0
    words: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Inspection:
    book: Book
    plan: Plan
    allowances: Allowances
    verdicts: list[Verdict] = field(default_factory=list)

    def refuse(self, code: str, message: str, advice: str, *, change: Change | None = None, allow: str = "") -> None:
        """Add a verdict, unless its flag was given."""
        place: Place | None = change.cause if change else None
        address = str(change.address) if change else None
        self.verdicts.append(Verdict(Diagnostic(code, message, advice, address=address, place=place), allow))


def guard(book: Book, plan: Plan, allowances: Allowances) -> Plan:
    """The plan with all verdicts against it."""
    inspection = _Inspection(book, plan, allowances)
    for inspect in (_deletes, _emptied, _protected, _vetoed, _admins, _still_needed):
        inspect(inspection)
    return plan.with_verdicts(inspection.verdicts)


def _deletes(inspection: _Inspection) -> None:
    gone: dict[str, int] = defaultdict(int)
    for change in inspection.plan.changes:
        if change.removes and not change.beside:
            gone[change.address.kind] += 1
        for address, _ in change.falls:
            gone[address.kind] += 1
    for name, count in gone.items():
        if count > inspection.allowances.deletes:
            _limit(inspection, name, count)


def _limit(inspection: _Inspection, name: str, count: int) -> None:
    limit = inspection.book.desired.guards.limit(name)
    total = sum(
        1
        for live in inspection.book.snapshot.of(name).values()
        if not live.kind.server_owned(live.seen, inspection.book)
    )
    allow = f"--allow delete:{count}"
    if limit.percent is not None and total > SMALL and count * 100 > limit.percent * total:
        message = f"{count} of {total} live objects of the kind {name} would be deleted: {_percent(count, total, limit.percent)} %, the limit is {limit.percent} %"
        inspection.refuse(MAX_DELETE, message, f"allow it for one run with {allow}", allow=allow)
    if limit.count is not None and count > limit.count:
        message = f"{count} objects of the kind {name} would be deleted, the limit is {limit.count}"
        inspection.refuse(MAX_DELETE, message, f"allow it for one run with {allow}", allow=allow)


def _percent(count: int, total: int, limit: float) -> str:
    """A share in whole percents; to one decimal where it would look as if it were within the limit."""
    whole = round(count * 100 / total)
    if whole > limit:
        return str(whole)
    tenths = -(-count * 1000 // total)
    return f"{tenths // 10}.{tenths % 10}".removesuffix(".0")


def _emptied(inspection: _Inspection) -> None:
    """A section that is there and empty, under full: more likely a mistake than a wish."""
    desired = inspection.book.desired
    for (shown, parent), mark in desired.empty.items():
        if shown not in inspection.allowances.empty and _would_empty(inspection, shown, parent):
            allow = f"--allow-empty {shlex.quote(shown)}"
            message = f"{shown} is declared empty, and everything there would be deleted"
            diagnostic = Diagnostic(EMPTY, message, f"allow it with {allow}", place=desired.place(mark))
            inspection.verdicts.append(Verdict(diagnostic, allow))


def _would_empty(inspection: _Inspection, shown: str, parent: Address | None) -> bool:
    for change in inspection.plan.changes:
        section = ".".join(change.kind.section)
        if change.action is Action.DELETE and change.parent == parent and (parent is not None or section == shown):
            return True
    return False


def _protected(inspection: _Inspection) -> None:
    patterns = inspection.book.desired.guards.protect
    for change in inspection.plan.changes:
        touched = change.removes or change.action is Action.RENAME
        if touched and _is_protected(change, patterns):
            message = f"{change.address} is protected, and the plan would {change.action} it"
            inspection.refuse(
                PROTECTED, message, "take protect out of the files, or leave the object as it is", change=change
            )
        for address, identifier in change.falls:
            if reason := _reason_to_keep(inspection.book, patterns, address, identifier):
                message = f"{address} {reason}, and it would go with {change.address}"
                inspection.refuse(
                    PROTECTED, message, f"keep {change.address}, or let go of both in the files", change=change
                )


def _reason_to_keep(book: Book, patterns: tuple[str, ...], address: Address, identifier: str) -> str:
    desired, declared = book.desired, book.pairs.get(address)
    if matches(patterns, address, desired.registry[address.kind].parent):
        return "is protected"
    if desired.is_unmanaged(address):
        return "is to be left alone (unmanaged)"
    return "is declared" if declared and declared.id == identifier else ""


def _is_protected(change: Change, patterns: tuple[str, ...]) -> bool:
    if change.desired is not None and change.desired.protect:
        return True
    names = [change.address]
    if change.previous_key is not None:
        names.append(Address(change.address.kind, change.previous_key))
    return any(matches(patterns, name) for name in names)


def _vetoed(inspection: _Inspection) -> None:
    """What a kind itself refuses: cutting off the caller, the token in use, the owner; re-numbering peers."""
    for change in inspection.plan.changes:
        if change.live is None:
            continue
        after = None if change.removes and not change.beside else change.after
        for veto in change.kind.vetoes(change.live.seen, after, change.writes, inspection.book):
            if veto.allow not in inspection.allowances.words:
                allow = f"--allow {veto.allow}" if veto.allow else ""
                inspection.refuse(VETO, f"{change.address}: {veto.message}", veto.advice, change=change, allow=allow)


def _admins(inspection: _Inspection) -> None:
    least = inspection.book.desired.guards.keep_admins
    for kind in inspection.book.desired.registry.values():
        if kind.administers is None:
            continue
        changed = {change.id: change for change in inspection.plan.changes if change.kind is kind and change.id}
        live = inspection.book.snapshot.of(kind.name).values()
        now = sum(1 for one in live if kind.administers(one.seen, None))
        then = sum(1 for one in live if _administers_then(kind, one, changed.get(one.id)))
        if then < now and then < least:
            message = f"{then} of {now} people who can administer the account would be left; keep_admins is {least}"
            inspection.refuse(ADMINS, message, "keep an owner or admin unblocked, or lower guards.keep_admins")


def _administers_then(kind: AnyKind, live: Live, change: Change | None) -> bool:
    if change is not None and change.removes:
        return False
    return bool(kind.administers and kind.administers(live.seen, change.after if change else None))


def _still_needed(inspection: _Inspection) -> None:
    """Nothing is deleted that an object still needs which the plan leaves in place."""
    deletes = [change for change in inspection.plan.changes if change.action is Action.DELETE]
    if not deletes:
        return
    fallen = {identifier for change in deletes for _, identifier in change.falls}
    book = inspection.book
    going = {_as_referred(book, change.address, change.id or ""): change for change in deletes}
    going |= {_as_referred(book, *fallen): change for change in deletes for fallen in change.falls}
    changed = {(change.kind.name, change.id): change for change in inspection.plan.changes}
    kinds = {address.kind for address in going}
    for live in book.snapshot:
        change = changed.get((live.kind.name, live.id))
        stays = live.id not in fallen and not (change and change.removes)
        if stays and kinds_referred_to(live.kind.model) & kinds:
            for address in _needed_after(book, live, change) & going.keys():
                _refuse_needed(inspection, going[address], address, book.addresses[live.kind.name, live.id])
    for declared in inspection.book.desired.objects.values():
        if declared.address not in inspection.book.pairs:
            for address in _referred(declared.model) & going.keys():
                _refuse_needed(inspection, going[address], address, declared.address)


def _as_referred(book: Book, address: Address, identifier: str) -> Address:
    return book.referred_to_as(book.snapshot.of(address.kind)[identifier])


def _refuse_needed(inspection: _Inspection, change: Change, gone: Address, by: Address) -> None:
    message = f"{gone} would be deleted, but {by} still needs it"
    inspection.refuse(STILL_NEEDED, message, f"declare {gone}, or change or delete {by} as well", change=change)


def _needed_after(book: Book, live: Live, change: Change | None) -> set[Address]:
    """Objects to which a live one refers once the plan is done."""
    if change is not None and change.after is not None:
        return _referred(change.after)
    try:
        return _referred(live.kind.decode(live.kind.model, live.seen, book))
    except CannotExpress:
        ids = set(_texts({key: value for key, value in live.seen.items() if key not in live.kind.computed}))
        return {book.referred_to_as(other) for other in book.snapshot if other.id in ids}


def _referred(model: Resource) -> set[Address]:
    return {ref_address(ref, text) for _, ref, text in references(model) if not ref.weak}


def _texts(value: Any) -> Iterator[str]:
    """All text in an answer, keys included: ids stand in both."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
