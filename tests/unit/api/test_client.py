"""What is sent, what is sent again, and what never is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from reconciler.api import problems
from reconciler.api.client import Api, ReadApi
from reconciler.api.transport import MethodGuard
from reconciler.settings import Settings

REFUSED = httpx.ConnectError("[Errno 111] Connection refused")
RESET = httpx.ReadError("[Errno 104] Connection reset by peer")
HUNG_UP = httpx.RemoteProtocolError("Server disconnected without sending a response.")
SLOW = httpx.ReadTimeout("timed out")
BUSY = httpx.Response(429, json={"message": "too many requests", "code": 429})


def ok(value: Any = None) -> httpx.Response:
    return httpx.Response(200, content=json.dumps(value), headers={"Content-Type": "application/json"})


def test_a_read_carries_token_and_user_agent_and_no_body(client: Callable[..., ReadApi], settings: Settings) -> None:
    seen: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok([1])

    assert client(ReadApi, server).get("/groups") == [1]
    assert client(ReadApi, server, replace(settings, scheme="Bearer", user_agent="nbsync/1")).get("/groups") == [1]
    first, second = seen
    token = settings.token.get_secret_value()
    assert (first.method, str(first.url), first.content) == ("GET", "https://nb.example/api/groups", b"")
    assert first.headers["Authorization"] == f"Token {token}"
    assert "Content-Type" not in first.headers
    assert (second.headers["Authorization"], second.headers["User-Agent"]) == (f"Bearer {token}", "nbsync/1")


def test_a_write_carries_json_or_no_body_at_all(api: Callable[..., Api]) -> None:
    seen: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok({})

    writer = api(server)
    writer.send("POST", "/groups", {"name": "dév \ud800"})
    writer.send("DELETE", "/groups/g1")
    assert (seen[0].method, json.loads(seen[0].content)) == ("POST", {"name": "dév \ud800"})
    assert seen[0].headers["Content-Type"] == "application/json"
    assert (seen[1].method, seen[1].content) == ("DELETE", b"")
    with pytest.raises(ValueError, match="JSON"):
        writer.send("POST", "/groups", {"metric": float("nan")})
    assert (writer.reads, writer.writes) == (0, 2)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_a_read_only_client_cannot_send_anything_but_get(method: str, client: Callable[..., ReadApi]) -> None:
    reader = client(ReadApi, [])
    assert not hasattr(reader, "send")
    with reader._exchange._lanes.lend(1) as lane, pytest.raises(RuntimeError, match="only GET"):
        lane.client._transport.handle_request(httpx.Request(method, "https://nb.example/api/groups"))
    with pytest.raises(RuntimeError, match="only GET"):
        Api.send(reader, method, "/groups")  # type: ignore[arg-type]


def test_the_guard_stands_before_real_connections_too(settings: Settings) -> None:
    with ReadApi(settings) as reader, reader._exchange._lanes.lend(1) as lane:
        assert isinstance(lane.client._transport, MethodGuard)
        assert not lane.client._mounts


def test_a_writer_cannot_send_what_netbird_does_not_have(api: Callable[..., Api]) -> None:
    with pytest.raises(RuntimeError, match="may not send PATCH"):
        api([]).send("PATCH", "/groups/g1", {})


@pytest.mark.parametrize(
    "passing", [REFUSED, RESET, HUNG_UP, SLOW, *(httpx.Response(status) for status in (502, 503, 504))]
)
def test_a_read_is_tried_again_after_what_passes(passing: Any, api: Callable[..., Api], time: Any) -> None:
    reader = api([passing, passing, ok("here")])
    assert reader.get("/groups") == "here"
    assert reader.reads == 3
    (first, reason), (second, _) = time.waits
    assert 0.5 <= first <= 1.0 <= second <= 1.5
    assert reason.startswith("GET /api/groups ")


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 412, 422, 500, 501])
def test_a_read_is_not_tried_again_after_what_stays(status: int, api: Callable[..., Api], time: Any) -> None:
    reader = api([httpx.Response(status)])
    with pytest.raises(problems.CallFailed):
        reader.get("/groups")
    assert time.waits == []


def test_a_read_gives_up_after_six_tries(api: Callable[..., Api], time: Any) -> None:
    reader = api([REFUSED] * 6)
    with pytest.raises(problems.Unreachable, match=r"https://nb\.example, \[Errno 111\] Connection refused") as caught:
        reader.get("/groups")
    assert reader.reads == 6
    assert time.now - 1000 < 20
    assert "NB_MANAGEMENT_URL" in caught.value.diagnostics[0].help


def test_a_read_gives_up_when_its_budget_is_spent(api: Callable[..., Api], settings: Settings, time: Any) -> None:
    def server(_: httpx.Request) -> httpx.Response:
        time.sleep(60)
        raise SLOW

    reader = api(server, replace(settings, budget=130))
    with pytest.raises(problems.TimedOut, match="within 60 s") as caught:
        reader.get("/groups")
    assert reader.reads == 3
    assert caught.value.exit_code == 9


def test_a_503_that_says_when_is_believed(api: Callable[..., Api], time: Any) -> None:
    assert api([httpx.Response(503, headers={"Retry-After": "7"}), ok()]).get("/groups") is None
    assert time.waits[0][0] == 7


@pytest.mark.parametrize("never_sent", [REFUSED, httpx.ConnectTimeout("timed out"), httpx.ProxyError("407")])
def test_a_write_is_tried_again_only_while_there_is_no_connection(
    never_sent: Exception, api: Callable[..., Api]
) -> None:
    writer = api([never_sent, ok("done")])
    assert writer.send("POST", "/groups", {}) == "done"
    assert writer.writes == 2
    with pytest.raises(problems.Unreachable) as caught:
        api([never_sent] * 6).send("POST", "/groups", {})
    assert caught.value.outcome == "not_processed"


@pytest.mark.parametrize(
    ("lost", "family"),
    [
        (RESET, problems.Unreachable),
        (HUNG_UP, problems.Unreachable),
        (httpx.WriteError("broken pipe"), problems.Unreachable),
        (SLOW, problems.TimedOut),
        (httpx.WriteTimeout("timed out"), problems.TimedOut),
        *((httpx.Response(status), problems.ServerFailure) for status in (500, 502, 503, 504)),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_write_that_may_have_been_processed_is_never_sent_again(
    lost: Any, family: type[problems.CallFailed], method: str, api: Callable[..., Api]
) -> None:
    writer = api([lost])
    with pytest.raises(family) as caught:
        writer.send(method, "/groups/g1", {})
    assert (caught.value.outcome, writer.writes) == ("unknown", 1)


def test_after_429_a_read_waits_and_goes_on(api: Callable[..., Api], time: Any) -> None:
    reader = api([BUSY, BUSY, ok("here")])
    assert reader.get("/groups") == "here"
    assert (reader.reads, len(time.waits)) == (3, 2)
    assert 30 <= time.now - 1000 <= 33


def test_a_429_does_not_use_up_the_tries_for_broken_connections(api: Callable[..., Api]) -> None:
    assert api([REFUSED, BUSY, REFUSED, BUSY, REFUSED, BUSY, REFUSED, REFUSED, ok("here")]).get("/groups") == "here"


def test_waiting_for_the_rate_limit_is_not_taken_off_the_budget_for_retries(api: Callable[..., Api], time: Any) -> None:
    again = httpx.Response(429, headers={"Retry-After": "105"})
    assert api([again, *[REFUSED] * 5, ok("here")]).get("/groups") == "here"
    assert 105 <= time.waits[0][0] <= 115.5


def test_a_refusal_shows_that_the_rate_limit_let_a_request_through(api: Callable[..., Api], time: Any) -> None:
    writer = api([BUSY, BUSY, httpx.Response(422), BUSY, BUSY, ok()])
    with pytest.raises(problems.Rejected):
        writer.send("POST", "/groups", {})
    writer.send("POST", "/groups", {})
    pauses = [seconds for seconds, _ in time.waits]
    assert 20 <= pauses[1] <= 22, "doubled, as nothing got through"
    assert 30 <= pauses[2] <= 36, "measured: one request since the refusal before"
    assert 60 <= pauses[3] <= 66, "doubled again, up to a minute"


def test_a_read_that_is_never_let_through_ends_with_its_patience(
    api: Callable[..., Api], settings: Settings, time: Any
) -> None:
    reader = api(lambda _: BUSY, replace(settings, patience=120))
    with pytest.raises(problems.RateLimited, match=r"\(429\): too many requests") as caught:
        reader.get("/groups")
    assert time.now - 1000 <= 120
    assert (caught.value.exit_code, caught.value.outcome) == (9, "not_processed")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_rate_limit_is_waited_for_as_long_as_it_takes(method: str, api: Callable[..., Api], time: Any) -> None:
    patient = api([BUSY] * 50 + [ok("done")])
    assert (patient.get("/groups") if method == "GET" else patient.send(method, "/groups", {})) == "done"
    assert time.now - 1000 > 2700


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_end_of_the_run_ends_the_waiting(
    method: str, api: Callable[..., Api], settings: Settings, time: Any
) -> None:
    bounded = api(lambda _: BUSY, replace(settings, max_run_time=100))
    with pytest.raises(problems.OutOfTime, match=r"^the 100 s of this run \(--timeout\) end before") as caught:
        bounded.get("/groups") if method == "GET" else bounded.send(method, "/groups", {})
    assert time.now - 1000 <= 100
    assert (caught.value.exit_code, caught.value.diagnostics[0].code) == (9, "NBS513")


def test_after_the_end_of_the_run_nothing_is_sent(api: Callable[..., Api], settings: Settings, time: Any) -> None:
    writer = api([], replace(settings, max_run_time=100))
    time.sleep(100)
    with pytest.raises(problems.OutOfTime):
        writer.get("/groups")
    with pytest.raises(problems.OutOfTime):
        writer.get_many(["/groups"] * 20)
    with pytest.raises(problems.OutOfTime):
        writer.send("DELETE", "/groups/g1")
    assert (writer.reads, writer.writes, time.waits) == (0, 0, [])


def test_what_has_begun_is_finished_in_overtime_and_at_the_servers_pace(
    api: Callable[..., Api], settings: Settings, time: Any
) -> None:
    writer = api([BUSY, ok("read"), ok("written")], replace(settings, max_run_time=100))
    time.sleep(99)
    assert writer.get("/groups", overtime=True) == "read"
    assert writer.send("PUT", "/groups/g1", {}, overtime=True) == "written"
    assert time.now - 1000 > 109


def test_a_read_that_is_under_way_ends_with_the_run_and_a_write_half_a_minute_later(settings: Settings) -> None:
    given: list[float] = []
    with Api(replace(settings, max_run_time=10), httpx.MockTransport(lambda _: ok())) as client:
        send = client._exchange.send
        client._exchange.send = lambda call, content, seconds: given.append(seconds) or send(call, content, seconds)  # type: ignore[method-assign]
        client.get("/groups")
        client.send("POST", "/groups", {})
        client.get("/groups", overtime=True)
    assert given == pytest.approx([10, 40, 40], abs=1)


def test_overtime_ends_too(api: Callable[..., Api], settings: Settings, time: Any) -> None:
    writer = api([BUSY] * 9, replace(settings, max_run_time=100))
    time.sleep(99)
    with pytest.raises(problems.OutOfTime):
        writer.send("PUT", "/groups/g1", {}, overtime=True)
    assert time.now - 1000 <= 130


def test_a_write_without_an_answer_is_not_waited_for_beyond_that(
    api: Callable[..., Api], settings: Settings, time: Any
) -> None:
    def server(_: httpx.Request) -> httpx.Response:
        time.sleep(40)
        raise SLOW

    with pytest.raises(problems.TimedOut) as caught:
        api(server, replace(settings, max_run_time=10)).send("PUT", "/groups/g1", {})
    assert caught.value.outcome == "unknown"


def test_a_read_that_the_end_of_the_run_cut_off_says_so(api: Callable[..., Api], settings: Settings, time: Any) -> None:
    def server(_: httpx.Request) -> httpx.Response:
        time.sleep(30)
        raise SLOW

    with pytest.raises(problems.OutOfTime, match=r"^the 30 s of this run \(--timeout\) are over$"):
        api(server, replace(settings, max_run_time=30)).get("/groups")


def test_a_retry_is_not_begun_when_the_run_would_be_over(
    api: Callable[..., Api], settings: Settings, time: Any
) -> None:
    with pytest.raises(problems.Unreachable):
        api([REFUSED] * 3, replace(settings, max_run_time=3)).get("/groups")
    assert time.now - 1000 <= 3


def test_a_waiting_write_that_is_stopped_is_not_sent(settings: Settings) -> None:
    sent: list[int] = []

    def server(_: httpx.Request) -> httpx.Response:
        sent.append(1)
        return BUSY

    writer = Api(settings, httpx.MockTransport(server), on_wait=lambda *_: writer.stop())
    with pytest.raises(problems.Stopped):
        writer.send("POST", "/groups", {})
    assert sent == [1]


def test_a_read_that_is_stopped_between_two_tries_ends(settings: Settings) -> None:
    def server(_: httpx.Request) -> httpx.Response:
        raise RESET

    reader = ReadApi(settings, httpx.MockTransport(server), on_wait=lambda *_: reader.stop())
    with pytest.raises(problems.Stopped):
        reader.get("/groups")
    assert reader.reads == 1


def test_waits_need_no_real_time_where_only_sleep_is_replaced(settings: Settings) -> None:
    answers = iter([BUSY, BUSY, ok("here")])
    reader = ReadApi(settings, httpx.MockTransport(lambda _: next(answers)), sleep=lambda _: None)
    assert reader.get("/groups") == "here"


def test_many_are_answered_in_their_order(client: Callable[..., ReadApi]) -> None:
    reader = client(ReadApi, lambda request: ok(request.url.path))
    paths = [f"/networks/n{number}/routers" for number in range(50)]
    assert reader.get_many(paths) == ["/api" + path for path in paths]
    assert reader.get_many([]) == []
    assert reader.reads == 50


def test_what_an_older_server_may_lack_is_none_and_anything_else_is_an_error(client: Callable[..., ReadApi]) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        return ok([]) if request.url.path == "/api/groups" else httpx.Response(404, text="404 page not found\n")

    reader = client(ReadApi, server)
    assert reader.get_many(["/groups", "/dns/zones"], optional={"/dns/zones"}) == [[], None]
    with pytest.raises(problems.NoSuchEndpoint, match="/api/dns/zones"):
        reader.get_many(["/groups", "/dns/zones"], optional={"/groups"})


def test_what_a_reader_can_do_without_is_the_failure_that_it_came_to(client: Callable[..., ReadApi]) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        return ok([]) if request.url.path == "/api/groups" else httpx.Response(403, json={"message": "no", "code": 403})

    reader = client(ReadApi, server)
    found, failure = reader.get_many(["/groups", "/policies"], dispensable={"/policies"})
    assert (found, type(failure)) == ([], problems.NotPermitted)
    with pytest.raises(problems.NotPermitted, match="/api/policies"):
        reader.get_many(["/groups", "/policies"], dispensable={"/groups"})


def test_what_all_reads_would_fail_with_is_no_failure_of_one(client: Callable[..., ReadApi]) -> None:
    reader = client(ReadApi, lambda _request: httpx.Response(401, json={"message": "token invalid", "code": 401}))
    with pytest.raises(problems.TokenRefused):
        reader.get_many(["/policies"], dispensable={"/policies"})


def test_a_client_says_whose_it_is(client: Callable[..., ReadApi]) -> None:
    assert client(ReadApi, []).server == "https://nb.example"


def test_many_are_fetched_by_eight_at_a_time(client: Callable[..., ReadApi]) -> None:
    together = threading.Barrier(8, timeout=5)

    def server(_: httpx.Request) -> httpx.Response:
        together.wait()
        return ok()

    assert client(ReadApi, server).get_many([f"/x{number}" for number in range(16)]) == [None] * 16


def test_of_many_failures_the_first_in_order_is_raised_and_the_others_are_read_all_the_same(
    client: Callable[..., ReadApi],
) -> None:
    last_failed = threading.Event()

    def server(request: httpx.Request) -> httpx.Response:
        number = int(request.url.path[6:])
        if number == 3:
            assert last_failed.wait(5)
        if number == 19:
            last_failed.set()
        return (
            ok()
            if number not in {3, 19}
            else httpx.Response(404, json={"message": f"x{number} not found", "code": 404})
        )

    reader = client(ReadApi, server)
    with pytest.raises(problems.Missing, match="x3 not found"):
        reader.get_many([f"/x{number}" for number in range(20)])
    assert reader.reads == 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("nbsync-read")]


def test_what_all_would_fail_with_is_not_tried_for_each(client: Callable[..., ReadApi]) -> None:
    reader = client(ReadApi, lambda _: httpx.Response(401, json={"message": "token invalid", "code": 401}))
    with pytest.raises(problems.TokenRefused):
        reader.get_many([f"/x{number}" for number in range(1000)])
    assert reader.reads < 100


def test_an_exhausted_limit_is_waited_for_by_all_threads_together(client: Callable[..., ReadApi], time: Any) -> None:
    """As the server's default: 6 requests a minute; 17 lists need some 170 seconds, and no thread starves."""
    lock = threading.Lock()
    bucket = {"tokens": 0.0, "at": time.now}

    def server(_: httpx.Request) -> httpx.Response:
        with lock:
            bucket["tokens"] += (time.now - bucket["at"]) / 10
            bucket["at"] = time.now
            if bucket["tokens"] < 1:
                return BUSY
            bucket["tokens"] -= 1
            return ok("here")

    reader = client(ReadApi, server)
    assert reader.get_many([f"/x{number}" for number in range(17)]) == ["here"] * 17


@pytest.mark.parametrize("busy", [True, False])
def test_an_interrupt_leaves_no_thread_behind_and_sends_no_more(
    busy: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def server(_: httpx.Request) -> httpx.Response:
        asked.set()
        return BUSY if busy or not go_on.wait(5) else ok()

    def interrupted(_: object) -> None:
        assert asked.wait(5)
        threading.Timer(0.05, go_on.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr("reconciler.api.client.wait", interrupted)
    reader = ReadApi(settings, httpx.MockTransport(server))
    with pytest.raises(KeyboardInterrupt):
        reader.get_many(["/groups"] * 100)
    assert reader.reads <= 16
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("nbsync-read")]


def test_no_problem_shows_the_token(api: Callable[..., Api], settings: Settings) -> None:
    token = settings.token.get_secret_value()
    for answer in (REFUSED, RESET, SLOW, BUSY, httpx.Response(401, json={"message": "token invalid", "code": 401})):
        with pytest.raises(problems.CallFailed) as caught:
            api([answer] * 20, replace(settings, patience=60)).get("/groups")
        assert token not in repr(caught.value) + repr(caught.value.diagnostics) + repr(vars(caught.value))
