"""The live account, as the server showed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.api.paths import path
from schemas import AnyKind
from schemas._core.fields import JsonObject


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """One live object: its id, the answer that showed it, and the id of the object in which it stands."""

    kind: AnyKind
    id: str
    seen: JsonObject
    parent: str = ""

    @property
    def name(self) -> str:
        """Name in the form in which it is compared; empty for objects without one."""
        field_name = self.kind.name_field
        return self.kind.name_form(self.seen.get(field_name) or "") if field_name else ""

    @property
    def where(self) -> str:
        """Path at which the API has the object, where it stands now."""
        around = {"parent": self.parent} if self.parent else {}
        return path(self.kind.endpoint.item_path, id=self.id, **around)


@dataclass(slots=True)
class Snapshot:
    """All objects of the kinds that were read, by kind and id, in the order in which the server listed them.

    Attributes:
        server_version: as the server says, or None if it does not.
        self_hosted: the server is not NetBird Cloud.
        unread: names of kinds that the caller may not read.
        looked_into: ids of the parents that were read, of kinds whose objects have no list of their own.
    """

    objects: dict[str, dict[str, Live]] = field(default_factory=dict)
    server_version: str | None = None
    self_hosted: bool = True
    unread: set[str] = field(default_factory=set)
    looked_into: dict[str, frozenset[str]] = field(default_factory=dict)

    def of(self, kind: str) -> Mapping[str, Live]:
        """Live objects of one kind by id."""
        return self.objects.get(kind, {})

    def shows(self, kind: AnyKind, parent: str) -> bool:
        """Tell whether the objects of a kind (in this parent) were read, so that one that is not among them is not there."""
        if kind.name not in self.objects or kind.name in self.unread:
            return False
        inside = self.looked_into.get(kind.name)
        return inside is None or parent in inside

    def __iter__(self) -> Iterator[Live]:
        for objects in self.objects.values():
            yield from objects.values()
