"""What each answer of the server means."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.api import exchange, problems
from reconciler.api.client import Api
from reconciler.errors import AccountError, ExitCode, NotAuthorized, Throttled
from reconciler.settings import Settings

NO_PAGE = httpx.Response(404, text="404 page not found\n")
HTML = {"Content-Type": "text/html; charset=utf-8"}


def message(status: int, text: str) -> httpx.Response:
    return httpx.Response(
        status, json={"message": text, "code": status}, headers={"Content-Type": "application/json; charset=UTF-8"}
    )


@pytest.fixture
def failure(api: Callable[..., Api]) -> Callable[..., problems.CallFailed]:
    """Return what a PUT (or another call) ends in, given the server's answer."""

    def fail(response: Any, method: str = "PUT", path: str = "/groups/g1") -> problems.CallFailed:
        client = api([response] * 6)
        with pytest.raises(problems.CallFailed) as caught:
            client.get(path) if method == "GET" else client.send(method, path, {"name": "g"})
        return caught.value

    return fail


@pytest.mark.parametrize(
    ("response", "family", "verdict"),
    [
        (message(400, "couldn't parse JSON request"), problems.Rejected, ("NBS506", ExitCode.ERROR, "refused")),
        (message(422, "group name can't be empty"), problems.Rejected, ("NBS506", ExitCode.ERROR, "refused")),
        (httpx.Response(413, text="too large"), problems.Rejected, ("NBS506", ExitCode.ERROR, "refused")),
        (message(401, "token invalid"), problems.TokenRefused, ("NBS502", ExitCode.NOT_AUTHORIZED, "refused")),
        (
            message(404, "invalid token: pat: q6r= not found"),
            problems.TokenRefused,
            ("NBS502", ExitCode.NOT_AUTHORIZED, "refused"),
        ),
        (message(403, "permission denied"), problems.NotPermitted, ("NBS503", ExitCode.NOT_AUTHORIZED, "refused")),
        (
            message(404, "user role: billing_admin not found"),
            problems.NotPermitted,
            ("NBS503", ExitCode.NOT_AUTHORIZED, "refused"),
        ),
        (message(404, "group: g1 not found"), problems.Missing, ("NBS504", ExitCode.ERROR, "refused")),
        (NO_PAGE, problems.NoSuchEndpoint, ("NBS505", ExitCode.ERROR, "refused")),
        (
            httpx.Response(404, json={"detail": "Not Found"}),
            problems.NoSuchEndpoint,
            ("NBS505", ExitCode.ERROR, "refused"),
        ),
        (httpx.Response(404, json=["message"]), problems.NoSuchEndpoint, ("NBS505", ExitCode.ERROR, "refused")),
        (message(409, "group name already exists"), problems.InConflict, ("NBS507", ExitCode.ERROR, "refused")),
        (message(412, "linked to a policy"), problems.InConflict, ("NBS507", ExitCode.ERROR, "refused")),
        (message(500, "internal server error"), problems.ServerFailure, ("NBS508", ExitCode.ERROR, "unknown")),
        (httpx.Response(502, text="Bad Gateway"), problems.ServerFailure, ("NBS508", ExitCode.ERROR, "unknown")),
        (httpx.Response(599), problems.ServerFailure, ("NBS508", ExitCode.ERROR, "unknown")),
        (
            httpx.Response(301, headers={"Location": "/api/x"}),
            problems.BadAnswer,
            ("NBS509", ExitCode.ERROR, "unknown"),
        ),
        (httpx.Response(304), problems.BadAnswer, ("NBS509", ExitCode.ERROR, "unknown")),
        (httpx.Response(201, json={}), problems.BadAnswer, ("NBS509", ExitCode.ERROR, "unknown")),
        (httpx.Response(204), problems.BadAnswer, ("NBS509", ExitCode.ERROR, "unknown")),
        (httpx.Response(200), problems.BadAnswer, ("NBS509", ExitCode.ERROR, "unknown")),
        (httpx.Response(200, text="<html>", headers=HTML), problems.BadAnswer, ("NBS509", ExitCode.ERROR, "unknown")),
    ],
)
def test_every_refusal_has_its_family_code_exit_and_outcome(
    failure: Callable[..., problems.CallFailed],
    response: httpx.Response,
    family: type[problems.CallFailed],
    verdict: tuple[str, ExitCode, str],
) -> None:
    problem = failure(response)
    code, exit_code, outcome = verdict
    assert type(problem) is family
    assert isinstance(problem, AccountError)
    assert isinstance(problem, NotAuthorized) == (exit_code == ExitCode.NOT_AUTHORIZED)
    [diagnostic] = problem.diagnostics
    assert (diagnostic.code, problem.exit_code, problem.outcome, problem.status) == (
        code,
        exit_code,
        outcome,
        response.status_code,
    )
    assert (problem.method, problem.path, diagnostic.request) == ("PUT", "/api/groups/g1", "PUT /api/groups/g1")


