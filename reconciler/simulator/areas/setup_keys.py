"""Setup keys (module ``setup_keys``): only ``auto_groups`` and ``revoked`` ever change; the secret is shown once."""

from typing import Any

from reconciler.simulator import membership
from reconciler.simulator.call import Call
from reconciler.simulator.clock import of_seconds, rfc3339
from reconciler.simulator.decoding import BOOL, INT, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import invalid, not_found
from reconciler.simulator.ids import hashed, uuid4
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Answer, Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

CREATE_BODY = Struct(
    {
        "name": TEXT,
        "type": TEXT,
        "expires_in": INT,
        "auto_groups": TEXTS,
        "usage_limit": INT,
        "ephemeral": Nullable(BOOL),
        "allow_extra_dns_labels": Nullable(BOOL),
    }
)
UPDATE_BODY = Struct({"revoked": BOOL, "auto_groups": TEXTS})
REUSABLE, ONE_OFF = "reusable", "one-off"
SHOWN = 5
PLAIN_JSON = {"Content-Type": "application/json"}
"""GET of one key and PUT answer with this content type, unlike every other handler."""


def list_keys(call: Call) -> Any:
    """``GET /setup-keys``."""
    call.require("setup_keys", READ)
    return [view(call.account, key) for key in call.account.rows("setup_keys")]


def get_key(call: Call) -> Any:
    """``GET /setup-keys/{id}``."""
    call.require("setup_keys", READ)
    return Answer(view(call.account, _existing(call)), headers=PLAIN_JSON)


def create_key(call: Call) -> Any:
    """``POST /setup-keys``: the answer holds the secret; name, type, expiry and limit are checked before the role."""
    body = call.body(CREATE_BODY, null_panics=True)
    _check(body)
    call.require("setup_keys", CREATE)
    groups = body["auto_groups"] or []
    _check_groups(call.account, groups)
    secret = uuid4().upper()
    now = call.world.now()
    key: Row = {
        "id": call.world.new_id(),
        "name": body["name"],
        "type": body["type"],
        "key": secret[:SHOWN] + "****",
        "hash": hashed(secret),
        "expires": now + lifetime if (lifetime := of_seconds(body["expires_in"])) else None,
        "auto_groups": groups,
        "usage_limit": 1 if body["type"] == ONE_OFF else body["usage_limit"],
        "ephemeral": bool(body["ephemeral"]),
        "allow_extra_dns_labels": bool(body["allow_extra_dns_labels"]),
        "revoked": False,
        "used_times": 0,
        "last_used": None,
        "updated_at": now,
    }
    call.account.save("setup_keys", key)
    call.audit("setupkey.add", key["id"], name=key["name"], type=key["type"], key=key["key"])
    _audit_groups(call, [], key)
    return {**view(call.account, key), "key": secret}


def update_key(call: Call) -> Any:
    """``PUT /setup-keys/{id}``: groups are checked before the key's existence."""
    body = call.body(UPDATE_BODY, null_panics=True)
    if body["auto_groups"] is None:
        raise invalid("setup key AutoGroups field is invalid")
    call.require("setup_keys", UPDATE)
    _check_groups(call.account, body["auto_groups"])
    old = _existing(call)
    if old["revoked"] and not body["revoked"]:
        raise invalid("can't un-revoke a revoked setup key")
    changes = {"revoked": body["revoked"], "auto_groups": body["auto_groups"], "updated_at": call.world.now()}
    key = call.account.save("setup_keys", {**old, **changes})
    if key["revoked"] and not old["revoked"]:
        call.audit("setupkey.revoke", key["id"], name=key["name"], type=key["type"], key=key["key"])
    _audit_groups(call, old["auto_groups"], key)
    return Answer(view(call.account, key), headers=PLAIN_JSON)


def delete_key(call: Call) -> Any:
    """``DELETE /setup-keys/{id}``: peers that joined with it stay."""
    call.require("setup_keys", DELETE)
    key = _existing(call)
    call.account.remove("setup_keys", key["id"])
    call.audit("setupkey.delete", key["id"], name=key["name"], type=key["type"], key=key["key"])
    return {}


def state(account: Account, key: Row) -> str:
    """``expired`` before ``revoked`` before ``overused`` before ``valid``."""
    if key["expires"] is not None and key["expires"] < account.world.now():
        return "expired"
    if key["revoked"]:
        return "revoked"
    return "overused" if 0 < key["usage_limit"] <= key["used_times"] else "valid"


def view(account: Account, key: Row) -> Row:
    """The key as the API shows it, its secret masked."""
    plain = ("id", "name", "type", "key", "auto_groups", "usage_limit", "ephemeral", "allow_extra_dns_labels")
    current = state(account, key)
    return {
        **{name: key[name] for name in (*plain, "revoked", "used_times")},
        **{name: rfc3339(key[name]) for name in ("expires", "last_used", "updated_at")},
        "state": current,
        "valid": current == "valid",
    }


def _audit_groups(call: Call, before: list[str], key: Row) -> None:
    """One event for each group that left or came, for each time that a list names it."""
    after = key["auto_groups"]
    gone = [group_id for group_id in before if group_id not in after]
    come = [group_id for group_id in after if group_id not in before]
    for code, group_ids in (("setupkey.group.delete", gone), ("setupkey.group.add", come)):
        for group_id in group_ids:
            if group := call.account.find("groups", group_id):
                call.audit(code, key["id"], group=group["name"], group_id=group_id, setupkey=key["name"])


def _check(body: Row) -> None:
    if not body["name"]:
        raise invalid("setup key name shouldn't be empty")
    if body["type"] not in {REUSABLE, ONE_OFF}:
        raise invalid(f"unknown setup key type {body['type']}")
    if body["type"] == ONE_OFF and body["usage_limit"] > 1:
        raise invalid(
            f"usage_limit {body['usage_limit']} is not valid for a one-off setup key, which can be used once; "
            "use type reusable for a key that can be used more than once"
        )
    if of_seconds(body["expires_in"]) < 0:
        raise invalid("expiresIn can not be in the past")


def _check_groups(account: Account, group_ids: list[str]) -> None:
    for group_id in group_ids:
        group = account.find("groups", group_id)
        if group is None:
            raise invalid(f"invalid auto groups: group not found: {group_id}")
        if group["name"] == membership.ALL:
            raise invalid("invalid auto groups: can't add 'All' group to the setup key")


def _existing(call: Call) -> Row:
    key = call.account.find("setup_keys", call.path["key_id"])
    if key is None:
        raise not_found(f"setup key: {call.path['key_id']} not found")
    return key


def _holds_group(account: Account, group: Row) -> str | None:
    holder = next((key for key in account.rows("setup_keys") if group["id"] in key["auto_groups"]), None)
    return f"setup key: {holder['name']}" if holder else None


AREA = Area(
    routes=(
        Route("GET", "/setup-keys", list_keys),
        Route("POST", "/setup-keys", create_key),
        Route("GET", "/setup-keys/<key_id>", get_key),
        Route("PUT", "/setup-keys/<key_id>", update_key),
        Route("DELETE", "/setup-keys/<key_id>", delete_key),
    ),
    activities={
        "setupkey.add": "Setup key created",
        "setupkey.group.add": "Group added to setup key",
        "setupkey.group.delete": "Group removed from user setup key",
        "setupkey.revoke": "Setup key revoked",
        "setupkey.delete": "Setup key deleted",
    },
    holds_group=_holds_group,
)
