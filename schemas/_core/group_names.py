"""References to groups: by themselves, and those that an object hands to the peers that come with it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from schemas._core.fields import AsTuple, Name, RefTo, Unordered, invalid
from schemas._core.shapes import Shape

GroupNames = Annotated[tuple[Annotated[Name, RefTo("group")], ...], AsTuple, Unordered]


def _no_all(groups: tuple[str, ...]) -> tuple[str, ...]:
    if "All" in groups:
        raise invalid("All may not stand in auto_groups", "every peer is in All anyway: leave it out")
    return groups


_NOT_ALL = Shape(keywords={"not": {"const": "All"}})
AutoGroups = Annotated[
    tuple[Annotated[Name, RefTo("group", fills="peers"), _NOT_ALL], ...], AsTuple, Unordered, AfterValidator(_no_all)
]