def test_a_message_names_method_path_status_and_the_servers_text(failure: Callable[..., problems.CallFailed]) -> None:
    problem = failure(message(422, "group name can't be empty"))
    assert str(problem) == "PUT /api/groups/g1 was refused (422): group name can't be empty"
    assert problem.text == "group name can't be empty"


def test_the_servers_text_is_made_harmless_and_cut(failure: Callable[..., problems.CallFailed]) -> None:
    problem = failure(message(422, "::error::\x1b[2K two\nlines " + "x" * 10_000))
    assert problem.text.startswith(r"\::error::\x1b[2K two lines xxx")
    assert len(problem.text) == 501


def test_of_a_web_page_only_the_title_is_shown(failure: Callable[..., problems.CallFailed]) -> None:
    page = "<html><head><title>502 Bad\n Gateway &amp; more</title></head><body>" + "<p>" * 1000
    assert failure(httpx.Response(502, text=page, headers=HTML)).text == "502 Bad Gateway & more"
    assert failure(httpx.Response(200, text="<html>", headers=HTML)).text == "a web page"


def test_a_page_that_repeats_the_request_does_not_show_the_token(
    failure: Callable[..., problems.CallFailed], settings: Settings
) -> None:
    token = settings.token.get_secret_value()
    problem = failure(httpx.Response(400, text=f"bad header: Authorization: Token {token.lower()}"))
    assert problem.text == "bad header: Authorization: Token ***"
    assert token not in str(failure(httpx.Response(200, text=token)))


@pytest.mark.parametrize(
    ("method", "path", "text", "advice"),
    [
        ("PUT", "/groups/g1", "permission denied", "admin or network_admin"),
        ("POST", "/posture-checks", "permission denied", "admin or network_admin"),
        ("PUT", "/dns/settings", "permission denied", "admin or network_admin"),
        ("POST", "/setup-keys", "permission denied", "role admin; network_admin is enough only for"),
        ("DELETE", "/peers/p1", "permission denied", "role admin; network_admin is enough only for"),
        ("GET", "/groups", "permission denied", "token of a service user"),
        ("GET", "/users/u1/tokens", "permission denied", "another user's tokens"),
        ("PUT", "/groups/g1", "failed to validate user permissions: user is blocked", "blocked or waits for approval"),
        ("GET", "/groups", "user is pending approval", "blocked or waits for approval"),
    ],
)
def test_403_says_which_role_is_needed(
    failure: Callable[..., problems.CallFailed], method: str, path: str, text: str, advice: str
) -> None:
    assert advice in failure(message(403, text), method, path).diagnostics[0].help


def test_an_unknown_token_is_told_from_an_expired_one(failure: Callable[..., problems.CallFailed]) -> None:
    assert "does not know the token" in failure(message(404, "invalid token: pat: x not found")).diagnostics[0].help
    assert "expired" in failure(message(401, "token invalid")).diagnostics[0].help


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("https://login.example/authorize?token=hunter2", "https://login.example"),
        ("/api/groups", "/api/groups"),
        ("https://[", "somewhere"),
        ("https://user:hunter2@x.example/", "https://x.example"),
        ("", ""),
    ],
)
def test_a_redirect_is_an_error_that_says_so_and_is_not_followed(
    failure: Callable[..., problems.CallFailed], location: str, place: str
) -> None:
    problem = failure(httpx.Response(302, headers={"Location": location}), "GET")
    assert str(problem).endswith(f": a redirect to {place}")
    assert "never followed" in problem.diagnostics[0].help
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[NaN]",
        b"[-Infinity]",
        b"[1e999]",
        b"[-1e999]",
        b'{"a": 1} x',
        b"\xff",
        b'"\xff"',
        "[]".encode("utf-16"),
        b"[" * 100_000,
        b"1" * 5000,
    ],
)
def test_json_that_is_none_is_a_bad_answer(failure: Callable[..., problems.CallFailed], body: bytes) -> None:
    problem = failure(httpx.Response(200, content=body, headers={"Content-Type": "application/json"}), "GET")
    assert isinstance(problem, problems.BadAnswer)
    assert "cannot be parsed" in str(problem)


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body", [b"[" * 51 + b"]" * 51, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"[[": [' * 30 + b"]}" * 30]
)
def test_what_is_nested_too_deep_to_be_walked_through_is_a_bad_answer(
    failure: Callable[..., problems.CallFailed], body: bytes
) -> None:
    problem = failure(httpx.Response(200, content=body, headers=JSON), "GET")
    assert isinstance(problem, problems.BadAnswer)
    assert "nested more than 50 deep" in str(problem)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'["' + b"[" * 100 + b'"]', ["[" * 100]),
        (b'[{"a": "]{"}, {"a": "\\"[["}]', [{"a": "]{"}, {"a": '"[['}]),
        (b"[" * 50 + b"]" * 50, None),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"is_new": true, "state": "no word that we know"}', {"is_new": True, "state": "no word that we know"}),
        (b'["\\ud800\\u0000"]', ["\ud800\0"]),
        (b"[1e3, 18446744073709551616]", [1000.0, 2**64]),
    ],
)
def test_odd_json_is_kept_as_it_is(api: Callable[..., Api], body: bytes, value: Any) -> None:
    assert api([httpx.Response(200, content=body, headers=JSON)]).get("/groups") == (value or json.loads(body))


