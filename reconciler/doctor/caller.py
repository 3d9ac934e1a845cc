"""Whose the token is, what its owner may do, and when the token ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from reconciler.api.client import ReadApi, path
from reconciler.api.problems import Missing, NoSuchEndpoint, NotPermitted
from reconciler.doctor.check import warned
from reconciler.errors import Diagnostic, NotAuthorized
from reconciler.load.desired import Desired
from reconciler.state.caller import Caller, credentials, strange
from schemas import KINDS, AnyKind
from schemas._core.people import may_write

SOON: Final = timedelta(days=14)
Said = tuple[str, tuple[Diagnostic, ...]]


def describe(caller: Caller) -> Said:
    """Say whose the token is.

    Raises:
        NotAuthorized: The user is blocked.
    """
    name = caller.seen.get("name") or caller.seen.get("email") or caller.seen.get("id")
    if caller.seen.get("is_blocked"):
        advice = "an admin can change that under Team in the dashboard"
        raise NotAuthorized(Diagnostic("NBS503", f"the token's user, {name}, is blocked", advice))
    if caller.is_program:
        return f"the service user {name}, role {caller.role}", ()
    advice = "use the token of a service user (Team > Service Users): it stays when this person leaves"
    return warned("NBS844", f"a person's own token, {name}'s, role {caller.role}: it ends with this person", advice)


def permit(caller: Caller, desired: Desired | None) -> Said:
    """Compare what the caller may do with what the files ask for.

    Raises:
        NotAuthorized: It may not do all of that.
    """
    kinds = [kind for name, kind in KINDS.items() if desired is None or name in desired.kinds]
    closed = {word: _sections(kind for kind in kinds if caller.refused(kind) == word) for word in ("read", "write")}
    told = " and ".join(f"not {word} {', '.join(names)}" for word, names in closed.items() if names)
    if desired is None:
        return f"the role {caller.role} may {told or 'do everything'}; no files to compare that with", ()
    if not told:
        return f"the role {caller.role} may do all that the files need", ()
    message = f"the role {caller.role} may {told}, which the files declare"
    raise NotAuthorized(Diagnostic("NBS845", message, _role_advice(kinds)))


def _role_advice(kinds: Iterable[AnyKind]) -> str:
    enough = "network_admin" if all(may_write("network_admin", kind.module) for kind in kinds) else "admin"
    return f"give the service user the role {enough}; as it is, it is good for plan, drift and export at the most"


def expiry(api: ReadApi, caller: Caller, access_token_ends: datetime | None) -> Said:
    """Say when the token ends. Which one it is the server does not say: it is among those that were used last."""
    if access_token_ends is not None:
        return f"the access token ends on {access_token_ends:%Y-%m-%d %H:%M} UTC", ()
    kind = credentials()
    tokens = path(kind.endpoint.path, parent=str(caller.seen.get("id", "")))
    try:
        rows = api.get(tokens)
        found = kind.credential(rows) if kind.credential and rows else []
        dates = sorted(datetime.fromisoformat(row[kind.expires]) for row in found)
        left = dates[0] - datetime.now(UTC) if dates else timedelta.max
    except (NotPermitted, NoSuchEndpoint, Missing):
        return "the server does not show this user when its tokens end", ()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise strange(str(tokens)) from None
    if not dates:
        return "the server does not say which token is in use", ()
    which = "the token" if len(dates) == 1 else f"the first of {len(dates)} tokens that are in use"
    message = f"{which} ends on {dates[0]:%Y-%m-%d}, in {max(left.days, 0)} days"
    advice = "make a new one in time; nbsync rotate does so for a token that the files declare"
    return warned("NBS846", message, advice) if left < SOON else (message, ())


def _sections(kinds: Iterable[AnyKind]) -> list[str]:
    """Root keys, as the files have them, without repetition."""
    return list(dict.fromkeys(".".join((KINDS[kind.parent] if kind.parent else kind).section) for kind in kinds))
