"""What narrows and has to wait for something that widens: one of the two is made in two steps, so that it need not.

An object that is to be deleted is switched off first; one that has to be there for others is made switched off, and switched on
later. Who waits only for what a change lets go of waits for no more than the step in which it narrows.
"""

from __future__ import annotations

from reconciler.plan.change import Action, Change
from reconciler.plan.narrowing import Rank, Shares
from reconciler.plan.rings import Part, Turn, Turns
from schemas._core.effect import Effect
from schemas._core.references import referred


def part_waiting(shares: Shares, turns: Turns) -> None:
    """Look at every turn that is urgent and waits for one that must not come early."""
    for turn in list(turns):
        for needed in list(turns[turn]):
            if needed[1] is Part.WHOLE and _is_early(turn, needed, shares):
                _part(turn, needed, shares, turns)


def _is_early(turn: Turn, needed: Turn, shares: Shares) -> bool:
    late = shares.effects[needed[0]]
    return shares.rank(turn) < Rank.UNCLOSES and (
        late is Effect.WIDENS or (late is Effect.MIXED and shares.rank(turn) < Rank.MIXED)
    )


def _part(turn: Turn, needed: Turn, shares: Shares, turns: Turns) -> None:
    change, other = turn[0], needed[0]
    if other in shares.common:
        if _is_let_go(change, other, shares):
            turns[turn].discard(needed)
            turns[turn].add((other, Part.COMMON))
            return
    elif other.action is Action.CREATE and other.after is not None and (off := other.kind.off(other.after)):
        split(other, off, shares, turns)
        turns[other, Part.COMMON] = {one for one in turns[other, Part.WHOLE] if one != (other, Part.COMMON)}
        turns[turn].discard(needed)
        turns[turn].add((other, Part.COMMON))
        return
    if change.action is Action.DELETE and change.before is not None and (off := change.kind.off(change.before)):
        split(change, off, shares, turns)


def split(change: Change, common: object, shares: Shares, turns: Turns) -> None:
    """Give what narrows of a change a turn of its own."""
    shares.common[change] = common  # type: ignore[assignment]
    shares.effects[change] = Effect.NEUTRAL if change.action is Action.DELETE else Effect.WIDENS
    turns.setdefault((change, Part.COMMON), set())
    turns[change, Part.WHOLE].add((change, Part.COMMON))


def _is_let_go(gone: Change, change: Change, shares: Shares) -> bool:
    """What a change has left after it narrowed neither names nor stands in an object that goes."""
    if change.action is Action.CREATE:
        return True
    return gone.action is Action.DELETE and gone.referred_to_as not in set(referred(shares.common[change]))
