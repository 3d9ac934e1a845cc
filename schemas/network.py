"""Networks: private networks behind routing peers. Their routers and resources are kinds of their own."""

from __future__ import annotations

from schemas._core.effect import Around, Effect
from schemas._core.fields import Resource, Text
from schemas._core.kind import Endpoint, Kind


class Network(Resource):
    """A network; `routers` and `resources` stand inside it in the files."""

    description: Text = ""
    """What it is."""


def _effect(_before: Network | None, after: Network | None, _around: Around) -> Effect:
    """A network that goes takes its routers and resources along."""
    return Effect.NARROWS if after is None else Effect.NEUTRAL


KIND = Kind(
    name="network",
    model=Network,
    section=("networks",),
    endpoint=Endpoint("/networks"),
    always=frozenset({"routers", "resources"}),
    module="networks",
    since="0.35.0",
    computed=frozenset({"id", "routers", "resources", "policies", "routing_peers_count"}),
    effect=_effect,
    renames=True,
    stirs={"group": frozenset({"resources"})},
    waits_for=("peer",),
)
