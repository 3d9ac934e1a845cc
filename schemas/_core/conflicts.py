"""What declared objects say about one another: rules that see all files and no account.

A kind's rules are generators of `Conflict`s in its own file. A rule speaks up only about what the files prove: nothing is
said of objects that somebody may have made in the dashboard.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from schemas._core.address import Address
from schemas._core.fields import RefTo

EVERYBODY = "All"
"""NetBird's group of all peers: whoever is in a group is in this one, too."""


class Stated(Protocol):
    """One declared object."""

    @property
    def address(self) -> Address:
        """How messages call it."""

    @property
    def model(self) -> Any:
        """What the files say of it."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of its key, as they are."""


class Use(NamedTuple):
    """One reference: who refers, and how."""

    by: Address
    ref: RefTo


class Files(Protocol):
    """All that the files declare."""

    def of(self, kind: str) -> Sequence[Stated]:
        """Objects of one kind, as they stand in the files."""

    def mention(self, kind: str) -> bool:
        """Tell whether any file has the section of this kind, if only an empty one."""

    def uses(self, address: Address) -> Sequence[Use]:
        """References to one object."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something odd that two or more declarations show together.

    Attributes:
        code: of the diagnostic.
        about: the object to look at.
        message: what is odd; it ends with the address of `other`, if there is one.
        advice: what to do.
        field: key of the object, as the files have it, at which to look.
        value: text in that field to point at.
        other: the object that it is in conflict with.
    """

    code: str
    about: Address
    message: str
    advice: str
    field: str = ""
    value: str = ""
    other: Address | None = None


class Claims:
    """Who was the first to claim what for which groups, so that a second claim for one of them is noticed.

    All claims of one owner come one after the other, and are no conflict. A claim for `All` meets every other.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[Hashable, str], tuple[str, Stated]] = {}

    def enter(self, what: Hashable, groups: Iterable[str], by: Stated, owner: str) -> None:
        """Note a claim."""
        for group in (*groups, _ANY):
            self._first.setdefault((what, group), (owner, by))

    def met(self, what: Hashable, groups: Sequence[str], but: str | None = None) -> tuple[str, Stated] | None:
        """Find a claim that is not of the owner `but`: the group for which it is met, and by whom it is."""
        rest = (EVERYBODY, _ANY) if EVERYBODY in groups else (groups[0], EVERYBODY)
        for shared, group in (*((group, group) for group in groups), rest):
            owner, by = self._first.get((what, group), (but, None))
            if by and owner != but:
                return shared, by
        return None


_ANY = ""
"""Stands for whatever group it is; no group has this name."""
