"""Network routers (module ``networks``): the peer, or the groups of peers, through which a network is reached.

Neither peers nor groups are checked to exist, but both are held by a router that names them.
"""

from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, INT, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import PlainError, Refusal, bad_request, not_found, prefixed
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import list_text
from reconciler.simulator.world import Account

from .resources import existing_network

KIND: Final = "network_routers"
_BODY: Final = Struct(
    {"peer": Nullable(TEXT), "peer_groups": TEXTS, "metric": INT, "masquerade": BOOL, "enabled": BOOL}
)


def list_all(call: Call) -> Any:
    """``GET /networks/routers``: network by network in any order, those of one network oldest first."""
    call.require("networks", READ)
    networks = call.account.rows("networks")
    call.world.random.shuffle(networks)
    return [_view(router) for network in networks for router in of_network(call.account, network["id"])]


def list_of_network(call: Call) -> Any:
    """``GET /networks/{id}/routers``: ``[]`` if there are none, or no such network."""
    call.require("networks", READ)
    return [_view(router) for router in of_network(call.account, call.path["network_id"])]


def get_one(call: Call) -> Any:
    """``GET /networks/{id}/routers/{id}``: one of another network is an error without a status."""
    call.require("networks", READ)
    router = _existing(call)
    if router["network_id"] != call.path["network_id"]:
        raise PlainError
    return _view(router)


def create(call: Call) -> Any:
    """``POST /networks/{id}/routers``: always enabled, whatever the body says."""
    body = _checked_body(call)
    call.require("networks", CREATE)
    network = existing_network(call)
    router = _saved(call, call.world.new_id(), {**body, "enabled": True})
    call.audit("network.router.create", router["id"], **_meta(router, network))
    return _view(router)


def update(call: Call) -> Any:
    """``PUT /networks/{id}/routers/{id}``: peer or groups, network, router, its network, in this order."""
    body = _checked_body(call)
    call.require("networks", UPDATE)
    network = existing_network(call)
    old = _existing(call)
    _require_membership(old, network)
    router = _saved(call, old["id"], body)
    call.audit("network.router.update", router["id"], **_meta(router, network))
    return _view(router)


def delete(call: Call) -> Any:
    """``DELETE /networks/{id}/routers/{id}``: router, network, its network, in this order."""
    call.require("networks", DELETE)
    router = _existing(call)
    with prefixed("failed to delete network router: "):
        network = existing_network(call)
        _require_membership(router, network)
    remove(call, router, network)
    return {}


def remove(call: Call, router: Row, network: Row) -> None:
    """Take a router out of its network, with the event of that."""
    call.account.remove(KIND, router["id"])
    call.audit("network.router.delete", router["id"], **_meta(router, network))


def of_network(account: Account, network_id: str) -> list[Row]:
    """The routers of a network, oldest first."""
    return account.where(KIND, "network_id", network_id)


def _checked_body(call: Call) -> Row:
    body: Row = call.body(_BODY)
    if body["peer"] and body["peer_groups"]:
        raise Refusal(400, "peer and peer_groups cannot be set at the same time", verbatim=True)
    if not body["peer"] and not body["peer_groups"]:
        raise Refusal(400, "either peer or peer_groups must be provided", verbatim=True)
    return body


def _existing(call: Call) -> Row:
    router_id = call.path["router_id"]
    router = call.account.find(KIND, router_id)
    if router is None:
        raise not_found(f"failed to get network router: network router: {router_id} not found")
    return router


def _require_membership(router: Row, network: Row) -> None:
    if router["network_id"] != network["id"]:
        raise bad_request(f"router {router['id']} is not part of the network {network['id']}")


def _saved(call: Call, router_id: str, body: Row) -> Row:
    return call.account.save(
        KIND, {**body, "peer": body["peer"] or "", "id": router_id, "network_id": call.path["network_id"]}
    )


def _meta(router: Row, network: Row) -> dict[str, str]:
    return {
        "network_name": network["name"],
        "network_id": network["id"],
        "peer": router["peer"],
        "peer_groups": list_text(router["peer_groups"]),
    }


def _view(router: Row) -> Row:
    return {
        "enabled": router["enabled"],
        "id": router["id"],
        "masquerade": router["masquerade"],
        "metric": router["metric"],
        "peer": router["peer"],
        "peer_groups": router["peer_groups"],
    }


def _group_ids(router: Row) -> list[str]:
    return router["peer_groups"] or []


def _holds_group(account: Account, group: Row) -> str | None:
    holders = account.where(KIND, "group", group["id"])
    return f"network router: {holders[0]['id']}" if holders else None


def _holds_peer(account: Account, peer: Row) -> str | None:
    holders = account.where(KIND, "peer", peer["id"])
    return f"peer is linked to a network router: {holders[0]['id']}" if holders else None


AREA = Area(
    routes=(
        Route("GET", "/networks/routers", list_all),
        Route("GET", "/networks/<network_id>/routers", list_of_network),
        Route("POST", "/networks/<network_id>/routers", create),
        Route("GET", "/networks/<network_id>/routers/<router_id>", get_one),
        Route("PUT", "/networks/<network_id>/routers/<router_id>", update),
        Route("DELETE", "/networks/<network_id>/routers/<router_id>", delete),
    ),
    indexes={KIND: {"group": _group_ids}},
    activities={
        "network.router.create": "Network router created",
        "network.router.update": "Network router updated",
        "network.router.delete": "Network router deleted",
    },
    holds_group=_holds_group,
    holds_peer=_holds_peer,
)
