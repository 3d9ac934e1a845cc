"""Groups (module ``groups``): members are kept as ``memberships``, network resources in the group's own row.

Unknown peers are stored and hidden, unknown resources are stored and shown. All deletion refusals are 400 in original
case, the first of a fixed order of causes.
"""

from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXT, TEXTS, ListOf, Struct
from reconciler.simulator.errors import ConnectionDropped, Refusal, conflict, denied, invalid, not_found
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE, allowed, has_admin_power
from reconciler.simulator.registry import Area, Route, areas
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

BODY = Struct({"name": TEXT, "peers": TEXTS, "resources": ListOf(Struct({"id": TEXT, "type": TEXT}))})
ALL = "All"

HOLDERS = (
    "routes",
    "nameservers",
    "policies",
    "setup_keys",
    "users",
    "routers",
    "proxy_services",
    "agent_policies",
    "dns_settings",
)
"""Areas that may hold a group, in the order in which a deletion asks them."""


def list_groups(call: Call) -> Any:
    """``GET /groups``; ``?name=`` gives the one with that name, or with most peers of several."""
    _require_read(call)
    name = call.query("name")
    if not name:
        return [view(call.account, group) for group in call.account.rows("groups")]
    named = call.account.where("groups", "name", name)
    if not named:
        raise not_found(f"group: {name} not found")
    return [view(call.account, max(named, key=lambda group: len(member_ids(call.account, group["id"]))))]


def get_group(call: Call) -> Any:
    """``GET /groups/{id}``."""
    _require_read(call)
    return view(call.account, _existing(call))


def create_group(call: Call) -> Any:
    """``POST /groups``: the name must be new among groups of any origin."""
    body = _checked_body(call)
    call.require("groups", CREATE)
    if call.account.where("groups", "name", body["name"]):
        raise conflict(f"group with name {body['name']} already exists")
    group = new_group(call.account, body["name"], "api")
    call.audit("group.add", group["id"], name=group["name"])
    return _written(call, group, body)


def update_group(call: Call) -> Any:
    """``PUT /groups/{id}``: replaces all; a name that another group has is accepted."""
    group = _existing(call)
    named_all = call.account.where("groups", "name", ALL)
    if not named_all:
        raise not_found("group: all not found")
    if group["id"] == named_all[0]["id"]:
        raise invalid("updating group ALL is not allowed")
    body = _checked_body(call)
    call.require("groups", UPDATE)
    call.audit("group.update", group["id"], name=body["name"])
    return _written(call, group, body)


def delete_group(call: Call) -> Any:
    """``DELETE /groups/{id}``: members do not hold a group, whatever names it elsewhere does."""
    call.require("groups", DELETE)
    group = call.account.find("groups", call.path["group_id"])
    if group is None:
        raise _kept(f"group: {call.path['group_id']} not found")
    _refuse_if_held(call, group)
    for membership in call.account.where("memberships", "group", group["id"]):
        call.account.remove("memberships", membership["id"])
    call.account.remove("groups", group["id"])
    call.audit("group.delete", group["id"], name=group["name"])
    return {}


def new_group(account: Account, name: str, issued: str) -> Row:
    """Store an empty group; ``issued`` is ``api``, ``jwt`` or ``integration``."""
    return account.save("groups", {"id": account.world.new_id(), "name": name, "issued": issued, "resources": []})


def all_group(account: Account) -> Row:
    """The account's group All: of several of that name the one that was there first."""
    return account.where("groups", "name", ALL)[0]


def member_ids(account: Account, group_id: str) -> list[str]:
    """Ids of the group's peers, those unknown to the account included."""
    return [membership["peer"] for membership in account.where("memberships", "group", group_id)]


def group_ids_of(account: Account, peer_id: str) -> list[str]:
    """Ids of the groups that a peer is in."""
    return [membership["group"] for membership in account.where("memberships", "peer", peer_id)]


def add_member(account: Account, group_id: str, peer_id: str) -> None:
    """Put a peer into a group; nothing happens if it is there."""
    key = f"{group_id}/{peer_id}"
    if account.find("memberships", key) is None:
        account.save("memberships", {"id": key, "group": group_id, "peer": peer_id})


