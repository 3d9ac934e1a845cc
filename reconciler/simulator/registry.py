"""How the files under ``areas/`` become one API: each has an `Area` called ``AREA``, found by folder."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from .store import Keys, Row

if TYPE_CHECKING:
    from .call import Call
    from .world import Account, World

Handler = Callable[["Call"], Any]
"""Answers one request: JSON data for a 200, or an `Answer` for anything else; refuses by raising."""

Happening = Callable[["World", Mapping[str, Any]], Any]
"""Lets one event happen; returns its result as JSON data."""


@dataclass(frozen=True)
class Answer:
    """A response other than 200 with JSON.

    Attributes:
        value: JSON data; None for a body without anything in it.
        status: The HTTP status.
        headers: More headers, or others than usual.
    """

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """One endpoint.

    Attributes:
        method: ``GET``, ``POST``, ``PUT`` or ``DELETE``.
        path: Below ``/api``, variables as ``<name>``.
        handler: What answers it.
        is_open: Whether it needs no authentication.
    """

    method: str
    path: str
    handler: Handler
    is_open: bool = False


@dataclass(frozen=True)
class Area:
    """What one file of ``areas/`` adds to the server.

    Attributes:
        routes: Its endpoints; where two match a path, the one without variables wins.
        indexes: Look-ups other than by a plain field, by kind and name.
        activities: English text of each audit code that it emits.
        happenings: Events of ``POST /_simulator/events`` by name.
        holds_group: What keeps a group from being deleted, if this area does: the rest of the sentence ``group has
            been linked to ...``, else None. Groups ask the areas in the server's order.
        holds_peer: The same for a peer: the whole text of the 412.
        peer_left: Called when a peer is deleted, before its row goes.
        overdue: What time alone brings about; called before every request and event.
    """

    routes: tuple[Route, ...] = ()
    indexes: Mapping[str, Mapping[str, Keys]] = field(default_factory=dict)
    activities: Mapping[str, str] = field(default_factory=dict)
    happenings: Mapping[str, Happening] = field(default_factory=dict)
    holds_group: Callable[["Account", Row], str | None] | None = None
    holds_peer: Callable[["Account", Row], str | None] | None = None
    peer_left: Callable[["Account", Row], None] | None = None
    overdue: Callable[["World"], None] | None = None


@cache
def areas() -> dict[str, Area]:
    """Every area by the name of its file."""
    from . import areas as folder

    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    modules = {name: importlib.import_module(f"{folder.__name__}.{name}") for name in names}
    return {name: module.AREA for name, module in modules.items() if hasattr(module, "AREA")}


def routes() -> list[Route]:
    """The endpoints of all areas."""
    return [route for area in areas().values() for route in area.routes]


def indexes() -> dict[str, dict[str, Keys]]:
    """The look-ups of all areas, by kind and name."""
    merged: dict[str, dict[str, Keys]] = {}
    for area in areas().values():
        for kind, keys in area.indexes.items():
            merged.setdefault(kind, {}).update(keys)
    return merged


@cache
def activities() -> dict[str, str]:
    """The texts of all audit codes."""
    return {code: text for area in areas().values() for code, text in area.activities.items()}


def happenings() -> dict[str, Happening]:
    """The events of all areas."""
    return {name: happening for area in areas().values() for name, happening in area.happenings.items()}


def chores() -> list[Callable[["World"], None]]:
    """What time alone brings about, in all areas."""
    return [area.overdue for area in areas().values() if area.overdue]
