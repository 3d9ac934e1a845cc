"""What may be desired: one file per kind of NetBird object, found by being in this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import Any

from schemas._core.kind import Kind
from schemas._core.references import kinds_referred_to

AnyKind = Kind[Any]


def discover() -> list[AnyKind]:
    """Import every kind of this folder."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return [importlib.import_module(f"{__name__}.{name}").KIND for name in names]


def in_order(kinds: Iterable[AnyKind]) -> Mapping[str, AnyKind]:
    """Kinds by name, in the order in which their objects are made: what others refer to comes first.

    Raises:
        ValueError: two kinds have one name, or one names a kind that is not there.
        graphlib.CycleError: kinds wait for one another.
    """
    by_name: dict[str, AnyKind] = {}
    for kind in kinds:
        if by_name.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"two kinds are called {kind.name}")
    graph = {name: _before(kind, by_name) for name, kind in by_name.items()}
    if unknown := {other for others in graph.values() for other in others} - by_name.keys():
        raise ValueError(f"no such kind: {', '.join(sorted(unknown))}")
    return MappingProxyType({name: by_name[name] for name in TopologicalSorter(graph).static_order()})


def _before(kind: AnyKind, by_name: Mapping[str, AnyKind]) -> set[str]:
    """Kinds of which objects must be there first; those that come by themselves need no waiting for."""
    referred = {name for name in kinds_referred_to(kind.model) if name not in by_name or not by_name[name].arrives}
    return {*referred, *kind.waits_for, *filter(None, [kind.parent])} - {kind.name}


KINDS = in_order(discover())
