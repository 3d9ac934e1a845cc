"""Fields before and after, in the files' words, as rows of a sheet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from rich.cells import cell_len

from reconciler.plan.change import Action, Change, FieldChange, Origin
from reconciler.render.sheet import Piece, Sheet

BEFORE, AFTER, QUIET = "red", "green", "dim"
SHOWN_UNCHANGED = 3
"""Elements of a changed list that are repeated although they stay; more are counted."""
WIDEST_NAME = 28
"""Columns up to which the values of one object stand below one another."""
INDENT = " " * 6
_WORD = re.compile(r"[\w*][\w@./:*%~-]*")


def field_rows(sheet: Sheet, change: Change) -> None:
    """Add a row for every field of a change."""
    fields = list(chain.from_iterable(map(_flat, _own_fields(change))))
    names = [sheet.say(field.path) for field in fields]
    width = min(max(map(cell_len, names), default=0), WIDEST_NAME)
    for name, field in zip(names, fields, strict=True):
        lead = (Piece(f"{INDENT}{name}{' ' * (width - cell_len(name))}  "),)
        sides = _sides(sheet, change.action, field)
        if field.origin and change.origin is Origin.BOTH:
            sides[-1] += [Piece("  "), mark(field.origin)]
        _row(sheet, lead, sides)


def mark(origin: Origin) -> Piece:
    """Where something that differs comes from: [files], [account]."""
    return Piece("[files and account]" if origin is Origin.BOTH else f"[{origin}]", QUIET)


def _own_fields(change: Change) -> Iterator[FieldChange]:
    """What is not said elsewhere: the objects inside one that goes have a row of their own."""
    inside = {address.kind for address, _ in change.falls}
    sections = {kind.section[0] for kind in _kinds(inside)}
    return (field for field in change.fields if field.path not in sections)


def _kinds(names: Iterable[str]) -> Iterator[Any]:
    from schemas import KINDS

    return (KINDS[name] for name in names if name in KINDS)


def _flat(field: FieldChange) -> Iterator[FieldChange]:
    """Mappings have a row for each key."""
    before, after = field.before, field.after
    sides = [side for side in (before, after) if side is not None]
    if field.sensitive or not any(sides) or not all(isinstance(side, Mapping) for side in sides):
        yield field
        return
    for key in dict.fromkeys([*(before or ()), *(after or ())]):
        inner = replace(field, path=f"{field.path}.{key}", before=(before or {}).get(key), after=(after or {}).get(key))
        yield from _flat(inner)


def _sides(sheet: Sheet, action: Action, field: FieldChange) -> list[list[Piece]]:
    """The value, or the value before and the value after."""
    if field.sensitive:
        return [[Piece("(sensitive)", QUIET)]]
    if action is Action.CREATE:
        return [[_after(sheet, field, "")]]
    if action is Action.DELETE:
        return [[_side(sheet, field.before, QUIET)]]
    return _list_change(sheet, field) or [[_side(sheet, field.before, BEFORE)], [_after(sheet, field, AFTER)]]


def _after(sheet: Sheet, field: FieldChange, style: str) -> Piece:
    return Piece("(known after apply)", QUIET) if field.known_after_apply else _side(sheet, field.after, style)


def _row(sheet: Sheet, lead: Sequence[Piece], sides: list[list[Piece]]) -> None:
    """One row, or where that is too long one for each side."""
    arrow = sheet.glyphs.arrow
    if len(sides) == 1:
        sheet.row(lead, sides[0])
        return
    before, after = sides
    whole = [*before, Piece(f" {arrow} ", QUIET), *after]
    if sheet.fits(lead, whole):
        sheet.row(lead, whole)
        return
    sheet.row(lead, before)
    start = sum(cell_len(piece.text) for piece in lead)
    sheet.row((Piece(f"{arrow} ".rjust(start), QUIET),), after)


def _list_change(sheet: Sheet, field: FieldChange) -> list[list[Piece]]:
    """What comes to a list and what goes from it; nothing if no element stays, or if only the order changes."""
    if not isinstance(field.before, list) or not isinstance(field.after, list):
        return []
    old, new = (Counter(said(sheet, item) for item in side) for side in (field.before, field.after))
    come, gone, kept = (list(items.elements()) for items in (new - old, old - new, old & new))
    if not kept or not (come or gone):
        return []
    moves = [Piece(f"+{item}", AFTER) for item in come] + [Piece(f"-{item}", BEFORE) for item in gone]
    if len(kept) <= SHOWN_UNCHANGED:
        return [_spaced([Piece(", ".join(kept)), *moves])]
    return [_spaced([*moves, Piece(f"({len(kept)} unchanged)", QUIET)])]


def _spaced(pieces: Sequence[Piece]) -> list[Piece]:
    return [part for piece in pieces for part in (Piece(" "), piece)][1:]


def _side(sheet: Sheet, value: Any, style: str) -> Piece:
    if value is None:
        return Piece("(none)", QUIET)
    if isinstance(value, list):
        return Piece(", ".join(said(sheet, item) for item in value), style) if value else Piece("(empty)", QUIET)
    return Piece(said(sheet, value), style)


def said(sheet: Sheet, value: Any) -> str:
    """A value in one line, as YAML would have it; words stand without quotes."""
    if isinstance(value, str):
        return sheet.say(value if _WORD.fullmatch(value) else '"' + value.replace('"', '\\"') + '"')
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{said(sheet, key)}: {said(sheet, item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(said(sheet, item) for item in value) + "]"
    return "null" if value is None else sheet.say(str(value))
