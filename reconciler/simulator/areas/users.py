"""Users: service users and people (module ``users``)."""

import hashlib
from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.decoding import BOOL, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import invalid
from reconciler.simulator.ids import person_id, uuid4
from reconciler.simulator.permissions import CREATE, READ
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account, World

BODY = Struct(
    {"email": Nullable(TEXT), "name": Nullable(TEXT), "role": TEXT, "auto_groups": TEXTS, "is_service_user": BOOL}
)
ROLES = ("owner", "admin", "user", "auditor", "network_admin", "billing_admin")
LOCAL = "local"


def list_users(call: Call) -> Any:
    """``GET /users``: in any order."""
    call.require("users", READ)
    rows = call.account.rows("users")
    call.world.random.shuffle(rows)
    return [view(user, call.user) for user in rows]


def create_user(call: Call) -> Any:
    """``POST /users``: a service user, or the invitation of a person."""
    body = call.body(BODY, null_panics=True)
    if body["role"].lower() not in ROLES:
        raise invalid(f"unknown user role {body['role']}")
    call.require("users", CREATE)
    user = _user_row(call.world, {"id": uuid4(), "name": body["name"] or "", "is_service_user": True})
    user |= {"role": body["role"].lower(), "auto_groups": body["auto_groups"] or [], "service_user_name": user["name"]}
    call.account.save("users", user)
    call.audit("service.user.create", user["id"], name=user["name"])
    return view(user, call.user)


def new_person(world: World, email: str, name: str, password: str) -> Row:
    """The row, not yet saved, of a person who logs in with a password of the embedded identity provider."""
    salt = uuid4()
    person = {"id": person_id(LOCAL), "name": name, "email": email, "idp_id": LOCAL}
    return _user_row(world, {**person, "salt": salt, "password": password_hash(salt, password)})


def password_hash(salt: str, password: str) -> str:
    """What is stored of a password."""
    return hashlib.sha256((salt + password).encode()).hexdigest()


def _user_row(world: World, fields: Row) -> Row:
    blank: Row = {
        "email": "",
        "role": "user",
        "auto_groups": [],
        "is_service_user": False,
        "service_user_name": "",
        "is_blocked": False,
        "pending_approval": False,
        "issued": "api",
        "last_login": None,
        "created_at": world.now(),
        "idp_id": "",
    }
    return {**blank, **fields}


def view(user: Row, caller: Row) -> Row:
    """The user as lists show it."""
    shown = {key: user[key] for key in ("id", "name", "email", "role", "auto_groups", "is_service_user", "is_blocked")}
    shown |= {
        "status": "blocked" if user["is_blocked"] else "active",
        "issued": user["issued"],
        "pending_approval": user["pending_approval"],
        "last_login": rfc3339(user["last_login"]),
        "is_current": user["id"] == caller["id"],
    }
    return {**shown, "idp_id": user["idp_id"]} if user["idp_id"] else shown


def _holds_group(account: Account, group: Row) -> str | None:
    holder = next((user for user in account.rows("users") if group["id"] in user["auto_groups"]), None)
    return f"user: {holder['id']}" if holder else None


AREA = Area(
    routes=(Route("GET", "/users", list_users), Route("POST", "/users", create_user)),
    activities={"service.user.create": "Service user created"},
    holds_group=_holds_group,
)
