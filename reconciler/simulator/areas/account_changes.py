"""What a change of an account's settings does: to the peers, and to the audit log."""

from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network
from typing import Any

from reconciler.simulator import membership
from reconciler.simulator.addresses import free_ipv4, reconcile_ipv6, settle_ipv6
from reconciler.simulator.domains import is_name
from reconciler.simulator.errors import PlainError, invalid
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

SHORTEST_LOGIN = 3600
LONGEST_LOGIN = 180 * 86_400
NO_RANGE = "invalid Prefix"

SWITCH_EVENTS = {
    "routing_peer_dns_resolution_enabled": ("routing.peer.dns.resolution", "routing peer DNS resolution"),
    "lazy_connection_enabled": ("lazy.connection", "lazy connection"),
    "peer_login_expiration_enabled": ("peer.login.expiration", "peer login expiration"),
    "auto_update_always": ("auto.update.always", "auto-update always"),
    "metrics_push_enabled": ("metrics.push", "metrics push"),
    "local_mfa_enabled": ("local.mfa", "local MFA"),
    "peer_expose_enabled": ("peer.expose", "peer expose"),
}
"""Switches that are logged: part of the code and of the text."""

ACTIVITIES = {
    **{
        f"account.setting.{code}.{verb}": f"Account {text} {verb}d"
        for code, text in (*SWITCH_EVENTS.values(), ("ipv6", "IPv6 overlay"))
        for verb in ("enable", "disable")
    },
    "account.setting.group.propagation.enable": "User group propagation enabled",
    "account.setting.group.propagation.disable": "User group propagation disabled",
    "account.setting.peer.login.expiration.update": "Account peer login expiration duration updated",
    "account.peer.inactivity.expiration.enable": "Account peer inactivity expiration enabled",
    "account.peer.inactivity.expiration.disable": "Account peer inactivity expiration disabled",
    "account.peer.inactivity.expiration.update": "Account peer inactivity expiration duration updated",
    "account.dns.domain.update": "Account DNS domain updated",
    "account.network.range.update": "Account network range updated",
    "account.settings.auto.version.update": "Account AutoUpdate Version updated",
}


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
        "dashboard_features": None,
        "ipv6_enabled_groups": None,
        "extra": {
            "peer_approval_enabled": False,
            "user_approval_required": True,
            "network_traffic_logs_enabled": False,
            "network_traffic_logs_groups": None,
            "network_traffic_packet_counter_enabled": False,
        },
    }


def apply_settings(account: Account, settings: Row, ranges: dict[str, str], initiator_id: str) -> None:
    """Validate and save settings with the ranges that were given (``""`` for none), and do what follows from them.

    An IPv6 range of IPv4 addresses inside IPv6 is accepted as long as no peer needs an address of it.
    """
    _validate(account, settings)
    before = account.row
    network = dict(before["network"])
    network.update({family: text for family, text in ranges.items() if text})
    network["set_v6"] = ranges["v6"]
    if IPv6Network(network["v6"]).network_address.ipv4_mapped and _has_peers(account, settings["ipv6_enabled_groups"]):
        raise PlainError
    account.save("accounts", {**before, "settings": settings, "network": network})
    _follow(account, before)
    _Log(account, initiator_id, before["settings"], settings).write(before["network"], ranges)


def _has_peers(account: Account, group_ids: Sequence[str] | None) -> bool:
    return any(account.where("memberships", "group", group_id) for group_id in group_ids or ())


def _validate(account: Account, settings: Row) -> None:
    if settings["peer_login_expiration"] < SHORTEST_LOGIN:
        raise invalid("peer login expiration can't be smaller than one hour")
    if settings["peer_login_expiration"] > LONGEST_LOGIN:
        raise invalid("peer login expiration can't be larger than 180 days")
    domain = settings["dns_domain"]
    if domain and not is_name(domain):
        raise invalid(f'invalid domain "{domain}" provided for DNS domain')
    if domain and any(zone["domain"] == domain for zone in account.rows("zones")):
        raise invalid(f"peer DNS domain {domain} conflicts with existing custom DNS zone")
    for group_id in settings["ipv6_enabled_groups"] or []:
        if account.find("groups", group_id) is None:
            raise invalid(f"IPv6 enabled group {group_id} does not exist")


