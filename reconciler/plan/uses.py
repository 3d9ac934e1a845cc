"""What is made of objects, as far as access goes: by the objects that stay as they are, and by those of the plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.plan.change import Action, Change
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.effect import Use
from schemas._core.fields import Resource
from schemas._core.reading import CannotExpress
from schemas._core.references import referred


class Uses:
    """What is made of objects, before the plan or after it. Of kinds that were not read it is supposed that they open.

    Attributes:
        changes: all changes of the plan.
        has_guessed: it was asked what is made of an object, and kinds that could say so were not read.
    """

    def __init__(self, book: Book, changes: Iterable[Change], stay: Collection[Address] | None = None) -> None:
        """Look at a plan.

        Args:
            book: what is what in the account.
            changes: all changes of the plan.
            stay: addresses of what may be shut for a while although it stays as it is; None: whatever another run would open again.
        """
        self.changes = list(changes)
        self._book = book
        self._stay = stay
        self._changes = {(change.kind.name, change.id or str(change.address)): change for change in self.changes}
        self.has_guessed = False
        self._gone = {change.address for change in self._changes.values() if change.removes}

    def of(self, address: Address, shut: Collection[Change] = ()) -> frozenset[Use]:
        """What is made of an object, while some changes open nothing."""
        stated = self._stated.get(address, ())
        found = self._guess() | {use for by, use in stated if use is not Use.OPENS or by not in shut}
        return found | {Use.OPENS} if Use.CLOSES in found and self.lead_on(shut) else found

    def openers(self, address: Address) -> set[Change]:
        """Changes of objects that open something by means of this one, or lead on who is in a rule with it that closes.

        Of those that stay as they are, what shuts them for a while.
        """
        stated = self._stated.get(address, ())
        found = {by for by, use in stated if by and use is Use.OPENS}
        return found | self.leading if any(use is Use.CLOSES for _, use in stated) else found

    @property
    def leading(self) -> set[Change]:
        """Changes of ways that lead on from neighbours; of those that stay as they are, what shuts them for a while."""
        return set(filter(None, self._leading))

    @cached_property
    def all_openers(self) -> set[Change | None]:
        """Changes of all objects that open something or lead on, and what shuts those that stay; None: some cannot be shut."""
        ways = (Use.OPENS, Use.LEADS)
        return {by for stated in self._stated.values() for by, use in stated if use in ways} | (
            {None} if self._supposed else set()
        )

    @property
    def opening(self) -> frozenset[Address]:
        """Objects by which something opens something."""
        return frozenset(address for address, stated in self._stated.items() if Use.OPENS in {use for _, use in stated})

    @cached_property
    def deny(self) -> bool:
        """Something closes something."""
        return any(use is Use.CLOSES for stated in self._stated.values() for _, use in stated)

    @cached_property
    def passing(self) -> frozenset[Change]:
        """What shuts for a while what stays as it is."""
        planned = set(self.changes)
        return frozenset(by for stated in self._stated.values() for by, _ in stated if by and by not in planned)

    def place(self, change: Change) -> Address | None:
        """In what the object stands so far."""
        live = change.live
        return self._book.addresses.get((change.kind.parent, live.parent)) if live else None

    def lead_on(self, shut: Collection[Change] = ()) -> bool:
        """There are ways that lead on from neighbours, while some changes open nothing."""
        self._guess()
        return any(by not in shut for by in self._leading)

    def _guess(self) -> frozenset[Use]:
        self.has_guessed = self.has_guessed or bool(self._supposed)
        return self._supposed

    @cached_property
    def _leading(self) -> set[Change | None]:
        return {by for stated in self._stated.values() for by, use in stated if use is Use.LEADS}

    @cached_property
    def _supposed(self) -> frozenset[Use]:
        read = self._book.snapshot.objects
        return frozenset() if all(kind.name in read for kind in self._kinds) else frozenset({Use.OPENS})

    @cached_property
    def _kinds(self) -> list[AnyKind]:
        return [kind for kind in self._book.desired.registry.values() if kind.has_uses]

    @cached_property
    def _stated(self) -> dict[Address, set[tuple[Change | None, Use]]]:
        """What is made of each object, and by which change; None: by objects that stay as they are and cannot be shut."""
        found: dict[Address, set[tuple[Change | None, Use]]] = defaultdict(set)
        for kind in self._kinds:
            for by, model in self._models(kind):
                for address, use in kind.uses(model):
                    found[address].add((by, use))
        return found

    def _models(self, kind: AnyKind) -> Iterator[tuple[Change | None, Resource]]:
        """All objects of a kind as they are, and as they will be."""
        for change in self._changes.values():
            if change.kind is kind:
                yield from ((change, model) for model in (change.before, change.after) if model)
        for live in self._book.snapshot.of(kind.name).values():
            if (kind.name, live.id) not in self._changes:
                try:
                    model = kind.decode(kind.model, live.seen, self._book)
                except CannotExpress:
                    continue
                yield self._passing(live, model), model

    def _passing(self, live: Live, model: Resource) -> Change | None:
        """A change that leaves an object as it is, but for a while; only where it would come back, if that is cut off."""
        kind, desired = live.kind, self._book.desired
        address, now = self._book.addresses[kind.name, live.id], Address(kind.name, self._book.key_now(live))
        is_left_alone = self._stay is not None and address not in self._stay
        if kind.shut is None or is_left_alone or kind.server_owned(live.seen, self._book):
            return None
        if not (desired.brings_back(address, now) and self._gone.isdisjoint(referred(model))):
            return None
        declared = desired.objects.get(address)
        return Change(
            address,
            kind,
            Action.UPDATE,
            id=live.id,
            cause=desired.place(declared.at) if declared else None,
            desired=model,
            live=live,
            before=model,
            after=model,
            parent=self._book.addresses.get((kind.parent, live.parent)),
            name=live.seen.get(kind.name_field, ""),
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a kind may ask about a change, while some others open nothing.

    Attributes:
        asked: objects of which it was asked what is made of them.
        ways: changes of ways that lead on, if it was asked whether there are some.
    """

    change: Change
    uses: Uses
    shut: Collection[Change] = ()
    asked: set[Address] = field(default_factory=set)
    ways: set[Change] = field(default_factory=set)

    @property
    def leads_on(self) -> bool:
        """There are ways that lead on from neighbours."""
        self.ways.update(self.uses.leading)
        return self.uses.lead_on(self.shut)

    @property
    def own(self) -> frozenset[Use]:
        """What is made of this very object."""
        return self.of(self.change.address)

    @property
    def moved(self) -> bool:
        """It comes to stand in another object."""
        change = self.change
        return bool(change.live and change.live.parent) and self.uses.place(change) != change.parent

    def of(self, address: Address) -> frozenset[Use]:
        """What is made of another object."""
        self.asked.add(address)
        return self.uses.of(address, self.shut)
