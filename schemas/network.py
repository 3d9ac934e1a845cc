"""Networks: private networks behind routing peers. Their routers and resources are kinds of their own."""

from __future__ import annotations

from schemas._core.fields import Resource, Text
from schemas._core.kind import Endpoint, Kind


class Network(Resource):
    """A network; `routers` and `resources` stand inside it in the files."""

    description: Text = ""
    """What it is."""


KIND = Kind(
    name="network",
    model=Network,
    section=("networks",),
    endpoint=Endpoint("/networks"),
    always=frozenset({"routers", "resources"}),
    module="networks",
    since="0.35.0",
    computed=frozenset({"id", "routers", "resources", "policies", "routing_peers_count"}),
    renames=True,
    stirs={"group": frozenset({"resources"})},
    waits_for=("peer",),
)
