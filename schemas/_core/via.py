"""Who routes: one peer, or the peers of groups. What network routers and routes have in common."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ValidationInfo, model_validator

from schemas._core.address import encode_part
from schemas._core.fields import Metric, Name, RefTo, Resource, invalid, is_live
from schemas._core.group_names import GroupNames
from schemas._core.kind import Effect
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


def routing_effect(before: Any, after: Any) -> Effect:
    """A way into a network that opens, closes, or leads elsewhere."""
    opened, closed = after is not None and after.enabled, before is not None and before.enabled
    if not (opened and closed):
        return Effect.WIDENS if opened else Effect.NARROWS if closed else Effect.NEUTRAL
    quiet = {"metric", "masquerade", "description", "keep_route", "skip_auto_apply"}
    told = {name for name in type(after).model_fields if getattr(after, name) != getattr(before, name)}
    return Effect.MIXED if told - quiet else Effect.NEUTRAL
