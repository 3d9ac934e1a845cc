"""The rules of ``PUT /users/{id}``, in the order of their checks, and what a change does."""

from reconciler.simulator import membership
from reconciler.simulator.addresses import reconcile_ipv6
from reconciler.simulator.errors import denied, invalid, prefixed
from reconciler.simulator.permissions import has_admin_power
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

from .peer_views import meta

OWNER = "owner"
BLOCKED = "blocked owner account"
ACTIVITIES = {
    "user.role.update": "User role updated",
    "peer.login.expire": "Peer login expired",
    "user.block": "User blocked",
    "user.unblock": "User unblocked",
    "user.group.add": "Group added to user",
    "user.group.delete": "Group removed from user",
    "transferred.owner.role": "Transferred owner role",
}


def update(account: Account, caller: Row, target: Row, wanted: Row) -> Row:
    """Change a user; an owner who makes somebody else owner becomes an admin.

    Args:
        account: The caller's account.
        caller: Who asks.
        target: The user as it is.
        wanted: ``role``, ``auto_groups`` and ``is_blocked``.

    Returns:
        The user's new row.
    """
    with prefixed(f"failed to process update for user {target['id']}: "):
        _check(account, caller, target, wanted)
    hands_over = wanted["role"] == OWNER and target["role"] != OWNER
    if hands_over:
        account.save("users", {**caller, "role": "admin"})
    updated = account.save("users", {**target, **wanted})
    _audit(account, caller["id"], target, updated)
    if account.settings["groups_propagation_enabled"]:
        follow_groups(account, caller["id"], target, updated)
    if updated["is_blocked"] and not target["is_blocked"]:
        _expire_peers(account, target["id"])
    return updated


def _check(account: Account, caller: Row, target: Row, wanted: Row) -> None:
    if not has_admin_power(caller):
        raise denied("only admins and owners can update users")
    if target["account_id"] != account.id:
        raise invalid("user account ID mismatch")
    _check_role(caller, target, wanted)
    for group_id in wanted["auto_groups"]:
        group = account.find("groups", group_id)
        if group is None:
            raise invalid(f"provided group ID {group_id} in the user {target['id']} update doesn't exist")
        if group["name"] == membership.ALL:
            raise invalid("can't add All group to the user")


def _check_role(caller: Row, target: Row, wanted: Row) -> None:
    changes_role = wanted["role"] != target["role"]
    if caller["id"] == target["id"] and wanted["is_blocked"] != target["is_blocked"]:
        raise denied("admins can't block or unblock themselves")
    if caller["id"] == target["id"] and changes_role:
        raise denied("admins can't change their role")
    if caller["role"] != OWNER and target["role"] == OWNER and changes_role:
        raise denied("only owners can remove owner role from their user")
    if target["role"] == OWNER and wanted["is_blocked"] and not target["is_blocked"]:
        raise denied("unable to block owner user")
    if caller["role"] != OWNER and wanted["role"] == OWNER and changes_role:
        raise denied("only owners can add owner role to other users")
    if target["is_service_user"] and wanted["role"] == OWNER:
        raise denied("can't update a service user with owner role")


def follow_groups(account: Account, initiator_id: str, before: Row, after: Row) -> None:
    """Log each group that a user joined or left, and let the user's peers do the same if the settings say so."""
    removed = [group_id for group_id in before["auto_groups"] if group_id not in after["auto_groups"]]
    added = [group_id for group_id in after["auto_groups"] if group_id not in before["auto_groups"]]
    if account.settings["groups_propagation_enabled"]:
        membership.propagate(account, after["id"], removed, added)
        reconcile_ipv6(account, [*removed, *added])
    for code, group_ids in (("user.group.add", added), ("user.group.delete", removed)):
        for group_id in dict.fromkeys(group_ids):
            if group := account.find("groups", group_id):
                _audit_group(account, initiator_id, code, after, group)


def _expire_peers(account: Account, user_id: str) -> None:
    """The peers of a blocked user are cut off and have to log in again."""
    for peer in account.where("peers", "user_id", user_id):
        if peer["login_expired"]:
            continue
        account.save("peers", {**peer, "login_expired": True, "connected": False})
        account.audit(user_id, "peer.login.expire", peer["id"], **meta(account, peer), reason=BLOCKED)


def _audit(account: Account, initiator_id: str, before: Row, after: Row) -> None:
    if after["is_blocked"] != before["is_blocked"]:
        account.audit(initiator_id, "user.block" if after["is_blocked"] else "user.unblock", after["id"])
    if after["role"] == OWNER and before["role"] != OWNER:
        account.audit(initiator_id, "transferred.owner.role", after["id"])
    elif after["role"] != before["role"]:
        account.audit(initiator_id, "user.role.update", after["id"], role=after["role"])


def _audit_group(account: Account, initiator_id: str, code: str, user: Row, group: Row) -> None:
    told = {"is_service_user": str(user["is_service_user"]).lower(), "user_name": user["service_user_name"]}
    account.audit(initiator_id, code, user["id"], group=group["name"], group_id=group["id"], **told)
