"""The simulator behind a port."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from reconciler.simulator import Simulator
from reconciler.simulator.server import Server


@pytest.fixture
def connection(
    server: Server, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[http.client.HTTPConnection]:
    """One connection to the simulator."""
    monkeypatch.setattr(server, "app", simulator)
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    yield connection
    connection.close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None, **headers: str
) -> http.client.HTTPResponse:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.text = answer.read().decode()  # type: ignore[attr-defined]
    return answer


def test_one_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    """The body of a request that is not looked at does not disturb the next one."""
    assert ask(connection, "POST", "/api/nowhere", "x" * 100_000).status == 404
    first = connection.sock
    assert ask(connection, "GET", "/api/instance").status == 200
    assert connection.sock is first


def test_answers_carry_what_the_real_server_sends(connection: http.client.HTTPConnection) -> None:
    answer = ask(connection, "GET", "/api/instance", Origin="http://app.test")

    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert len(answer.headers["X-Request-Id"]) == 20
    assert answer.headers["Server"] is None
    assert answer.text == '{"setup_required":true}\n'  # type: ignore[attr-defined]


def test_a_miss_is_text_and_needs_no_token(connection: http.client.HTTPConnection) -> None:
    answer = ask(connection, "PATCH", "/api/groups")

    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert answer.headers["X-Request-Id"] is None
    assert answer.text == "404 page not found\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("//api/groups", "/api/groups"),
        ("/api//groups?name=x", "/api/groups?name=x"),
        ("/api/networks/../groups/", "/api/groups/"),
        ("/api/%2e%2e/api/groups", "/api/groups"),
        ("/api/./gr%20oups", "/api/gr%20oups"),
    ],
)
def test_unclean_paths_are_redirected(connection: http.client.HTTPConnection, path: str, location: str) -> None:
    """Before anybody is authenticated, whatever the method."""
    answer = ask(connection, "POST", path)

    assert (answer.status, answer.headers["Location"]) == (301, location)


def test_html_characters_are_escaped(connection: http.client.HTTPConnection, simulator: Simulator) -> None:
    token = simulator.bootstrap()
    answer = ask(connection, "POST", "/api/groups", json.dumps({"name": "<&>"}), Authorization=f"Token {token}")

    assert r'"name":"\u003c\u0026\u003e"' in answer.text  # type: ignore[attr-defined]


def test_a_chunked_body_is_read(connection: http.client.HTTPConnection, simulator: Simulator) -> None:
    token = simulator.bootstrap()
    connection.request("POST", "/api/groups", iter([b'{"na', b'me": "parts"}']), {"Authorization": f"Token {token}"})

    assert json.loads(connection.getresponse().read())["name"] == "parts"
