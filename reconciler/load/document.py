"""From the merged tree to the desired state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from reconciler.load.desired import Declared, Desired, could_match
from reconciler.load.messages import INVALID, MISSING, UNKNOWN_KEY, diagnose, near, shown
from reconciler.load.notes import Notes
from reconciler.load.objects import WHOLE, Objects
from reconciler.load.ownership import read_ownership
from reconciler.load.tree import Map, Seq, Sources
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.document import VERSION, Guards

BASE_KEYS = ("version", "manage", "guards", "vars", "unmanaged")
LATER = ("identity_providers", "reverse_proxy", "agent_network", "tests")
Paths = frozenset[tuple[str, ...]]


def sections(kinds: Mapping[str, AnyKind]) -> tuple[Paths, Paths]:
    """Paths of the mappings whose children are objects, and paths of what is one object as a whole."""
    top = [kind for kind in kinds.values() if not kind.parent]
    single = frozenset(kind.section for kind in top if kind.layout in WHOLE)
    return frozenset(kind.section for kind in top) - single, single


def understand(
    root: Map,
    sources: Sources,
    removed: list[tuple[str, int]],
    kinds: Mapping[str, AnyKind],
    *,
    is_whole: bool = True,
) -> Desired:
    """Read the merged tree. What is wrong is collected in the diagnostics of the result; nothing raises.

    Args:
        root: the tree.
        sources: the way back from marks to places.
        removed: what overlays take out: addresses, with their marks.
        kinds: the kinds that there are, in order.
        is_whole: the tree holds all that the files hold, so that what is missing is missing.
    """
    desired, notes = Desired(sources, kinds), Notes(sources)
    _check_root(root, desired, notes)
    if is_whole or "version" in root:
        _version(root, notes)
    _guards(root, desired, notes)
    _unmanaged(root, desired, notes)
    Objects(desired, notes).read(root)
    read_ownership(root, desired, notes)
    _remove(removed, desired, notes)
    _check_claims(desired, notes)
    desired.diagnostics = notes.diagnostics
    return desired


def _check_claims(desired: Desired, notes: Notes) -> None:
    """What only one object of the account can have is declared for one only."""
    first: dict[str, Declared] = {}
    for one in desired.objects.values():
        for claim in one.kind.claims(one.parts, one.model):
            other = first.setdefault(claim, one)
            if other is not one:
                place = notes.sources.place(other.at)
                message = f"{claim} can be declared once only, and is already by {other.address} ({place})"
                notes.error(INVALID, message, "change or remove one of the two", one.at, one.address)


def _check_root(root: Map, desired: Desired, notes: Notes) -> None:
    tops = [kind.section for kind in desired.registry.values() if not kind.parent]
    _check_keys(root, [*BASE_KEYS, *dict.fromkeys(section[0] for section in tops)], notes)
    for holder in dict.fromkeys(section[0] for section in tops if len(section) > 1):
        node = root.get(holder)
        if isinstance(node, Map):
            _check_keys(node, [section[1] for section in tops if section[0] == holder], notes)
        elif node is not None:
            notes.wrong_type(holder, "a mapping", node, root.values_at[holder])


def _check_keys(node: Map, known: list[str], notes: Notes) -> None:
    for key in node:
        if key in known:
            continue
        message, advice = f"unknown key '{key}'", near(key, known) or f"possible: {', '.join(known)}"
        if key in LATER:
            message, advice = f"'{key}' is not managed by this version of nbsync", "take it out of the files"
        notes.error(UNKNOWN_KEY, message, advice, node.keys_at[key])


def _version(root: Map, notes: Notes) -> None:
    if "version" not in root:
        notes.error(MISSING, "'version' is missing", f"write version: {VERSION} in one of the files", root.at)
    elif root["version"] != VERSION or type(root["version"]) is not int:
        mark = root.values_at["version"]
        message = f"version {notes.sources.text_at(mark) or shown(root['version'])} of the language is not known"
        notes.error(INVALID, message, f"write version: {VERSION}, a number without quotes", mark)


def _guards(root: Map, desired: Desired, notes: Notes) -> None:
    node = root.get("guards")
    if node is None:
        return
    if not isinstance(node, Map):
        notes.wrong_type("guards", "a mapping", node, root.values_at["guards"])
        return
    try:
        desired.guards = Guards.model_validate(node)
    except ValidationError as error:
        notes.diagnostics += diagnose(error, Guards, node, root.keys_at["guards"], notes.sources)
        return
    limits = node.get("max_delete_for", Map(0))
    for name in limits:
        if name not in desired.registry:
            advice = near(name, desired.registry) or f"possible: {', '.join(desired.registry)}"
            notes.error(UNKNOWN_KEY, f"no kind is called '{name}'", advice, limits.keys_at[name])
    if "protect" in node:
        _check_patterns(node["protect"], desired, notes)


def _unmanaged(root: Map, desired: Desired, notes: Notes) -> None:
    node = root.get("unmanaged")
    if node is None:
        return
    if not isinstance(node, Seq) or not all(isinstance(item, str) for item in node):
        notes.wrong_type(
            "unmanaged", "a list of addresses or patterns", _first_wrong(node), root.values_at["unmanaged"]
        )
        return
    desired.unmanaged = tuple(node)
    _check_patterns(node, desired, notes)


def _first_wrong(node: Any) -> Any:
    return next((item for item in node if not isinstance(item, str)), node) if isinstance(node, Seq) else node


def _check_patterns(patterns: Seq, desired: Desired, notes: Notes) -> None:
    for pattern, mark in zip(patterns, patterns.items_at, strict=True):
        if not could_match(pattern, desired.registry):
            advice = near(pattern.partition("/")[0], desired.registry) or "write KIND/KEY, such as policy/legacy-*"
            if pattern in desired.registry:
                advice = f"write {pattern}/NAME, or {pattern}/* for all"
            notes.error(INVALID, f"'{pattern}' is no address of any kind", advice, mark)


def _remove(removed: list[tuple[str, int]], desired: Desired, notes: Notes) -> None:
    """Take out what overlays remove, with all that stands inside."""
    for text, mark in removed:
        address = Address.parse(text)
        if address not in desired.objects:
            advice = near(text, map(str, desired.objects)) or "write KIND/KEY, such as policy/old"
            notes.error(INVALID, f"no file declares '{text}', so nothing can be removed", advice, mark)
            continue
        del desired.objects[address]
        for inner in [one.address for one in desired.objects.values() if one.parent == address]:
            del desired.objects[inner]
        desired.parts = {part for part in desired.parts if part[1] != address}
