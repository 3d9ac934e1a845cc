"""True answers of a server, and what becomes of them on the way: values of other types, at every place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.unit.harness import json_answer

Place = tuple[str | int, ...]
GONE = object()
WRONG: list[Any] = [
    GONE,
    None,
    [],
    {},
    "x",
    7,
    True,
    -1.5,
    [None],
    [[]],
    [{}],
    ["x"],
    [7],
    {"x": "x"},
    "ü\x1b[31m\n",
    10**30,
]
"""What stands in the place of a value; GONE takes it out."""


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """All places in a value; of long lists the first and the last element."""
    yield place
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*place, key))
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1} if value else ()):
            yield from places(value[index], (*place, index))


def changed(value: Any, place: Place, wrong: Any) -> Any:
    """A copy with another value at one place."""
    if not place:
        return None if wrong is GONE else wrong
    copy = deepcopy(value)
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    if wrong is GONE:
        del inner[place[-1]]
    else:
        inner[place[-1]] = wrong
    return copy


class Canned:
    """A WSGI application that gives the answers that a server once gave; nothing can be written.

    Attributes:
        answers: JSON by path.
        instead: what is answered at some paths instead.
        refused: requests that were no GET.
    """

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.instead: dict[str, Response] = {}
        self.refused: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        if request.method != "GET":
            self.refused.append(f"{request.method} {request.path}")
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.method != "GET":
            return json_answer({"message": "it is no real server", "code": 500}, 500)
        if (found := self.instead.get(request.path)) is not None:
            return found
        if "Authorization" not in request.headers:
            return json_answer({"message": "no valid authentication provided", "code": 401}, 401)
        if request.path not in self.answers:
            return json_answer({"message": "not found", "code": 404}, 404)
        return json_answer(self.answers[request.path])


def raw(text: str | bytes, media: str = "application/json") -> Response:
    """A 200 with any body."""
    return Response(text, 200, content_type=media)


def deep(levels: int) -> str:
    """JSON that is nested so deep."""
    return "[" * levels + "]" * levels


def truncated(answer: Any) -> str:
    """The first half of an answer."""
    text = json.dumps(answer)
    return text[: len(text) // 2 + 1]
