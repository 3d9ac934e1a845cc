"""What happens to an account other than through its HTTP API: ``POST /_simulator/events``.

The body is an event line: ``{"event": name, ...}``. Areas bring their own events; ``time_passes`` and ``fault`` are
here. The answer is the event's result; 501 if nobody knows the event.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from .encoding import encode
from .faults import Faults
from .registry import Happening
from .world import World


class UnknownEventError(LookupError):
    """No area knows an event of that name."""


def happen(world: World, faults: Faults, happenings: Mapping[str, Happening], line: Mapping[str, Any]) -> Any:
    """Let one event happen; returns its result, raises UnknownEventError."""
    name = line.get("event")
    if name == "time_passes":
        world.clock.advance(float(line["seconds"]))
        return {}
    if name == "fault":
        faults.order(line)
        return {}
    if not isinstance(name, str) or name not in happenings:
        raise UnknownEventError(name)
    return happenings[name](world, line)


def answer(event: Callable[[Mapping[str, Any]], Any], request: Request) -> Response:
    """The HTTP form of an event: 200 with the result, 501 if it is unknown, 400 if the line is not usable."""
    try:
        result, status = event(json.loads(request.get_data())), 200
    except UnknownEventError as unknown:
        result, status = {"message": f"unknown event {unknown}", "code": 501}, 501
    except (ValueError, KeyError, TypeError, AttributeError) as flaw:
        result, status = {"message": f"bad event: {flaw!r}", "code": 400}, 400
    return Response(encode(result), status, content_type="application/json; charset=UTF-8")
