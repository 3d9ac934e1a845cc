"""Invitations by link (module ``users``): a person is made when the link is accepted with a password."""

from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.clock import of_seconds, rfc3339
from reconciler.simulator.decoding import INT, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import Refusal, conflict, invalid, not_found
from reconciler.simulator.ids import hashed, new_secret, secret_flaw
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import folded

from .people_rows import new_person, password_flaw, require_new_person
from .users import ROLE_NAMES, mail_is_taken

PREFIX = "nbi_"
DEFAULT_LIFE = 259_200
SHORTEST_LIFE = 3600
PER_MINUTE, BURST = 10, 5
BLANKS = b" \t\r\n"

BODY = Struct({"email": TEXT, "name": TEXT, "role": TEXT, "auto_groups": TEXTS, "expires_in": Nullable(INT)})
REGENERATION = Struct({"expires_in": Nullable(INT)})
ACCEPTANCE = Struct({"password": TEXT})


def list_invites(call: Call) -> Any:
    """``GET /users/invites``: those not accepted yet, expired ones included."""
    call.require("users", READ)
    return [_view(call, invite) for invite in call.account.rows("invites")]


def create_invite(call: Call) -> Any:
    """``POST /users/invites``: any role text but owner, any address, any groups."""
    body = call.body(BODY)
    if not body["name"]:
        raise invalid("name can't be empty")
    if not body["email"]:
        raise invalid("email can't be empty")
    if body["role"].lower() == "owner":
        raise invalid("can't invite a user with owner role")
    call.require("users", CREATE)
    if mail_is_taken(call.account, body["email"]):
        raise conflict("user with this email already exists")
    if any(folded(invite["email"]) == folded(body["email"]) for invite in call.account.rows("invites")):
        raise conflict("invite already exists for this email")
    expires_at = _expiry(call, body["expires_in"])
    token = new_secret(PREFIX)
    fields = {name: body[name] for name in ("email", "name", "role")}
    fields |= {"auto_groups": body["auto_groups"] or [], "created_by": call.user["id"], "expires_at": expires_at}
    row = {"id": call.world.new_id(), "created_at": call.world.now(), "hash": hashed(token), **fields}
    invite = call.account.save("invites", row)
    call.audit("user.invite.link.create", invite["id"], email=invite["email"])
    return {**_view(call, invite), "invite_token": token}


def delete_invite(call: Call) -> Any:
    """``DELETE /users/invites/{id}``."""
    call.require("users", DELETE)
    invite = _existing(call)
    call.account.remove("invites", invite["id"])
    call.audit("user.invite.link.delete", invite["id"], email=invite["email"])
    return {}


def regenerate_invite(call: Call) -> Any:
    """``POST /users/invites/{id}/regenerate``: another link, the old one is dead. An empty body is one, too."""
    body = call.body(REGENERATION) if call.request.get_data().strip(BLANKS) else REGENERATION.zero()
    call.require("users", UPDATE)
    invite = _existing(call)
    token = new_secret(PREFIX)
    expires_at = _expiry(call, body["expires_in"])
    changes = {"hash": hashed(token), "expires_at": expires_at, "created_by": call.user["id"]}
    invite = call.account.save("invites", {**invite, **changes})
    call.audit("user.invite.link.regenerate", invite["id"], email=invite["email"])
    return {"invite_token": token, "invite_expires_at": rfc3339(invite["expires_at"])}


def get_invite(call: Call) -> Any:
    """``GET /users/invites/{token}``, for whoever has the link."""
    invite = _opened(call)
    inviter = call.world.store.table("users").get(invite["created_by"])
    told = {name: invite[name] for name in ("email", "name")}
    told |= {"expires_at": rfc3339(invite["expires_at"]), "valid": not _has_expired(call, invite)}
    return {**told, "invited_by": inviter["name"] if inviter and not inviter["is_service_user"] else ""}


def accept_invite(call: Call) -> Any:
    """``POST /users/invites/{token}/accept``: makes the person; the link works once."""
    _limit(call)
    body = call.body(ACCEPTANCE)
    if not body["password"]:
        raise invalid("password is required")
    if flaw := password_flaw(body["password"]):
        raise invalid(f"invalid password: {flaw}")
    invite = _by_token(call)
    if _has_expired(call, invite):
        raise invalid("invite has expired")
    require_new_person(call.world, invite["email"], body["password"])
    account = call.world.account(invite["account_id"])
    person = new_person(call.world, invite["email"], invite["name"], body["password"])
    role = invite["role"].lower()
    person |= {"role": role if role in ROLE_NAMES else "unknown", "auto_groups": invite["auto_groups"]}
    account.save("users", person)
    account.remove("invites", invite["id"])
    account.audit(person["id"], "user.invite.link.accept", person["id"], email=invite["email"])
    return {"success": True}


def _opened(call: Call) -> Row:
    _limit(call)
    return _by_token(call)


def _limit(call: Call) -> None:
    """Ten a minute for each address, five at once."""
    if not call.world.buckets("invites", PER_MINUTE, BURST).take(call.request.remote_addr or ""):
        raise Refusal(429, "rate limit exceeded, please try again later")


def _by_token(call: Call) -> Row:
    token = call.path["token"]
    if flaw := secret_flaw(PREFIX, token):
        raise invalid(f"invalid invite token: {flaw}")
    found = call.world.store.table("invites").where("hash", hashed(token))
    if not found:
        raise not_found("user invite not found")
    return found[0]


def _existing(call: Call) -> Row:
    invite = call.account.find("invites", call.path["token"])
    if invite is None:
        raise not_found("user invite not found")
    return invite


def _expiry(call: Call, seconds: int | None) -> int:
    """When a link ends; a life that is not positive is the usual one."""
    life = seconds if seconds and seconds > 0 else DEFAULT_LIFE
    if life < SHORTEST_LIFE:
        raise invalid("invite expiration must be at least 1 hour")
    return call.world.now() + of_seconds(life)


def _has_expired(call: Call, invite: Row) -> bool:
    return bool(invite["expires_at"] < call.world.now())


def _view(call: Call, invite: Row) -> Row:
    shown = {name: invite[name] for name in ("id", "email", "name", "role", "auto_groups")}
    shown |= {name: rfc3339(invite[name]) for name in ("created_at", "expires_at")}
    return {**shown, "expired": _has_expired(call, invite)}


AREA = Area(
    routes=(
        Route("GET", "/users/invites", list_invites),
        Route("POST", "/users/invites", create_invite),
        Route("DELETE", "/users/invites/<token>", delete_invite),
        Route("POST", "/users/invites/<token>/regenerate", regenerate_invite),
        Route("GET", "/users/invites/<token>", get_invite, is_open=True),
        Route("POST", "/users/invites/<token>/accept", accept_invite, is_open=True),
    ),
    activities={
        "user.invite.link.create": "User invite link created",
        "user.invite.link.accept": "User invite link accepted",
        "user.invite.link.regenerate": "User invite link regenerated",
        "user.invite.link.delete": "User invite link deleted",
    },
)
