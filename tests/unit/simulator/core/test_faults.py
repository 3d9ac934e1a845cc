"""Failures on order, in process and over a socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.simulator import Simulator
from reconciler.simulator.server import Server

Client = httpx.Client


@pytest.fixture(params=["in process", "over a socket"])
def client(request: pytest.FixtureRequest, simulator: Simulator) -> Iterator[Client]:
    """The service user's client, either way."""
    headers = {"Authorization": f"Token {simulator.bootstrap()}"}
    if request.param == "in process":
        with Client(transport=simulator.transport(), base_url="http://netbird", headers=headers) as client:
            yield client
        return
    serve = request.getfixturevalue("serve")
    with Client(base_url=serve(simulator), headers=headers) as client:
        yield client


@pytest.fixture
def serve(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], str]:
    """Put a simulator behind the tests' port."""

    def serve(simulator: Simulator) -> str:
        monkeypatch.setattr(server, "app", simulator)
        return server.url

    return serve


def order(simulator: Simulator, fault: str, **more: Any) -> None:
    simulator.event({"event": "fault", "method": "POST", "path": "/api/groups", "fault": fault, **more})


def names(client: Client) -> list[str]:
    return [group["name"] for group in client.get("/api/groups").json()]


def test_a_status_is_answered_in_place_of_the_server(simulator: Simulator, client: Client) -> None:
    """Nothing is written."""
    order(simulator, "status:503")

    assert client.post("/api/groups", json={"name": "a"}).status_code == 503
    assert names(client) == ["All"]
    assert client.post("/api/groups", json={"name": "a"}).status_code == 200


def test_a_connection_dropped_before_leaves_nothing(simulator: Simulator, client: Client) -> None:
    order(simulator, "drop-before")

    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/api/groups", json={"name": "a"})
    assert names(client) == ["All"]


def test_a_connection_dropped_after_has_written(simulator: Simulator, client: Client) -> None:
    order(simulator, "drop-after")

    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/api/groups", json={"name": "a"})
    assert names(client) == ["All", "a"]


def test_garbage_is_a_200_that_is_no_json(simulator: Simulator, client: Client) -> None:
    order(simulator, "garbage")

    answer = client.post("/api/groups", json={"name": "a"})

    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_a_delay_holds_up_that_request_only(simulator: Simulator, client: Client) -> None:
    order(simulator, "delay:0.2")

    begun = time.monotonic()
    assert client.post("/api/groups", json={"name": "a"}).status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_the_nth_matching_request_fails(simulator: Simulator, client: Client) -> None:
    """Other methods and paths do not count."""
    order(simulator, "status:500", nth=2)

    answers = [client.post("/api/groups", json={"name": name}).status_code for name in "abc"]

    assert client.get("/api/groups").status_code == 200
    assert answers == [200, 500, 200]


def test_stars_match_any_method_and_any_part_of_a_path(simulator: Simulator, client: Client) -> None:
    simulator.event({"event": "fault", "path": "/api/groups/*", "fault": "status:502"})

    assert client.get("/api/groups").status_code == 200
    assert client.get("/api/groups/x").status_code == 502


def test_a_fault_can_be_ordered_over_http(client: Client) -> None:
    """An event that is none is answered, and changes nothing."""
    known = client.post("/_simulator/events", json={"event": "fault", "fault": "status:503"})
    unknown = client.post("/_simulator/events", json={"event": "fault", "fault": "flood"})

    assert (known.status_code, unknown.status_code) == (200, 400)
    assert client.get("/api/groups").status_code == 503
    assert client.get("/api/groups").status_code == 200


def test_what_was_answered_is_remembered(simulator: Simulator, client: Client) -> None:
    """A dropped connection counts as status 0."""
    simulator.requests.clear()
    order(simulator, "drop-before")
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/api/groups", json={"name": "a"})
    client.get("/api/groups?name=x")

    assert list(simulator.requests) == [("POST", "/api/groups", 0), ("GET", "/api/groups?name=x", 404)]
