"""`manage`: who deletes what no file declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from reconciler.load.desired import Desired, Ownership
from reconciler.load.messages import INVALID, UNKNOWN_KEY, near, shown
from reconciler.load.notes import Notes
from reconciler.load.objects import WHOLE
from reconciler.load.tree import Map
from schemas import AnyKind
from schemas._core.document import Mode

WITHOUT_EFFECT = "NBS301"
MODES = get_args(Mode)


def read_ownership(root: Map, desired: Desired, notes: Notes) -> None:
    """Enter the mode of every kind that the files mention; warn about modes of those that they do not."""
    manage = root.get("manage")
    if manage is None:
        return
    if not isinstance(manage, Map):
        notes.wrong_type("manage", "a mapping", manage, root.values_at["manage"])
        return
    keys = {name: root_key(kind, desired.registry) for name, kind in desired.registry.items()}
    mentioned = {keys[name] for name in desired.kinds}
    for key in manage:
        if _is_mode(manage, key, ["default", *dict.fromkeys(keys.values())], notes) and key not in {
            "default",
            *mentioned,
        }:
            _warn(manage, key, desired, notes)
    desired.ownership = {name: _mode(desired.registry[name], manage, keys[name]) for name in desired.kinds}


def root_key(kind: AnyKind, registry: Mapping[str, AnyKind]) -> str:
    """The root key below which the objects of a kind stand."""
    return root_key(registry[kind.parent], registry) if kind.parent else kind.section[0]


def _is_mode(manage: Map, key: str, known: list[str], notes: Notes) -> bool:
    if key not in known:
        advice = near(key, known) or f"possible: {', '.join(known)}"
        notes.error(UNKNOWN_KEY, f"manage knows no '{key}'", advice, manage.keys_at[key])
        return False
    if manage[key] not in MODES:
        notes.error(INVALID, f"{shown(manage[key])} is no mode", f"write {' or '.join(MODES)}", manage.values_at[key])
        return False
    return True


def _warn(manage: Map, key: str, desired: Desired, notes: Notes) -> None:
    tops = [kind for kind in desired.registry.values() if kind.section[0] == key and not kind.parent]
    sections = " or ".join(".".join(kind.section) for kind in tops if kind.layout not in WHOLE) or key
    message = f"the mode of '{key}' does nothing: no file has {sections}"
    advice = "take the line out, or declare what it is about, if only as an empty mapping"
    notes.warning(WITHOUT_EFFECT, message, advice, manage.keys_at[key])


def _mode(kind: AnyKind, manage: Map, key: str) -> Ownership:
    if key in manage:
        return Ownership(manage[key] == "full", manage.values_at[key])
    if manage.get("default") == "full" and not kind.deleted_only_by_name:
        return Ownership(full=True, at=manage.values_at["default"])
    return Ownership()
