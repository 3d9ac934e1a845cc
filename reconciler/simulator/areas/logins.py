"""People who log in at an identity provider and come with its token.

The first request with a token makes the user, if need be the account; each one brings the groups of its claim.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from reconciler.simulator import membership
from reconciler.simulator.clock import DAY
from reconciler.simulator.encoding import encode
from reconciler.simulator.ids import person_id, random_text
from reconciler.simulator.registry import Area
from reconciler.simulator.store import Row
from reconciler.simulator.text import folded
from reconciler.simulator.world import Account, World

from . import accounts, user_updates
from .people_rows import LOCAL, user_row

SINGLE_ACCOUNT_DOMAIN = "netbird.selfhosted"
"""Domain of the account that everybody joins whom no other one knows."""

JWT = "jwt"
"""What issued the groups that logins bring along."""


def log_in(world: World, line: Mapping[str, Any]) -> Any:
    """``user_logs_in`` ``{email, name, subject?, groups?}``: somebody gets a token, good for a day.

    Who is not known by password comes from the identity provider that was added last, with ``subject`` as user id.

    Returns:
        ``{"token"}``, good as ``Authorization: Bearer``.
    """
    local = _local_person(world, line["email"])
    if local:
        claims: Row = {"subject": local["id"], "connector": LOCAL}
    else:
        connector = _last_connector(world)
        claims = {"subject": line.get("subject") or person_id(connector), "connector": connector}
    claims |= {"email": line["email"], "name": line.get("name") or "", "groups": line.get("groups") or []}
    token = _token(claims)
    world.store.table("sessions").put({"id": token, "expires": world.now() + DAY, "claims": claims})
    return {"token": token}


def user_of(world: World, token: str) -> Row | None:
    """The user that a login's token stands for, made if it is new.

    None if no login gave the token, if it has expired, or if the account lets in only groups that it does not name.
    """
    session = world.store.table("sessions").get(token)
    if session is None or session["expires"] < world.now():
        return None
    claims = session["claims"]
    users = world.store.table("users")
    if users.get(claims["subject"]) is None:
        _enter(world, claims)
    user = users.get(claims["subject"])
    if user is None or claims["connector"] == LOCAL:
        return user
    account = world.account(user["account_id"])
    allowed = account.settings["jwt_allow_groups"] if account.settings["jwt_groups_enabled"] else []
    if allowed and not set(allowed) & set(_claimed(account, claims)):
        return None
    return _sync_groups(account, user, claims)


def _local_person(world: World, email: str) -> Row | None:
    """Who has a password here: a user, or whoever filled in the setup form."""
    known = [user for user in world.store.table("users").where("mail", folded(email)) if user["idp_id"] == LOCAL]
    founder = world.store.table("setup").get("owner")
    if not known and founder and founder["person"]["email"].lower() == email.lower():
        known = [founder["person"]]
    return known[0] if known else None


def _last_connector(world: World) -> str:
    providers = world.store.table("identity_providers").all()
    return str(providers[-1]["id"]) if providers else ""


def _token(claims: Row) -> str:
    """Something in the form of a JWT; what counts is that the server knows it."""
    parts = [encode({"alg": "RS256", "typ": "JWT"}), json.dumps(claims).encode(), random_text(32).encode()]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _enter(world: World, claims: Row) -> None:
    """Make a user: of the account that has the server's domain, else the owner of an account of their own."""
    founder = world.store.table("setup").get("owner")
    if founder and founder["person"]["id"] == claims["subject"] and claims["connector"] == LOCAL:
        person = founder["person"]
    else:
        fields = {"id": claims["subject"], "name": claims["name"], "email": claims["email"]}
        person = user_row(world, {**fields, "idp_id": claims["connector"]})
    existing = world.accounts()
    shared = next((account for account in existing if account.row["domain"] == SINGLE_ACCOUNT_DOMAIN), None)
    if shared is None:
        account = accounts.new_account(world, person, "" if existing else SINGLE_ACCOUNT_DOMAIN)
        if not existing:
            account.audit(person["id"], "user.join", person["id"])
        return
    waits = shared.settings["extra"]["user_approval_required"]
    shared.save("users", {**person, "is_blocked": waits, "pending_approval": waits})
    shared.audit(person["id"], "user.join", person["id"])


def _claimed(account: Account, claims: Row) -> list[str]:
    """Names of groups in the claim that the account's settings name; a text counts as one."""
    claim = claims.get(account.settings["jwt_groups_claim_name"], []) if account.settings["jwt_groups_enabled"] else []
    return [claim] if isinstance(claim, str) else claim


def _sync_groups(account: Account, user: Row, claims: Row) -> Row:
    """Let ``auto_groups`` follow the claim: only groups issued ``jwt`` come and go.

    A name that the newest group of that name has by hand is ignored; a new name that is claimed twice gives two groups.
    """
    if not account.settings["jwt_groups_enabled"] or not account.settings["jwt_groups_claim_name"]:
        return user
    names = _claimed(account, claims)
    before = [group for group_id in user["auto_groups"] if (group := account.find("groups", group_id))]
    synced = {group["name"]: group["id"] for group in before if group["issued"] == JWT}
    come = _groups_to_join(account, [name for name in names if name not in synced])
    if not come and synced.keys() <= set(names):
        return user
    kept = [group_id for name, group_id in synced.items() if name in names]
    by_hand = [group["id"] for group in before if group["issued"] != JWT]
    updated = account.save("users", {**user, "auto_groups": [*by_hand, *come, *kept]})
    user_updates.follow_groups(account, user["id"], user, updated)
    return updated


def _groups_to_join(account: Account, names: list[str]) -> list[str]:
    """Ids of the jwt groups of these names, made where there is no group of the name."""
    named = {name: account.where("groups", "name", name)[-1:] for name in names}
    found = [named[name] or [membership.new_group(account, name, JWT)] for name in names]
    return [group["id"] for groups in found for group in groups if group["issued"] == JWT]


AREA = Area(activities={"user.join": "User joined"}, happenings={"user_logs_in": log_in})
