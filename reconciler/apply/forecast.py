"""How many calls a plan takes, as far as that can be known before the server has answered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.apply.fresh import FEW
from reconciler.plan.change import Action, Plan, Step
from schemas._core.address import Address
from schemas._core.kind import Unique


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps in a row whose objects are of one kind, so that one read of its list serves all of them; and how many lists are read."""

    steps: Sequence[Step]
    reads: int


def stages(plan: Plan) -> Iterator[Stage]:
    """The work in stages."""
    coming = {change.address for change in plan.changes if change.action in (Action.CREATE, Action.REPLACE)}
    before = ""
    for kind, group in groupby(plan.steps, key=lambda step: step.change.kind.name):
        steps = list(group)
        yield Stage(steps, _reads_of(steps) + len(_around(steps, coming) - {kind, before}))
        before = kind


def calls_of(plan: Plan) -> int:
    """How many requests all of a plan's steps send, if each does what it is to do at once, and how many lists are read."""
    return sum(map(calls, plan.steps)) + sum(stage.reads for stage in stages(plan))


def calls(step: Step) -> int:
    """How many requests one step sends: a replacement deletes and creates, what others write to all the time is read again."""
    change = step.change
    if change.action is Action.REPLACE:
        return 1 if step.detour else 2
    updates = step.detour or change.action in (Action.UPDATE, Action.RENAME)
    return 2 if updates and change.kind.volatile else 1


def _around(steps: Sequence[Step], coming: Collection[Address]) -> set[str]:
    """Kinds of what changes stand in or refer to, as far as it is there already."""
    return {address.kind for step in steps for address in step.change.needs_as_they_are if address not in coming}


def _reads_of(stage: Sequence[Step]) -> int:
    """How often the list of a stage is read where a rate limit makes every request wait: before it, in it, and after it.

    What the server itself would not make twice needs no more than the first.
    """
    others = [step for step in stage if step.change.action is not Action.CREATE or step.change.kind.unique is Unique.NO]
    return 2 + max(0, len(others) - 1) // FEW
