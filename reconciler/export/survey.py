"""All live objects that are asked for: in the words of a file, or with the reason why no file can declare them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.export.names import Names
from reconciler.export.wish import Wish
from reconciler.export.words import CannotSay, Speaker, Words, key_of
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address


@dataclass(frozen=True, slots=True)
class Told:
    """An object (or all that one mapping stands for) in the words of a file.

    Attributes:
        address: of the (first) object.
        place: kind and id, where others stand inside of it.
        parent: kind and id of the object in which it stands.
    """

    kind: AnyKind
    address: Address
    place: tuple[str, str]
    parent: tuple[str, str]
    words: Words


@dataclass(slots=True)
class Telling:
    """What an account holds, as far as it was asked for.

    Attributes:
        told: what files can declare; the kinds in order, what stands inside others after these.
        untold: what they cannot, with the reasons; objects inside such an object are left out.
        objects_untold: how many objects these are; some share an address.
        unread: kinds that the caller may not read.
    """

    told: list[Told] = field(default_factory=list)
    untold: dict[Address, tuple[str, ...]] = field(default_factory=dict)
    objects_untold: int = 0
    unread: list[AnyKind] = field(default_factory=list)


def survey(names: Names, wish: Wish) -> Telling:
    """Put all objects into words that are asked for and that neither the server nor somebody else keeps."""
    return _Survey(names, wish).run()


class _Survey:
    def __init__(self, names: Names, wish: Wish) -> None:
        self._names = names
        self._wish = wish
        self._speaker = Speaker(names, wish.named)
        self._containers = self._around_what_is_wanted()
        self._told_places: set[tuple[str, str]] = set()
        self.telling = Telling()

    def run(self) -> Telling:
        for kind in self._kinds():
            for lives in self._units(kind):
                self._tell(kind, lives)
        unread = self._names.book.snapshot.unread
        self.telling.unread = [kind for kind in self._kinds() if kind.name in unread]
        return self.telling

    def _kinds(self) -> list[AnyKind]:
        return [kind for kind in self._wish.registry.values() if kind.name in self._wish.kinds]

    def _around_what_is_wanted(self) -> set[tuple[str, str]]:
        """Objects that are needed because others stand inside of them."""
        found = set()
        for kind in self._kinds():
            for live in self._names.book.snapshot.of(kind.name).values() if kind.parent else ():
                if self._wish.wants(self._names.address(live)):
                    found.add((kind.parent, live.parent))
        return found

    def _units(self, kind: AnyKind) -> Iterator[list[Live]]:
        """Objects that one mapping stands for: mostly single ones. What is ambiguous stands alone, too."""
        labels: dict[tuple[str, str], list[Live]] = {}
        for live in self._names.book.snapshot.of(kind.name).values():
            if not self._is_asked_for(live):
                continue
            if kind.expand is None or self._names.namesakes(live):
                yield [live]
            else:
                model = kind.decode(kind.model, live.seen, self._names.book)
                labels.setdefault((live.parent, key_of(live, model, self._names)), []).append(live)
        yield from labels.values()

    def _is_asked_for(self, live: Live) -> bool:
        kind = live.kind
        if self._names.servers_own(live) or (kind.parent and (kind.parent, live.parent) not in self._told_places):
            return False
        return (kind.name, live.id) in self._containers or self._wish.wants(self._names.address(live))

    def _tell(self, kind: AnyKind, lives: Sequence[Live]) -> None:
        first = lives[0]
        try:
            words = self._speaker.say(lives)
        except CannotSay as reason:
            self.telling.untold |= {self._names.address(live): reason.lines for live in lives}
            self.telling.objects_untold += len(lives)
            return
        if words is not None:
            place, parent = (kind.name, first.id), (kind.parent, first.parent)
            self._told_places.add(place)
            self.telling.told.append(Told(kind, self._names.address(first), place, parent, words))
