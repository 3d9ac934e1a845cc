"""Which steps of a plan may be taken at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.plan.change import Change, Step

FEWEST: Final = 8
"""Fewer go one after another: little is gained, and what is sent is easier to follow."""

Batch = tuple[Step, ...]


def batches(steps: Iterable[Step]) -> Iterator[Batch]:
    """Cut the work into pieces, in its order; the steps of one piece may be taken in any order, and at the same time.

    They do the same to objects of one kind whose server lets that be done at the same time, none needs another, none makes a
    secret, and all have the same rank: with other names, each of their orders could have been the plan's.
    """
    together: list[Step] = []
    among: set[Change] = set()
    for step in steps:
        if together and not (_may_join(step, together[0]) and among.isdisjoint(step.needs)):
            yield from _pieces(together)
            together, among = [], set()
        together.append(step)
        among.add(step.change)
    yield from _pieces(together)


def _may_join(step: Step, first: Step) -> bool:
    return _goes_together(first) and _goes_together(step) and _sort(step) == _sort(first)


def _goes_together(step: Step) -> bool:
    change = step.change
    is_plain = (
        not step.detour and not change.kind.reveals and step.rank is not None
    )  # a step that narrows is a detour, too
    return is_plain and change.action in change.kind.writes_together


def _sort(step: Step) -> tuple[str, str, int | None]:
    return step.change.kind.name, step.change.action, step.rank


def _pieces(steps: Sequence[Step]) -> Iterator[Batch]:
    if len(steps) >= FEWEST:
        yield tuple(steps)
    else:
        yield from ((step,) for step in steps)
