"""The audit log (module ``events``): what was done by whom, newest first."""

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.permissions import READ
from reconciler.simulator.registry import Area, Route, activities
from reconciler.simulator.store import Row, Table

JOINED_BY_KEY = "peer.setupkey.add"
"""Initiators of this are setup keys."""

SHOWN = 10_000
"""Events that one answer holds at most; there are no pages and no filters."""


def list_events(call: Call) -> Any:
    """``GET /events/audit`` and its alias ``GET /events``."""
    call.require("events", READ)
    events = call.account.rows("events")[-SHOWN:][::-1]
    users = {user["id"]: user for user in call.account.rows("users")}
    everybody = call.world.store.table("users")
    strangers = {event["initiator_id"] for event in events if event["code"] != JOINED_BY_KEY} - users.keys()
    users |= {user_id: user for user_id in strangers if (user := everybody.get(user_id))}
    gone = call.world.store.table("deleted_people")
    return [_view(event, users, gone) for event in _without_repeated_joins(events)]


def _without_repeated_joins(events: list[Row]) -> Iterable[Row]:
    """The events, newest first; that somebody joined is told once."""
    joined: set[str] = set()
    for event in events:
        if event["code"] != "user.join" or event["target_id"] not in joined:
            yield event
        if event["code"] == "user.join":
            joined.add(event["target_id"])


def _view(event: Row, users: Mapping[str, Row], gone: Table) -> Row:
    """The event, with names as they are now, or were when the person was deleted; a user as target adds its own.

    Who is deleted may come back with an account of their own: what they did is then marked as ``external``.
    """
    initiator, target = users.get(event["initiator_id"]), users.get(event["target_id"])
    told: Row = {}
    if named := target or gone.get(event["target_id"]):
        told = {"email": named["email"], "username": named["name"]}
    if initiator and initiator["account_id"] != event["account_id"]:
        told["external"] = "true"
    initiator = gone.get(event["initiator_id"]) or initiator
    return {
        "id": event["id"],
        "timestamp": rfc3339(event["timestamp"]),
        "activity": activities().get(event["code"], event["code"]),
        "activity_code": event["code"],
        "initiator_id": event["initiator_id"],
        "initiator_name": initiator["name"] if initiator else "",
        "initiator_email": initiator["email"] if initiator else "",
        "target_id": event["target_id"],
        "meta": {**event["meta"], **told},
    }


AREA = Area(routes=(Route("GET", "/events/audit", list_events), Route("GET", "/events", list_events)))
