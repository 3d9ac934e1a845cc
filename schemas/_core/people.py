"""What service users and people have in common: one list in the API, one caller that must not cut itself off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas._core.fields import JsonObject
from schemas._core.kind import Account, Veto
from schemas._core.reading import WrongType

ANSWER_ONLY = frozenset(
    {"id", "status", "last_login", "issued", "is_current", "pending_approval", "idp_id", "permissions", "password"}
)
ADMINISTRATORS = frozenset({"owner", "admin"})
_NETWORK = frozenset({"dns", "groups", "nameservers", "networks", "pats", "policies", "routes"})
_WRITABLE = {
    "network_admin": _NETWORK,
    "auditor": frozenset[str](),
    "user": frozenset[str](),
    "billing_admin": frozenset[str](),
}


def may_write(role: str, module: str) -> bool:
    """Tell whether a role may write what belongs to a module of permissions; who has a role that is not known may.

    The table is the server's own, which it shows to people and not to service users (users/current: `permissions`).
    """
    writable = _WRITABLE.get(role)
    return writable is None or module in writable


_RANKS = {"user": 0, "billing_admin": 1, "auditor": 1, "network_admin": 2, "admin": 3, "owner": 4}


def is_service_user(seen: JsonObject) -> bool:
    """Tell whether an element of the list of users is a service user.

    Raises:
        WrongType: it does not say.
    """
    said = seen.get("is_service_user", False)
    if not isinstance(said, bool):
        raise WrongType("is_service_user is neither true nor false")
    return said


def grants(one: Any, other: Any) -> bool:
    """Tell whether the second of two states of a person or service user may do more; a role that is not known may do most."""
    most = max(_RANKS.values()) + 1
    rises = _RANKS.get(other.role, most) > _RANKS.get(one.role, most)
    return rises or bool(one.blocked and not other.blocked)


def lacks_caller(listed: Sequence[JsonObject]) -> str:
    """Nobody can ask for this list who is not in it; without the caller nothing could keep it from being cut off."""
    return "" if any(seen.get("is_current") for seen in listed) else "the user who asks for it"


def vetoes(seen: JsonObject, after: Any, changed: frozenset[str], _account: Account) -> list[Veto]:
    """What may never be done to the caller and to the owner."""
    if seen.get("is_current"):
        return _cut_off("the caller: nbsync works with its token", after, changed)
    if seen.get("role") == "owner":
        return _cut_off("the owner of the account", after, changed)
    return []


def _cut_off(who: str, after: Any, changed: frozenset[str]) -> list[Veto]:
    if after is None:
        return [Veto(f"this is {who}; it is never deleted", "declare it, or list its address under unmanaged")]
    found = []
    if "blocked" in changed and after.blocked:
        found.append(Veto(f"this is {who}; it is never blocked", "take blocked: true out of the files"))
    if "role" in changed:
        found.append(Veto(f"this is {who}; its role is never changed", "declare the role that it has, or leave it out"))
    return found
