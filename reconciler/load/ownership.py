"""`manage`: who deletes what no file declares."""

from __future__ import annotations

from typing import get_args

from reconciler.load.desired import Desired, Ownership
from reconciler.load.messages import INVALID, UNKNOWN_KEY, near
from reconciler.load.notes import Notes
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
    keys = {name: _root_key(kind, desired) for name, kind in desired.registry.items()}
    mentioned = {keys[name] for name in desired.kinds}
    for key in manage:
        _check(manage, key, list(dict.fromkeys(keys.values())), mentioned, notes)
    desired.ownership = {name: _mode(desired.registry[name], manage, keys[name]) for name in desired.kinds}


def _root_key(kind: AnyKind, desired: Desired) -> str:
    return _root_key(desired.registry[kind.parent], desired) if kind.parent else kind.section[0]


def _check(manage: Map, key: str, known: list[str], mentioned: set[str], notes: Notes) -> None:
    if key != "default" and key not in known:
        advice = near(key, known) or f"possible: default, {', '.join(known)}"
        notes.error(UNKNOWN_KEY, f"manage knows no '{key}'", advice, manage.keys_at[key])
    elif manage[key] not in MODES:
        notes.error(INVALID, f"'{manage[key]}' is no mode", f"write {' or '.join(MODES)}", manage.values_at[key])
    elif key != "default" and key not in mentioned:
        advice = f"declare {key}, if only as {key}: {{}}, or take the line out"
        notes.warning(
            WITHOUT_EFFECT, f"the mode of '{key}' does nothing: no file has {key}", advice, manage.keys_at[key]
        )


def _mode(kind: AnyKind, manage: Map, key: str) -> Ownership:
    if key in manage:
        return Ownership(manage[key] == "full", manage.values_at[key])
    if manage.get("default") == "full" and not kind.deleted_only_by_name:
        return Ownership(full=True, at=manage.values_at["default"])
    return Ownership()
