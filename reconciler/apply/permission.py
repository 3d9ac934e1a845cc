"""Whether the caller may make all changes of a plan: asked before the first one, so that none is left half done."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.api.client import ReadApi
from reconciler.errors import AccountError, Diagnostic, NotAuthorized
from reconciler.plan.change import Action, Change, Plan
from reconciler.plan.match import Book
from reconciler.state.caller import Caller, identify, known
from schemas._core.people import may_write

NOT_PERMITTED = "NBS407"
SHOWN = 3
"""So many addresses are named; of the others it is said how many they are."""

_VERBS = {
    Action.CREATE: ("create",),
    Action.UPDATE: ("update",),
    Action.RENAME: ("update",),
    Action.REPLACE: ("create", "delete"),
    Action.DELETE: ("delete",),
}


def require_permission(api: ReadApi, book: Book, plan: Plan) -> None:
    """Refuse a plan in the middle of which the server would refuse the caller.

    Where nobody says who that is, the server will.

    Raises:
        NotAuthorized: there are changes that the caller may not make; nothing was sent.
    """
    if not plan.changes or (caller := known(book.snapshot) or _asked(api)) is None:
        return
    closed: dict[str, list[Change]] = {}
    for change in plan.changes:
        if not caller.may(change.kind, _VERBS[change.action], _around(book, change)):
            closed.setdefault(change.kind.name, []).append(change)
    if closed:
        raise NotAuthorized(_complaints(caller, closed))


def _asked(api: ReadApi) -> Caller | None:
    try:
        return identify(api)
    except AccountError:
        return None


def _around(book: Book, change: Change) -> str:
    live = book.pairs.get(change.parent) if change.parent else None
    return change.live.parent if change.live else live.id if live else ""


def _complaints(caller: Caller, closed: dict[str, list[Change]]) -> Iterator[Diagnostic]:
    enough = (
        "network_admin"
        if all(may_write("network_admin", changes[0].kind.module) for changes in closed.values())
        else "admin"
    )
    advice = f"nothing was sent: use the token of a service user with the role {enough}, or take this out of the files"
    name = caller.seen.get("name") or caller.seen.get("email") or caller.seen.get("id")
    for changes in closed.values():
        first = changes[0]
        message = f"{name}, whose token this is, has the role {caller.role} and may not write {_listed(changes)}"
        yield Diagnostic(NOT_PERMITTED, message, advice, address=str(first.address), place=first.cause)


def _listed(changes: list[Change]) -> str:
    named = [str(change.address) for change in changes[:SHOWN]]
    rest = len(changes) - len(named)
    return (
        f"{', '.join(named)} and {rest} more"
        if rest
        else " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    )
