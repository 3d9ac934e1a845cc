"""Identity providers (module ``identity_providers``): connectors of the embedded one, the same for all accounts.

POST and PUT fetch the issuer's discovery document (see `discovery`). They answer with what they were sent; what is
stored differs: Google and Microsoft lose the issuer at POST, and the type is read off the id.
"""

from typing import Any, Final

from reconciler.simulator import urls
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXT, Struct
from reconciler.simulator.discovery import DiscoveryError, issuer_of
from reconciler.simulator.errors import internal, invalid, not_found, prefixed
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import quoted

KIND: Final = "identity_providers"
TYPES: Final = (
    "oidc",
    "zitadel",
    "entra",
    "google",
    "okta",
    "pocketid",
    "microsoft",
    "authentik",
    "keycloak",
    "adfs",
)
BUILT_IN: Final = ("google", "microsoft")
"""Types whose issuer is known."""

LOCAL: Final[Row] = {"id": "local", "type": "local", "name": "Email", "issuer": "", "client_id": ""}
"""The connector for e-mail and password: no list shows it."""

_SHAPE: Final = Struct(dict.fromkeys(("type", "name", "issuer", "client_id", "client_secret"), TEXT))
_FIELDS: Final = ("id", "type", "name", "issuer", "client_id")
_MARKS: Final = ("pocketid", "zitadel", "entra", "okta", "authentik", "keycloak", "adfs")


def _list(call: Call) -> Any:
    call.require(KIND, READ)
    return [_shown(row) for row in call.world.store.table(KIND).all()]


def _get(call: Call) -> Any:
    call.require(KIND, READ)
    return _shown(_existing(call))


def _create(call: Call) -> Any:
    body = call.body(_SHAPE)
    call.require(KIND, CREATE)
    _check(body)
    prefix = "" if body["type"] == "oidc" else f"{body['type']}-"
    row = {**body, "id": prefix + call.world.new_id(), "account_id": None}
    stored = {**row, "issuer": ""} if body["type"] in BUILT_IN else row
    call.world.store.table(KIND).put({**stored, "type": _type_of(row["id"], body["type"])})
    call.audit("identityprovider.create", row["id"], **_meta(row))
    return _shown(row)


def _update(call: Call) -> Any:
    """Empty fields keep what was there; nothing but the type can be too wrong to be stored."""
    body = call.body(_SHAPE)
    call.require(KIND, UPDATE)
    _check(body)
    with prefixed("failed to update identity provider: failed to update connector: "):
        before = _find(call, call.path["idp_id"])
        if before is None:
            raise internal("not found")
        if before["type"] != body["type"]:
            raise internal("connector type change not allowed")
    given = {key: value for key, value in body.items() if value}
    call.world.store.table(KIND).put({**before, **given})
    row = {**body, "id": before["id"]}
    call.audit("identityprovider.update", row["id"], **_meta(row))
    return _shown(row)


def _delete(call: Call) -> Any:
    """Nothing holds an identity provider; its users just cannot log in any more."""
    call.require(KIND, DELETE)
    row = _existing(call)
    if row["id"] == LOCAL["id"]:
        raise internal("failed to delete identity provider: cannot delete the local password connector")
    call.world.store.table(KIND).remove(row["id"])
    call.audit("identityprovider.delete", row["id"], **_meta(row))
    return {}


def _existing(call: Call) -> Row:
    row = _find(call, call.path["idp_id"])
    if row is None:
        raise not_found("identity provider not found")
    return row


def _find(call: Call, idp_id: str) -> Row | None:
    return LOCAL if idp_id == LOCAL["id"] else call.world.store.table(KIND).get(idp_id)


def _check(body: Row) -> None:
    """All 422; the discovery document comes last."""
    for field in ("name", "type"):
        if not body[field]:
            raise invalid(f"identity provider {field} is required")
    if body["type"] not in TYPES:
        raise invalid("unsupported identity provider type")
    if not body["issuer"] and body["type"] not in BUILT_IN:
        raise invalid("identity provider issuer is required")
    if body["issuer"] and not _is_url(body["issuer"]):
        raise invalid("identity provider issuer must be a valid URL")
    if not body["client_id"]:
        raise invalid("identity provider client ID is required")
    if body["issuer"]:
        _check_discovery(body["issuer"])


def _is_url(text: str) -> bool:
    try:
        return all(urls.parse(text))
    except urls.UrlError:
        return False


def _check_discovery(issuer: str) -> None:
    try:
        named = issuer_of(issuer)
    except DiscoveryError as error:
        raise invalid(f"identity provider issuer is unreachable: {error}") from None
    if named != issuer:
        mismatch = "identity provider issuer does not match the issuer returned by the provider"
        raise invalid(f"{mismatch}: expected {quoted(issuer)} got {quoted(named)}")


def _type_of(idp_id: str, given: str) -> str:
    """The type as every later read infers it, from a word in the id."""
    if given in BUILT_IN:
        return given
    return next((mark for mark in _MARKS if mark in idp_id), "oidc")


def _shown(row: Row) -> Row:
    return {field: row[field] for field in _FIELDS}


def _meta(row: Row) -> dict[str, str]:
    return {field: row[field] for field in ("name", "type", "issuer")}


AREA = Area(
    routes=(
        Route("GET", "/identity-providers", _list),
        Route("POST", "/identity-providers", _create),
        Route("GET", "/identity-providers/<idp_id>", _get),
        Route("PUT", "/identity-providers/<idp_id>", _update),
        Route("DELETE", "/identity-providers/<idp_id>", _delete),
    ),
    activities={
        "identityprovider.create": "Identity provider created",
        "identityprovider.update": "Identity provider updated",
        "identityprovider.delete": "Identity provider deleted",
    },
)
