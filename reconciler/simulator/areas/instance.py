"""The server itself: whether it is set up, the setup form, its version."""

import re
from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, INT, TEXT, Nullable, Struct
from reconciler.simulator.errors import invalid, precondition
from reconciler.simulator.registry import Answer, Area, Route
from reconciler.simulator.store import Row

from .accounts import new_account
from .people_rows import new_person
from .tokens import MAX_DAYS, new_token

SETUP = Struct(
    {"email": TEXT, "password": TEXT, "name": TEXT, "create_pat": Nullable(BOOL), "pat_expire_in": Nullable(INT)}
)
MIN_PASSWORD, MAX_PASSWORD = 8, 72
_LETTER = r"[\w!#$%&'*+/=?^`{|}~\x80-\U0010ffff-]"
_QUOTED = r'"(?:[^"\\\n\r]|\\.)+"'
_DOTTED = rf"{_LETTER}+(?:\.{_LETTER}+)*"
_ADDRESS = rf"(?:{_DOTTED}|{_QUOTED})@(?:{_DOTTED}|\[[!-Z^-~]*\])"
EMAIL = re.compile(rf"[ \t]*(?:(?:{_LETTER}|[. \t]|{_QUOTED})*<{_ADDRESS}>|{_ADDRESS})[ \t]*(?:\([^()]*\))?[ \t]*")
"""What Go's ``mail.ParseAddress`` reads: an address by itself, or after a name and in angle brackets."""


def get_instance(call: Call) -> Any:
    """``GET /instance``, for anybody."""
    return {"setup_required": call.world.store.table("setup").get("owner") is None}


def get_version(call: Call) -> Any:  # noqa: ARG001 - every handler takes a call
    """``GET /instance/version``: a build of one's own that cannot reach the internet."""
    return {"management_current_version": "development", "management_update_available": False}


def set_up(call: Call) -> Any:
    """``POST /setup``, once and for anybody: the first owner, and with ``create_pat`` an account and a token."""
    body = call.body(SETUP, message="invalid request body")
    wants_token = body["create_pat"] and call.world.environment.get("NB_SETUP_PAT_ENABLED", "true") == "true"
    days = 1 if body["pat_expire_in"] is None else body["pat_expire_in"]
    if wants_token and not 1 <= days <= MAX_DAYS:
        raise invalid("pat_expire_in must be between 1 and 365")
    _check(body)
    setup = call.world.store.table("setup")
    if setup.get("owner"):
        raise precondition("setup already completed")
    owner = new_person(call.world, body["email"], body["name"], body["password"])
    setup.put({"id": "owner", "person": owner})
    answer = {"user_id": owner["id"], "email": owner["email"]}
    if wants_token:
        account = new_account(call.world, owner, "")
        secret, _ = new_token(account, owner, owner["id"], "setup-token", days)
        answer["personal_access_token"] = secret
    return Answer(answer, headers={"Cache-Control": "no-store"})


def _check(body: Row) -> None:
    """What is refused of the person, in this order."""
    if not body["email"]:
        raise invalid("email is required")
    if not EMAIL.fullmatch(body["email"]):
        raise invalid("invalid email format")
    if not body["name"]:
        raise invalid("name is required")
    if not body["password"]:
        raise invalid("password is required")
    if len(body["password"].encode()) < MIN_PASSWORD:
        raise invalid("password must be at least 8 characters")
    if len(body["password"].encode()) > MAX_PASSWORD:
        raise invalid("password must be at most 72 characters")


AREA = Area(
    routes=(
        Route("GET", "/instance", get_instance, is_open=True),
        Route("GET", "/instance/version", get_version),
        Route("POST", "/setup", set_up, is_open=True),
    )
)
