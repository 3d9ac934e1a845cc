"""What the files ask for, once they have been understood."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from reconciler.errors import Diagnostic, Place
from reconciler.load.tree import Map, Sources
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.document import Guards
from schemas._core.fields import LIFECYCLE, Resource


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """One object that a file declares.

    Attributes:
        parts: of the key, as they are.
        name: by which the API knows it, if it knows names.
        parent: address of the object in which it stands.
        at: mark of its key, or of the entry of a list.
        body: as the file has it; where messages find their place.
    """

    address: Address
    kind: AnyKind
    model: Resource
    parts: tuple[str, ...]
    name: str
    parent: Address | None
    at: int
    body: Map

    @property
    def said(self) -> frozenset[str]:
        """Attributes of the model that the file gives a value."""
        return frozenset(self.model.model_fields_set - LIFECYCLE)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who deletes what: `full` kinds lose what no file declares. `at` is the mark of the line that says so."""

    full: bool = False
    at: int | None = None


@dataclass(slots=True)
class Desired:
    """The desired state of an account.

    Attributes:
        registry: the kinds that there are, in order.
        objects: what is declared, by address.
        kinds: names of the kinds that the files mention.
        parts: (kind, parent) of the parents that declare their children of that kind.
        empty: sections that are there and declare nothing: root key, or address of the parent and key, with the mark.
    """

    sources: Sources
    registry: Mapping[str, AnyKind]
    objects: dict[Address, Declared] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    parts: set[tuple[str, Address]] = field(default_factory=set)
    empty: dict[tuple[str, Address | None], int] = field(default_factory=dict)
    ownership: Mapping[str, Ownership] = field(default_factory=dict)
    guards: Guards = field(default_factory=Guards)
    unmanaged: tuple[str, ...] = ()
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def place(self, mark: int | None) -> Place | None:
        """Where a mark points to."""
        return None if mark is None else self.sources.place(mark)

    def owns(self, kind: str) -> Ownership:
        """How objects of a kind are owned."""
        return self.ownership.get(kind, Ownership())

    def brings_back(self, address: Address, now: Address) -> bool:
        """Tell whether another run would open an object again that this one has shut for a while, if it were cut off.

        Args:
            address: of the object.
            now: by what it is called now.
        """
        declared = self.objects.get(address)
        return declared is not None and not (declared.model.ignore or any(map(self.is_unmanaged, (address, now))))

    def is_unmanaged(self, address: Address) -> bool:
        """Tell whether the files ask to leave this object, or one in which it stands, alone."""
        return bool(self.unmanaged) and matches(self.unmanaged, address, self.registry[address.kind].parent)


def could_match(pattern: str, kinds: Iterable[str]) -> bool:
    """Tell whether an address of one of these kinds could look like this, as far as the pattern is spelt out."""
    spelt_out = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    is_open = spelt_out != pattern
    return any(spelt_out.startswith(f"{kind}/") or (is_open and f"{kind}/".startswith(spelt_out)) for kind in kinds)


def matches(patterns: Iterable[str], address: Address, parent: str = "") -> bool:
    """Tell whether an address, or that of the object in which it stands, is among addresses and glob patterns."""
    texts = [str(address)]
    if parent:
        texts.append(str(Address(parent, address.key.partition("/")[0])))
    return any(fnmatchcase(text, pattern) for text in texts for pattern in patterns)
