"""Names of live objects to which files can refer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from reconciler.api.client import ReadApi
from reconciler.state.observe import observe_all
from reconciler.state.snapshot import Live, Snapshot
from schemas import AnyKind
from schemas._core.references import kinds_referred_to


def referable_names(api: ReadApi, registry: Mapping[str, AnyKind]) -> dict[str, list[str]]:
    """Names of live objects by kind, as a reference has them; those that several objects share are left out.

    Raises:
        AccountError: the server did not answer, refused, or answered something else than NetBird's objects.
    """
    kinds = {name for kind in registry.values() for name in kinds_referred_to(kind.model)}
    kinds |= {registry[name].parent for name in kinds}
    wanted = {name: kind for name, kind in registry.items() if name in kinds}
    snapshot = observe_all(api, wanted, frozenset())
    return {name: sorted(_once(_names(snapshot, name))) for name in wanted}


def _once(names: Iterator[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times == 1 and name]


def _names(snapshot: Snapshot, kind: str) -> Iterator[str]:
    for live in snapshot.of(kind).values():
        if not live.kind.parent:
            yield live.name
        elif (parent := _parent(snapshot, live)) and "/" not in parent.name + live.name:
            yield f"{parent.name}/{live.name}"


def _parent(snapshot: Snapshot, live: Live) -> Live | None:
    return snapshot.of(live.kind.parent).get(live.parent)
