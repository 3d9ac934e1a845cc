"""Changes that wait for one another in a ring: one of each ring first does no more than make room.

An object that is renamed goes to its place under a name that nobody wants; what cannot be had otherwise, such as the range of a
route, is given up by deleting the object, which is made again later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import IntEnum

from reconciler.plan.change import Action, Change
from schemas._core.codec import field_specs
from schemas._core.fields import Trait

LONGEST_NAME = 40
ASIDE = " (nbsync)"


class Room(IntEnum):
    """What one change needs of another one, where it does not need all of it."""

    NAME = 1
    """That its object has another name, or stands elsewhere."""

    ALL = 2
    """That its object is not there any more."""


class Part(IntEnum):
    """How much of a change a turn of the work is."""

    WHOLE = 0
    """All of it, or what is left of it."""

    ROOM = 1
    """Only the room that it makes for others."""

    COMMON = 2
    """Only what narrows access: down to what before and after have in common."""


Turn = tuple[Change, Part]
"""A change, or a part of it."""
Turns = dict[Turn, set[Turn]]
"""Turn -> turns that must come before it."""
Rooms = Mapping[Change, Mapping[Change, Room]]
"""Change -> changes that wait for the room that it makes."""


def waited_for(waiting: Iterable[Turn], turns: Turns) -> set[Turn]:
    """All turns for which some turns have to wait, however many are between."""
    seen: set[Turn] = set()
    left = list(waiting)
    while left:
        found = turns[left.pop()] - seen
        seen |= found
        left += found
    return seen


def open_rings(turns: Turns, rooms: Rooms) -> None:
    """Let one change of every ring make room in a turn of its own, before what waits for it.

    Raises:
        AssertionError: there is a ring in which no change can.
    """
    while rings := list(_rings(turns)):
        for ring in rings:
            _split(turns, _volunteer(ring, rooms), rooms)


def _rings(turns: Turns) -> Iterator[list[Turn]]:
    """Rings that have no turn in common; each turn needs the next one."""
    waiting = stuck(turns)
    seen: set[Turn] = set()
    for start in waiting:
        path: list[Turn] = []
        turn = start
        while turn not in seen:
            seen.add(turn)
            path.append(turn)
            turn = min((needed for needed in turns[turn] if needed in waiting), key=_place)
        if turn in path:
            yield path[path.index(turn) :]


def _place(turn: Turn) -> tuple[str, str, Part]:
    change, part = turn
    return str(change.address), change.id or "", part


def stuck(turns: Turns) -> dict[Turn, None]:
    """Turns that never come, because they are in a ring, or wait for one."""
    missing = {turn: len(needs) for turn, needs in turns.items()}
    dependents: dict[Turn, list[Turn]] = {turn: [] for turn in turns}
    for turn, needs in turns.items():
        for needed in needs:
            dependents[needed].append(turn)
    free = [turn for turn, count in missing.items() if not count]
    while free:
        for dependent in dependents[free.pop()]:
            missing[dependent] -= 1
            if not missing[dependent]:
                free.append(dependent)
    return {turn: None for turn, count in missing.items() if count}


def _volunteer(ring: list[Turn], rooms: Rooms) -> Change:
    """The change of a ring that can make room for the one that waits for it; a rename, if there is one."""
    able = [
        change
        for (waiting, _), (change, part) in _pairs(ring)
        if part is Part.WHOLE and waiting in rooms.get(change, ())
    ]
    renames = [change for change in able if steps_aside(change, rooms)]
    removals = [change for change in able if change.live and not change.removes and not change.kind.endpoint.singleton]
    found = renames or removals
    if not found:
        shown = ", ".join(str(change.address) for change, _ in ring)
        raise AssertionError(f"these changes wait for one another: {shown}")
    return found[0]


def _pairs(ring: list[Turn]) -> Iterator[tuple[Turn, Turn]]:
    """Each turn of a ring with the one that it waits for."""
    return zip(ring, [*ring[1:], ring[0]], strict=True)


def steps_aside(change: Change, rooms: Rooms) -> bool:
    """Tell whether the change makes room by going to its place under another name; else its object has to go."""
    return change.action is Action.RENAME and Room.ALL not in rooms.get(change, {}).values()


def _split(turns: Turns, change: Change, rooms: Rooms) -> None:
    """Give the room that a change makes a turn of its own; who waits only for that, waits for nothing else."""
    room = (change, Part.ROOM)
    around = {turn for turn in turns[change, Part.WHOLE] if _is_made_around(turn[0], change)}
    turns[room] = around if steps_aside(change, rooms) else set()
    for waiting in rooms.get(change, ()):
        needs = turns[waiting, Part.WHOLE]
        if (change, Part.WHOLE) in needs:
            needs.remove((change, Part.WHOLE))
            needs.add(room)
    turns[change, Part.WHOLE].add(room)


def _is_made_around(other: Change, change: Change) -> bool:
    return other.action is Action.CREATE and other.address == change.parent


def aside(change: Change) -> str:
    """Name under which an object waits for its new one."""
    return change.name[: LONGEST_NAME - len(ASIDE)] + ASIDE


def made_anew(change: Change) -> Change:
    """The change as a replacement, because what the object occupies cannot be had otherwise."""
    sent = (spec.name for spec in field_specs(change.kind.model) if Trait.KEPT not in spec.traits)
    said = change.kind.title
    return replace(
        change,
        action=Action.REPLACE,
        reason=f"other objects and this {said} change places",
        writes=change.writes | frozenset(sent),
        after=change.desired,
    )
