"""Account settings: one object, written whole, of which only what is declared changes."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from schemas._core.codec import decoded_values, encoded_values, field_specs, identifiers, lenient
from schemas._core.effect import Around, Effect
from schemas._core.fields import (
    AsTuple,
    Duration,
    JsonObject,
    Name,
    Network,
    Resource,
    Strict,
    Text,
    Trait,
    Unordered,
    domain_name,
    invalid,
    seconds,
)
from schemas._core.group_names import GroupNames
from schemas._core.kind import Account, Endpoint, Ids, Kind, Layout, Veto
from schemas._core.shapes import CIDR4, CIDR6, DOMAIN, DURATION, Shape

HOUR, DAY = 3600, 86400
KEPT = Trait.KEPT
_UPDATE_VERSION = r"v?[0-9]+(?:\.[0-9]+)*(?:-[0-9A-Za-z.-]+)?"
_LOGIN = Shape(
    "login_expiration",
    rf"0*(?:180|1[0-7][0-9]|[1-9][0-9]?)d|(?=.*[hms]){DURATION}",
    "it is between 1h and 180d",
    ("12h", "1d", "30d"),
)
_OR_EMPTY = Shape("domain_or_empty", f"(?:{DOMAIN})?", "write a domain as corp.example.com, or nothing")
_CIDR4 = Shape("cidr4", CIDR4, "write an IPv4 network such as 100.64.0.0/16")
_CIDR6 = Shape("cidr6", CIDR6, "write an IPv6 network such as fd00:64::/64")
_UPDATE = Shape(
    "update_version",
    f"(?:latest|disabled|{_UPDATE_VERSION})?",
    'write latest, disabled or a version: "0.70.0"',
    ("latest", "disabled"),
)
Switch = Annotated[bool, KEPT] | None


def _login_expiration(value: str) -> str:
    if not HOUR <= seconds(value) <= 180 * DAY:
        raise invalid(f"'{value}' is not a login expiration", "it is between 1h and 180d")
    return value


def _update_version(value: str) -> str:
    if value not in ("", "latest", "disabled") and not re.fullmatch(_UPDATE_VERSION, value):
        raise invalid(f"'{value}' is not a version to update to", 'write latest, disabled or a version: "0.70.0"')
    return value


def _dns_domain(value: str) -> str:
    return domain_name(value) if value else value


def _ipv4(value: str) -> str:
    if ":" in value:
        raise invalid(f"'{value}' is not an IPv4 network", "write one such as 100.64.0.0/16")
    return value


def _ipv6(value: str) -> str:
    if ":" not in value:
        raise invalid(f"'{value}' is not an IPv6 network", "write one such as fd00:64::/64")
    return value


class DashboardFeatures(Strict):
    """Parts of the dashboard that are shown."""

    agent_network: bool | None = None
    """The agent network."""


class AccountSettings(Resource):
    """Settings of the whole account under their API names, those of `extra` beside them; lengths of time as durations."""

    peer_login_expiration_enabled: Switch = None
    """Whether logins of people's machines expire."""

    peer_login_expiration: Annotated[Duration, AfterValidator(_login_expiration), _LOGIN, KEPT] | None = None
    """After how long they expire: `1h` to `180d`."""

    peer_inactivity_expiration_enabled: Switch = None
    """Whether logins of machines that are away expire."""

    peer_inactivity_expiration: Annotated[Duration, KEPT] | None = None
    """After how long away they expire."""

    regular_users_view_blocked: Switch = None
    """Whether people without a role in the account see no dashboard."""

    peer_expose_enabled: Switch = None
    """Whether peers may expose services."""

    peer_expose_groups: Annotated[GroupNames, KEPT] | None = None
    """Groups whose peers may expose services."""

    groups_propagation_enabled: Switch = None
    """Whether changed groups of a person reach the machines that have joined already."""

    jwt_groups_enabled: Switch = None
    """Whether groups come from the identity provider's tokens."""

    jwt_groups_claim_name: Annotated[Text, KEPT] | None = None
    """The claim of the token that holds the groups."""

    jwt_allow_groups: Annotated[tuple[Name, ...], AsTuple, Unordered, KEPT] | None = None
    """Groups of the token without one of which nobody gets in."""

    routing_peer_dns_resolution_enabled: Switch = None
    """Whether routing peers resolve the domains of resources and routes."""

    dns_domain: Annotated[Text, AfterValidator(_dns_domain), _OR_EMPTY, KEPT] | None = None
    """The domain of the account's peers; empty: NetBird's own."""

    network_range: Annotated[Network, AfterValidator(_ipv4), _CIDR4, KEPT] | None = None
    """IPv4 network of the peers. A change re-numbers them: refused without `--allow renumber`."""

    network_range_v6: Annotated[Network, AfterValidator(_ipv6), _CIDR6, KEPT] | None = None
    """IPv6 network of the peers. A change re-numbers them: refused without `--allow renumber`."""

    lazy_connection_enabled: Switch = None
    """Whether peers connect only when there is traffic."""

    auto_update_version: Annotated[Text, AfterValidator(_update_version), _UPDATE, KEPT] | None = None
    """What clients update to: `latest`, `disabled` or a version."""

    auto_update_always: Switch = None
    """Whether clients update without asking."""

    metrics_push_enabled: Switch = None
    """Whether clients send metrics."""

    agent_network_only: Switch = None
    """Whether the account is for the agent network only."""

    dashboard_features: Annotated[DashboardFeatures, KEPT] | None = None
    """Parts of the dashboard that are shown."""

    local_mfa_enabled: Switch = None
    """Whether people of the embedded identity provider need a second factor."""

    ipv6_enabled_groups: Annotated[GroupNames, KEPT] | None = None
    """Groups whose peers get an IPv6 address. A change re-numbers them: refused without `--allow renumber`."""

    peer_approval_enabled: Switch = None
    """Whether new peers wait for approval."""

    user_approval_required: Switch = None
    """Whether new people wait for approval."""

    network_traffic_logs_enabled: Switch = None
    """Whether traffic is logged; a self-hosted server does not keep it."""

    network_traffic_logs_groups: Annotated[GroupNames, KEPT] | None = None
    """Groups whose traffic is logged; a self-hosted server does not keep it."""

    network_traffic_packet_counter_enabled: Switch = None
    """Whether packets are counted; a self-hosted server does not keep it."""