def _follow(account: Account, before: Row) -> None:
    """Move peers into a new range, give or take IPv6 addresses, and put peers into the groups of their users.

    Peers that come into IPv6-enabled groups by the latter are settled by what was enabled before.
    """
    after = account.row
    if after["network"]["v4"] != before["network"]["v4"]:
        for peer in account.rows("peers"):
            account.save("peers", {**peer, "ip": free_ipv4(account)})
    if _ipv6_choice(after) != _ipv6_choice(before):
        _settle_in_range(account)
    if after["settings"]["groups_propagation_enabled"] and not before["settings"]["groups_propagation_enabled"]:
        gained = [group_id for user in account.rows("users") for group_id in _spread(account, user)]
        reconcile_ipv6(account, gained, before["settings"])


def _ipv6_choice(row: Row) -> tuple[str, list[str]]:
    """What decides about IPv6 addresses: the range that was set, and the groups."""
    return row["network"]["set_v6"], sorted(row["settings"]["ipv6_enabled_groups"] or [])


def _settle_in_range(account: Account) -> None:
    """Settle every peer's IPv6 address; those outside of the range are given up."""
    network = IPv6Network(account.row["network"]["v6"])
    for peer in account.rows("peers"):
        if peer["ipv6"] and IPv6Address(peer["ipv6"]) not in network:
            account.save("peers", {**peer, "ipv6": ""})
    settle_ipv6(account, [peer["id"] for peer in account.rows("peers")])


def _spread(account: Account, user: Row) -> list[str]:
    """Put the user's peers into the user's groups; the groups that did not have them all."""
    peers = {peer["id"] for peer in account.where("peers", "user_id", user["id"])}
    gained = [group for group in user["auto_groups"] if peers - set(membership.member_ids(account, group))]
    membership.propagate(account, user["id"], [], user["auto_groups"])
    return gained


class _Log:
    """The audit events of one change."""

    def __init__(self, account: Account, initiator_id: str, before: Row, after: Row) -> None:
        self._account = account
        self._initiator_id = initiator_id
        self._before = before
        self._after = after

    def write(self, network: Row, ranges: dict[str, str]) -> None:
        """Log each setting that differs, as the server does: not all of them, in its order."""
        self._switches(
            "routing_peer_dns_resolution_enabled", "lazy_connection_enabled", "peer_login_expiration_enabled"
        )
        if self._differs("peer_login_expiration"):
            self._tell("account.setting.peer.login.expiration.update")
        self._switch("groups_propagation_enabled", "account.setting.group.propagation")
        if self._differs("auto_update_version"):
            self._tell("account.settings.auto.version.update", version=self._after["auto_update_version"])
        self._switches("auto_update_always", "peer_expose_enabled", "metrics_push_enabled")
        self._inactivity()
        self._switches("local_mfa_enabled")
        if self._differs("dns_domain"):
            old, new = self._before["dns_domain"], self._after["dns_domain"]
            self._tell("account.dns.domain.update", old_dns_domain=old, new_dns_domain=new)
        self._ranges(network, ranges)

    def _ranges(self, network: Row, ranges: dict[str, str]) -> None:
        if ranges["v4"] and ranges["v4"] != network["v4"]:
            told = {"old_network_range": network["v4"], "new_network_range": ranges["v4"]}
            self._tell("account.network.range.update", **told)
        had, has = (bool(settings["ipv6_enabled_groups"]) for settings in (self._before, self._after))
        if had != has:
            self._tell(f"account.setting.ipv6.{_verb(has)}")
        if ranges["v6"] != network["set_v6"]:
            old, new = network["set_v6"] or NO_RANGE, ranges["v6"] or NO_RANGE
            self._tell("account.network.range.update", old_network_range_v6=old, new_network_range_v6=new)

    def _inactivity(self) -> None:
        """Switching it on is not logged, only its duration, and only while it is on."""
        if not self._after["peer_inactivity_expiration_enabled"]:
            self._switch("peer_inactivity_expiration_enabled", "account.peer.inactivity.expiration")
        elif self._differs("peer_inactivity_expiration"):
            self._tell("account.peer.inactivity.expiration.update")

    def _switches(self, *names: str) -> None:
        for name in names:
            self._switch(name, f"account.setting.{SWITCH_EVENTS[name][0]}")

    def _switch(self, name: str, code: str) -> None:
        if self._differs(name):
            self._tell(f"{code}.{_verb(self._after[name])}")

    def _differs(self, name: str) -> bool:
        return bool(self._before[name] != self._after[name])

    def _tell(self, code: str, **meta: Any) -> None:
        self._account.audit(self._initiator_id, code, self._account.id, **meta)


def _verb(on: bool) -> str:
    return "enable" if on else "disable"
