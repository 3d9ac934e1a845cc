"""The WSGI application: routing, the layers around a handler, and what goes back."""

import posixpath
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.wrappers import Request, Response

from . import control, registry
from .authentication import authenticate
from .call import Call
from .encoding import encode
from .errors import ConnectionDropped, Refusal
from .faults import Faults
from .registry import Answer, Route
from .state import StateFile
from .text import from_utf8
from .transport import InProcessTransport
from .world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

JSON = "application/json; charset=UTF-8"
PLAIN = "text/plain; charset=utf-8"
CONTROL_PATH = "/_simulator/events"
REMEMBERED_REQUESTS = 100_000
OK = 200


class Simulator:
    """A NetBird management server: a WSGI application that many threads may call at once.

    Args:
        environ: The server's environment variables; the ``NB_*`` ones that the server reads count.
        state: File that keeps everything over restarts; None keeps it in memory.

    Attributes:
        world: The server's tables and clock.
        requests: Method, path with query, and status of the last API requests, oldest first; status 0 is a connection
            that was closed without an answer.
    """

    def __init__(self, environ: Mapping[str, str] = {}, state: Path | None = None) -> None:
        self.world = World(environ, registry.indexes())
        self.requests: deque[tuple[str, str, int]] = deque(maxlen=REMEMBERED_REQUESTS)
        self.faults = Faults()
        self._happenings = registry.happenings()
        self._chores = registry.chores()
        self._router = _router()
        self._lock = threading.RLock()
        self._state = StateFile(state, self.world) if state else None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request (WSGI); raises ConnectionDropped where the server would just hang up."""
        request = Request(environ)
        return self._respond(request)(environ, start_response)

    def bootstrap(self) -> str:
        """Set the server up as its first visitor would, with a service user; returns that user's token."""
        from .seed import bootstrap

        return bootstrap(self)

    def transport(self) -> httpx.BaseTransport:
        """An httpx transport that calls this application in process."""
        return InProcessTransport(self)

    def event(self, line: Mapping[str, Any]) -> Any:
        """Let something happen to the account other than through its API, as ``POST /_simulator/events`` does.

        Args:
            line: ``{"event": name, ...}``, see `control`.

        Returns:
            The event's result.

        Raises:
            control.UnknownEventError: nobody knows that event.
        """
        with self._lock:
            self._catch_up()
            try:
                return control.happen(self.world, self.faults, self._happenings, line)
            finally:
                self._keep()

    def close(self) -> None:
        """Let go of the state file, if there is one; nothing may be asked afterwards."""
        if self._state:
            self._state.close()

    def _respond(self, request: Request) -> Response:
        if request.path == CONTROL_PATH and request.method == "POST":
            return control.answer(self.event, request)
        with self._lock:
            fault = self.faults.take(request.method, request.path)
        time.sleep(fault.delay)
        status = 0
        try:
            fault.before()
            response = fault.replaced() or self._answer(request)
            fault.after()
            status = response.status_code
        finally:
            self.requests.append((request.method, request.full_path.rstrip("?"), status))
        return response

    def _answer(self, request: Request) -> Response:
        path = from_utf8(request.environ["PATH_INFO"].encode("latin-1"))
        if (cleaned := _clean(path)) != path:
            return _redirect(cleaned, request.query_string.decode())
        found = _match(self._router, request.method, path)
        if found is None:
            headers = {"X-Content-Type-Options": "nosniff"}
            return Response("404 page not found\n", 404, headers, content_type=PLAIN)
        with self._lock:
            self._catch_up()
            try:
                response = self._dispatch(*found, request)
            finally:
                self._keep()
        response.headers["X-Request-Id"] = self.world.new_id()
        response.headers.add("Vary", "Origin")
        if "Origin" in request.headers:
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    def _dispatch(self, route: Route, path: Mapping[str, str], request: Request) -> Response:
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return _preflight(request)
        call = Call(self.world, request, path)
        try:
            if not route.is_open:
                authenticate(call)
            result = route.handler(call)
        except Refusal as refusal:
            result = Answer({"message": refusal.message, "code": refusal.status}, refusal.status)
        answer = result if isinstance(result, Answer) else Answer(result)
        if answer.value is None and answer.status != OK:
            return _bodiless(answer.status, answer.headers)
        response = Response(encode(answer.value), answer.status, content_type=JSON)
        response.headers.update(answer.headers)
        return response

    def _catch_up(self) -> None:
        """Do what time alone has brought about since the last request."""
        for chore in self._chores:
            chore(self.world)

    def _keep(self) -> None:
        if self._state:
            self._state.keep()


@cache
def _router() -> MapAdapter:
    """All routes, the same for every simulator; the first one of a path also answers OPTIONS."""
    rules: list[Rule] = []
    paths: set[str] = set()
    for route in registry.routes():
        methods = {route.method} if route.path in paths else {route.method, "OPTIONS"}
        paths.add(route.path)
        rules.append(Rule("/api" + route.path, methods=methods, endpoint=route))
    return Map(rules, strict_slashes=False, merge_slashes=False, redirect_defaults=False).bind("")


def _match(router: MapAdapter, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """The route and the values of its variables; None for an unknown path, a wrong method, or any HEAD."""
    if method == "HEAD" or path.endswith("/"):
        return None
    try:
        route, variables = router.match(path, method)
    except HTTPException:
        return None
    return route, variables


def _clean(path: str) -> str:
    """The path as gorilla/mux redirects to it: no doubled slashes, no dots, a trailing slash kept."""
    cleaned = posixpath.normpath("/" + path.lstrip("/"))
    return cleaned + "/" if path.endswith("/") and cleaned != "/" else cleaned


def _redirect(path: str, query: str) -> Response:
    location = quote(path, safe="/$&+,:;=@") + (f"?{query}" if query else "")
    return _bodiless(301, {"Location": location})


def _bodiless(status: int, headers: Mapping[str, str]) -> Response:
    response = Response(status=status, headers=dict(headers))
    del response.headers["Content-Type"]
    return response


def _preflight(request: Request) -> Response:
    headers = {"Access-Control-Allow-Methods": request.headers["Access-Control-Request-Method"]}
    if wanted := request.headers.get("Access-Control-Request-Headers"):
        headers["Access-Control-Allow-Headers"] = ", ".join(word.strip().title() for word in wanted.split(","))
    return _bodiless(204, headers)


__all__ = ["ConnectionDropped", "Simulator"]
