"""Users (module ``users``): service users and people. `user_updates` has the rules of PUT, `people` what only people do."""

from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.decoding import BOOL, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import Refusal, conflict, denied, invalid, not_found
from reconciler.simulator.ids import uuid4
from reconciler.simulator.permissions import CREATE, DELETE, OPERATIONS, READ, ROLES
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import folded
from reconciler.simulator.world import Account

from . import peers, user_updates
from .people_rows import new_person, random_password, require_new_person, user_row

BODY = Struct(
    {"email": Nullable(TEXT), "name": Nullable(TEXT), "role": TEXT, "auto_groups": TEXTS, "is_service_user": BOOL}
)
UPDATE_BODY = Struct({"role": TEXT, "auto_groups": TEXTS, "is_blocked": BOOL})
ROLE_NAMES = (*ROLES, "billing_admin")
TRUE_WORDS = ("1", "t", "T", "true", "TRUE", "True")
FALSE_WORDS = ("0", "f", "F", "false", "FALSE", "False")


def list_users(call: Call) -> Any:
    """``GET /users``: in any order; a person without the permission sees itself. ``?service_user=`` filters."""
    users = call.account.rows("users") if call.may_in(call.account.id, "users", READ) else [call.user]
    wanted = call.query("service_user")
    if wanted and wanted not in TRUE_WORDS + FALSE_WORDS:
        raise invalid("invalid service_user query parameter")
    if wanted:
        users = [user for user in users if user["is_service_user"] == (wanted in TRUE_WORDS)]
    call.world.random.shuffle(users)
    return [view(user, call.user) for user in users]


def get_current(call: Call) -> Any:
    """``GET /users/current``: for people only, with what they may do."""
    if call.user["is_blocked"]:
        raise denied("user is blocked")
    if call.user["is_service_user"]:
        raise denied()
    matrix = ROLES.get(call.user["role"], {})
    modules = {module: {name: name in allowed for name in OPERATIONS} for module, allowed in matrix.items()}
    restricted = not any(allowed for allowed in matrix.values()) and call.account.settings["regular_users_view_blocked"]
    return {**view(call.user, call.user), "permissions": {"is_restricted": restricted, "modules": modules}}


def create_user(call: Call) -> Any:
    """``POST /users``: a service user, or a person, whose password is shown once. Groups are not checked."""
    body = call.body(BODY, null_panics=True)
    if body["role"].lower() not in ROLE_NAMES:
        raise invalid(f"unknown user role {body['role']}")
    body["role"] = body["role"].lower()
    body["auto_groups"] = body["auto_groups"] or []
    return _create_service_user(call, body) if body["is_service_user"] else _create_person(call, body)


def update_user(call: Call) -> Any:
    """``PUT /users/{id}``: role, groups and block of a user that exists in any account."""
    target = call.world.store.table("users").get(call.path["user_id"])
    if target is None:
        raise not_found(f"user: {call.path['user_id']} not found")
    body = call.body(UPDATE_BODY, null_panics=True)
    if body["auto_groups"] is None:
        raise Refusal(400, "auto_groups field can't be absent", verbatim=True)
    if body["role"].lower() not in ROLE_NAMES:
        raise invalid("invalid user role")
    call.require("users", CREATE)
    wanted = {"role": body["role"].lower(), "auto_groups": body["auto_groups"], "is_blocked": body["is_blocked"]}
    return view(user_updates.update(call.account, call.user, target, wanted), call.user)


def delete_user(call: Call) -> Any:
    """``DELETE /users/{id}``: takes along the user's tokens, and a person's peers."""
    if call.path["user_id"] == call.user["id"]:
        raise invalid("self deletion is not allowed")
    call.require("users", DELETE)
    remove(call, existing(call))
    return {}


def remove(call: Call, target: Row) -> None:
    """Delete a user, unless a rule forbids it."""
    if target["role"] == "owner":
        raise denied("can't delete a user with the owner role")
    take_away(call.account, target, call.user["id"])