def test_what_a_header_repeats_of_the_request_does_not_show_the_token(
    failure: Callable[..., problems.CallFailed], settings: Settings
) -> None:
    token = settings.token.get_secret_value()
    odd = httpx.Response(200, content=b"[]", headers={"Content-Type": f"text/{token}"})
    moved = httpx.Response(302, headers={"Location": f"/login/{token}"})
    quoted = httpx.RemoteProtocolError(f"illegal header line: bytearray(b'Token {token}')")
    assert [str(failure(answer)).count("***") for answer in (odd, moved, quoted)] == [1, 1, 1]


@pytest.mark.parametrize("asked", ["86401", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_waits_for_more_than_a_day(api: Callable[..., Api], time: Any, asked: str) -> None:
    with pytest.raises(problems.RateLimited) as caught:
        api([httpx.Response(429, headers={"Retry-After": asked})]).send("POST", "/groups", {})
    assert (time.now, time.waits) == (1000, [])
    assert "more than a day" in caught.value.diagnostics[0].help


def test_a_compressed_body_that_cannot_be_unpacked_is_a_bad_answer(failure: Callable[..., problems.CallFailed]) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    problem = failure(httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"no gzip")))
    assert isinstance(problem, problems.BadAnswer)
    assert problem.outcome == "unknown"


def test_an_answer_that_never_ends_is_cut_off(api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LARGEST_ANSWER", 1000)
    with pytest.raises(problems.BadAnswer, match="more than 1000 bytes"):
        api([httpx.Response(200, json="x" * 1000)]).get("/groups")


def test_null_is_none(api: Callable[..., Api]) -> None:
    null = httpx.Response(200, content=b"null\n", headers={"Content-Type": "application/json; charset=UTF-8"})
    assert api([null]).get("/networks/n1/resources") is None


@pytest.mark.parametrize(
    ("response", "value"),
    [(httpx.Response(200, json={}), {}), (httpx.Response(204), None), (httpx.Response(202), None)],
)
def test_a_delete_may_be_answered_without_a_body(
    api: Callable[..., Api], response: httpx.Response, value: object
) -> None:
    assert api([response]).send("DELETE", "/reverse-proxies/domains/d1") == value


def test_asking_for_the_validation_of_a_domain_is_answered_without_a_body(api: Callable[..., Api]) -> None:
    assert api([httpx.Response(202)]).get("/reverse-proxies/domains/d1/validate") is None


def test_a_delete_that_is_only_accepted_is_not_done(failure: Callable[..., problems.CallFailed]) -> None:
    assert failure(httpx.Response(202, json={"queued": True}), "DELETE").outcome == "unknown"


@pytest.mark.parametrize("status", [202, 204])
def test_a_read_without_a_body_is_not_an_empty_list(failure: Callable[..., problems.CallFailed], status: int) -> None:
    assert isinstance(failure(httpx.Response(status), "GET"), problems.BadAnswer)


def test_throttled_problems_exit_with_9() -> None:
    call = problems.Call("https://nb.example", "GET", "/api/groups")
    for family in (problems.RateLimited, problems.TimedOut):
        problem = family(call, "")
        assert isinstance(problem, Throttled)
        assert problem.exit_code == ExitCode.THROTTLED
