"""The root of the files, apart from the kinds: ownership and guards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas._core.fields import AsTuple, Name, Strict

VERSION = 1
Mode = Literal["full", "no-delete"]


class Limit(Strict):
    """How many objects of a kind one plan may delete: of all live ones in percent, and at most."""

    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    count: Annotated[int, Field(ge=0)] | None = None


class Guards(Strict):
    """Limits on what one apply may do."""

    max_delete: Limit = Limit(percent=30)
    max_delete_for: dict[str, Limit] = Field(default_factory=dict)
    protect: Annotated[tuple[Name, ...], AsTuple] = ()
    keep_admins: Annotated[int, Field(ge=0)] = 1

    def limit(self, kind: str) -> Limit:
        """Limit of one kind. Percent and count stand by themselves: what is left out holds as it does in general."""
        own, general = self.max_delete_for.get(kind, Limit()), self.max_delete
        percent = next((p for p in (own.percent, general.percent) if p is not None), 30)
        return Limit(percent=percent, count=own.count if own.count is not None else general.count)
