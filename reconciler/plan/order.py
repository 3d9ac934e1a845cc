"""The order of the work: what others need comes first, what stands in the way goes first, what widens access comes last.

Hard edges come from references, parents, and names or ranges that only one object can hold. Among what is free to go, narrowing
changes go first; whatever a narrowing change needs inherits its urgency. A change that narrows and widens goes between the two,
or has a step of its own in which it only narrows. So between two calls access is never wider than before or after. Where two
changes meet that have no such step, that is said.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from reconciler.errors import Diagnostic, Severity
from reconciler.plan.change import NARROWED, WIDER, Action, Change, Step
from reconciler.plan.match import Book
from reconciler.plan.narrowing import Pair, Rank, Shares, share_out, widened
from reconciler.plan.occupied import NAME, acquired, parts_of, released
from reconciler.plan.parts import take_apart
from reconciler.plan.rings import Part, Room, Rooms, Turn, Turns, aside, made_anew, open_rings, steps_aside, waited_for
from reconciler.plan.uses import Uses
from schemas._core.address import Address
from schemas._core.references import referred

Edges = dict[Change, set[Change]]
"""Change -> changes that must come before it."""


class Order(NamedTuple):
    """The steps in their order, what is to be said of it, and whether it was guessed what some changes do to access."""

    steps: tuple[Step, ...]
    warnings: tuple[Diagnostic, ...]
    guessed: bool


def order(changes: Iterable[Change], book: Book, stay: Collection[Address] | None = None) -> Order:
    """Put changes into the order in which they can be made, and name for each what it needs.

    Args:
        changes: all changes of the plan.
        book: what is what in the account.
        stay: addresses of what may be shut meanwhile although it stays as it is; None: whatever the next run would open again.
    """
    changes = list(changes)
    needs, rooms = _needs(changes)
    turns: Turns = {(change, Part.WHOLE): {(other, Part.WHOLE) for other in needs[change]} for change in changes}
    open_rings(turns, rooms)
    gone = {change for change, part in turns if part is Part.ROOM and not steps_aside(change, rooms)}
    shares = share_out(Uses(book, changes, stay), gone, _successors(changes, turns), turns)
    _keep_ways(shares, turns)
    take_apart(shares, turns)
    position = {name: place for place, name in enumerate(book.desired.registry)}
    anew = {change: made_anew(change) for change in gone}
    split = {change: _opened(change, shares) for change in shares.common if change.desired}
    ranks = _ranks(turns, shares)
    steps = _steps(_sorted(turns, position, ranks), turns, shares, ranks, anew | split)
    return Order(steps, tuple(_warnings(shares)), shares.guessed)


def _warnings(shares: Shares) -> Iterator[Diagnostic]:
    if shares.unsplit:
        yield _wider(shares.unsplit)
    elif shares.guessed:  # nobody sees this where what was not read can be read: the plan is made again then
        message = (
            "not all policies, networks and routes could be read: while the changes are made, more may be reachable "
            "than before or afterwards"
        )
        yield Diagnostic(WIDER, message, "use the token of somebody who may read them", Severity.WARNING)


def _wider(unsplit: Sequence[Change]) -> Diagnostic:
    first, *others = sorted(unsplit, key=lambda change: change.address)
    names = " and ".join(str(change.address) for change in (first, *others))
    message = (
        f"while {names} change one after the other, more may be reachable than before or afterwards: "
        "what policies allow and deny depends on all of them"
    )
    one_by_one = f"change them one by one (--target {first.address.quoted}; of a rollback --leave)"
    advice = f"{one_by_one}; or declare what opens something by them"
    return Diagnostic(WIDER, message, advice, Severity.WARNING, str(first.address), first.cause)


def _opened(change: Change, shares: Shares) -> Change:
    """What is left of a change that was narrowed; of one that leaves its object as it is, for what that was done."""
    left = widened(change, shares.common[change])
    if not change.is_passing:
        return left
    others = sorted(str(other.address) for other, shut in shares.shut if shut is change)
    verb = "changes" if len(others) == 1 else "change"
    return replace(
        left, reason=f"shut while {' and '.join(others)} {verb}, so that what others deny is not open in between"
    )


_COMING = (Action.CREATE, Action.REPLACE)


def _needs(changes: Sequence[Change]) -> tuple[Edges, Rooms]:
    needs: Edges = {change: set() for change in changes}
    rooms: dict[Change, dict[Change, Room]] = defaultdict(dict)
    coming = {change.address: change for change in changes if change.action in _COMING}
    for change in changes:
        needs[change] |= set(_made_first(change, coming))
    for change, holder, room in _vacated_first(changes):
        needs[change].add(holder)
        rooms[holder][change] = max(room, rooms[holder].get(change, room))
    _let_go_first(changes, needs, rooms)
    return needs, rooms


def _made_first(change: Change, coming: Mapping[Address, Change]) -> Iterator[Change]:
    """What must exist before a change can be made: what it refers to, and the object in which it stands."""
    if change.desired is None:
        return
    around = [change.parent] if change.parent else []
    for address in (*around, *referred(change.desired)):
        other = coming.get(address)
        if other is not None and other is not change:
            yield other


def _let_go_first(changes: Sequence[Change], needs: Edges, rooms: dict[Change, dict[Change, Room]]) -> None:
    """What refers to an object that goes is changed, or goes, before it; so does what moves out of it."""
    going = [change for change in changes if change.action is Action.DELETE]
    if not going:
        return
    by_address = {change.referred_to_as: change for change in going}
    by_id = {(change.kind.name, change.id): change for change in going}
    for change in changes:
        holds_on = [by_address.get(address) for address in referred(change.before)] if change.before else []
        for gone in filter(None, holds_on):
            if gone is not change:
                needs[gone].add(change)
        around = by_id.get((change.kind.parent, change.live.parent)) if change.live else None
        if around:
            needs[around].add(change)
            rooms[change][around] = Room.NAME


def _vacated_first(changes: Sequence[Change]) -> Iterator[tuple[Change, Change, Room]]:
    """Changes, the ones that have to make room for them, and how much."""
    holders: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        for token in released(change):
            holders[token].append(change)
    for change in changes:
        for token in acquired(change):
            room = Room.NAME if token.startswith(NAME) else Room.ALL
            yield from ((change, holder, room) for holder in holders.get(token, ()) if holder is not change)


def _successors(changes: Sequence[Change], turns: Turns) -> list[Pair]:
    """New ways in and the old ones in whose place they come, unless the new one has to wait for the old one, directly or not."""
    coming: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind.successor_first and change.action is Action.CREATE:
            coming[_place(change)].append(change)
    return [
        (new, change)
        for change in changes
        if change.kind.successor_first and change.action is Action.DELETE
        for new in coming[_place(change)]
        if (change, Part.WHOLE) not in waited_for([(new, Part.WHOLE)], turns)
    ]


def _keep_ways(shares: Shares, turns: Turns) -> None:
    """A new way in is made before the old one is closed."""
    for new, old in shares.successors:
        if (old, Part.WHOLE) not in waited_for([(new, Part.WHOLE)], turns):
            turns[old, Part.WHOLE].add((new, Part.WHOLE))


def _place(change: Change) -> tuple[str, ...]:
    """Where a way leads."""
    model = change.after or change.before
    targets = () if model is None else sorted(change.kind.excludes(parts_of(change.address.key), model))
    return change.kind.name, change.address.key.partition("/")[0], *targets


def _ranks(turns: Turns, shares: Shares) -> dict[Turn, Rank]:
    """Urgency of every turn; what it needs is at least as urgent."""
    ranks = {turn: shares.rank(turn) for turn in turns}
    waiting = deque(sorted(turns, key=ranks.__getitem__))
    while waiting:
        turn = waiting.popleft()
        for needed in turns[turn]:
            if ranks[needed] > ranks[turn]:
                ranks[needed] = ranks[turn]
                waiting.append(needed)
    return ranks


def _sorted(turns: Turns, position: Mapping[str, int], ranks: Mapping[Turn, Rank]) -> Iterator[Turn]:
    """Kahn's algorithm; of what is free to go, the most urgent goes first."""
    dependents: dict[Turn, list[Turn]] = defaultdict(list)
    for turn, needs in turns.items():
        for needed in needs:
            dependents[needed].append(turn)
    missing = {turn: len(needs) for turn, needs in turns.items()}
    order_of = list(turns)
    indices = {turn: index for index, turn in enumerate(order_of)}

    def priority(turn: Turn) -> tuple[int, bool, int, Address, int]:
        change, _ = turn
        deletes, place = change.action is Action.DELETE, position[change.kind.name]
        return ranks[turn], deletes, -place if deletes else place, change.address, indices[turn]

    free = [priority(turn) for turn, count in missing.items() if not count]
    heapq.heapify(free)
    while free:
        turn = order_of[heapq.heappop(free)[-1]]
        yield turn
        for dependent in dependents[turn]:
            missing[dependent] -= 1
            if not missing[dependent]:
                heapq.heappush(free, priority(dependent))


def _steps(
    order_of: Iterable[Turn],
    turns: Turns,
    shares: Shares,
    ranks: Mapping[Turn, Rank],
    instead: Mapping[Change, Change],
) -> tuple[Step, ...]:
    """The turns as steps; an object that has to go to make room is made anew."""
    found = []
    for change, part in order_of:
        needs = frozenset(instead.get(other, other) for other, _ in turns[change, part] if other is not change)
        detour = {Part.WHOLE: "", Part.ROOM: aside(change), Part.COMMON: NARROWED}[part]
        common = shares.common[change] if part is Part.COMMON else None
        found.append(Step(instead.get(change, change), detour, common, needs, ranks[change, part]))
    assert len(found) == len(turns), "no turn is left out"
    return tuple(found)
