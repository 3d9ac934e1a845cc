"""The audit log (module ``events``): what was done by whom, newest first."""

from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.permissions import READ
from reconciler.simulator.registry import Area, Route, activities
from reconciler.simulator.store import Row

SHOWN = 10_000
"""Events that one answer holds at most; there are no pages and no filters."""


def list_events(call: Call) -> Any:
    """``GET /events/audit`` and its alias ``GET /events``."""
    call.require("events", READ)
    events = call.account.rows("events")[-SHOWN:]
    users = {user["id"]: user for kind in ("deleted_people", "users") for user in call.account.rows(kind)}
    return [_view(event, users) for event in reversed(events)]


def _view(event: Row, users: dict[str, Row]) -> Row:
    """The event, with names as they are now; a user as target adds its own. Deleted people keep theirs."""
    initiator, target = users.get(event["initiator_id"]), users.get(event["target_id"])
    told = {"email": target["email"], "username": target["name"]} if target else {}
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
