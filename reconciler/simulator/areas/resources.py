"""Network resources (module ``networks``): hosts, subnets and domains behind a network.

Which groups a resource is in is kept with the groups only. Names are unique in the account. An address that the server
cannot read is an error without a status of its own: 500, before anything but JSON and permission is looked at.
"""

from collections.abc import Sequence
from typing import Any, Final

from reconciler.simulator import membership, resource_address
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import PlainError, invalid, not_found, precondition, prefixed
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

KIND: Final = "network_resources"
_BODY: Final = Struct({"name": TEXT, "description": Nullable(TEXT), "address": TEXT, "groups": TEXTS, "enabled": BOOL})


def list_all(call: Call) -> Any:
    """``GET /networks/resources``: those of all networks, ``[]`` if there are none."""
    call.require("networks", READ)
    return _views(call.account, call.account.rows(KIND))


def list_of_network(call: Call) -> Any:
    """``GET /networks/{id}/resources``: ``null`` if there are none, or no such network."""
    call.require("networks", READ)
    return _views(call.account, of_network(call.account, call.path["network_id"])) or None


def get_one(call: Call) -> Any:
    """``GET /networks/{id}/resources/{id}``: one of another network is an error without a status."""
    call.require("networks", READ)
    resource = _existing(call)
    if resource["network_id"] != call.path["network_id"]:
        raise PlainError
    return _view(call.account, resource)


def create(call: Call) -> Any:
    """``POST /networks/{id}/resources``: address, name, network, groups, in this order."""
    body = call.body(_BODY)
    call.require("networks", CREATE)
    address = resource_address.parse(body["address"])
    with prefixed("failed to create network resource: "):
        if call.account.where(KIND, "name", body["name"]):
            raise invalid(f"resource with name {body['name']} already exists")
        network = existing_network(call)
        _check_groups(call.account, body["groups"] or [])
    resource = _saved(call, call.world.new_id(), body, address)
    call.audit("network.resource.create", resource["id"], **_meta(resource, network))
    for group_id in body["groups"] or []:
        _join(call, group_id, resource)
    return _view(call.account, resource)


def update(call: Call) -> Any:
    """``PUT /networks/{id}/resources/{id}``: address, network, resource, name, groups; moves it to that network."""
    body = call.body(_BODY)
    call.require("networks", UPDATE)
    address = resource_address.parse(body["address"])
    with prefixed("failed to update network resource: "):
        network = existing_network(call)
        old = _existing(call)
        if any(other["id"] != old["id"] for other in call.account.where(KIND, "name", body["name"])):
            raise invalid("new resource name already exists")
        before, after = group_ids(call.account, old["id"]), body["groups"] or []
        joined = [group_id for group_id in after if group_id not in before]
        with prefixed("failed to update resource groups: "):
            _check_groups(call.account, joined)
            with prefixed("failed to add resource to group: "):
                require_own_groups(call.account, old["id"], after)
    resource = _saved(call, old["id"], body, address)
    for group_id in joined:
        _join(call, group_id, resource)
    for group_id in before:
        if group_id not in after:
            _leave(call, group_id, resource)
    call.audit("network.resource.update", resource["id"], **_meta(resource, network))
    return _view(call.account, resource)


def delete(call: Call) -> Any:
    """``DELETE /networks/{id}/resources/{id}``: refused while a reverse-proxy service points to it."""
    call.require("networks", DELETE)
    resource_id = call.path["resource_id"]
    if services := call.account.where("proxy_services", "network_resource", resource_id):
        raise precondition(f"resource {resource_id} is in use by proxy {services[0]['id']}")
    with prefixed("failed to delete network resource: "):
        resource = _existing(call)
        with prefixed("failed to delete resource: "):
            network = existing_network(call)
        if resource["network_id"] != network["id"]:
            raise PlainError
        with prefixed("failed to delete resource: failed to remove resource from group: "):
            require_own_groups(call.account, resource_id)
    remove(call, resource, network)
    return {}


def remove(call: Call, resource: Row, network: Row) -> None:
    """Take a resource out of its groups and out of its network, with the events of that."""
    for group_id in group_ids(call.account, resource["id"]):
        _leave(call, group_id, resource)
    call.account.remove(KIND, resource["id"])
    call.audit("network.resource.delete", resource["id"], **_meta(resource, network))


