"""Reverse proxy: the tokens with which proxies connect. A token is shown once; deleting it only revokes it.

Nothing here is written to the audit log.
"""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.clock import SECOND, Nanoseconds, of_seconds, rfc3339
from reconciler.simulator.decoding import INT, TEXT, Nullable, Struct
from reconciler.simulator.errors import Refusal, denied
from reconciler.simulator.ids import hashed, new_secret, secret_flaw
from reconciler.simulator.permissions import CREATE, DELETE, READ, allowed
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.rpc import RpcError
from reconciler.simulator.store import Row
from reconciler.simulator.world import World

KIND: Final = "proxy_tokens"
PREFIX: Final = "nbx_"
MAX_NAME: Final = 255
_BODY: Final = Struct({"name": TEXT, "expires_in": Nullable(INT)})
_MINUTE: Final = 60 * SECOND
"""How long a token's ``last_used`` stays as it is while it is used again and again."""


def _list(call: Call) -> Any:
    _require(call, READ)
    return [_shown(row) for row in call.account.rows(KIND)]


def _create(call: Call) -> Any:
    _require(call, CREATE)
    body = call.body(_BODY)
    if not body["name"] or len(body["name"].encode()) > MAX_NAME:
        raise Refusal(400, f"name is required and must be at most {MAX_NAME} characters", verbatim=True)
    if (body["expires_in"] or 0) < 0:
        raise Refusal(400, "expires_in must be non-negative", verbatim=True)
    secret, row = _made(call.world, body["name"], of_seconds(body["expires_in"] or 0), call.account.id)
    return {**_shown(row), "plain_token": secret}


def _revoke(call: Call) -> Any:
    _require(call, DELETE)
    row = call.account.find(KIND, call.path["token_id"])
    if row is None:
        raise Refusal(404, "token not found", verbatim=True)
    call.account.save(KIND, {**row, "revoked": True})
    return {}


def _require(call: Call, operation: str) -> None:
    """The usual check, except that a user without any permissions and a blocked one get a 500."""
    try:
        permitted = allowed(call.user, call.account.id, "services", operation)
    except Refusal:
        raise Refusal(500, "failed to validate permissions", verbatim=True) from None
    if not permitted:
        raise denied()


def _made(world: World, name: str, lifetime: Nanoseconds, account_id: str | None) -> tuple[str, Row]:
    """A new token's secret and its row; a lifetime that is not positive is none."""
    secret, now = new_secret(PREFIX), world.now()
    row = {
        "id": world.new_id(),
        "account_id": account_id,
        "name": name,
        "hash": hashed(secret),
        "created_at": now,
        "expires_at": now + lifetime if lifetime > 0 else None,
        "last_used": None,
        "revoked": False,
    }
    world.store.table(KIND).put(row)
    return secret, row


def _shown(row: Row) -> Row:
    times = {key: rfc3339(row[key]) for key in ("expires_at", "last_used") if row[key] is not None}
    return {
        "id": row["id"],
        "name": row["name"],
        "created_at": rfc3339(row["created_at"]),
        **times,
        "revoked": row["revoked"],
    }


def holder_of(world: World, secret: str) -> Row:
    """The token with this secret, marked as used at most once a minute.

    Raises:
        RpcError: wrong form, unknown, expired or revoked.
    """
    table = world.store.table(KIND)
    if secret_flaw(PREFIX, secret):
        raise RpcError("Unauthenticated", "invalid token format")
    row = next(iter(table.where("hash", hashed(secret))), None)
    if row is None:
        raise RpcError("Unauthenticated", "invalid token")
    now = world.now()
    if row["revoked"] or (row["expires_at"] is not None and row["expires_at"] < now):
        raise RpcError("Unauthenticated", "token expired or revoked")
    if row["last_used"] is None or now - row["last_used"] >= _MINUTE:
        table.put({**row, "last_used": now})
    return row


def _shared_token_made(world: World, line: Mapping[str, Any]) -> Any:
    """Somebody runs the server's own command line; such a token belongs to no account."""
    return {"token": _made(world, line["name"], 0, None)[0]}


AREA = Area(
    routes=(
        Route("GET", "/reverse-proxies/proxy-tokens", _list),
        Route("POST", "/reverse-proxies/proxy-tokens", _create),
        Route("DELETE", "/reverse-proxies/proxy-tokens/<token_id>", _revoke),
    ),
    happenings={"shared_proxy_token_created_on_the_server": _shared_token_made},
)
