"""From objects in words to documents: sections, what stands inside of what, and the lines at the head."""

from __future__ import annotations

from collections import defaultdict
from glob import escape
from typing import Any

from reconciler.export.survey import Telling, Told
from reconciler.export.wish import Registry, Wish
from reconciler.export.yaml import Block, Rows
from reconciler.load.ownership import root_key
from schemas import AnyKind
from schemas._core.document import VERSION, place_of_section
from schemas._core.kind import Layout

SECRETS = "Secrets cannot be read back: what is there keeps its own, what is made anew gets a new one."
UNREAD = "{} cannot be read with this token; what is there stays as it is."
NO_DELETE = "What no file declares is left alone. With full it is deleted, within the guards{}."
BY_NAME = " ({} only with a line of their own, `{}: full`, for which `nbsync export {}` leaves none of them out)"
IN_PART = "These files hold only a part of the account: with full, what else there is of these kinds would be deleted."


def head(telling: Telling, wish: Wish, server: str) -> Block:
    """The root keys that belong to no kind: version, ownership, and what is left alone."""
    block = Block()
    block.put("version", VERSION, [f"The NetBird account at {server}, as nbsync export found it."])
    manage = Block()
    manage.put("default", "no-delete", _on_ownership(wish))
    block.put("manage", manage)
    if telling.untold:
        block.put("unmanaged", _unmanaged(telling), ["What no file can declare, and why; nbsync leaves it alone."])
    return block


def sections(telling: Telling, wish: Wish) -> Block:
    """The root keys of all kinds that have objects, with all objects, in the order in which people read them."""
    builder = _Builder(telling, wish.registry)
    root = Block()
    for kind in wish.registry.values():
        if not kind.parent and kind.name in wish.kinds:
            builder.add(root, kind)
    for key in sorted(root, key=place_of_section):
        root[key] = root.pop(key)
    for key in root:
        if notes := _on_section(key, telling, wish):
            root.comments[key] = [*notes, *root.comments.get(key, [])]
    return root


def _on_ownership(wish: Wish) -> list[str]:
    kinds = [kind for kind in wish.registry.values() if kind.deleted_only_by_name and not kind.endpoint.singleton]
    keys = [kind.section[0] for kind in kinds]
    flags = " ".join(f"--kind {kind.name}" for kind in kinds)
    notes = [NO_DELETE.format(BY_NAME.format(" and ".join(keys), keys[0], flags) if kinds else "")]
    return [*notes, IN_PART] if wish.patterns else notes


def _unmanaged(telling: Telling) -> Rows:
    """Addresses as patterns that match nothing else, those with one reason together."""
    by_reason: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for address, reason in telling.untold.items():
        by_reason[reason].append(escape(str(address)))
    rows = Rows()
    for reason, patterns in by_reason.items():
        first, *rest = sorted(dict.fromkeys(patterns))
        rows.put(first, reason)
        for pattern in rest:
            rows.put(pattern)
    return rows


def _on_section(key: str, telling: Telling, wish: Wish) -> list[str]:
    told = {one.kind.name: one.kind for one in telling.told if root_key(one.kind, wish.registry) == key}
    notes = [SECRETS] if any(kind.reveals and kind.expires for kind in told.values()) else []
    unread = [kind for kind in telling.unread if root_key(kind, wish.registry) == key]
    return notes + [UNREAD.format(kind.section[0].capitalize()) for kind in unread]


class _Builder:
    """Puts objects where they stand."""

    def __init__(self, telling: Telling, registry: Registry) -> None:
        self._registry = registry
        self._told: dict[tuple[str, tuple[str, str]], list[Told]] = defaultdict(list)
        for one in sorted(telling.told, key=lambda one: (one.words.key, one.address)):
            self._told[one.kind.name, one.parent].append(one)

    def add(self, holder: Block, kind: AnyKind, parent: tuple[str, str] = ("", "")) -> None:
        """Add the section of a kind, with all objects that stand in it, if there are any."""
        told = self._told[kind.name, parent]
        if not told:
            return
        *around, last = kind.section
        for step in around:
            holder = holder.setdefault(step, Block())
        if kind.layout is Layout.FIELD:
            holder.put(last, told[0].words.said[last], told[0].words.notes)
        elif kind.layout is Layout.SINGLE:
            holder.put(last, Block(told[0].words.said) if told[0].words.said else {}, told[0].words.notes)
        else:
            holder.put(last, self._rows(told) if kind.layout is Layout.LISTED else self._entries(told))

    def _rows(self, told: list[Told]) -> Rows:
        rows = Rows()
        for one in told:
            rows.put(one.words.said, one.words.notes)
        return rows

    def _entries(self, told: list[Told]) -> Block:
        by_key: dict[str, list[Told]] = defaultdict(list)
        for one in told:
            by_key[one.words.key].append(one)
        block = Block()
        for key, ones in by_key.items():
            values = [self._object(one) for one in ones]
            notes = [note for one in ones for note in one.words.notes]
            block.put(key, values[0] if len(values) == 1 else values, notes)
        return block

    def _object(self, one: Told) -> Any:
        """A mapping that is written in one line if it is small; one with others inside never is."""
        inner = [kind for kind in self._registry.values() if kind.parent == one.kind.name]
        block = Block(one.words.said)
        for kind in sorted(inner, key=lambda kind: kind.layout is not Layout.LISTED):
            self.add(block, kind, one.place)
        return (block if len(block) > len(one.words.said) else one.words.said) or None
