"""Accounts: one for each token (modules ``accounts``, ``settings``). PUT replaces the settings as a whole.

A PUT checks in this order: the body, settings that contradict themselves, address ranges, the permission; then it saves
``onboarding``, and only then validates and saves the settings.
"""

from collections.abc import Callable
from typing import Any

from reconciler.simulator import membership
from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339, whole_seconds
from reconciler.simulator.decoding import BOOL, INT, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import PlainError, denied, invalid, not_found, prefixed
from reconciler.simulator.permissions import DELETE, READ, UPDATE, allowed, require_active
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.versions import parse
from reconciler.simulator.world import Account, World

from . import account_ranges, users
from .account_changes import ACTIVITIES, apply_settings, fresh_settings

DEFAULT_POLICY = "This is a default rule that allows connections between all the resources"

EXTRA = Struct(
    {
        "peer_approval_enabled": BOOL,
        "user_approval_required": BOOL,
        "network_traffic_logs_enabled": BOOL,
        "network_traffic_logs_groups": TEXTS,
        "network_traffic_packet_counter_enabled": BOOL,
    }
)
SWITCHES = ("peer_login_expiration_enabled", "peer_inactivity_expiration_enabled", "regular_users_view_blocked")
OPTIONAL_SWITCHES = (
    "groups_propagation_enabled",
    "jwt_groups_enabled",
    "routing_peer_dns_resolution_enabled",
    "lazy_connection_enabled",
    "auto_update_always",
    "metrics_push_enabled",
    "agent_network_only",
    "local_mfa_enabled",
)
COMPUTED = ("embedded_idp_enabled", "local_auth_disabled")
"""Read from a request like the rest, so that a wrong type is refused, but not looked at."""

SETTINGS = Struct(
    {
        **dict.fromkeys((*SWITCHES, "peer_expose_enabled"), BOOL),
        **dict.fromkeys((*OPTIONAL_SWITCHES, *COMPUTED), Nullable(BOOL)),
        "peer_login_expiration": INT,
        "peer_inactivity_expiration": INT,
        "peer_expose_groups": TEXTS,
        "jwt_groups_claim_name": Nullable(TEXT),
        "jwt_allow_groups": TEXTS,
        "dns_domain": Nullable(TEXT),
        "network_range": Nullable(TEXT),
        "network_range_v6": Nullable(TEXT),
        "auto_update_version": Nullable(TEXT),
        "dashboard_features": Nullable(Struct({"agent_network": Nullable(BOOL)})),
        "ipv6_enabled_groups": TEXTS,
        "extra": Nullable(EXTRA),
    }
)
ONBOARDING = Struct({"onboarding_flow_pending": BOOL, "signup_form_pending": BOOL})
BODY = Struct({"settings": SETTINGS, "onboarding": Nullable(ONBOARDING)})
NO_FLOW = {
    "network_traffic_logs_enabled": False,
    "network_traffic_logs_groups": None,
    "network_traffic_packet_counter_enabled": False,
}
"""What this edition stores of traffic logging, whatever it is told; only the answer to the PUT echoes that."""

OUTLIVING = frozenset({"invites"})
"""Kinds that are still there when their account is not."""

VERSION_WORDS = ("", "latest", "disabled")


def list_accounts(call: Call) -> Any:
    """``GET /accounts``: the caller's own, with the address ranges that are in force."""
    call.require("accounts", READ)
    call.require("settings", READ)
    network = call.account.row["network"]
    ranges = {"network_range": network["v4"], "network_range_v6": network["v6"]}
    return [_shown(call.account, {**call.account.settings, **ranges}, embedded=True)]


def update_account(call: Call) -> Any:
    """``PUT /accounts/{id}``: what is left out is reset, but ``extra`` and ``onboarding`` are kept."""
    body = call.body(BODY)
    settings = _built(body["settings"])
    ranges = _ranges(call, body["settings"])
    if not _permitted(call, "settings", UPDATE):
        raise denied()
    account = call.account
    if body["onboarding"] is not None:
        account.save("accounts", {**account.row, "onboarding": body["onboarding"]})
    extra = settings["extra"] or account.settings["extra"]
    apply_settings(account, {**settings, "extra": {**extra, **NO_FLOW}}, ranges, call.user["id"])
    given = {name: ranges[key] for name, key in (("network_range", "v4"), ("network_range_v6", "v6")) if ranges[key]}
    return _shown(account, {**settings, **given, "extra": extra}, embedded=False)


