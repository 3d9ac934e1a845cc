"""Network routers: the peers through which a network is reached."""

from __future__ import annotations

from schemas._core.fields import JsonObject
from schemas._core.kind import Endpoint, Kind, Layout
from schemas._core.via import Routed, routing_common, routing_effect, routing_shut, routing_uses, via


class NetworkRouter(Routed):
    """A routing peer, or the peers of groups, of one network. The server makes every new one enabled."""


def _starts_shut(router: NetworkRouter, request: JsonObject, network: str) -> JsonObject:
    """The server does not look whether there is such a peer, and a network is none: through nobody there is no way."""
    return request if router.enabled else {**request, "peer": network, "peer_groups": None}


KIND = Kind(
    name="network_router",
    model=NetworkRouter,
    parent="network",
    section=("routers",),
    layout=Layout.LISTED,
    endpoint=Endpoint("/networks/routers", members="routers", collection="/networks/{parent}/routers"),
    always=frozenset({"enabled", "masquerade", "metric", "peer", "peer_groups"}),
    module="networks",
    since="0.45.2",
    fields_since={"enabled": "0.36.0"},
    decided_at_creation=frozenset({"enabled"}),
    starts_shut=_starts_shut,
    is_begun=lambda seen, network: bool(network) and seen.get("peer") == network,
    name_field="",
    suffix=via,
    effect=routing_effect,
    uses=routing_uses,
    common=routing_common,
    shut=routing_shut,
    apart=lambda _after, _around: "network_router",
    successor_first=True,
    waits_for=("network_resource",),
)
