"""Who asks: the user to whom the token belongs, and the account in which it stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from reconciler.api.client import ReadApi
from reconciler.api.problems import Missing, NoSuchEndpoint, NotPermitted
from reconciler.errors import AccountError, Diagnostic
from reconciler.state.snapshot import Snapshot
from schemas import KINDS, AnyKind
from schemas._core.fields import JsonObject
from schemas._core.people import may_write

ACCOUNTS: Final = "/accounts"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user to whom the token belongs: the row of it, and permissions by module where the server shows them."""

    seen: JsonObject
    permissions: JsonObject | None

    @property
    def is_program(self) -> bool:
        """It is a service user."""
        return bool(self.seen.get("is_service_user"))

    @property
    def role(self) -> str:
        """Its role, in the server's word."""
        return str(self.seen.get("role", ""))

    def refused(self, kind: AnyKind) -> str:
        """What it may not do with objects of a kind: write them, or even read them; empty if it may do all."""
        if self.permissions is None or self.is_program:
            return "" if not kind.module or may_write(self.role, kind.module) else "write"
        if not kind.module:
            return ""
        allowed = self.permissions.get(kind.module)
        if not isinstance(allowed, dict) or not allowed.get("read"):
            return "read"
        wanted = {"create": kind.endpoint.creates, "update": kind.endpoint.updates, "delete": kind.endpoint.deletes}
        if kind.endpoint.singleton:
            wanted = {"update": True}
        return "" if all(allowed.get(word) for word, needed in wanted.items() if needed) else "write"

    def may(self, kind: AnyKind, verbs: Collection[str], parent: str = "") -> bool:
        """Tell whether it may do all of this to an object.

        Args:
            kind: of the object.
            verbs: `create`, `update`, `delete`.
            parent: id of the object in which it stands.
        """
        is_own = bool(kind.module_of_own) and parent == self.seen.get("id")
        module = kind.module_of_own if is_own else kind.module
        if not module or not self.role:
            return True
        if self.permissions is None or self.is_program:
            return may_write(self.role, module)
        allowed = self.permissions.get(module)
        return isinstance(allowed, dict) and all(allowed.get(verb) for verb in verbs)


def known(snapshot: Snapshot) -> Caller | None:
    """Who asks, if the users were read anyway."""
    kind = KINDS[credentials().parent]
    rows = (live.seen for live in snapshot if live.kind.endpoint.path == kind.endpoint.path)
    return next((Caller(row, None) for row in rows if row.get("is_current")), None)


def credentials() -> AnyKind:
    """The kind of object with which programs ask."""
    return next(kind for kind in KINDS.values() if kind.credential is not None)


def identify(api: ReadApi) -> Caller:
    """Find out who asks (users/current: people only, with their permissions; a service user is marked in the list).

    Raises:
        AccountError: The server refused or failed, or its list does not have the caller.
    """
    users = KINDS[credentials().parent].endpoint.path
    try:
        current = api.get(f"{users}/current")
    except (NotPermitted, NoSuchEndpoint, Missing):
        current = None
    if isinstance(current, dict) and "role" in current:
        shown = current.get("permissions")
        modules = shown.get("modules") if isinstance(shown, dict) else None
        return Caller(current, modules if isinstance(modules, dict) else None)
    rows = api.get(users)
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("is_current"):
            return Caller(row, None)
    raise strange(users)


def account_id(api: ReadApi) -> str:
    """Id of the account in which the token stands; empty where the server does not let this caller know it.

    Raises:
        AccountError: the server could not be asked, or answered something else.
    """
    try:
        rows = api.get(ACCOUNTS)
    except (NotPermitted, Missing, NoSuchEndpoint):
        return ""
    row = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    identifier = row.get("id") if isinstance(row, dict) else None
    if not (identifier and isinstance(identifier, str)):
        raise strange(ACCOUNTS)
    return identifier


def strange(where: str) -> AccountError:
    """Something answered that is not NetBird's management server."""
    advice = "is NB_MANAGEMENT_URL NetBird's management server, and a version that nbsync knows?"
    message = f"GET /api{where} did not answer with NetBird's objects"
    return AccountError(Diagnostic("NBS509", message, advice, request=f"GET /api{where}"))
