"""The order of the work: what others need comes first, what stands in the way goes first, what widens access comes last.

Hard edges come from references, parents, and names or ranges that only one object can hold. Among what is free to go, narrowing
changes go first; whatever a narrowing change needs inherits its urgency. So between two calls access is never wider than before
or after.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from reconciler.plan.change import Action, Change, Step
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.codec import ref_key, references
from schemas._core.fields import Resource
from schemas._core.kind import Effect, Unique

Edges = dict[Address, set[Address]]
"""Address -> addresses that must come before it."""


def order(changes: Iterable[Change], registry: Mapping[str, AnyKind]) -> tuple[Step, ...]:
    """Put changes into the order in which they can be made, and name for each what it needs."""
    by_address = {change.address: change for change in changes}
    needs = _needs(by_address)
    detours = _detours(by_address, needs)
    ranks = _ranks(by_address, needs)
    position = {name: place for place, name in enumerate(registry)}
    steps = [Step(change, detour=name, needs=frozenset()) for change, name in detours]
    return (*steps, *_sorted(by_address, needs, ranks, position))


def _needs(changes: Mapping[Address, Change]) -> Edges:
    needs: Edges = defaultdict(set)
    for change in changes.values():
        needs[change.address] |= set(_made_first(change, changes))
    for address, gone_first in _vacated_first(changes):
        needs[address].add(gone_first)
    _let_go_first(changes, needs)
    _successors_first(changes, needs)
    return needs


def _made_first(change: Change, changes: Mapping[Address, Change]) -> Iterator[Address]:
    """What must exist before a change can be made: what it refers to, and the object in which it stands."""
    wanted = change.desired
    if wanted is None:
        return
    around = [change.parent] if change.parent else []
    for address in (*around, *_referred(wanted)):
        other = changes.get(address)
        if other and other is not change and other.action in (Action.CREATE, Action.REPLACE):
            yield address


def _referred(model: Resource) -> Iterator[Address]:
    return (Address(ref.kind, ref_key(ref, text)) for _, ref, text in references(model))


def _let_go_first(changes: Mapping[Address, Change], needs: Edges) -> None:
    """What refers to an object that goes is changed, or goes, before it; so does what moves out of it."""
    going = {address: change for address, change in changes.items() if change.action is Action.DELETE}
    if not going:
        return
    by_id = {(change.kind.name, change.id): address for address, change in going.items()}
    for change in changes.values():
        if change.before is not None:
            for address in _referred(change.before):
                if address in going and address != change.address:
                    needs[address].add(change.address)
        around = change.live and change.live.parent and by_id.get((change.kind.parent, change.live.parent))
        if around:
            needs[around].add(change.address)


def _vacated_first(changes: Mapping[Address, Change]) -> Iterator[tuple[Address, Address]]:
    """Pairs of a change and the one that has to make room for it."""
    holders: dict[str, Address] = {}
    for change in changes.values():
        for token in _released(change):
            holders[token] = change.address
    for change in changes.values():
        for token in _acquired(change):
            if (holder := holders.get(token)) is not None and holder != change.address:
                yield change.address, holder


def _released(change: Change) -> set[str]:
    """What an object occupies now and will not occupy afterwards."""
    if change.live is None or change.before is None:
        return set()
    held = set(_name_tokens(change, change.live.name))
    held |= set(change.kind.holds(_parts(change.previous_key or change.address.key), change.before))
    if not change.removes and change.after is not None:
        held -= set(_name_tokens(change, change.kind.name_form(change.name)))
        held -= set(change.kind.holds(_parts(change.address.key), change.after))
    return held


def _acquired(change: Change) -> set[str]:
    """What must be free when an object comes, or gets another name."""
    if change.after is None:
        return set()
    wanted = set(change.kind.excludes(_parts(change.address.key), change.after))
    is_new_name = change.live is None or change.live.name != change.kind.name_form(change.name)
    if is_new_name and (change.kind.unique is Unique.ALWAYS or change.action is Action.CREATE):
        wanted |= set(_name_tokens(change, change.kind.name_form(change.name)))
    return wanted


def _name_tokens(change: Change, name: str) -> list[str]:
    return [f"name {change.kind.name}/{name}"] if change.kind.unique is not Unique.NO else []


def _parts(key: str) -> tuple[str, ...]:
    return tuple(key.split("/"))


def _successors_first(changes: Mapping[Address, Change], needs: Edges) -> None:
    """A new way in is made before the old one is closed, unless the old one stands in its way."""
    coming: dict[tuple[str, str], list[Address]] = defaultdict(list)
    for change in changes.values():
        if change.kind.successor_first and change.action is Action.CREATE:
            coming[_place(change)].append(change.address)
    for change in changes.values():
        if change.kind.successor_first and change.action is Action.DELETE:
            needs[change.address] |= {new for new in coming[_place(change)] if change.address not in needs[new]}


def _place(change: Change) -> tuple[str, str]:
    return change.kind.name, change.address.key.partition("/")[0]


def _detours(changes: dict[Address, Change], needs: Edges) -> list[tuple[Change, str]]:
    """Objects that swap names in a ring: the first of each ring steps aside under a name that nobody wants."""
    found = []
    for address in list(changes):
        ring = _ring(address, changes, needs)
        if ring:
            first = changes[ring[0]]
            found.append((first, f"{first.name} (nbsync)"[-40:]))
            for other in ring:
                needs[other].discard(ring[0])
            needs[ring[0]] |= set(ring[1:])
            needs[ring[0]].discard(ring[0])
            _open(ring, needs)
    return found


def _open(ring: list[Address], needs: Edges) -> None:
    """Only the one that stepped aside waits for the rest of its ring; the others keep their order among themselves."""
    for other in ring[1:]:
        needs[other].discard(ring[0])


def _ring(start: Address, changes: Mapping[Address, Change], needs: Edges) -> list[Address]:
    """A ring of renames through `start`, if it is the first of it."""
    path, current = [start], start
    while True:
        waits = [a for a in needs[current] if changes[a].action is Action.RENAME and a.kind == start.kind]
        if not waits or changes[start].action is not Action.RENAME:
            return []
        current = waits[0]
        if current == start:
            return path if start == min(path) else []
        if current in path:
            return []
        path.append(current)


def _ranks(changes: Mapping[Address, Change], needs: Edges) -> dict[Address, int]:
    """Urgency of every change; what it needs is at least as urgent."""
    ranks = {address: _rank(change) for address, change in changes.items()}
    waiting = sorted(ranks, key=ranks.__getitem__)
    while waiting:
        address = waiting.pop(0)
        for needed in needs[address]:
            if ranks[needed] > ranks[address]:
                ranks[needed] = ranks[address]
                waiting.append(needed)
    return ranks


def _rank(change: Change) -> int:
    """What widens and what does nothing to access may come in any order once all that narrows is done."""
    if change.action is Action.REPLACE:
        return Effect.NEUTRAL
    return min(change.kind.effect(change.before, change.after), Effect.NEUTRAL)


def _sorted(
    changes: Mapping[Address, Change], needs: Edges, ranks: Mapping[Address, int], position: Mapping[str, int]
) -> list[Step]:
    dependents: dict[Address, list[Address]] = defaultdict(list)
    for address in changes:
        for needed in needs[address]:
            dependents[needed].append(address)
    open_needs = {address: len(needs[address]) for address in changes}

    def priority(address: Address) -> tuple[int, int, int, Address]:
        deletes = changes[address].action is Action.DELETE
        place = position[address.kind]
        return ranks[address], int(deletes), -place if deletes else place, address

    free = [priority(address) for address, count in open_needs.items() if not count]
    heapq.heapify(free)
    steps = []
    while free:
        address = heapq.heappop(free)[-1]
        steps.append(Step(changes[address], needs=frozenset(needs[address])))
        for dependent in dependents[address]:
            open_needs[dependent] -= 1
            if not open_needs[dependent]:
                heapq.heappush(free, priority(dependent))
    if len(steps) < len(changes):
        stuck = sorted(str(address) for address, count in open_needs.items() if count)
        raise AssertionError(f"these changes wait for one another: {', '.join(stuck)}")
    return steps
