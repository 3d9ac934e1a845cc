"""Which server, which token: what is taken, what is refused, and that no message shows a secret."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from reconciler.errors import ExitCode, NbsyncError, NotAuthorized, UsageError
from reconciler.settings import Settings, from_environment, url_of

PAT = {"NB_PAT": "nbp_abc"}


def test_the_cloud_is_the_default_and_a_personal_token_goes_as_token() -> None:
    settings = from_environment(PAT)
    assert (settings.url, settings.scheme, settings.token.get_secret_value()) == (
        "https://api.netbird.io",
        "Token",
        "nbp_abc",
    )


def test_an_access_token_goes_as_bearer() -> None:
    settings = from_environment({"NB_ACCESS_TOKEN": "eyJ.a.b"})
    assert (settings.scheme, settings.token.get_secret_value()) == ("Bearer", "eyJ.a.b")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://nb.example", "https://nb.example"),
        ("https://nb.example/", "https://nb.example"),
        ("https://nb.example/api", "https://nb.example"),
        ("https://nb.example/api/", "https://nb.example"),
        ("HTTPS://nb.example:8443/netbird/api", "https://nb.example:8443/netbird"),
        ("https://nb.example/api/api", "https://nb.example"),
        ("https://nb.example/myapi", "https://nb.example/myapi"),
        (" https://nb.example\n", "https://nb.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.3.2.1", "http://127.3.2.1"),
        ("http://[::1]:80/api", "http://[::1]"),
        ("http://[::1]:443", "http://[::1]:443"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://NB.Example", "https://nb.example"),
        ("https://nb.example:443", "https://nb.example"),
        ("https://nb.example:0443/", "https://nb.example"),
        ("https://nb.example:80", "https://nb.example:80"),
        ("https://Nb.Example:443/NetBird", "https://nb.example/NetBird"),
    ],
)
def test_urls_that_people_write(given: str, url: str) -> None:
    settings = from_environment(PAT | {"NB_MANAGEMENT_URL": given})
    assert settings.url == url
    assert replace(settings, timeout=1.0).url == url


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("http://nb.example", "in clear"),
        ("http://10.0.0.1", "in clear"),
        ("http://localhost.nb.example", "in clear"),
        ("http://127.1", "in clear"),
        ("http://0.0.0.0", "in clear"),
        ("http://[::ffff:127.0.0.1]", "in clear"),
        ("https://user:hunter2@nb.example", "user name or password"),
        ("https://hunter2@nb.example", "user name or password"),
        ("https://nb.example?hunter2", "query"),
        ("https://nb.example/?", "query"),
        ("https://nb.example/#hunter2", "fragment"),
        ("nb.example", "no URL"),
        ("nbp_hunter2", "no URL"),
        ("ftp://nb.example", "no URL"),
        ("https://", "no URL"),
        ("https://nb.example:0", "no URL"),
        ("https://nb.example:99999", "no URL"),
        ("https://[::1", "no URL"),
        ("https://nb .example", "no URL"),
        ("https://nb..example", "no URL"),
        ("https://xn--.example", "no URL"),
        ("https://nb\\.example", "signs"),
        ("https://nb.example/../x", "signs"),
        ("https://nb.example//x", "signs"),
        ("https://nb.example/a%2e", "signs"),
    ],
)
def test_urls_that_are_refused(given: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        from_environment(PAT, url=given)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        "https://nb.example/S3cretWord",
        "https://nb.example/x/S3CRETWORD",
        "http://s3cretword.example",
        "https://nb.example/nbp_AnothersToken1",
        "https://nb.example/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzIn0.c2ln",
    ],
)
def test_a_token_in_the_url_is_refused_and_not_shown(given: str) -> None:
    environ = {"NB_PAT": "S3cretWord"}
    for ask in (lambda: from_environment(environ, url=given), lambda: url_of(environ | {"NB_MANAGEMENT_URL": given})):
        with pytest.raises(UsageError, match="contains a token") as caught:
            ask()
        assert given.rpartition("/")[2] not in str(caught.value.diagnostics)


def test_a_host_may_be_called_as_tokens_begin() -> None:
    url = "https://eyJafjalla.is.example"
    assert url_of({"NB_MANAGEMENT_URL": url}) == url_of({"NB_MANAGEMENT_URL": url}, "no-such-file") == url.lower()


def test_a_url_given_directly_goes_before_the_environment() -> None:
    settings = from_environment(PAT | {"NB_MANAGEMENT_URL": "https://other.example"}, url="https://nb.example/api")
    assert settings.url == "https://nb.example"


def test_an_empty_url_variable_means_the_default() -> None:
    assert from_environment(PAT | {"NB_MANAGEMENT_URL": " "}).url == "https://api.netbird.io"


def test_two_tokens_are_one_too_many() -> None:
    with pytest.raises(UsageError, match="both NB_PAT and NB_ACCESS_TOKEN"):
        from_environment(PAT | {"NB_ACCESS_TOKEN": "eyJ.a.b"})


@pytest.mark.parametrize(
    ("environ", "says", "hint"),
    [({}, "NB_PAT is not set", "Service Users"), ({"NB_PAT": " "}, "NB_PAT is set, but empty", "fork gets no secrets")],
)
def test_no_token_is_not_authorized_and_says_how_to_get_one(environ: dict[str, str], says: str, hint: str) -> None:
    with pytest.raises(NotAuthorized, match=says) as caught:
        from_environment(environ)
    assert caught.value.exit_code == ExitCode.NOT_AUTHORIZED
    assert hint in caught.value.diagnostics[0].help


def test_a_token_is_stripped() -> None:
    assert from_environment({"NB_PAT": " nbp_abc\n"}).token.get_secret_value() == "nbp_abc"


@pytest.mark.parametrize(
    "token", ["nbp_hunter2 x", "Token nbp_hunter2", "nbp_hunter2\x00", "nbp_hunter2ä", "nbp_\r\nhunter2"]
)
def test_a_malformed_token_is_refused_without_being_shown(token: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    attempts: list[Callable[[], Settings]] = [
        lambda: from_environment({"NB_PAT": token}),
        lambda: from_environment({"NB_ACCESS_TOKEN": token}),
        lambda: from_environment({}, token_file=file),
        lambda: Settings("https://nb.example", SecretStr(token)),
    ]
    for attempt in attempts:
        with pytest.raises(UsageError, match="not shown") as caught:
            attempt()
        assert "hunter2" not in str(caught.value) + caught.value.diagnostics[0].help


def test_a_token_file_goes_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("nbp_file\n")
    settings = from_environment(PAT, token_file=file)
    assert (settings.token.get_secret_value(), settings.scheme) == ("nbp_file", "Token")


def test_a_token_file_may_hold_an_access_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("eyJhbGciOi.eyJzdWIi.c2ln-bmF0dXJl\n")
    assert from_environment({}, token_file=str(file)).scheme == "Bearer"


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff\xfe", "not text")])
def test_a_token_file_without_a_token_is_a_clear_error(content: bytes | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        from_environment({}, token_file=file)


def test_a_folder_is_no_token_file(tmp_path: Path) -> None:
    with pytest.raises(NbsyncError, match="cannot be read"):
        from_environment({}, token_file=tmp_path)


def test_settings_are_frozen_and_do_not_show_the_token() -> None:
    settings = from_environment(PAT)
    assert "nbp_abc" not in repr(settings)
    with pytest.raises(FrozenInstanceError):
        settings.url = "https://other.example"  # type: ignore[misc]


def test_the_environment_is_not_read_behind_the_callers_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "NB_PAT", "nbp_other")
    with pytest.raises(NotAuthorized):
        from_environment({})
