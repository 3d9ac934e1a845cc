"""A server newer than nbsync: its objects have a field that nbsync does not know, and it minds when an update drops it.

The fields are added to what a simulated server answers. The simulator, like the server, takes no notice of unknown fields in
requests, so what an update sends is looked at on its way.
"""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.scenarios.account import Transport

UNKNOWN = "field_of_a_newer_server"
NESTED = (
    "rules",
    "settings",
    "extra",
    "dashboard_features",
    "checks",
    "nameservers",
    "processes",
    "locations",
    "records",
)
"""Parts of objects that can have new fields of their own."""
ALL_OF_IT = ("checks",)
"""Parts whose own parts are all objects, whatever they are called."""


class NewerServer(httpx.BaseTransport):
    """Adds an unknown field to every object of an answer, and notes updates without it.

    Attributes:
        losses: what updates have dropped, as texts.
        updates: how many updates there were.
    """

    def __init__(self, inner: Transport) -> None:
        self._inner = inner or httpx.HTTPTransport()
        self._shown: dict[str, Any] = {}
        self.losses: list[str] = []
        self.updates = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Look at an update, and add to an answer."""
        if request.method == "PUT":
            self._look(request.url.path, json.loads(request.read()))
        response = self._inner.handle_request(request)
        content = response.read()
        if response.is_success and content:
            answer = _marked(json.loads(content))
            for one in answer if isinstance(answer, list) else [answer]:
                self._remember(one, request.url.path)
            content = json.dumps(answer).encode()
        headers = {"Content-Type": response.headers.get("Content-Type", "")}
        return httpx.Response(response.status_code, headers=headers, content=content)

    def _remember(self, seen: Any, path: str) -> None:
        if isinstance(seen, dict):
            self._shown[seen.get("id", path)] = seen
            for child in seen.get("records") or ():
                self._shown[child["id"]] = child

    def _look(self, path: str, body: Any) -> None:
        self.updates += 1
        shown = self._shown.get(path.rpartition("/")[2]) or self._shown[path]
        if "settings" in shown:
            shown = {"settings": shown["settings"]}
        self.losses += [f"PUT {path}: {lost}" for lost in _lost(shown, body, "")]


def _marked(value: Any) -> Any:
    """The value with an unknown field in every object that can have one."""
    if isinstance(value, list):
        return [_marked(item) for item in value]
    if not isinstance(value, dict):
        return value
    marked = {key: _marked_part(key, item) for key, item in value.items()}
    return {**marked, UNKNOWN: {"kept": [len(value)]}}


def _marked_part(key: str, value: Any) -> Any:
    if key in ALL_OF_IT and isinstance(value, dict):
        return {name: _marked(item) for name, item in value.items()}
    return _marked(value) if key in NESTED else value


def _lost(shown: Any, sent: Any, where: str) -> list[str]:
    """Places where something unknown was shown and not sent, as far as the two are the same thing."""
    if isinstance(shown, dict) and isinstance(sent, dict):
        here = [where or "the object"] if UNKNOWN in shown and sent.get(UNKNOWN) != shown[UNKNOWN] else []
        inner = [_lost(shown[key], sent[key], f"{where}/{key}") for key in shown.keys() & sent.keys()]
        return here + [place for places in inner for place in places]
    if isinstance(shown, list) and isinstance(sent, list):
        return [place for old, new in _pairs(shown, sent) for place in _lost(old, new, where)]
    return []


def _pairs(shown: list[Any], sent: list[Any]) -> list[tuple[Any, Any]]:
    """Items of two lists that are the same thing: by id, or by all that is known of them."""
    objects = [item for item in sent if isinstance(item, dict)]
    return [(old, new) for old in shown if isinstance(old, dict) for new in objects if _known(old) == _known(new)]


def _known(item: dict[str, Any]) -> Any:
    return item.get("id") or {key: value for key, value in item.items() if key != UNKNOWN}