def remove_member(account: Account, group_id: str, peer_id: str) -> None:
    """Take a peer out of a group."""
    account.remove("memberships", f"{group_id}/{peer_id}")


def set_resources(account: Account, group: Row, resources: list[Row]) -> Row:
    """Store the group with these network resources, ``{"id", "type"}`` each; returns its new row."""
    return account.save("groups", {**group, "resources": resources})


def minimum(account: Account, group: Row) -> Row:
    """The short form inside other objects; its counts include unknown peers."""
    count = account.world.store.table("memberships").count("group", group["id"])
    resources = len(group["resources"])
    return {"id": group["id"], "name": group["name"], "peers_count": count, "resources_count": resources}


def view(account: Account, group: Row, peer_ids: list[str] | None = None) -> Row:
    """The group as the API shows it: known peers in the order in which they joined the account.

    Args:
        account: Whose group it is.
        group: Its row.
        peer_ids: Another order of peers: the answer to a write has the request's.

    Raises:
        ConnectionDropped: one of its resources has neither id nor type, which cannot be shown.
    """
    if any(not resource["id"] and not resource["type"] for resource in group["resources"]):
        raise ConnectionDropped
    found = [account.find("peers", peer_id) for peer_id in peer_ids or member_ids(account, group["id"])]
    peers = [peer for peer in found if peer is not None]
    if peer_ids is None:
        peers.sort(key=lambda peer: account.world.store.table("peers").place(peer["id"]))
    return {
        "id": group["id"],
        "name": group["name"],
        "issued": group["issued"],
        "peers": [{"id": peer["id"], "name": peer["name"]} for peer in peers] or None,
        "peers_count": len(peers),
        "resources": group["resources"] or None,
        "resources_count": len(group["resources"]),
    }


def _require_read(call: Call) -> None:
    """Reads of groups give the reasons bare, without the prefix that other kinds have."""
    if not allowed(call.user, call.account.id, "groups", READ):
        raise denied()


def _existing(call: Call) -> Row:
    group = call.account.find("groups", call.path["group_id"])
    if group is None:
        raise not_found(f"group: {call.path['group_id']} not found")
    return group


def _checked_body(call: Call) -> Row:
    body: Row = call.body(BODY)
    if not body["name"]:
        raise invalid("group name shouldn't be empty")
    return body


def _written(call: Call, group: Row, body: Row) -> Row:
    """Store what the request says and answer with the request's order of peers."""
    account = call.account
    wanted = list(dict.fromkeys(body["peers"] or []))
    known = member_ids(account, group["id"])
    for peer_id in set(known) - set(wanted):
        remove_member(account, group["id"], peer_id)
    for peer_id in wanted:
        add_member(account, group["id"], peer_id)
    group = set_resources(account, {**group, "name": body["name"]}, body["resources"] or [])
    return view(account, group, wanted)


def _refuse_if_held(call: Call, group: Row) -> None:
    if group["issued"] == "integration" and not (call.user["is_service_user"] and has_admin_power(call.user)):
        raise _kept("only service users with admin power can delete integration group")
    if group["name"] == ALL:
        raise _kept("deleting group ALL is not allowed")
    if group["resources"]:
        raise _kept(f"group has been linked to network resource: {group['resources'][0]['id']}")
    for name in HOLDERS:
        area = areas().get(name)
        if area and area.holds_group and (holder := area.holds_group(call.account, group)):
            raise _kept(f"group has been linked to {holder}")


def _kept(message: str) -> Refusal:
    return Refusal(400, message, verbatim=True)


def _resource_ids(group: Row) -> list[str]:
    return [resource["id"] for resource in group["resources"]]


AREA = Area(
    routes=(
        Route("GET", "/groups", list_groups),
        Route("POST", "/groups", create_group),
        Route("GET", "/groups/<group_id>", get_group),
        Route("PUT", "/groups/<group_id>", update_group),
        Route("DELETE", "/groups/<group_id>", delete_group),
    ),
    indexes={"groups": {"resource": _resource_ids}},
    activities={
        "group.add": "Group created",
        "group.update": "Group updated",
        "group.delete": "Group deleted",
    },
)
