"""What only people have: approval, passwords, invitations that are sent again."""

from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXT, Struct
from reconciler.simulator.errors import invalid, not_found, prefixed
from reconciler.simulator.permissions import CREATE, DELETE, UPDATE
from reconciler.simulator.registry import Area, Route

from . import users
from .people_rows import LONGEST, has_password, password_fields

PASSWORDS = Struct({"old_password": TEXT, "new_password": TEXT})


def approve(call: Call) -> Any:
    """``POST /users/{id}/approve``: lets a pending person in, unblocked."""
    call.require("users", UPDATE)
    user = users.existing(call)
    if not user["pending_approval"]:
        raise invalid(f"user {user['id']} is not pending approval")
    user = call.account.save("users", {**user, "pending_approval": False, "is_blocked": False})
    call.audit("user.approve", user["id"])
    return users.view(user, call.user)


def reject(call: Call) -> Any:
    """``DELETE /users/{id}/reject``: deletes a pending person."""
    call.require("users", DELETE)
    user = users.existing(call)
    if not user["pending_approval"]:
        raise invalid(f"user {user['id']} is not pending approval")
    users.remove(call, user)
    call.audit("user.reject", user["id"])
    return {}


def invite_again(call: Call) -> Any:
    """``POST /users/{id}/invite``: the embedded provider sends no invitations, so it knows none to send again."""
    call.require("users", CREATE)
    user_id = call.path["user_id"]
    if call.world.store.table("users").get(user_id) is None:
        raise not_found(f"user: {user_id} not found")
    raise not_found(f"user account {user_id} doesn't exist")


def change_password(call: Call) -> Any:
    """``PUT /users/{id}/password``: one's own; the new one may be of any form."""
    body = call.body(PASSWORDS)
    if not body["old_password"]:
        raise invalid("old password is required")
    if not body["new_password"]:
        raise invalid("new password is required")
    user = call.user
    with prefixed("failed to update password: "):
        if call.path["user_id"] != user["id"]:
            raise invalid("users can only change their own password")
        if user["is_service_user"]:
            raise invalid("failed to get user: not found")
        if body["old_password"] == body["new_password"]:
            raise invalid("new password must be different from current password")
        if not has_password(user, body["old_password"]):
            raise invalid("current password is incorrect")
        if len(body["new_password"].encode()) > LONGEST:
            raise invalid(f"failed to hash new password: bcrypt: password length exceeds {LONGEST} bytes")
    call.account.save("users", {**user, **password_fields(body["new_password"])})
    call.audit("user.password.change", user["id"])
    return {}


AREA = Area(
    routes=(
        Route("POST", "/users/<user_id>/approve", approve),
        Route("DELETE", "/users/<user_id>/reject", reject),
        Route("POST", "/users/<user_id>/invite", invite_again),
        Route("PUT", "/users/<user_id>/password", change_password),
    ),
    activities={
        "user.approve": "User approved",
        "user.reject": "User rejected",
        "user.password.change": "User password changed",
    },
)
