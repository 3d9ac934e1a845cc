"""Which live object is which declared one, and by which name the files would know every live object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from reconciler.errors import Diagnostic
from reconciler.load.desired import Declared, Desired
from reconciler.state.snapshot import Live, Snapshot
from schemas import AnyKind
from schemas._core.address import Address, encode_part
from schemas._core.fields import JsonObject

AMBIGUOUS, NO_SUCH_ID = "NBS202", "NBS203"


class Book:
    """The live account as the files see it: pairs of declared and live objects, keys, names.

    Attributes:
        pairs: the live object of each declared one that has one.
        addresses: the address of every live object, by (kind, id): the declared one if it has a pair, else its own.
        problems: declared objects that match none or several by what they ask.
        refused: addresses of these.
        self_hosted: the server is not NetBird Cloud.
    """

    def __init__(self, desired: Desired, snapshot: Snapshot) -> None:
        self.desired = desired
        self.snapshot = snapshot
        self.self_hosted = snapshot.self_hosted
        self.pairs: dict[Address, Live] = {}
        self.addresses: dict[tuple[str, str], Address] = {}
        self.problems: list[Diagnostic] = []
        self.refused: set[Address] = set()
        self._labels: dict[tuple[str, str], str] = {}
        self._by_address: dict[Address, list[Live]] = defaultdict(list)
        self._children: dict[tuple[str, str], list[Live]] = defaultdict(list)
        declared = defaultdict(list)
        for one in desired.objects.values():
            declared[one.kind.name].append(one)
        for kind in desired.registry.values():
            self._match(kind, declared[kind.name])

    def label(self, kind: str, identifier: str) -> str:
        """Name (or key, for objects inside others) of a live object; what is gone or shares its name is told apart."""
        known = self._labels.get((kind, identifier))
        return f"(no {kind} with id {identifier})" if known is None else known

    def referred_to_as(self, live: Live) -> Address:
        """Address that references to a live object come to; of several with one name no two have the same."""
        kind, label = live.kind, self.label(live.kind.name, live.id)
        return Address(kind.name, label if kind.parent or not kind.name_field else encode_part(label))

    def raw(self, kind: str, identifier: str) -> JsonObject | None:
        """Answer that showed this object."""
        live = self.snapshot.of(kind).get(identifier)
        return live.seen if live else None

    def parent(self, kind: str, identifier: str) -> str:
        """Id of the object in which this one stands."""
        live = self.snapshot.of(kind).get(identifier)
        return live.parent if live else ""

    def children(self, kind: str, parent: str) -> Sequence[JsonObject]:
        """Answers that showed the objects of `kind` inside one parent."""
        return [live.seen for live in self._children[kind, parent]]

    def inside(self, live: Live) -> list[Live]:
        """Live objects that stand in this one."""
        kinds = [kind.name for kind in self.desired.registry.values() if kind.parent == live.kind.name]
        return [child for kind in kinds for child in self._children[kind, live.id]]

    def taken_along(self, live: Live) -> list[Live]:
        """Live objects elsewhere that the server deletes with this one."""
        return [
            other
            for kind, field in live.kind.takes_along.items()
            for other in self.snapshot.of(kind).values()
            if other.seen.get(field) == live.id
        ]

    def found(self, address: Address) -> list[Live]:
        """Live objects that the files would know by this address."""
        return self._by_address.get(address, [])

    def meant(self, address: Address) -> Live | None:
        """The live object that an address means, if it means just one."""
        found = [pair] if (pair := self.pairs.get(address)) else self.found(address)
        return found[0] if len(found) == 1 else None

    def key_now(self, live: Live) -> str:
        """Key of a live object by what it is called now, whatever the files call it."""
        return self._own_address(live).key

    def known(self, kind: str) -> Iterable[str]:
        """Keys of all objects of a kind, declared and live."""
        declared = (address.key for address in self.desired.objects if address.kind == kind)
        return chain(declared, (address.key for (name, _), address in self.addresses.items() if name == kind))

    def _match(self, kind: AnyKind, declared: list[Declared]) -> None:
        live = list(self.snapshot.of(kind.name).values())
        keys = {one.id: self._own_address(one) for one in live}
        left = self._by_id(kind, declared, {one.id: one for one in live})
        left = self._by_name(kind, left, live, keys)
        self._by_earlier_name(left, live)
        self._by_beginning(left, live)
        taken = {self.pairs[one.address].id: one.address for one in declared if one.address in self.pairs}
        for one in live:
            self._enter(one, taken.get(one.id) or keys[one.id], declared=one.id in taken)
        self._tell_apart(kind)

    def _own_address(self, live: Live) -> Address:
        """Address of a live object by what it is called now."""
        kind = live.kind
        if kind.endpoint.singleton:
            return Address(kind.name, kind.name)
        around = self.addresses.get((kind.parent, live.parent)) if kind.parent else None
        outer = (around.key,) if around else ()
        name = (encode_part(live.name),) if kind.name_field else ()
        suffix: tuple[str, ...] = ()
        if kind.suffix:
            parents = (self._labels.get((kind.parent, live.parent), ""),) if kind.parent else ()
            suffix = kind.suffix(kind.decode(kind.model, live.seen, self), parents)
        return Address(kind.name, "/".join((*outer, *name, *suffix)))

    def _by_id(self, kind: AnyKind, declared: list[Declared], live: dict[str, Live]) -> list[Declared]:
        left = []
        said: dict[str, Address] = {}
        for one in declared:
            if one.model.id is None:
                left.append(one)
            elif (other := said.setdefault(one.model.id, one.address)) != one.address:
                advice = "one live object cannot be two: take the id out of one of them"
                self._refuse(one, AMBIGUOUS, f"{one.address} and {other} have the same id {one.model.id}", advice)
            elif one.model.id in live:
                self._pair(one, [live[one.model.id]])
            else:
                advice = "take the id out of the file, or look it up again"
                self._refuse(one, NO_SUCH_ID, f"no live {kind.name} has the id {one.model.id}", advice)
        return left

    def _by_name(
        self, kind: AnyKind, declared: list[Declared], live: list[Live], keys: dict[str, Address]
    ) -> list[Declared]:
        taken = {pair.id for pair in self.pairs.values()}
        by_key: dict[Address, list[Live]] = defaultdict(list)
        by_name: dict[str, list[Live]] = defaultdict(list)
        for free in live:
            if free.id not in taken:
                by_key[keys[free.id]].append(free)
                by_name[free.name].append(free)
        left = []
        for one in declared:
            found = [free for free in by_key.get(one.address, ()) if self._stands_in(one.parent, free)] or (
                by_name.get(kind.name_form(one.name)) if kind.moves else None
            )
            if found:
                self._pair(one, found)
            else:
                left.append(one)
        return left

    def _stands_in(self, parent: Address | None, live: Live) -> bool:
        """Parents may share a name, too: then the one that is declared counts."""
        return parent is None or parent not in self.pairs or self.pairs[parent].id == live.parent

    def _by_earlier_name(self, declared: list[Declared], live: list[Live]) -> None:
        waiting = [one for one in declared if one.model.previously]
        if not waiting:
            return
        taken = {pair.id for pair in self.pairs.values()}
        free = [one for one in live if one.id not in taken]
        for one in waiting:
            names = {one.kind.name_form(name) for name in one.model.previously}
            found = [other for other in free if other.name in names and self._in_same_place(one, other)]
            if found:
                self._pair(one, found)
                free = [other for other in free if other not in found]

    def _by_beginning(self, declared: list[Declared], live: list[Live]) -> None:
        """What a run that was cut off has only begun becomes one of those that are still missing."""
        taken = {pair.id for pair in self.pairs.values()}
        begun = [one for one in live if one.id not in taken and one.kind.is_begun(one.seen, one.parent)]
        for one in declared:
            if one.address in self.pairs or one.address in self.refused:
                continue
            found = [other for other in begun if self._in_same_place(one, other) and self._stands_in(one.parent, other)]
            if found:
                self.pairs[one.address] = found[0]
                begun.remove(found[0])

    def _in_same_place(self, declared: Declared, live: Live) -> bool:
        """Objects move between parents only where the server can; the rest of the key must be the same."""
        if declared.kind.parent and not declared.kind.moves:
            return self.addresses.get((declared.kind.parent, live.parent)) == declared.parent
        if declared.kind.suffix:
            return self._own_address(live).key.partition("/")[2] == declared.address.key.partition("/")[2]
        return True

    def _pair(self, declared: Declared, found: list[Live]) -> None:
        if len(found) == 1:
            self.pairs[declared.address] = found[0]
            return
        ids = ", ".join(one.id for one in found)
        message = f"{len(found)} live objects match {declared.address}: {ids}"
        advice = f"say which one: id: {found[0].id}; or delete or rename the others"
        if declared.kind.renewable:
            advice = f"make a new one and remove all of these: nbsync rotate {declared.address.quoted}; or {advice}"
        self._refuse(declared, AMBIGUOUS, message, advice)

    def _refuse(self, declared: Declared, code: str, message: str, advice: str) -> None:
        self.refused.add(declared.address)
        place = self.desired.place(declared.at)
        self.problems.append(Diagnostic(code, message, advice, address=str(declared.address), place=place))

    def learn(self, address: Address, live: Live) -> None:
        """Enter an object that was made, or has become another, since the account was read."""
        place = (live.kind.name, live.id)
        self.pairs[address] = live
        self.addresses[place] = address
        self._labels[place] = self._said(live, address, declared=address in self.desired.objects)

    def _enter(self, live: Live, address: Address, *, declared: bool) -> None:
        place = (live.kind.name, live.id)
        self.addresses[place] = address
        self._by_address[address].append(live)
        self._labels[place] = self._said(live, address, declared=declared)
        if live.parent:
            self._children[live.kind.name, live.parent].append(live)

    def _said(self, live: Live, address: Address, *, declared: bool) -> str:
        if live.kind.parent or not live.kind.name_field:
            return address.key
        return self.desired.objects[address].parts[0] if declared else live.name

    def _tell_apart(self, kind: AnyKind) -> None:
        """Live objects of one name cannot be told apart by it, except the one that is declared."""
        paired = {pair.id for pair in self.pairs.values()}
        for live in self.snapshot.of(kind.name).values():
            if len(self._by_address[self.addresses[kind.name, live.id]]) > 1 and live.id not in paired:
                self._labels[kind.name, live.id] += f" (id {live.id})"