def take_away(account: Account, target: Row, initiator_id: str) -> None:
    """Take a user out of the account, whoever it is: tokens and a person's peers first."""
    if not target["is_service_user"]:
        for peer in account.where("peers", "user_id", target["id"]):
            peers.remove(account, peer, target["id"])
    for token in account.where("tokens", "user_id", target["id"]):
        account.remove("tokens", token["id"])
    account.remove("users", target["id"])
    created = rfc3339(target["created_at"])
    if target["is_service_user"]:
        account.audit(initiator_id, "service.user.delete", target["id"], name=target["name"], created_at=created)
    else:
        account.save("deleted_people", {name: target[name] for name in ("id", "name", "email")})
        told = {"email": target["email"], "username": target["name"], "issued": target["issued"]}
        account.audit(initiator_id, "user.delete", target["id"], **told, created_at=created)


def existing(call: Call) -> Row:
    """The user that the path names, if it is this account's."""
    user = call.account.find("users", call.path["user_id"])
    if user is None:
        raise not_found(f"user: {call.path['user_id']} not found")
    return user


def view(user: Row, caller: Row) -> Row:
    """The user as lists show it."""
    shown = {
        name: user[name] for name in ("id", "name", "email", "role", "auto_groups", "is_service_user", "is_blocked")
    }
    shown |= {
        "status": "blocked" if user["is_blocked"] else "active",
        "issued": user["issued"],
        "pending_approval": user["pending_approval"],
        "last_login": rfc3339(user["last_login"]),
        "is_current": user["id"] == caller["id"],
    }
    return {**shown, "idp_id": user["idp_id"]} if user["idp_id"] else shown


def mail_is_taken(account: Account, email: str) -> bool:
    """Whether a person of the account has this address, in any letter case."""
    return bool(account.where("users", "mail", folded(email)))


def _create_service_user(call: Call, body: Row) -> Any:
    call.require("users", CREATE)
    if body["role"] == "owner":
        raise invalid("can't create a service user with owner role")
    name = body["name"] or ""
    fields = {"id": uuid4(), "name": name, "service_user_name": name, "is_service_user": True}
    fields |= {"role": body["role"], "auto_groups": body["auto_groups"]}
    user = call.account.save("users", user_row(call.world, fields))
    call.audit("service.user.create", user["id"], name=name)
    return view(user, call.user)


def _create_person(call: Call, body: Row) -> Any:
    if not body["name"]:
        raise invalid("name can't be empty")
    if not body["email"]:
        raise invalid("email can't be empty")
    if body["role"] == "owner":
        raise invalid("can't invite a user with owner role")
    call.require("users", CREATE)
    if mail_is_taken(call.account, body["email"]):
        raise conflict("can't invite a user with an existing NetBird account")
    password = random_password()
    require_new_person(call.world, body["email"], password)
    person = new_person(call.world, body["email"], body["name"], password)
    person |= {"role": body["role"], "auto_groups": body["auto_groups"]}
    call.account.save("users", person)
    call.audit("user.create", person["id"])
    shown = view(person, call.user)
    del shown["idp_id"]
    return {**shown, "password": password}


def _mail(user: Row) -> list[str]:
    return [folded(user["email"])] if user["email"] else []


def _holds_group(account: Account, group: Row) -> str | None:
    holder = next((user for user in account.rows("users") if group["id"] in user["auto_groups"]), None)
    return f"user: {holder['id']}" if holder else None


AREA = Area(
    routes=(
        Route("GET", "/users", list_users),
        Route("POST", "/users", create_user),
        Route("GET", "/users/current", get_current),
        Route("PUT", "/users/<user_id>", update_user),
        Route("DELETE", "/users/<user_id>", delete_user),
    ),
    indexes={"users": {"mail": _mail}},
    activities={
        "service.user.create": "Service user created",
        "service.user.delete": "Service user deleted",
        "user.create": "User created",
        "user.delete": "User deleted",
        **user_updates.ACTIVITIES,
    },
    holds_group=_holds_group,
)
