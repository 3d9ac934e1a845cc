"""How many calls a plan takes, as far as that can be known before the server has answered."""

from __future__ import annotations

from reconciler.plan.change import Action, Plan, Step


def calls_of(plan: Plan) -> int:
    """How many requests all of a plan's steps send, if each does what it is to do at once."""
    return sum(map(calls, plan.steps))


def calls(step: Step) -> int:
    """How many requests one step sends: a replacement deletes and creates, what others write to all the time is read again."""
    change = step.change
    if change.action is Action.REPLACE:
        return 1 if step.detour else 2
    updates = step.detour or change.action in (Action.UPDATE, Action.RENAME)
    return 2 if updates and change.kind.volatile else 1