EXTRA = frozenset(
    {
        "peer_approval_enabled",
        "user_approval_required",
        "network_traffic_logs_enabled",
        "network_traffic_logs_groups",
        "network_traffic_packet_counter_enabled",
    }
)
TRAFFIC = frozenset(name for name in EXTRA if name.startswith("network_traffic"))
RENUMBERS = frozenset({"network_range", "network_range_v6", "ipv6_enabled_groups"})
SERVERS_OWN = frozenset({"embedded_idp_enabled", "local_auth_disabled"})

FRESH: JsonObject = {
    "peer_login_expiration_enabled": True,
    "peer_login_expiration": "1d",
    "peer_inactivity_expiration": "10m",
    "regular_users_view_blocked": True,
    "groups_propagation_enabled": True,
    "jwt_groups_claim_name": "",
    "routing_peer_dns_resolution_enabled": True,
    "dns_domain": "",
    "lazy_connection_enabled": True,
    "auto_update_version": "disabled",
    "ipv6_enabled_groups": ["All"],
    "user_approval_required": True,
}
"""Settings of a new account (accounts: fresh values) that are neither off nor empty."""


def _decode(model: type[AccountSettings], seen: JsonObject, account: Account) -> AccountSettings:
    settings = seen.get("settings") or {}
    flat = {**settings, **(settings.get("extra") or {})}
    empty: JsonObject = {spec.said: [] for spec in field_specs(model) if spec.many}
    features = {"agent_network": (settings.get("dashboard_features") or {}).get("agent_network")}
    return lenient(model, {**empty, **decoded_values(model, flat, account), "dashboard_features": features})


