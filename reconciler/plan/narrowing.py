"""What the changes of a plan do to access, and which of them have to narrow before they widen.

Where all that narrows is done before anything widens, nothing is possible in between that was not possible before. A change
that does both may stand between the two, in one piece: what is possible then was so before, or will be so after. That holds of
several such changes as long as no connection depends on two of them; of the others only what narrows is done in that place, down
to what before and after have in common. Of an object by which some open and others close that can be said only where those that
open are shut meanwhile: those that the plan changes anyway, and those that the files ask for as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from reconciler.plan.change import Action, Change
from reconciler.plan.rings import Part, Turn, Turns, stuck
from reconciler.plan.uses import Surroundings, Uses
from schemas._core.address import Address
from schemas._core.codec import field_specs
from schemas._core.effect import Common, Effect, Use
from schemas._core.fields import Resource
from schemas._core.references import referred

Pair = tuple[Change, Change]
"""A new way in, and the old one in whose place it comes; or a change, and another one that is shut meanwhile."""


class Rank(IntEnum):
    """When something is done: what carries denies goes when less is allowed; what closes, and leads on, when the ways on are narrow."""

    NARROWS = 0
    DROPS = 1
    CLOSES = 2
    MIXED = 3
    UNCLOSES = 4
    CARRIES = 5
    ANYTIME = 6


_OPENING = {
    Effect.NARROWS: Rank.NARROWS,
    Effect.MIXED: Rank.MIXED,
    Effect.NEUTRAL: Rank.ANYTIME,
    Effect.WIDENS: Rank.ANYTIME,
}
_CLOSING = {**_OPENING, Effect.NARROWS: Rank.CLOSES, Effect.WIDENS: Rank.UNCLOSES}
_CARRYING = {**_OPENING, Effect.NARROWS: Rank.DROPS, Effect.WIDENS: Rank.CARRIES}


@dataclass(slots=True)
class Shares:
    """Who does what when.

    Attributes:
        common: the narrowed objects of changes that have to narrow in a step of their own.
        successors: new ways in that are made before the old ones are closed.
        effects: what each change does to access when it is made.
        shut: changes that are narrowed, each with one of another object that opens nothing by means of this one meanwhile.
        closing: changes of objects that close, where ways lead on from neighbours: whoever is in a rule that closes is one. And of
            those that shield others at their address from what is denied to them.
        carrying: changes of gateways, which carry what others deny.
        gone: changes whose objects are deleted to make room, and made anew.
        unsplit: changes that meet, and of which no first step only narrows.
        guessed: what some changes do to access was guessed, and that matters.
    """

    common: dict[Change, Resource] = field(default_factory=dict)
    successors: list[Pair] = field(default_factory=list)
    effects: dict[Change, Effect] = field(default_factory=dict)
    shut: list[Pair] = field(default_factory=list)
    closing: set[Change] = field(default_factory=set)
    carrying: set[Change] = field(default_factory=set)
    gone: Collection[Change] = ()
    unsplit: list[Change] = field(default_factory=list)
    guessed: bool = False

    def rank(self, turn: Turn) -> Rank:
        """When a turn is to come, as far as access goes."""
        change, part = turn
        if part is Part.COMMON:
            effect = Effect.NEUTRAL if change.action is Action.CREATE else Effect.NARROWS
        elif part is Part.ROOM:
            effect = Effect.NARROWS if change in self.gone else Effect.NEUTRAL
        else:
            effect = self.effects[change]
        ranks = _CLOSING if change in self.closing else _CARRYING if change in self.carrying else _OPENING
        return ranks[effect]


def share_out(uses: Uses, gone: Collection[Change], successors: list[Pair], turns: Turns) -> Shares:
    """Find out what each change does to access, and split those that could meet.

    Args:
        uses: what the changes of the plan, and what stays as it is, make of objects.
        gone: those whose objects are deleted first and made anew.
        successors: new ways in and the old ones that go.
        turns: what has to wait for what.
    """
    effects = {change: Effect.NEUTRAL if change in gone else _effect(change, uses) for change in uses.changes}
    in_turn = _in_turn(successors, effects)
    effects |= dict.fromkeys((change for pair in in_turn for change in pair), Effect.MIXED)
    touching = [change for change, effect in effects.items() if effect is not Effect.NEUTRAL]
    closing = {change for change in touching if _closes(change) and uses.lead_on()}
    found = Shares(successors=successors, effects=effects, closing=closing, gone=gone)
    meeting = _meeting(found, uses)
    if len(meeting) > 1:
        _split(found, meeting, in_turn, uses, turns)
    found.guessed = uses.has_guessed and len(touching) > 1
    # What shields others is put in its place as far as it is known: to read all policies for every new resource is too much.
    found.closing.update(change for change in touching if _shields(change, uses))
    found.carrying = {change for change in touching if uses.deny and _carries(change, uses)}
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


def _shields(change: Change, uses: Uses) -> bool:
    """What is denied to a place is denied to all that lie in it, as long as it is there."""
    places = [model for model in (change.before, change.after) if model and change.kind.off(model)]
    return any(Use.CLOSES in uses.of(to) for model in places for to in (change.address, *referred(model)))


def _carries(change: Change, uses: Uses) -> bool:
    models = filter(None, (change.before, change.after))
    through = (use for model in models for _, use in change.kind.uses(model))
    return Use.CARRIES in {*through, *uses.of(change.address)}


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


def _split(found: Shares, meeting: Meeting, in_turn: list[Pair], uses: Uses, turns: Turns) -> None:
    """Leave those in one piece that lose most by being split; split the others."""
    common = {change: _common(change, Surroundings(change, uses)) for changes in meeting.values() for change in changes}
    over = {change for pair in in_turn for change in pair}
    fixed = dict.fromkeys(
        change
        for change, split in common.items()
        if split is None and change not in over and found.effects[change] is Effect.MIXED
    )
    shut: dict[Change, _Meanwhile] = {}
    if sum(any(change in fixed for change in changes) for changes in meeting.values()) > 1:
        shut = _while_others_are_shut(fixed, over, found, uses, turns)
    common |= {change: meanwhile.common for change, meanwhile in shut.items()}

    def loss(changes: list[Change]) -> tuple[int, int, int, int]:
        """How many cannot be split, what that would shut of what is to stay, how many would cut it, and how many there are."""
        stay = sum(common[change] is None and change in fixed for change in changes)
        passing = {other for change in changes if change in shut for other in shut[change].others & uses.passing}
        cutting = sum(change in over or bool((split := common[change]) and not split.whole) for change in changes)
        return stay, len(passing), cutting, len(changes)

    whole = max(meeting.values(), key=loss)
    for change in (change for changes in meeting.values() if changes is not whole for change in changes):
        if (split := common[change]) and found.effects[change] is Effect.MIXED:
            _narrow(change, split.model, found)
        elif change in fixed:
            found.unsplit.append(change)
    if found.unsplit:
        found.unsplit += [change for change in whole if change in fixed]
    for new, old in in_turn:
        if old not in whole:
            found.successors.remove((new, old))
            found.effects[new], found.effects[old] = Effect.WIDENS, Effect.NARROWS
    _shut({change: shut[change] for change in shut if change in found.common}, found, uses)
    if found.unsplit and (others := _all_shut(found, over, uses, turns)):
        pairs = [(change, other) for change in found.unsplit for other in others]
        found.shut, found.unsplit = [*found.shut, *pairs], []
        _close(others, uses.opening, found, uses)


def _all_shut(found: Shares, over: Collection[Change], uses: Uses, turns: Turns) -> list[Change]:
    """All that opens something, if all of it can be shut while what cannot be split changes in one piece."""
    openers = uses.all_openers
    others = [other for other in openers if other]
    able = [other for other in others if other in uses.passing or _is_able(other, over, found)]
    if len(able) < len(openers) or _would_wait(((one, other) for one in found.unsplit for other in others), turns):
        return []
    return others


def _narrow(change: Change, model: Resource, found: Shares) -> None:
    found.common[change] = model
    found.effects[change] = Effect.WIDENS


def _common(change: Change, around: Surroundings) -> Common | None:
    if change.live is None or change.before is None or change.after is None:
        return None
    found: Common | None = change.kind.common(change.before, change.after, around)
    return found


@dataclass(frozen=True, slots=True)
class _Meanwhile:
    """What before and after a change have in common while others of the plan open nothing by some objects."""

    common: Common
    by: frozenset[Address]
    others: frozenset[Change]


def _while_others_are_shut(
    fixed: Iterable[Change], over: Collection[Change], found: Shares, uses: Uses, turns: Turns
) -> dict[Change, _Meanwhile]:
    """How changes can be split with others shut; none, if that would have to be before itself."""
    able = frozenset(change for change in found.effects if _is_able(change, over, found)) | uses.passing
    split = {
        change: meanwhile for change in fixed if (meanwhile := _meanwhile(change, Surroundings(change, uses, able)))
    }
    pairs = ((change, other) for change, meanwhile in split.items() for other in meanwhile.others)
    return {} if _would_wait(pairs, turns) else split


def _would_wait(pairs: Iterable[Pair], turns: Turns) -> bool:
    """Tell whether something would have to be before itself, if changes are made while others are shut."""
    then = {turn: set(needs) for turn, needs in turns.items()}
    for change, other in pairs:
        first, last = (other, change) if other.action is Action.DELETE else (change, other)
        then.setdefault((last, Part.WHOLE), set()).add((first, Part.WHOLE))
        then.setdefault((first, Part.WHOLE), set())
    return bool(stuck(then))


def _meanwhile(change: Change, around: Surroundings) -> _Meanwhile | None:
    common = _common(change, around)
    if common is None:
        return None
    uses = around.uses
    by = frozenset(address for address in around.asked if {Use.OPENS, Use.CLOSES} <= uses.of(address))
    others = frozenset(other for address in by for other in uses.openers(address)) | around.ways
    return _Meanwhile(replace(common, whole=False), by, others)


def _is_able(change: Change, over: Collection[Change], found: Shares) -> bool:
    """It can be shut: what comes is so until then, what goes from then on."""
    if change in over or change in found.gone or change.action is Action.REPLACE:
        return False
    return change.action in (Action.CREATE, Action.DELETE) or change.kind.shut is not None


def _shut(changes: Mapping[Change, _Meanwhile], found: Shares, uses: Uses) -> None:
    """Shut others while these change."""
    found.shut = [(change, other) for change, meanwhile in changes.items() for other in meanwhile.others]
    if uses.lead_on():
        found.closing.update(changes)
    by = frozenset[Address]().union(*(meanwhile.by for meanwhile in changes.values()))
    _close({other for _, other in found.shut}, by, found, uses)


def _close(others: Iterable[Change], by: Collection[Address], found: Shares, uses: Uses) -> None:
    for other in others:
        if model := _to_shut(other, by, found, uses):
            _narrow(other, model, found)


def _to_shut(change: Change, by: Collection[Address], found: Shares, uses: Uses) -> Resource | None:
    """What is left of an object that opens nothing by some others; None where it does not until then, or from then on."""
    effect, narrow = found.effects.get(change, Effect.NEUTRAL), found.common.get(change)
    if narrow is None:
        shut_at = {Effect.WIDENS: change.before, Effect.NARROWS: change.after}
        if effect in shut_at and not _opens(change, shut_at[effect], by):
            return None
        split = _common(change, Surroundings(change, uses))
        narrow = split.model if split else None
    shut: Resource | None = change.kind.shut(narrow, by) if change.kind.shut and narrow else None
    if shut is None:
        raise AssertionError(f"{change.address} cannot be shut")
    return shut


def _opens(change: Change, model: Resource | None, by: Collection[Address]) -> bool:
    """It opens something by these, or leads on."""
    return model is not None and any(
        use is Use.LEADS or (use is Use.OPENS and to in by) for to, use in change.kind.uses(model)
    )
