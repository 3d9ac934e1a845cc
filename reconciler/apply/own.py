"""Whether the answer to a write shows the object that was written, and no other."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import unquote

from reconciler.api.problems import BadAnswer, Call
from schemas import AnyKind


def require_made(kind: AnyKind, where: str, body: Any, answer: Any, known: Collection[str]) -> str:
    """See that the answer to a create shows a new object of a kind, and return its id.

    Args:
        kind: of the object.
        where: the path to which it was posted.
        body: what was posted.
        answer: what came back.
        known: ids of objects that were there before.

    Raises:
        BadAnswer: it shows something else; whether the object was made is not known.
    """
    seen = kind.shown_in(answer)
    identifier = seen.get("id") if isinstance(seen, dict) else None
    if not isinstance(identifier, str):
        raise _odd(kind, "POST", where, "it shows no such object")
    if identifier in known:
        raise _odd(kind, "POST", where, f"it shows an object that was there before, with the id {identifier}")
    if kind.reveals and not (_has_secret(kind, answer) and _is_called(kind, seen, body)):
        raise _odd(kind, "POST", where, "it shows no secret of this object")
    _require_fields(kind, "POST", where, seen)
    return identifier


def _has_secret(kind: AnyKind, answer: Any) -> bool:
    """What can be renewed is worth nothing without its secret; a person is made without a password where mail asks for one."""
    secret = answer.get(kind.reveals)
    return isinstance(secret, str) and bool(secret) if kind.renewable else isinstance(secret or "", str)


def _is_called(kind: AnyKind, seen: Any, body: Any) -> bool:
    """Somebody else's secret would be handed over as this object's if that were not looked at."""
    name, wanted = seen.get(kind.name_field), body.get(kind.name_field)
    return isinstance(name, str) and kind.name_form(name) == kind.name_form(wanted)


def require_updated(kind: AnyKind, where: str, answer: Any) -> None:
    """See that the answer to an update shows the object at that path; raises as `require_made`."""
    if not isinstance(answer, dict):
        raise _odd(kind, "PUT", where, "it shows no such object")
    identifier = answer.get("id")
    if "{id}" in kind.endpoint.item_path and identifier != unquote(where.rpartition("/")[2]):
        raise _odd(kind, "PUT", where, "it shows another object")
    _require_fields(kind, "PUT", where, answer)


def _require_fields(kind: AnyKind, method: str, where: str, seen: Any) -> None:
    if missing := sorted(kind.always - seen.keys()):
        raise _odd(kind, method, where, f"the {kind.title} is without {', '.join(missing)}")


def _odd(kind: AnyKind, method: str, where: str, flaw: str) -> BadAnswer:
    advice = f"run plan to see what became of the {kind.title}"
    return BadAnswer(Call("", method, f"/api{where}"), flaw, advice=advice)
