"""The root of the files, apart from the kinds: ownership and guards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas._core.fields import AsTuple, Name, Strict
from schemas._core.shapes import Shape

VERSION = 1
SECTIONS = (
    "groups",
    "posture_checks",
    "policies",
    "networks",
    "routes",
    "dns",
    "setup_keys",
    "service_users",
    "users",
    "peers",
    "account",
)
"""Root keys of kinds in the order in which people read them; those of further kinds come after them."""

LAST = ("unmanaged", "tests", "remove")
"""Root keys that stand below all kinds."""

Mode = Literal["full", "no-delete"]


def place_of_section(key: str) -> int:
    """Where the root key of a kind stands among those of all kinds."""
    return SECTIONS.index(key) if key in SECTIONS else len(SECTIONS)


KIND_NAMES, ADDRESSES = Shape("kind"), Shape("addresses")
"""What only the registry of kinds can tell: their names, and addresses or patterns of addresses."""

KindName = Annotated[str, KIND_NAMES]


class Limit(Strict):
    """How many objects of a kind one plan may delete: of all live ones in percent, and at most."""

    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    """At most so many percent of the live objects of a kind, where it has more than 10. Left out: 30."""

    count: Annotated[int, Field(ge=0)] | None = None
    """At most so many objects of a kind. Left out: as many as the percentage allows."""


class Guards(Strict):
    """Limits on what one apply may do."""

    max_delete: Limit = Limit(percent=30)
    """How much of each kind one plan may delete or replace."""

    max_delete_for: dict[KindName, Limit] = Field(default_factory=dict)
    """The same for one kind, by its name in addresses."""

    protect: Annotated[tuple[Annotated[Name, ADDRESSES], ...], AsTuple] = ()
    """Addresses or patterns of what is never deleted, replaced or renamed, whether declared or not."""

    keep_admins: Annotated[int, Field(ge=0)] = 1
    """A plan that leaves fewer unblocked owners and admins (people) than this is refused."""

    def limit(self, kind: str) -> Limit:
        """Limit of one kind. Percent and count stand by themselves: what is left out holds as it does in general."""
        own, general = self.max_delete_for.get(kind, Limit()), self.max_delete
        percent = next((p for p in (own.percent, general.percent) if p is not None), 30)
        return Limit(percent=percent, count=own.count if own.count is not None else general.count)