def _initial(seen: JsonObject) -> JsonObject:
    """Which addresses the peers of a new account get is the server's choice."""
    settings = seen.get("settings") or {}
    ranges = {name: settings.get(name) for name in ("network_range", "network_range_v6")}
    return {**dict.fromkeys(AccountSettings.model_fields, False), **FRESH, **ranges}


def _request(
    _model: type[AccountSettings], seen: JsonObject, _computed: frozenset[str], account: Account
) -> JsonObject:
    """The settings as they are. A group that was deleted stays in some lists, and the server refuses to take it back."""
    settings = {key: value for key, value in seen["settings"].items() if key not in SERVERS_OWN}
    for key in ("ipv6_enabled_groups", "peer_expose_groups"):
        settings[key] = [group for group in identifiers(settings.get(key)) if account.raw("group", group)]
    return {"settings": settings}


def _encode(desired: AccountSettings, fields: frozenset[str], base: JsonObject, ids: Ids) -> JsonObject:
    """`extra` is kept by the server when it is left out, with parts that the API does not show: it is sent only if needed."""
    settings = {**base["settings"], **encoded_values(desired, fields - EXTRA - {"dashboard_features"}, ids)}
    extra = settings.pop("extra", None) or {}
    if fields & EXTRA:
        settings["extra"] = {**extra, **encoded_values(desired, fields & EXTRA, ids)}
    if "dashboard_features" in fields and desired.dashboard_features:
        settings["dashboard_features"] = {
            **(settings.get("dashboard_features") or {}),
            **desired.dashboard_features.model_dump(exclude_none=True),
        }
    return {**base, "settings": settings}


def _settle(desired: AccountSettings, live: AccountSettings, _seen: JsonObject, account: Account) -> AccountSettings:
    """A self-hosted server answers that it logs traffic, and forgets it: what it does not keep is no difference."""
    forgotten = {name: getattr(live, name) for name in TRAFFIC} if account.self_hosted else {}
    return desired.model_copy(update=forgotten)


def _remarks(
    desired: AccountSettings, _parts: tuple[str, ...], _seen: JsonObject | None, account: Account
) -> list[tuple[str, str]]:
    if not account.self_hosted:
        return []
    return [
        (f"a self-hosted server does not keep {name}; it is not counted as a change", f"take {name} out of the files")
        for name in sorted(TRAFFIC)
        if getattr(desired, name)
    ]


def _vetoes(
    _seen: JsonObject, _after: AccountSettings | None, changed: frozenset[str], _account: Account
) -> list[Veto]:
    return [
        Veto(f"{name} changes the addresses of peers", "apply it with --allow renumber", allow="renumber")
        for name in sorted(changed & RENUMBERS)
    ]


def _occupied(_parts: tuple[str, ...], settings: AccountSettings) -> list[str]:
    """The domain of the account's peers cannot be a zone's."""
    return [f"the domain {settings.dns_domain}"] if settings.dns_domain else []


def _effect(before: AccountSettings | None, after: AccountSettings | None, _around: Around) -> Effect:
    return Effect.NEUTRAL if before == after else Effect.MIXED


KIND = Kind(
    name="account",
    model=AccountSettings,
    section=("account",),
    layout=Layout.SINGLE,
    endpoint=Endpoint("/accounts", singleton=True, item="/accounts/{id}"),
    always=frozenset({"id", "settings"}),
    module="settings",
    name_field="",
    initial=_initial,
    decode=_decode,
    request=_request,
    encode=_encode,
    settle=_settle,
    remarks=_remarks,
    vetoes=_vetoes,
    effect=_effect,
    claims=_occupied,
    holds=_occupied,
    excludes=_occupied,
    deleted_only_by_name=True,
    stirs={"group": frozenset({"peers"}), "peer": frozenset({"approval_required"})},
    waits_for=("user",),
)
