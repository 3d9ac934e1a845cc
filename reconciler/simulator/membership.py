"""Who and what is in which group: the ``memberships`` and ``group_resources`` tables, read and written by many areas."""

from collections.abc import Sequence

from .store import Row
from .world import Account

ALL = "All"
"""The group that every peer is in. Groups are treated as it by their name, not by their id."""


def new_group(account: Account, name: str, issued: str) -> Row:
    """Store an empty group; ``issued`` is ``api``, ``jwt`` or ``integration``."""
    return account.save("groups", {"id": account.world.new_id(), "name": name, "issued": issued})


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


def resources_of(account: Account, group_id: str) -> list[Row]:
    """The group's network resources, ``{"id", "type"}`` each, in the order in which they came."""
    entries = account.where("group_resources", "group", group_id)
    return [{"id": entry["resource"], "type": entry["type"]} for entry in entries]


def of_resource(account: Account, resource_id: str) -> list[Row]:
    """The groups of a network resource: oldest first, once for each entry that a group has of it."""
    group_ids = [entry["group"] for entry in account.where("group_resources", "resource", resource_id)]
    found = [group for group_id in group_ids if (group := account.find("groups", group_id))]
    return sorted(found, key=lambda group: account.world.store.table("groups").place(group["id"]))


def holding(account: Account, resource_id: str) -> list[Row]:
    """The groups that a network resource is shown in: one that has its id among the peers counts again for that."""
    as_peer = (account.find("groups", group_id) for group_id in group_ids_of(account, resource_id))
    found = [*of_resource(account, resource_id), *filter(None, as_peer)]
    return sorted(found, key=lambda group: account.world.store.table("groups").place(group["id"]))


def add_resource(account: Account, group_id: str, resource: Row) -> None:
    """Put a network resource into a group, under its type of now; nothing happens if it is there like that."""
    entries = account.where("group_resources", "resource", resource["id"])
    if (group_id, resource["type"]) not in {(entry["group"], entry["type"]) for entry in entries}:
        _enter(account, group_id, resource)


def remove_resource(account: Account, group_id: str, resource_id: str) -> None:
    """Take the first entry of a network resource out of a group."""
    entries = account.where("group_resources", "resource", resource_id)
    account.remove("group_resources", next(entry["id"] for entry in entries if entry["group"] == group_id))


def propagate(account: Account, user_id: str, removed: Sequence[str], added: Sequence[str]) -> None:
    """Take a user's peers out of groups and put them into others; IPv6 addresses are the caller's to settle."""
    peers = [peer["id"] for peer in account.where("peers", "user_id", user_id)]
    for peer_id in peers:
        for group_id in removed:
            remove_member(account, group_id, peer_id)
        for group_id in added:
            if account.find("groups", group_id):
                add_member(account, group_id, peer_id)


def set_resources(account: Account, group_id: str, resources: list[Row]) -> None:
    """Make these the group's network resources: nothing is checked, the same one may come twice."""
    for entry in account.where("group_resources", "group", group_id):
        account.remove("group_resources", entry["id"])
    for resource in resources:
        _enter(account, group_id, resource)


def minimum(account: Account, group: Row) -> Row:
    """The short form inside other objects; its counts include unknown peers."""
    return {
        "id": group["id"],
        "name": group["name"],
        "peers_count": account.world.store.table("memberships").count("group", group["id"]),
        "resources_count": account.world.store.table("group_resources").count("group", group["id"]),
    }


def _enter(account: Account, group_id: str, resource: Row) -> None:
    place = account.world.store.table("group_resources").next_place
    entry = {"group": group_id, "resource": resource["id"], "type": resource["type"]}
    account.save("group_resources", {"id": f"{group_id}/{place}", **entry})
