"""Accounts: one for each token; its settings, its onboarding and its address ranges (modules ``accounts``, ``settings``)."""

from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.permissions import READ
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account, World

from .groups import ALL, new_group

DEFAULT_POLICY = "This is a default rule that allows connections between all the resources"


def list_accounts(call: Call) -> Any:
    """``GET /accounts``: the caller's own, with the address ranges that are in force."""
    call.require("accounts", READ)
    call.require("settings", READ)
    return [view(call.account)]


def new_account(world: World, owner: Row, domain: str) -> Account:
    """Create an account as the server does for a first user: group All, policy Default, random address ranges.

    Args:
        world: The server.
        owner: The row of its first user, whose ``id`` becomes ``created_by``; saved here, as owner.
        domain: The account's domain; ``""`` when the setup form made it.
    """
    account = world.account(world.new_id())
    group_id = world.new_id()
    row: Row = {
        "id": account.id,
        "created_at": world.now(),
        "created_by": owner["id"],
        "domain": domain,
        "domain_category": "private" if domain else "",
        "onboarding": {"onboarding_flow_pending": True, "signup_form_pending": True},
        "network": _random_ranges(world),
        "settings": fresh_settings(),
    }
    account.save("accounts", row)
    group = new_group(account, ALL, "api")
    account.save("accounts", {**row, "settings": {**row["settings"], "ipv6_enabled_groups": [group["id"]]}})
    account.save("policies", _default_policy(group["id"], group_id))
    account.save("users", {**owner, "role": "owner"})
    account.audit(owner["id"], "account.create", account.id)
    return account


def fresh_settings() -> Row:
    """Settings of a new account, but for ``ipv6_enabled_groups``, which lists its group All."""
    return {
        "peer_login_expiration_enabled": True,
        "peer_login_expiration": 86_400,
        "peer_inactivity_expiration_enabled": False,
        "peer_inactivity_expiration": 600,
        "regular_users_view_blocked": True,
        "peer_expose_enabled": False,
        "peer_expose_groups": None,
        "groups_propagation_enabled": True,
        "jwt_groups_enabled": False,
        "jwt_groups_claim_name": "",
        "jwt_allow_groups": [],
        "routing_peer_dns_resolution_enabled": True,
        "dns_domain": "",
        "lazy_connection_enabled": True,
        "auto_update_version": "disabled",
        "auto_update_always": False,
        "metrics_push_enabled": False,
        "agent_network_only": False,
        "local_mfa_enabled": False,
        "ipv6_enabled_groups": None,
        "extra": {
            "peer_approval_enabled": False,
            "user_approval_required": True,
            "network_traffic_logs_enabled": False,
            "network_traffic_logs_groups": None,
            "network_traffic_packet_counter_enabled": False,
        },
    }


def view(account: Account) -> Row:
    """The account as GET shows it."""
    row = account.row
    network = row["network"]
    shown = {
        **row["settings"],
        "network_range": network["v4"],
        "network_range_v6": network["v6"],
        "embedded_idp_enabled": True,
        "local_auth_disabled": False,
    }
    return _shown(row, shown)


def _shown(row: Row, settings: Row) -> Row:
    plain = {key: row[key] for key in ("id", "created_by", "domain", "domain_category", "onboarding")}
    return {**plain, "created_at": rfc3339(row["created_at"]), "settings": settings}


def _default_policy(group_id: str, policy_id: str) -> Row:
    words = {"id": policy_id, "name": "Default", "description": DEFAULT_POLICY, "enabled": True}
    rule = {
        **words,
        "action": "accept",
        "bidirectional": True,
        "protocol": "all",
        "ports": [],
        "port_ranges": [],
        "sources": [group_id],
        "destinations": [group_id],
        "sourceResource": None,
        "destinationResource": None,
        "authorized_groups": {},
    }
    return {**words, "source_posture_checks": None, "rules": [rule]}


def _random_ranges(world: World) -> Row:
    octets = bytes(world.random.randrange(256) for _ in range(7)).hex()
    prefix = f"fd{octets[:2]}:{octets[2:6]}:{octets[6:10]}:{octets[10:14]}"
    return {"v4": f"100.{world.random.randrange(64, 128)}.0.0/16", "v6": f"{prefix}::/64"}


AREA = Area(routes=(Route("GET", "/accounts", list_accounts),), activities={"account.create": "Account created"})
