"""By which names a file can speak of live objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.load.desired import Declared, Desired
from reconciler.load.tree import Map, Sources
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live, Snapshot
from schemas import AnyKind
from schemas._core.address import Address, decode_part
from schemas._core.fields import RefTo
from schemas._core.references import ref_address


class Names:
    """The live account by name, with a book in which every object has the address that a plan would give it.

    Where an object that can be declared shares its name with others that the server keeps, such as a group of the identity
    provider, it is told apart by its id.
    """

    def __init__(self, snapshot: Snapshot, desired: Desired) -> None:
        self.book = Book(desired, snapshot)
        told_apart = [_by_id(live, self.address(live)) for live in self._alone_among_servers_own()]
        if told_apart:
            desired.objects.update({one.address: one for one in told_apart})
            self.book = Book(desired, snapshot)
        self._crowded = self._names_that_several_have()

    def address(self, live: Live) -> Address:
        """Address of a live object."""
        return self.book.addresses[live.kind.name, live.id]

    def around(self, live: Live) -> tuple[str, ...]:
        """Parts of the key of the object in which this one stands."""
        if not live.kind.parent:
            return ()
        key = self.book.addresses[live.kind.parent, live.parent].key
        return tuple(map(decode_part, key.split("/")))

    def servers_own(self, live: Live) -> bool:
        """Tell whether the server or somebody else keeps the object: no file declares it."""
        return live.kind.server_owned(live.seen, self.book)

    def needs_id(self, live: Live) -> bool:
        """Tell whether the object can only be declared together with its id."""
        return self.book.pairs.get(self.address(live)) is live

    def namesakes(self, live: Live) -> list[str]:
        """Ids of all objects between which a file could not tell this one apart; empty if it could."""
        if self.needs_id(live):
            return []
        found = self.book.found(self.address(live))
        if len(found) > 1:
            return [one.id for one in found]
        return self._crowded.get((live.kind.name, live.name), [])

    def target(self, ref: RefTo, text: str) -> Live | None:
        """The one object that a name in a file would stand for; nothing where there is none or more than one."""
        address = ref_address(ref, text)
        found = self.book.found(address)
        return self.book.pairs.get(address) or (found[0] if len(found) == 1 else None)

    def _alone_among_servers_own(self) -> Iterator[Live]:
        seen: set[Address] = set()
        for live in self.book.snapshot:
            address = self.address(live)
            found = self.book.found(address)
            if len(found) > 1 and address not in seen:
                seen.add(address)
                ours = [one for one in found if not self.servers_own(one)]
                if len(ours) == 1:
                    yield ours[0]

    def _names_that_several_have(self) -> dict[tuple[str, str], list[str]]:
        """Objects that can move have one name in the whole account, wherever they stand."""
        ids: dict[tuple[str, str], list[str]] = {}
        for live in self.book.snapshot:
            if live.kind.moves:
                ids.setdefault((live.kind.name, live.name), []).append(live.id)
        return {name: found for name, found in ids.items() if len(found) > 1}


def names_of(snapshot: Snapshot, registry: Mapping[str, AnyKind]) -> Names:
    """The names of an account of which no file declares anything yet."""
    return Names(snapshot, Desired(Sources(), registry, kinds=set(snapshot.objects)))


def _by_id(live: Live, address: Address) -> Declared:
    model = live.kind.model.model_construct(id=live.id)
    return Declared(address, live.kind, model, (live.name,), live.name, None, 0, Map(0))