def require_own_groups(account: Account, resource_id: str, kept: Sequence[str] = ()) -> None:
    """Refuse (404) to take a resource out of the groups that list it if one of them is another account's.

    The server looks for the resource's id in the groups of all accounts, and then for those groups in its own.
    """
    store = account.world.store
    entries = store.table("group_resources").where("resource", resource_id)
    foreign = {entry["group"] for entry in entries if entry["account_id"] != account.id} - set(kept)
    if foreign:
        first = min(foreign, key=store.table("groups").place)
        raise not_found(f"error removing resource from group: group: {first} not found")


def of_network(account: Account, network_id: str) -> list[Row]:
    """The resources of a network, oldest first."""
    return account.where(KIND, "network_id", network_id)


def group_ids(account: Account, resource_id: str) -> list[str]:
    """The groups that a resource is in, oldest first, each once."""
    return list(dict.fromkeys(group["id"] for group in membership.of_resource(account, resource_id)))


def existing_network(call: Call) -> Row:
    """The network of the path; 404 if the account has none with that id."""
    network_id = call.path["network_id"]
    network = call.account.find("networks", network_id)
    if network is None:
        raise not_found(f"failed to get network: network: {network_id} not found")
    return network


def _existing(call: Call) -> Row:
    resource_id = call.path["resource_id"]
    resource = call.account.find(KIND, resource_id)
    if resource is None:
        raise not_found(f"failed to get network resource: network resource: {resource_id} not found")
    return resource


def _check_groups(account: Account, ids: Sequence[str]) -> None:
    for group_id in ids:
        if account.find("groups", group_id) is None:
            raise not_found(
                f"failed to add resource to group: error adding resource to group: group: {group_id} not found"
            )


def _saved(call: Call, resource_id: str, body: Row, address: resource_address.Address) -> Row:
    return call.account.save(
        KIND,
        {
            "id": resource_id,
            "network_id": call.path["network_id"],
            "name": body["name"],
            "description": body["description"] or "",
            "type": address.type,
            "address": address.text,
            "enabled": body["enabled"],
        },
    )


def _join(call: Call, group_id: str, resource: Row) -> None:
    """Add the resource, with the type that it has now, to a group; the event comes even if it was there."""
    membership.add_resource(call.account, group_id, resource)
    call.audit("resource.group.add", group_id, **_membership_meta(call.account, group_id, resource))


def _leave(call: Call, group_id: str, resource: Row) -> None:
    """Take one entry of the resource out of a group; a group's own PUT may have written several."""
    membership.remove_resource(call.account, group_id, resource["id"])
    call.audit("resource.group.delete", group_id, **_membership_meta(call.account, group_id, resource))


def _meta(resource: Row, network: Row) -> dict[str, str]:
    return {
        "name": resource["name"],
        "type": resource["type"],
        "network_name": network["name"],
        "network_id": network["id"],
    }


def _membership_meta(account: Account, group_id: str, resource: Row) -> dict[str, str]:
    group = account.find("groups", group_id)
    assert group is not None, group_id
    return {
        "id": group["id"],
        "name": group["name"],
        "resource_id": resource["id"],
        "resource_name": resource["name"],
        "resource_type": resource["type"],
    }


def _views(account: Account, resources: Sequence[Row]) -> list[Row]:
    return [_view(account, resource) for resource in resources]


def _view(account: Account, resource: Row) -> Row:
    holding = membership.holding(account, resource["id"])
    return {
        "address": resource["address"],
        "description": resource["description"],
        "enabled": resource["enabled"],
        "groups": [membership.minimum(account, group) for group in holding] or None,
        "id": resource["id"],
        "name": resource["name"],
        "type": resource["type"],
    }


def _target_ids(service: Row) -> list[str]:
    return [target["target_id"] for target in service["targets"] or []]


AREA = Area(
    routes=(
        Route("GET", "/networks/resources", list_all),
        Route("GET", "/networks/<network_id>/resources", list_of_network),
        Route("POST", "/networks/<network_id>/resources", create),
        Route("GET", "/networks/<network_id>/resources/<resource_id>", get_one),
        Route("PUT", "/networks/<network_id>/resources/<resource_id>", update),
        Route("DELETE", "/networks/<network_id>/resources/<resource_id>", delete),
    ),
    indexes={"proxy_services": {"network_resource": _target_ids}},
    activities={
        "network.resource.create": "Network resource created",
        "network.resource.update": "Network resource updated",
        "network.resource.delete": "Network resource deleted",
        "resource.group.add": "Resource added to group",
        "resource.group.delete": "Resource removed from group",
    },
)