def delete_account(call: Call) -> Any:
    """``DELETE /accounts/{id}``: by its owner only, with everything in it; its users go one by one, the owner last."""
    account_id = call.path["account_id"]
    if call.world.store.table("accounts").get(account_id) is None:
        raise not_found(f"account not found: {account_id}")
    with prefixed("failed to validate user permissions: ", status=403):
        require_active(call.user)
    if not _permitted(call, "accounts", DELETE):
        raise denied("user is not allowed to delete account. Only account owner can delete account")
    account, owner = call.account, call.user
    for user in sorted(account.rows("users"), key=lambda user: user["id"] == owner["id"]):
        users.take_away(account, user, owner["id"])
    account.audit(owner["id"], "account.delete", account_id)
    call.world.store.forget_account(account_id, kept=OUTLIVING)
    return {}


def new_account(world: World, owner: Row, domain: str) -> Account:
    """Create an account as the server does for a first user: group All, policy Default, random address ranges.

    Args:
        world: The server.
        owner: The row of its first user, whose ``id`` becomes ``created_by``; saved here, as owner.
        domain: The account's domain; ``""`` when the setup form made it.
    """
    account = world.account(world.new_id())
    row: Row = {
        "id": account.id,
        "created_at": world.now(),
        "created_by": owner["id"],
        "domain": domain,
        "domain_category": "private" if domain else "",
        "onboarding": {"onboarding_flow_pending": True, "signup_form_pending": True},
        "network": account_ranges.fresh(world),
        "settings": fresh_settings(),
    }
    account.save("accounts", row)
    group = membership.new_group(account, membership.ALL, "api")
    account.save("accounts", {**row, "settings": {**row["settings"], "ipv6_enabled_groups": [group["id"]]}})
    account.save("policies", _default_policy(group["id"], world.new_id()))
    account.save("users", {**owner, "role": "owner"})
    account.audit(owner["id"], "account.create", account.id)
    return account


def _built(given: Row) -> Row:
    """The settings that a request describes, address ranges aside; refuses what contradicts itself."""
    if given["peer_expose_enabled"] and not given["peer_expose_groups"]:
        raise invalid("peer expose requires at least one group")
    version = given["auto_update_version"] or ""
    if version not in VERSION_WORDS and parse(version, strict=True) is None:
        raise PlainError
    features = given["dashboard_features"]
    if given["agent_network_only"] and not (features and features["agent_network"]):
        raise invalid("agent network only mode requires dashboard_features.agent_network to be enabled")
    apart = {"network_range", "network_range_v6", *COMPUTED}
    built = {name: value for name, value in given.items() if name not in apart}
    built |= {name: bool(given[name]) for name in OPTIONAL_SWITCHES}
    built |= {name: given[name] or "" for name in ("jwt_groups_claim_name", "dns_domain", "auto_update_version")}
    built |= {name: whole_seconds(given[name]) for name in ("peer_login_expiration", "peer_inactivity_expiration")}
    built["jwt_allow_groups"] = given["jwt_allow_groups"] or []
    built["dashboard_features"] = _present(features)
    return built


def _ranges(call: Call, given: Row) -> dict[str, str]:
    """The ranges that a request gives, by family; ``""`` for one that it leaves alone."""
    return {
        "v4": _range(call, given["network_range"], account_ranges.parse_ipv4),
        "v6": _range(call, given["network_range_v6"], account_ranges.parse_ipv6),
    }


def _range(call: Call, given: str | None, parse_range: Callable[[str], str]) -> str:
    if not given:
        return ""
    network = parse_range(given)
    with prefixed("get peer count: ", status=500):
        call.may_in(call.path["account_id"], "peers", READ)
    account_ranges.check_capacity(network, len(call.account.rows("peers")))
    return network


def _permitted(call: Call, module: str, operation: str) -> bool:
    """Whether the caller may do it in the account that the path names; here the reasons keep their own status."""
    with prefixed("failed to validate user permissions: "):
        return allowed(call.user, call.path["account_id"], module, operation)


def _present(fields: Row | None) -> Row | None:
    return None if fields is None else {name: value for name, value in fields.items() if value is not None}


def _shown(account: Account, settings: Row, *, embedded: bool) -> Row:
    """The account; only GET knows that the identity provider is the embedded one."""
    row = account.row
    shown = {**settings, "embedded_idp_enabled": embedded, "local_auth_disabled": False}
    if shown["dashboard_features"] is None:
        del shown["dashboard_features"]
    plain = {name: row[name] for name in ("id", "created_by", "domain", "domain_category", "onboarding")}
    return {**plain, "created_at": rfc3339(row["created_at"]), "settings": shown}


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


AREA = Area(
    routes=(
        Route("GET", "/accounts", list_accounts),
        Route("PUT", "/accounts/<account_id>", update_account),
        Route("DELETE", "/accounts/<account_id>", delete_account),
    ),
    activities={"account.create": "Account created", "account.delete": "Account deleted", **ACTIVITIES},
)
