"""Who routes: one peer, or the peers of groups. What network routers and routes have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Self

from pydantic import ValidationInfo, model_validator

from schemas._core.address import Address, encode_part
from schemas._core.effect import Around, Common, Effect, Use, by_common
from schemas._core.fields import Metric, Name, RefTo, Resource, invalid, is_live
from schemas._core.group_names import GroupNames
from schemas._core.references import ref_address, references
from schemas._core.shapes import exactly_one


class Routed(Resource):
    """Exactly one of `peer` and `peer_groups`, and how the route is weighed."""

    peer: Annotated[Name, RefTo("peer")] | None = None
    """The peer that routes. Exactly one of `peer` and `peer_groups` is needed."""

    peer_groups: GroupNames | None = None
    """Groups whose peers route. Exactly one of `peer` and `peer_groups` is needed."""

    metric: Metric = 9999
    """1 to 9999; the lowest wins."""

    masquerade: bool = True
    """Whether traffic leaves with the address of the routing peer."""

    enabled: bool = True
    """Whether it is in use."""

    RULES = (exactly_one("peer", "peer_groups"),)

    @model_validator(mode="after")
    def _one_router(self, info: ValidationInfo) -> Self:
        if not is_live(info) and bool(self.peer) == bool(self.peer_groups):
            raise invalid("exactly one of peer and peer_groups is needed", "write peer: NAME or peer_groups: [NAME]")
        return self


def via(routed: Routed, _parents: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Part of the key that says who routes: `peer:NAME` or `groups:A+B`, encoded."""
    if routed.peer:
        return (f"peer:{encode_part(routed.peer)}",)
    return (f"groups:{'+'.join(encode_part(name) for name in sorted(routed.peer_groups or ()))}",)


QUIET = frozenset({"metric", "masquerade", "description", "keep_route", "skip_auto_apply"})
"""Fields that say how one gets there, not who."""


def routing_effect(before: Any, after: Any, around: Around) -> Effect:
    """A way into a network that opens, closes, or leads elsewhere."""
    opened, closed = after is not None and after.enabled, before is not None and before.enabled
    if not (opened and closed):
        return Effect.WIDENS if opened else Effect.NARROWS if closed else Effect.NEUTRAL
    if any(Use.CLOSES in uses for uses in _guards_between(before, after, around).values()):
        return Effect.MIXED
    loud = {"include": set(type(after).model_fields) - QUIET}
    common = routing_common(before, after, around).model
    return by_common(*(routed.model_dump(**loud) for routed in (before, after, common)))


def _guards_between(before: Any, after: Any, around: Around) -> dict[str, frozenset[Use]]:
    """What is made of the access control groups that come or go."""
    old, new = (set(getattr(routed, GUARDS, None) or ()) for routed in (before, after))
    return {name: around.of(Address.of("group", name)) for name in old ^ new}


def routing_common(before: Any, after: Any, around: Around) -> Common:
    """For the groups of both, and what only denies; where a field has nothing in common with its other value, the way is closed."""
    found: dict[str, Any] = {}
    for name in type(after).model_fields.keys() - QUIET:
        old, new = getattr(before, name), getattr(after, name)
        if old != new and not (name in _LISTS and (both := _in_both(name, old, new)) and found.setdefault(name, both)):
            return Common(routing_shut(before, ()))
    closing = {name for name, uses in _guards_between(before, after, around).items() if Use.CLOSES in uses}
    if any(Use.OPENS in around.of(Address.of("group", name)) for name in closing):
        return Common(routing_shut(before, ()), whole=False)
    if closing and found.get(GUARDS):
        found[GUARDS] = tuple(sorted({*found[GUARDS], *closing}))
    return Common(before.model_copy(update=found))


def routing_shut(routed: Any, _others: Collection[Address]) -> Any:
    """A way that is closed opens nothing, by whatever groups it did."""
    return routed.model_copy(update={"enabled": False})


GUARDS = "access_control_groups"
_THROUGH = ("peer", "peer_groups")
_LISTS = frozenset({"groups", "peer_groups", GUARDS})


def _in_both(name: str, old: Any, new: Any) -> tuple[str, ...]:
    """Without access control groups a way is open to everything."""
    if name == GUARDS and not (old and new):
        return tuple(old or new)
    return tuple(sorted(set(old or ()) & set(new or ())))


def routing_uses(routed: Routed) -> Iterator[tuple[Address, Use]]:
    """Routing peers, and who gets a route, open; access control groups only name what does. A route without them drops nothing."""
    carries = getattr(routed, GUARDS, True)
    if routed.enabled:
        for field, ref, text in references(routed):
            yield ref_address(ref, text), Use.GUARDS if field == GUARDS else Use.OPENS
            if carries and field in _THROUGH:
                yield ref_address(ref, text), Use.CARRIES


def route_uses(routed: Routed) -> Iterator[tuple[Address, Use]]:
    """The same of routes, which only neighbours of their routing peers get."""
    yield from routing_uses(routed)
    if routed.enabled:
        leading = (found for found in references(routed) if found[0] in _THROUGH)
        yield from ((ref_address(ref, text), Use.LEADS) for _, ref, text in leading)
