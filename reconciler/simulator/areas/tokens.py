"""Personal access tokens of a user (module ``pats``): one's own, or an admin's of a service user."""

from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.clock import DAY, rfc3339
from reconciler.simulator.decoding import INT, TEXT, Struct
from reconciler.simulator.errors import denied, invalid, not_found
from reconciler.simulator.ids import PAT_PREFIX, hashed, new_secret
from reconciler.simulator.permissions import CREATE, DELETE, READ, has_admin_power
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

BODY = Struct({"name": TEXT, "expires_in": INT})
MAX_DAYS = 365


def list_tokens(call: Call) -> Any:
    """``GET /users/{id}/tokens``; null if there are none."""
    target = _target(call, READ)
    return [view(token) for token in call.account.where("tokens", "user_id", target["id"])] or None


def get_token(call: Call) -> Any:
    """``GET /users/{id}/tokens/{token}``."""
    return view(_existing(call, _target(call, READ)))


def create_token(call: Call) -> Any:
    """``POST /users/{id}/tokens``: the secret is in this answer and never again."""
    body = call.body(BODY)
    if not body["name"]:
        raise invalid("token name can't be empty")
    if not 1 <= body["expires_in"] <= MAX_DAYS:
        raise invalid("expiration has to be between 1 and 365")
    target = _target(call, CREATE)
    secret, token = new_token(call.account, target, call.user["id"], body["name"], body["expires_in"])
    return {"plain_token": secret, "personal_access_token": view(token)}


def delete_token(call: Call) -> Any:
    """``DELETE /users/{id}/tokens/{token}``: also the one in use."""
    target = _target(call, DELETE)
    token = _existing(call, target)
    call.account.remove("tokens", token["id"])
    _audit(call.account, call.user["id"], "personal.access.token.delete", target, token["name"])
    return {}


def new_token(account: Account, user: Row, creator_id: str, name: str, days: int) -> tuple[str, Row]:
    """Make a token for a user; returns its secret and its row."""
    secret = new_secret(PAT_PREFIX)
    now = account.world.now()
    row = {
        "id": account.world.new_id(),
        "user_id": user["id"],
        "hash": hashed(secret),
        "name": name,
        "created_by": creator_id,
        "created_at": now,
        "expiration_date": now + days * DAY,
        "last_used": None,
    }
    account.save("tokens", row)
    _audit(account, creator_id, "personal.access.token.create", user, name)
    return secret, row


def view(token: Row) -> Row:
    """The token as the API shows it; ``last_used`` is missing until its first use."""
    shown = {
        "id": token["id"],
        "name": token["name"],
        "created_by": token["created_by"],
        "created_at": rfc3339(token["created_at"]),
        "expiration_date": rfc3339(token["expiration_date"]),
    }
    return shown if token["last_used"] is None else {**shown, "last_used": rfc3339(token["last_used"])}


def _target(call: Call, operation: str) -> Row:
    """The user whose tokens these are: permission, existence, account, then whose tokens the caller may touch."""
    call.require("pats", operation)
    user_id = call.path["user_id"]
    target = call.world.store.table("users").get(user_id)
    if target is None:
        raise not_found(f"user: {user_id} not found")
    if target["account_id"] != call.account.id:
        raise denied()
    is_own = target["id"] == call.user["id"]
    if not is_own and not (target["is_service_user"] and has_admin_power(call.user)):
        raise denied("admin role required to perform this action")
    return target


def _existing(call: Call, target: Row) -> Row:
    token = call.account.find("tokens", call.path["token_id"])
    if token is None or token["user_id"] != target["id"]:
        raise not_found(f"pat: {call.path['token_id']} not found")
    return token


def _audit(account: Account, initiator: str, code: str, user: Row, name: str) -> None:
    is_service_user = str(user["is_service_user"]).lower()
    user_name = user["service_user_name"]
    account.audit(initiator, code, user["id"], name=name, is_service_user=is_service_user, user_name=user_name)


AREA = Area(
    routes=(
        Route("GET", "/users/<user_id>/tokens", list_tokens),
        Route("POST", "/users/<user_id>/tokens", create_token),
        Route("GET", "/users/<user_id>/tokens/<token_id>", get_token),
        Route("DELETE", "/users/<user_id>/tokens/<token_id>", delete_token),
    ),
    activities={
        "personal.access.token.create": "Personal access token created",
        "personal.access.token.delete": "Personal access token deleted",
    },
)
