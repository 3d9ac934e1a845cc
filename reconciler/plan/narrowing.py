"""What the changes of a plan do to access, and which of them have to narrow before they widen.

Where all that narrows is done before anything widens, nothing is possible in between that was not possible before. A change
that does both may stand between the two, in one piece: what is possible then was so before, or will be so after. That holds of
several such changes as long as no connection depends on two of them; of the others only what narrows is done in that place, down
to what before and after have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from reconciler.plan.change import Action, Change
from reconciler.plan.match import Book
from reconciler.plan.rings import Part, Turn
from reconciler.plan.uses import Surroundings, Uses
from schemas._core.codec import field_specs
from schemas._core.effect import Common, Effect, Use
from schemas._core.fields import Resource

Pair = tuple[Change, Change]
"""A new way in, and the old one in whose place it comes."""


class Rank(IntEnum):
    """When something is done: what closes, and leads on, comes when the ways on are narrow."""

    NARROWS = 0
    CLOSES = 1
    MIXED = 2
    UNCLOSES = 3
    ANYTIME = 4


_OPENING = {
    Effect.NARROWS: Rank.NARROWS,
    Effect.MIXED: Rank.MIXED,
    Effect.NEUTRAL: Rank.ANYTIME,
    Effect.WIDENS: Rank.ANYTIME,
}
_CLOSING = {**_OPENING, Effect.NARROWS: Rank.CLOSES, Effect.WIDENS: Rank.UNCLOSES}


@dataclass(slots=True)
class Shares:
    """Who does what when.

    Attributes:
        common: the narrowed objects of changes that have to narrow in a step of their own.
        successors: new ways in that are made before the old ones are closed.
        effects: what each change does to access when it is made.
        closing: changes of objects that close, where ways lead on from neighbours: whoever is in a rule that closes is one.
        gone: changes whose objects are deleted to make room, and made anew.
    """

    common: dict[Change, Resource] = field(default_factory=dict)
    successors: list[Pair] = field(default_factory=list)
    effects: dict[Change, Effect] = field(default_factory=dict)
    closing: set[Change] = field(default_factory=set)
    gone: Collection[Change] = ()

    def rank(self, turn: Turn) -> Rank:
        """When a turn is to come, as far as access goes."""
        change, part = turn
        if part is Part.COMMON:
            effect = Effect.NEUTRAL if change.action is Action.CREATE else Effect.NARROWS
        elif part is Part.ROOM:
            effect = Effect.NARROWS if change in self.gone else Effect.NEUTRAL
        else:
            effect = self.effects[change]
        return (_CLOSING if change in self.closing else _OPENING)[effect]


def share_out(book: Book, changes: Collection[Change], gone: Collection[Change], successors: list[Pair]) -> Shares:
    """Find out what each change does to access, and split those that could meet.

    Args:
        book: what is what in the account.
        changes: all changes of the plan.
        gone: those whose objects are deleted first and made anew.
        successors: new ways in and the old ones that go.
    """
    uses = Uses(book, changes)
    effects = {change: Effect.NEUTRAL if change in gone else _effect(change, uses) for change in changes}
    in_turn = _in_turn(successors, effects)
    effects |= dict.fromkeys((change for pair in in_turn for change in pair), Effect.MIXED)
    touching = [change for change, effect in effects.items() if effect is not Effect.NEUTRAL]
    closing = {change for change in touching if _closes(change) and uses.lead_on()}
    found = Shares(successors=successors, effects=effects, closing=closing, gone=gone)
    meeting = _meeting(found, uses)
    if len(meeting) > 1:
        _split(found, meeting, in_turn, uses)
    return found


def widened(change: Change, common: Resource) -> Change:
    """What is left of a change after it was narrowed: it writes what that took as well."""
    taken = _taken(change, common)
    if change.desired is None or change.after is None:
        raise AssertionError(f"{change.address} cannot be narrowed")
    values = {name: getattr(change.after, name) for name in taken - change.writes}
    return replace(change, writes=change.writes | taken, desired=change.desired.model_copy(update=values))


def narrowed(change: Change, common: Resource) -> Change:
    """The part of a change that narrows, as a change; the object keeps its name."""
    if change.action is Action.CREATE:
        return replace(change, desired=common, after=common)
    return replace(change, desired=common, after=common, writes=_taken(change, common))


def _taken(change: Change, common: Resource) -> frozenset[str]:
    """Fields in which an object and what is left of it differ; of one that is new, what it is to get later."""
    names, whole = (spec.name for spec in field_specs(change.kind.model)), change.before or change.after
    return frozenset(name for name in names if getattr(common, name) != getattr(whole, name))


def _effect(change: Change, uses: Uses) -> Effect:
    if change.action is Action.REPLACE:
        return Effect.NEUTRAL
    effect: Effect = change.kind.effect(change.before, change.after, Surroundings(change, uses))
    return effect


def _in_turn(successors: Iterable[Pair], effects: dict[Change, Effect]) -> list[Pair]:
    """Those that are open, both of them: where one is not, nothing goes over."""
    return [(new, old) for new, old in successors if effects[new] > Effect.NEUTRAL and effects[old] < Effect.NEUTRAL]


Meeting = dict[Hashable, list[Change]]
"""Changes that do both, by what tells apart those that may meet."""


def _closes(change: Change) -> bool:
    models = filter(None, (change.before, change.after))
    return any(use is Use.CLOSES for model in models for _, use in change.kind.uses(model))


def _meeting(found: Shares, uses: Uses) -> Meeting:
    meeting: Meeting = defaultdict(list)
    for change, effect in found.effects.items():
        if effect is Effect.MIXED:
            meeting[_apart(change, uses)].append(change)
        elif change in found.closing:
            meeting[Use.CLOSES].append(change)
    return meeting


def _apart(change: Change, uses: Uses) -> Hashable:
    model = change.after or change.before
    found = None if model is None else change.kind.apart(model, Surroundings(change, uses))
    return change if found is None else found


def _split(found: Shares, meeting: Meeting, in_turn: list[Pair], uses: Uses) -> None:
    """Leave those in one piece that lose most by being split; split the others."""
    common = {change: _common(change, uses) for changes in meeting.values() for change in changes}
    over = {change for pair in in_turn for change in pair}
    whole = max(meeting.values(), key=lambda changes: _loss(changes, common, over))
    for change in (change for changes in meeting.values() if changes is not whole for change in changes):
        if (split := common[change]) and found.effects[change] is Effect.MIXED:
            found.common[change] = split.model
            found.effects[change] = Effect.WIDENS
    for new, old in in_turn:
        if old not in whole:
            found.successors.remove((new, old))
            found.effects[new], found.effects[old] = Effect.WIDENS, Effect.NARROWS


def _loss(changes: list[Change], common: dict[Change, Common | None], over: Collection[Change]) -> tuple[int, int, int]:
    """How many cannot be split, how many would cut what is to stay, and how many there are."""
    fixed = sum(common[change] is None and change not in over for change in changes)
    cutting = sum(change in over or bool((split := common[change]) and not split.whole) for change in changes)
    return fixed, cutting, len(changes)


def _common(change: Change, uses: Uses) -> Common | None:
    if change.live is None or change.before is None or change.after is None:
        return None
    found: Common | None = change.kind.common(change.before, change.after, Surroundings(change, uses))
    return found
