"""Networks (module ``networks``): nothing but JSON is checked, and most of what is shown is computed.

A list of children that is empty is ``null`` or ``[]``, depending on who answers: POST gives ``[]``, the listing
``null`` for resources and ``[]`` for routers, everything else ``null``.
"""

from collections.abc import Sequence
from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXT, Nullable, Struct
from reconciler.simulator.errors import not_found, prefixed
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

from . import resources, routers

KIND: Final = "networks"
_BODY: Final = Struct({"name": TEXT, "description": Nullable(TEXT)})


def list_networks(call: Call) -> Any:
    """``GET /networks``."""
    call.require("networks", READ)
    views = [_view(call, network) for network in call.account.rows(KIND)]
    return [{**view, "routers": view["routers"] or []} for view in views]


def get_network(call: Call) -> Any:
    """``GET /networks/{id}``."""
    call.require("networks", READ)
    network = call.account.find(KIND, call.path["network_id"])
    if network is None:
        raise not_found(f"network: {call.path['network_id']} not found")
    return _view(call, network)


def create_network(call: Call) -> Any:
    """``POST /networks``: any name, taken or empty or missing."""
    body = call.body(_BODY)
    call.require("networks", CREATE)
    network = _saved(call, call.world.new_id(), body)
    call.audit("network.create", network["id"], name=network["name"])
    return {**_view(call, network), "routers": [], "resources": []}


def update_network(call: Call) -> Any:
    """``PUT /networks/{id}``: what is left out becomes empty."""
    body = call.body(_BODY)
    call.require("networks", UPDATE)
    network = _saved(call, resources.existing_network(call)["id"], body)
    call.audit("network.update", network["id"], name=network["name"])
    return _view(call, network)


def delete_network(call: Call) -> Any:
    """``DELETE /networks/{id}``: takes resources and routers along; nothing holds a network."""
    call.require("networks", DELETE)
    network = resources.existing_network(call)
    owned = resources.of_network(call.account, network["id"])
    with prefixed("failed to delete network: failed to delete resource: failed to remove resource from group: "):
        for resource in owned:
            resources.require_own_groups(call.account, resource["id"])
    for resource in owned:
        resources.remove(call, resource, network)
    for router in routers.of_network(call.account, network["id"]):
        routers.remove(call, router, network)
    call.account.remove(KIND, network["id"])
    call.audit("network.delete", network["id"], name=network["name"])
    return {}


def _saved(call: Call, network_id: str, body: Row) -> Row:
    row = {"id": network_id, "name": body["name"], "description": body["description"] or ""}
    return call.account.save(KIND, row)


def _view(call: Call, network: Row) -> Row:
    account = call.account
    resource_ids = [resource["id"] for resource in resources.of_network(account, network["id"])]
    routing = routers.of_network(account, network["id"])
    policy_ids = _policy_ids(account, resource_ids)
    call.world.random.shuffle(policy_ids)
    return {
        "description": network["description"],
        "id": network["id"],
        "name": network["name"],
        "policies": policy_ids,
        "resources": resource_ids or None,
        "routers": [router["id"] for router in routing] or None,
        "routing_peers_count": sum(_routing_peers(account, router) for router in routing),
    }


def _routing_peers(account: Account, router: Row) -> int:
    """One for a peer, known or not, else every member of every group, counted as often as it is named."""
    if router["peer"]:
        return 1
    memberships = account.world.store.table("memberships")
    own = [group_id for group_id in router["peer_groups"] or () if account.find("groups", group_id)]
    return sum(memberships.count("group", group_id) for group_id in own)


def _policy_ids(account: Account, resource_ids: Sequence[str]) -> list[str]:
    """Enabled policies with an enabled rule to one of the resources, directly or through a group."""
    group_ids = dict.fromkeys(
        group_id for resource_id in resource_ids for group_id in resources.group_ids(account, resource_id)
    )
    found = [
        *(account.where("policies", "destination_resource", resource_id) for resource_id in resource_ids),
        *(account.where("policies", "destination_group", group_id) for group_id in group_ids),
    ]
    return list(dict.fromkeys(policy["id"] for policies in found for policy in policies))


def _enabled_rules(policy: Row) -> list[Row]:
    return [rule for rule in policy["rules"] if policy["enabled"] and rule["enabled"]]


def _destination_resources(policy: Row) -> list[str]:
    return [rule["destinationResource"]["id"] for rule in _enabled_rules(policy) if rule["destinationResource"]]


def _destination_groups(policy: Row) -> list[str]:
    return [group_id for rule in _enabled_rules(policy) for group_id in rule["destinations"] or ()]


AREA = Area(
    routes=(
        Route("GET", "/networks", list_networks),
        Route("POST", "/networks", create_network),
        Route("GET", "/networks/<network_id>", get_network),
        Route("PUT", "/networks/<network_id>", update_network),
        Route("DELETE", "/networks/<network_id>", delete_network),
    ),
    indexes={"policies": {"destination_resource": _destination_resources, "destination_group": _destination_groups}},
    activities={
        "network.create": "Network created",
        "network.update": "Network updated",
        "network.delete": "Network deleted",
    },
)
