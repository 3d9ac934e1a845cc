"""What is made in two steps: what narrows and widens, and one of two where what narrows has to wait for what widens.

An object that is to be deleted is switched off first; one that has to be there for others is made switched off, and switched on
later. Who waits only for what a change lets go of waits for no more than the step in which it narrows.
"""

from __future__ import annotations

from reconciler.plan.change import Action, Change
from reconciler.plan.narrowing import Rank, Shares
from reconciler.plan.rings import Part, Turn, Turns
from schemas._core.effect import Effect
from schemas._core.fields import Resource
from schemas._core.references import referred


def take_apart(shares: Shares, turns: Turns) -> None:
    """Give what narrows of some changes a turn of its own, and of those that are waited for and must not come early."""
    for change in list(shares.common):
        _split(change, shares.common[change], shares, turns)
    _keep_shut(shares, turns)
    for turn in list(turns):
        for needed in list(turns[turn]):
            if needed[1] is Part.WHOLE and _is_early(turn, needed, shares):
                _part(turn, needed, shares, turns)


def _split(change: Change, common: Resource, shares: Shares, turns: Turns) -> None:
    shares.common[change] = common
    shares.effects[change] = Effect.NEUTRAL if change.action is Action.DELETE else Effect.WIDENS
    whole = turns.setdefault((change, Part.WHOLE), set())
    turns[change, Part.COMMON] = {turn for turn in whole if _is_for_part(turn[0], change, common)}
    whole.add((change, Part.COMMON))


def _keep_shut(shares: Shares, turns: Turns) -> None:
    """What opens nothing while another one changes is shut before that, and opened after it."""
    for change, other in shares.shut:
        narrowed = (other, Part.COMMON) if other in shares.common else (other, Part.WHOLE)
        if shares.rank(narrowed) < Rank.MIXED:
            turns[change, Part.COMMON if change in shares.common else Part.WHOLE].add(narrowed)
        if shares.effects[other] is Effect.WIDENS:
            turns[other, Part.WHOLE].add((change, Part.WHOLE))


def _is_for_part(needed: Change, change: Change, common: Resource) -> bool:
    """What comes new needs all that it needs; the rest only the objects that it names then, or in which it stands."""
    if change.action is Action.CREATE:
        return True
    around = [change.parent] if change.parent else []
    return needed.action in (Action.CREATE, Action.REPLACE) and needed.address in (*around, *referred(common))


def _is_early(turn: Turn, needed: Turn, shares: Shares) -> bool:
    """What is waited for does something to access, and would have to come before its time: with what narrows more urgently."""
    rank = shares.rank(turn)
    return rank < min(shares.rank(needed), Rank.UNCLOSES) and shares.effects[needed[0]] is not Effect.NEUTRAL


def _part(turn: Turn, needed: Turn, shares: Shares, turns: Turns) -> None:
    change, other = turn[0], needed[0]
    if other not in shares.common and (off := _off(other)) and _is_enough(change, other, off):
        _split(other, off, shares, turns)
    if other in shares.common and _is_enough(change, other, shares.common[other]):
        turns[turn] = turns[turn] - {needed} | {(other, Part.COMMON)}
    elif change.action is Action.DELETE and change not in shares.common and (off := _off(change)):
        _split(change, off, shares, turns)


def _off(change: Change) -> Resource | None:
    model = change.before or change.after
    off: Resource | None = None if model is None else change.kind.off(model)
    return off


def _is_enough(waiting: Change, change: Change, part: Resource) -> bool:
    """Who waits for an object to be there has it then; who is to go is left alone, if the object neither names it nor is in it."""
    if change.action is Action.CREATE:
        return True
    return waiting.action is Action.DELETE and waiting.referred_to_as not in set(referred(part))
