"""What a change does to access, and what an object before and after it has in common: the words in which kinds say so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Protocol

from schemas._core.address import Address


class Effect(IntEnum):
    """What a change does to access; what narrows goes before what widens."""

    NARROWS = 0
    MIXED = 1
    NEUTRAL = 2
    WIDENS = 3


class Use(Enum):
    """What an object in force makes of one that it refers to."""

    OPENS = "opens"
    """The more there is of that object, the more is possible."""

    CLOSES = "closes"
    """The more there is of it, the less is possible."""

    GUARDS = "guards"
    """Whoever else refers to that object says what passes here."""

    CARRIES = "carries"
    """Through it goes what a gateway lets pass, and what it drops."""

    LEADS = "leads"
    """It leads those further who have a rule with it, even a rule that closes."""


class Around(Protocol):
    """What is around an object that changes."""

    @property
    def own(self) -> frozenset[Use]:
        """What is made of this very object, before the plan or after it."""

    @property
    def moved(self) -> bool:
        """It comes to stand in another object."""

    @property
    def leads_on(self) -> bool:
        """There are ways that lead on whoever is a neighbour, even by a rule that closes."""

    def of(self, address: Address) -> frozenset[Use]:
        """What is made of another object, before the plan or after it."""


@dataclass(frozen=True, slots=True)
class Common:
    """An object narrowed to what it gives before and after a change.

    Attributes:
        model: the object so narrowed.
        whole: all that is possible both before and after stays possible.
    """

    model: Any
    whole: bool = True


def moved(gone: Iterable[frozenset[Use]], new: Iterable[frozenset[Use]]) -> Effect:
    """What it does to access when an object leaves some others and comes to some, given what is made of these."""
    left, joined = frozenset[Use]().union(*gone), frozenset[Use]().union(*new)
    widens = Use.CLOSES in left or Use.OPENS in joined
    narrows = Use.OPENS in left or Use.CLOSES in joined
    if widens == narrows:
        return Effect.MIXED if widens else Effect.NEUTRAL
    return Effect.WIDENS if widens else Effect.NARROWS


def narrowest(gone: Iterable[str], new: Iterable[str], stays: Iterable[str], uses: dict[str, frozenset[Use]]) -> Any:
    """Of the others that an object leaves or comes to, and those in which it stays, those in which it can do the least.

    Returns:
        Their names in order; None where one of those that change both opens and closes.
    """
    gone, new = set(gone), set(new)
    if any({Use.OPENS, Use.CLOSES} <= uses[name] for name in gone | new):
        return None
    return tuple(sorted({*stays, *(name for name in gone | new if Use.CLOSES in uses[name])}))


def by_common(before: Any, after: Any, common: Any) -> Effect:
    """What a change does to access, given what before and after have in common, as far as it matters to access."""
    if before == after:
        return Effect.NEUTRAL
    return Effect.WIDENS if common == before else Effect.NARROWS if common == after else Effect.MIXED
