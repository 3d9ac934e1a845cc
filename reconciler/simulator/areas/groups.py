"""Groups (module ``groups``): their peers are kept as ``memberships``, their network resources as ``group_resources``.

Unknown peers are stored and hidden, unknown resources are stored and shown. All deletion refusals are 400 in original
case, the first of a fixed order of causes.
"""

from typing import Any

from reconciler.simulator import membership
from reconciler.simulator.addresses import fqdn, reconcile_ipv6
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXT, TEXTS, ListOf, Struct
from reconciler.simulator.errors import ConnectionDropped, Refusal, conflict, denied, invalid, not_found
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE, allowed, has_admin_power
from reconciler.simulator.registry import Area, Route, areas
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

BODY = Struct({"name": TEXT, "peers": TEXTS, "resources": ListOf(Struct({"id": TEXT, "type": TEXT}))})
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
    return [view(call.account, _named(call.account, name))]


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
    group = membership.new_group(call.account, body["name"], "api")
    call.audit("group.add", group["id"], name=group["name"])
    return _written(call, group, body)


def update_group(call: Call) -> Any:
    """``PUT /groups/{id}``: replaces all; a name that another group has is accepted."""
    _require_read(call)
    group = _existing(call)
    if group["id"] == _named(call.account, membership.ALL)["id"]:
        raise invalid("updating group ALL is not allowed")
    body = _checked_body(call)
    call.require("groups", UPDATE)
    if body["name"] != group["name"]:
        call.audit("group.update", group["id"], old_name=group["name"], new_name=body["name"])
    return _written(call, group, body)


def delete_group(call: Call) -> Any:
    """``DELETE /groups/{id}``: members do not hold a group, whatever names it elsewhere does."""
    call.require("groups", DELETE)
    group = call.account.find("groups", call.path["group_id"])
    if group is None:
        raise _kept(f"group: {call.path['group_id']} not found")
    _refuse_if_held(call, group)
    for peer_id in membership.member_ids(call.account, group["id"]):
        membership.remove_member(call.account, group["id"], peer_id)
    call.account.remove("groups", group["id"])
    reconcile_ipv6(call.account, [group["id"]])
    call.audit("group.delete", group["id"], name=group["name"])
    return {}


def view(account: Account, group: Row, peer_ids: list[str] | None = None) -> Row:
    """The group as the API shows it: known peers in the order in which they joined the account.

    Args:
        account: Whose group it is.
        group: Its row.
        peer_ids: Another order of peers: the answer to a write has the request's.

    Raises:
        ConnectionDropped: one of its resources has neither id nor type, which cannot be shown.
    """
    resources = membership.resources_of(account, group["id"])
    if {"id": "", "type": ""} in resources:
        raise ConnectionDropped
    found = [account.find("peers", peer_id) for peer_id in peer_ids or membership.member_ids(account, group["id"])]
    peers = [peer for peer in found if peer is not None]
    if peer_ids is None:
        peers.sort(key=lambda peer: account.world.store.table("peers").place(peer["id"]))
    return {
        "id": group["id"],
        "name": group["name"],
        "issued": group["issued"],
        "peers": [{"id": peer["id"], "name": peer["name"]} for peer in peers] or None,
        "peers_count": len(peers),
        "resources": resources or None,
        "resources_count": len(resources),
    }


def _require_read(call: Call) -> None:
    """Reads of groups give the reasons bare, without the prefix that other kinds have."""
    if not allowed(call.user, call.account.id, "groups", READ):
        raise denied()


def _named(account: Account, name: str) -> Row:
    """The group of this name; of several the one with most peers."""
    named = account.where("groups", "name", name)
    if not named:
        raise not_found(f"group: {name} not found")
    return max(named, key=lambda group: len(membership.member_ids(account, group["id"])))


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
    group = account.save("groups", {**group, "name": body["name"]})
    membership.set_resources(account, group["id"], body["resources"] or [])
    wanted = body["peers"] or []
    known = membership.member_ids(account, group["id"])
    kept, before = set(wanted), set(known)
    removed = [peer_id for peer_id in known if peer_id not in kept]
    added = [peer_id for peer_id in wanted if peer_id not in before]
    for peer_id in removed:
        membership.remove_member(account, group["id"], peer_id)
    for peer_id in added:
        membership.add_member(account, group["id"], peer_id)
    reconcile_ipv6(account, [group["id"]])
    _audit_members(call, "peer.group.delete", group, removed)
    _audit_members(call, "peer.group.add", group, added)
    return view(account, group, list(dict.fromkeys(wanted)))


def _audit_members(call: Call, code: str, group: Row, peer_ids: list[str]) -> None:
    """One event for each peer, for each time that a request names it."""
    for peer_id in peer_ids:
        if peer := call.account.find("peers", peer_id):
            told = {"peer_ip": peer["ip"], "peer_fqdn": fqdn(call.account, peer)}
            call.audit(code, peer_id, group=group["name"], group_id=group["id"], **told)


def _refuse_if_held(call: Call, group: Row) -> None:
    if group["issued"] == "integration" and not (call.user["is_service_user"] and has_admin_power(call.user)):
        raise _kept("only service users with admin power can delete integration group")
    if group["name"] == membership.ALL:
        raise _kept("deleting group ALL is not allowed")
    if resources := membership.resources_of(call.account, group["id"]):
        raise _kept(f"group has been linked to network resource: {resources[0]['id']}")
    for name in HOLDERS:
        area = areas().get(name)
        if area and area.holds_group and (holder := area.holds_group(call.account, group)):
            raise _kept(f"group has been linked to {holder}")


def _kept(message: str) -> Refusal:
    return Refusal(400, message, verbatim=True)


AREA = Area(
    routes=(
        Route("GET", "/groups", list_groups),
        Route("POST", "/groups", create_group),
        Route("GET", "/groups/<group_id>", get_group),
        Route("PUT", "/groups/<group_id>", update_group),
        Route("DELETE", "/groups/<group_id>", delete_group),
    ),
    activities={
        "group.add": "Group created",
        "group.update": "Group updated",
        "group.delete": "Group deleted",
        "peer.group.add": "Group added to peer",
        "peer.group.delete": "Group removed from peer",
    },
)
