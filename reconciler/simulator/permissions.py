"""Who may do what: the role matrix and the order of its checks.

The table equals ``permissions.modules`` of ``GET /users/current`` for a person of each role.
"""

from collections.abc import Mapping

from .errors import denied, not_found, prefixed
from .store import Row

READ, CREATE, UPDATE, DELETE = "read", "create", "update", "delete"
OPERATIONS = (CREATE, READ, UPDATE, DELETE)

AGENT_MODULES = tuple(
    f"agent_network{part}"
    for part in ("", ".budgets", ".guardrails", ".logs", ".policies", ".providers", ".settings", ".usage")
)
PLAIN_MODULES = (
    "accounts",
    "dns",
    "events",
    "groups",
    "identity_providers",
    "nameservers",
    "networks",
    "pats",
    "peers",
    "policies",
    "remote_jobs",
    "routes",
    "services",
    "settings",
    "setup_keys",
    "users",
)
MODULES = (*AGENT_MODULES, *PLAIN_MODULES)

Matrix = Mapping[str, frozenset[str]]
"""The operations that a role has on each module."""

_ALL = frozenset(OPERATIONS)
_READ_ONLY = frozenset({READ})
_NONE: frozenset[str] = frozenset()


def _network_admin(module: str) -> frozenset[str]:
    if module in {"dns", "groups", "nameservers", "networks", "pats", "policies", "routes"}:
        return _ALL
    readable = {"accounts", "events", "identity_providers", "peers", "settings", "setup_keys", "users"}
    return _READ_ONLY if module in readable else _NONE


ROLES: dict[str, Matrix] = {
    "owner": dict.fromkeys(MODULES, _ALL),
    "admin": {**dict.fromkeys(MODULES, _ALL), "accounts": _READ_ONLY},
    "network_admin": {module: _network_admin(module) for module in MODULES},
    "auditor": dict.fromkeys(MODULES, _READ_ONLY),
    "user": dict.fromkeys(MODULES, _NONE),
}
"""Roles that have permissions; ``billing_admin`` is a role without any, which is an error of its own."""


def allowed(user: Row, account_id: str, module: str, operation: str) -> bool:
    """Whether the user may do this in the account.

    In this order: blocked, another account's user, a service user that reads (always allowed), the role.

    Raises:
        Refusal: the question cannot be answered for this user.
    """
    require_active(user)
    if user["account_id"] != account_id:
        raise denied("user is not part of this account")
    if user["is_service_user"] and operation == READ:
        return True
    return operation in matrix(user["role"])[module]


def require_active(user: Row) -> None:
    """Refuse a user that is blocked; one that waits for approval is told so."""
    if user["is_blocked"]:
        raise denied("user is pending approval" if user["pending_approval"] else "user is blocked")


def matrix(role: str) -> Matrix:
    """The permissions of a role; 404 for one that has no entry."""
    if role not in ROLES:
        raise not_found(f"user role: {role} not found")
    return ROLES[role]


def require(user: Row, account_id: str, module: str, operation: str) -> None:
    """Refuse with 403 unless the user may do this."""
    with prefixed("failed to validate user permissions: ", status=403):
        permitted = allowed(user, account_id, module, operation)
    if not permitted:
        raise denied()


def has_admin_power(user: Row) -> bool:
    """Whether the user is an owner or an admin."""
    return user["role"] in {"owner", "admin"}
