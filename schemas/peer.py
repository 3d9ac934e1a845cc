"""Peers: machines that have joined. nbsync sets their switches and names; joining is theirs."""

from __future__ import annotations

from typing import Annotated

from schemas._core.effect import Around, Effect
from schemas._core.fields import Ipv4, Ipv6, JsonObject, Resource, Trait
from schemas._core.kind import Account, Endpoint, Kind

READ_ONLY = """id connection_ip connected last_seen os kernel_version geoname_id version groups hostname user_id ui_version dns_label
extra_dns_labels last_login login_expired disapproval_reason country_code city_name serial_number ephemeral local_flags
accessible_peers_count created_at ip ipv6"""

EXPIRING = ("login_expiration_enabled", "inactivity_expiration_enabled", "approval_required")


class Peer(Resource):
    """A machine of the account; every field that is left out stays as it is."""

    ssh_enabled: Annotated[bool, Trait.KEPT] | None = None
    """Whether NetBird SSH is on."""

    login_expiration_enabled: Annotated[bool, Trait.KEPT] | None = None
    """Whether its login expires."""

    inactivity_expiration_enabled: Annotated[bool, Trait.KEPT] | None = None
    """Whether its login expires when it has been away."""

    approval_required: Annotated[bool, Trait.KEPT] | None = None
    """Whether it waits for approval; a self-hosted server approves every peer."""

    ip: Annotated[Ipv4, Trait.KEPT] | None = None
    """Its IPv4 address."""

    ipv6: Annotated[Ipv6, Trait.KEPT] | None = None
    """Its IPv6 address."""


def _initial(seen: JsonObject) -> JsonObject:
    """Only the login of a person expires; addresses are the server's choice (peers: what new peers start with)."""
    by_person = bool(seen.get("user_id"))
    return {
        "ssh_enabled": False,
        "login_expiration_enabled": by_person,
        "inactivity_expiration_enabled": by_person,
        "approval_required": False,
        "ip": seen.get("ip"),
        "ipv6": seen.get("ipv6"),
    }


def _settle(desired: Peer, live: Peer, _seen: JsonObject, account: Account) -> Peer:
    """A self-hosted server takes that a peer waits for approval, and approves it: what it does not keep is no difference."""
    return desired.model_copy(update={"approval_required": live.approval_required}) if account.self_hosted else desired


def _remarks(
    desired: Peer, _parts: tuple[str, ...], _seen: JsonObject | None, account: Account
) -> list[tuple[str, str]]:
    if not (account.self_hosted and desired.approval_required):
        return []
    message = "a self-hosted server approves every peer; approval_required is not counted as a change"
    return [(message, "take approval_required out of the files")]


def _effect(before: Peer | None, after: Peer | None, _around: Around) -> Effect:
    """A peer that goes can nothing any more; SSH opens a port, and a login that expires shuts out."""
    if before is None or after is None:
        return Effect.NARROWS if after is None else Effect.NEUTRAL
    opens = [(after.ssh_enabled, before.ssh_enabled)]
    opens += [(getattr(before, name), getattr(after, name)) for name in EXPIRING]
    widens, narrows = any(new and not old for new, old in opens), any(old and not new for new, old in opens)
    if widens == narrows:
        return Effect.MIXED if widens else Effect.NEUTRAL
    return Effect.WIDENS if widens else Effect.NARROWS


KIND = Kind(
    name="peer",
    model=Peer,
    section=("peers",),
    initial=_initial,
    endpoint=Endpoint("/peers", creates=False),
    always=frozenset(
        {"approval_required", "inactivity_expiration_enabled", "ip", "login_expiration_enabled", "ssh_enabled"}
    ),
    module="peers",
    computed=frozenset(READ_ONLY.split()),
    server_owned=lambda seen, _account: bool(seen.get("ephemeral")),
    settle=_settle,
    missing=lambda _desired: "has not joined yet; nothing is done until it has",
    remarks=_remarks,
    effect=_effect,
    arrives=True,
    renames=True,
    deleted_only_by_name=True,
    shown_by={"group": "peers"},
    stirs={"group": frozenset({"peers"})},
    waits_for=("group",),
)
