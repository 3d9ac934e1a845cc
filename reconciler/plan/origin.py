"""Who made a difference: the files, asking for something new, or somebody who changed the account behind their back. Pure.

The same account is planned on twice, with the files and with the files as they were applied last. What the earlier files
would change, too, was changed behind their back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.plan.change import Action, Change, FieldChange, Origin, Plan
from reconciler.plan.match import Book

Said = Callable[[Any], Any]
"""A value in the words of the earlier files, in the words of the present ones."""


def trace(plan: Plan, book: Book, earlier: Plan, earlier_book: Book) -> Plan:
    """The same plan with the origin of every change and field.

    Args:
        plan: for the files as they are.
        book: of this plan.
        earlier: for the files as they were applied last, on the same account.
        earlier_book: of the earlier plan.
    """
    said, earlier = _translation(book, earlier_book), earlier.lasting()
    by_address = {change.address: change for change in earlier.changes}
    by_id = {(change.kind.name, change.id): change for change in earlier.changes if change.id}
    traced = plan.with_changes(
        {
            change: _traced(
                change, by_id.get((change.kind.name, change.id or "")) or by_address.get(change.address), said
            )
            for change in plan.changes
        }
    )
    # Whether what no files say, and apply leaves alone, was there before or came since: nothing tells.
    return replace(traced, undeclared=())


def behind_the_back(plan: Plan) -> Plan:
    """What of a traced plan was changed in the account: changes and fields that only the files ask for are left out."""
    return plan.with_changes(
        {
            change: replace(change, fields=tuple(one for one in change.fields if one.origin is not Origin.FILES))
            for change in plan.changes
            if change.origin is not Origin.FILES
        }
    )


def _translation(book: Book, earlier: Book) -> Said:
    """Objects that the present files call something else are the same objects."""
    labels = {earlier.label(*place): book.label(*place) for place in earlier.addresses}
    renamed = {old: new for old, new in labels.items() if old != new}

    def said(value: Any) -> Any:
        if isinstance(value, str):
            return renamed.get(value, value)
        if isinstance(value, list):
            return [said(item) for item in value]
        if isinstance(value, Mapping):
            return {said(key): said(item) for key, item in value.items()}
        return value

    return said


def _traced(change: Change, earlier: Change | None, said: Said) -> Change:
    if change.is_passing:
        return change
    if earlier is None:
        return _with_one(change, Origin.FILES)
    is_the_same = (change.action, change.address) == (earlier.action, earlier.address)
    if change.action is Action.DELETE and is_the_same:
        return _with_one(change, Origin.ACCOUNT)
    found = [_origin(field, earlier.fields, said) for field in change.fields]
    origins = {*_of_the_whole(change, earlier, is_the_same=is_the_same), *found}
    fields = (replace(field, origin=origin) for field, origin in zip(change.fields, found, strict=True))
    return replace(change, origin=origins.pop() if len(origins) == 1 else Origin.BOTH, fields=tuple(fields))


def _with_one(change: Change, origin: Origin) -> Change:
    return replace(change, origin=origin, fields=tuple(replace(field, origin=origin) for field in change.fields))


def _of_the_whole(change: Change, earlier: Change, *, is_the_same: bool) -> Iterable[Origin]:
    """Origins of what no field says: that the object comes or goes, and what it is called."""
    if change.action is Action.CREATE:
        yield Origin.ACCOUNT if is_the_same else Origin.BOTH
        if {field.path for field in earlier.fields} - {field.path for field in change.fields}:
            yield Origin.FILES
    elif change.action is Action.DELETE:
        yield Origin.BOTH
    elif change.previous_key is not None and earlier.previous_key is None:
        yield Origin.FILES
    elif change.previous_key is not None:
        yield Origin.ACCOUNT if change.address == earlier.address else Origin.BOTH


def _origin(field: FieldChange, earlier: Iterable[FieldChange], said: Said) -> Origin:
    """Where a field, or something in it, was changed in the account and the files ask for something else by now, it is both."""
    touched = [one for one in earlier if _overlap(_path(one, said), field.path)]
    if not touched:
        return Origin.FILES
    same = len(touched) == 1 and _path(touched[0], said) == field.path and _is_same(touched[0], field, said)
    return Origin.ACCOUNT if same else Origin.BOTH


def _path(earlier: FieldChange, said: Said) -> str:
    return ".".join(map(said, earlier.path.split(".")))


def _is_same(earlier: FieldChange, field: FieldChange, said: Said) -> bool:
    sides = (earlier.before, field.before), (earlier.after, field.after)
    return all(old == new or _is_renamed(old, said(old), new) for old, new in sides)


def _is_renamed(old: Any, translated: Any, new: Any) -> bool:
    """Objects with other names may stand in another order, for lists without one are sorted by names."""
    return bool(translated != old) and _in_order(translated) == _in_order(new)


def _in_order(value: Any) -> Any:
    return sorted(map(_in_order, value), key=repr) if isinstance(value, list) else value


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
