"""The order of the work: what others need comes first, what stands in the way goes first, what widens access comes last.

Hard edges come from references, parents, and names or ranges that only one object can hold. Among what is free to go, narrowing
changes go first; whatever a narrowing change needs inherits its urgency. So between two calls access is never wider than before
or after.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.plan.change import Action, Change, Step
from schemas import AnyKind
from schemas._core.address import Address, decode_part
from schemas._core.codec import ref_key, references
from schemas._core.fields import Resource
from schemas._core.kind import Effect, Unique

Edges = dict[Change, set[Change]]
"""Change -> changes that must come before it."""

LONGEST_NAME = 40
ASIDE = " (nbsync)"


def order(changes: Iterable[Change], registry: Mapping[str, AnyKind]) -> tuple[Step, ...]:
    """Put changes into the order in which they can be made, and name for each what it needs."""
    changes = list(changes)
    needs = _needs(changes)
    aside = [Step(change, detour=name) for change, name in _detours(changes, needs)]
    position = {name: place for place, name in enumerate(registry)}
    return (*aside, *_sorted(changes, needs, position))


def _needs(changes: Sequence[Change]) -> Edges:
    needs: Edges = {change: set() for change in changes}
    coming = {change.address: change for change in changes if change.action in (Action.CREATE, Action.REPLACE)}
    for change in changes:
        needs[change] |= set(_made_first(change, coming))
    for change, holder in _vacated_first(changes):
        needs[change].add(holder)
    _let_go_first(changes, needs)
    _successors_first(changes, needs)
    return needs


def _made_first(change: Change, coming: Mapping[Address, Change]) -> Iterator[Change]:
    """What must exist before a change can be made: what it refers to, and the object in which it stands."""
    if change.desired is None:
        return
    around = [change.parent] if change.parent else []
    for address in (*around, *_referred(change.desired)):
        other = coming.get(address)
        if other is not None and other is not change:
            yield other


def _referred(model: Resource) -> Iterator[Address]:
    return (Address(ref.kind, ref_key(ref, text)) for _, ref, text in references(model))


def _let_go_first(changes: Sequence[Change], needs: Edges) -> None:
    """What refers to an object that goes is changed, or goes, before it; so does what moves out of it."""
    going = [change for change in changes if change.action is Action.DELETE]
    if not going:
        return
    by_address = {change.referred_to_as: change for change in going}
    by_id = {(change.kind.name, change.id): change for change in going}
    for change in changes:
        holds_on = [by_address.get(address) for address in _referred(change.before)] if change.before else []
        around = by_id.get((change.kind.parent, change.live.parent)) if change.live else None
        for gone in (*holds_on, around):
            if gone is not None and gone is not change:
                needs[gone].add(change)


def _vacated_first(changes: Sequence[Change]) -> Iterator[tuple[Change, Change]]:
    """Pairs of a change and the one that has to make room for it."""
    holders = {token: change for change in changes for token in _released(change)}
    for change in changes:
        for token in _acquired(change):
            holder = holders.get(token)
            if holder is not None and holder is not change:
                yield change, holder


def _released(change: Change) -> set[str]:
    """What an object occupies now and will not occupy afterwards."""
    if change.live is None or change.before is None:
        return set()
    kind = change.kind
    held = {
        *_name_token(kind, change.live.name),
        *kind.holds(_parts(change.previous_key or change.address.key), change.before),
    }
    if change.removes or change.after is None:
        return held
    return held - {
        *_name_token(kind, kind.name_form(change.name)),
        *kind.holds(_parts(change.address.key), change.after),
    }


def _acquired(change: Change) -> set[str]:
    """What must be free when an object comes, or gets another name."""
    if change.after is None:
        return set()
    kind, name = change.kind, change.kind.name_form(change.name)
    wanted = set(kind.excludes(_parts(change.address.key), change.after))
    is_named_anew = change.live is None or change.live.name != name
    if is_named_anew and (kind.unique is Unique.ALWAYS or change.action is Action.CREATE):
        wanted |= set(_name_token(kind, name))
    return wanted


def _name_token(kind: AnyKind, name: str) -> list[str]:
    return [f"name {kind.name}/{name}"] if kind.unique is not Unique.NO else []


def _parts(key: str) -> tuple[str, ...]:
    return tuple(map(decode_part, key.split("/")))


def _successors_first(changes: Sequence[Change], needs: Edges) -> None:
    """A new way in is made before the old one is closed, unless it has to wait for that, directly or not."""
    coming: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind.successor_first and change.action is Action.CREATE:
            coming[_place(change)].append(change)
    for change in changes:
        if change.kind.successor_first and change.action is Action.DELETE:
            for new in coming[_place(change)]:
                if not _waits_for(new, change, needs):
                    needs[change].add(new)


def _waits_for(change: Change, other: Change, needs: Edges) -> bool:
    """Tell whether a change has to wait for another one, however many are between."""
    seen, waiting = {change}, [change]
    while waiting:
        found = needs[waiting.pop()] - seen
        if other in found:
            return True
        seen |= found
        waiting += found
    return False


def _place(change: Change) -> tuple[str, str]:
    return change.kind.name, change.address.key.partition("/")[0]


def _detours(changes: Sequence[Change], needs: Edges) -> list[tuple[Change, str]]:
    """Objects that swap names in a ring: the first of each ring steps aside under a name that nobody wants.

    The one that wants its name then need not wait for it any more.
    """
    found = []
    for change in changes:
        ring = _ring(change, needs) if change.action is Action.RENAME else []
        if ring:
            found.append((change, change.name[: LONGEST_NAME - len(ASIDE)] + ASIDE))
            for other in ring:
                needs[other].discard(change)
    return found


def _ring(start: Change, needs: Edges) -> list[Change]:
    """Renames that wait for one another in a ring through `start`."""
    path = [start]
    while True:
        waits = [other for other in needs[path[-1]] if other.action is Action.RENAME and other.kind is start.kind]
        if not waits or (waits[0] in path and waits[0] is not start):
            return []
        if waits[0] is start:
            return path
        path.append(waits[0])


def _ranks(changes: Sequence[Change], needs: Edges) -> dict[Change, int]:
    """Urgency of every change; what it needs is at least as urgent."""
    ranks = {change: _rank(change) for change in changes}
    waiting = deque(sorted(changes, key=ranks.__getitem__))
    while waiting:
        change = waiting.popleft()
        for needed in needs[change]:
            if ranks[needed] > ranks[change]:
                ranks[needed] = ranks[change]
                waiting.append(needed)
    return ranks


def _rank(change: Change) -> int:
    """What widens and what does nothing to access may come in any order once all that narrows is done."""
    if change.action is Action.REPLACE:
        return Effect.NEUTRAL
    return min(change.kind.effect(change.before, change.after), Effect.NEUTRAL)


def _sorted(changes: Sequence[Change], needs: Edges, position: Mapping[str, int]) -> list[Step]:
    """Kahn's algorithm; of what is free to go, the most urgent goes first."""
    ranks = _ranks(changes, needs)
    dependents: dict[Change, list[Change]] = defaultdict(list)
    for change in changes:
        for needed in needs[change]:
            dependents[needed].append(change)
    missing = {change: len(needs[change]) for change in changes}

    def priority(index: int) -> tuple[int, bool, int, Address, int]:
        change = changes[index]
        deletes, place = change.action is Action.DELETE, position[change.kind.name]
        return ranks[change], deletes, -place if deletes else place, change.address, index

    indices = {change: index for index, change in enumerate(changes)}
    free = [priority(index) for index, change in enumerate(changes) if not missing[change]]
    heapq.heapify(free)
    steps = []
    while free:
        change = changes[heapq.heappop(free)[-1]]
        steps.append(Step(change, needs=frozenset(needs[change])))
        for dependent in dependents[change]:
            missing[dependent] -= 1
            if not missing[dependent]:
                heapq.heappush(free, priority(indices[dependent]))
    if len(steps) < len(changes):
        stuck = sorted(str(change.address) for change in changes if missing[change])
        raise AssertionError(f"these changes wait for one another: {', '.join(stuck)}")
    return steps
