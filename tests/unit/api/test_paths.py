"""No id can lead a request elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.client import ReadApi, path
from reconciler.errors import AccountError


def test_ids_are_filled_in_and_quoted() -> None:
    assert path("/networks/{network}/routers/{id}", network="cq1", id="d2") == "/networks/cq1/routers/d2"
    assert path("/users/{id}", id="auth0|a b?x=1#y%2F{z}") == "/users/auth0%7Ca%20b%3Fx%3D1%23y%252F%7Bz%7D"


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "../users/1", "/", "a\\b"])
def test_an_id_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(AccountError, match="cannot be the id"):
        path("/groups/{id}", id=bad)


def test_the_refusal_of_an_id_shows_it_harmlessly() -> None:
    with pytest.raises(AccountError) as caught:
        path("/groups/{id}", id="\x1b[2K/")
    assert "\x1b" not in str(caught.value)


@given(st.text())
def test_an_id_stays_one_segment_on_the_wire(text: str) -> None:
    try:
        filled = path("/groups/{id}", id=text)
    except (AccountError, UnicodeEncodeError):
        return
    sent = httpx.URL("https://nb.example/api" + filled)
    assert sent.raw_path.startswith(b"/api/groups/")
    assert sent.raw_path.count(b"/") == 3
    assert sent.path == "/api/groups/" + text


@pytest.mark.parametrize(
    "bad",
    [
        *(
            "",
            "groups",
            "/",
            "//groups",
            "/groups/",
            "/groups//x",
            "/../x",
            "/groups/..",
            "/groups/.",
            "/groups/%2e%2E",
            "/a%2Fb",
        ),
        *(
            "https://evil.example/",
            "//evil.example/x",
            "/groups#x",
            "/gro ups",
            "/grö",
            "/groups\n",
            "/groups/..?x",
            "/a%5cb",
        ),
    ],
)
def test_a_path_that_is_not_clean_never_becomes_a_request(bad: str, client: Callable[..., ReadApi]) -> None:
    with pytest.raises(ValueError, match="not a path"):
        client(ReadApi, []).get(bad)


@pytest.mark.parametrize(
    "good", ["/groups", "/users/auth0%7Cx", "/dns/zones/a.b-c_d~/records", "/events/audit?page=1&q=a%2Fb/c"]
)
def test_paths_go_below_api_as_they_are(good: str, client: Callable[..., ReadApi]) -> None:
    assert (
        client(ReadApi, lambda request: httpx.Response(200, json=str(request.url))).get(good)
        == "https://nb.example/api" + good
    )
