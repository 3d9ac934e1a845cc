"""The client against a server on a real socket that misbehaves, and what it does with its connections."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from reconciler.api import problems
from reconciler.api.client import Api, ReadApi
from reconciler.api.transport import proxy_for
from reconciler.errors import UsageError
from reconciler.settings import Settings

Serve = Callable[..., Any]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"


def settings(url: str, **more: Any) -> Settings:
    return Settings(url, SecretStr("nbp_x"), **more)


def hush(_: float) -> None:
    """Wait for nothing."""


def answers(server: Any, connection: socket.socket, _: int) -> None:
    while server.receive(connection):
        connection.sendall(OK)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def resets(server: Any, connection: socket.socket, _: int) -> None:
    server.receive(connection)
    reset(connection)


def hangs_up(server: Any, connection: socket.socket, _: int) -> None:
    server.receive(connection)


def half_an_answer(server: Any, connection: socket.socket, _: int) -> None:
    server.receive(connection)
    connection.sendall(OK[:-1])


def half_a_chunk(server: Any, connection: socket.socket, _: int) -> None:
    server.receive(connection)
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,"
    )


def speaks_something_else(server: Any, connection: socket.socket, _: int) -> None:
    server.receive(connection)
    connection.sendall(b"220 smtp.example ESMTP\r\n")


def silent(server: Any, connection: socket.socket, _: int) -> None:
    server.receive(connection)
    server.closing.wait(10)


def says(answer: bytes) -> Callable[..., None]:
    def act(server: Any, connection: socket.socket, _: int) -> None:
        server.receive(connection)
        connection.sendall(answer)

    return act


def drips(head: bytes) -> Callable[..., None]:
    def act(server: Any, connection: socket.socket, _: int) -> None:
        server.receive(connection)
        connection.sendall(head)
        while not server.closing.wait(0.05):
            connection.sendall(b"x")

    return act


def test_one_connection_serves_many_requests(serve: Serve) -> None:
    server = serve(answers)
    with Api(settings(server.url)) as api:
        assert [api.get("/groups"), api.send("POST", "/groups", {"name": "x"}), api.send("DELETE", "/groups/x")] == [
            []
        ] * 3
    assert (server.connections, len(server.requests)) == (1, 3)
    assert b'{"name": "x"}' in server.requests[1]


def test_workers_use_their_connections_again(serve: Serve) -> None:
    server = serve(answers)
    with ReadApi(settings(server.url)) as api:
        for _ in range(5):
            assert api.get_many(["/groups"] * 20) == [[]] * 20
    assert server.connections <= 8


@pytest.mark.parametrize("act", [resets, hangs_up, half_an_answer, half_a_chunk, speaks_something_else])
def test_a_lost_answer_is_asked_for_again_by_a_read_and_unknown_to_a_write(
    act: Callable[..., None], serve: Serve
) -> None:
    server = serve(lambda server, connection, number: (answers if number == 2 else act)(server, connection, number))
    with Api(settings(server.url), sleep=hush) as api:
        assert api.get("/groups") == []
    assert server.connections == 2
    with Api(settings(server.url), sleep=hush) as api, pytest.raises(problems.Unreachable) as caught:
        api.send("POST", "/groups", {})
    assert (caught.value.outcome, server.connections) == ("unknown", 3)


@pytest.mark.parametrize(
    "answer",
    {
        "negative length": OK.replace(b": 2", b": -2"),
        "length of letters": OK.replace(b": 2", b": two"),
        "length beyond all numbers": OK.replace(b": 2", b": " + b"9" * 30),
        "two lengths": OK.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"),
        "many headers": OK.replace(b"\r\n\r\n", b"\r\nX: " + b"\r\nX: ".join([b"x" * 1000] * 1000) + b"\r\n\r\n"),
        "a long header": OK.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n"),
        "a header of bytes": OK.replace(b"\r\n\r\n", b"\r\nX: a\0b\r\n\r\n"),
        "no status": OK.replace(b"200", b"abc"),
        "status 0": OK.replace(b"200", b"000"),
        "another protocol": OK.replace(b"200", b"101"),
        "a chunk without a size": OK.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        "another transfer": OK.replace(b"Content-Length: 2", b"Transfer-Encoding: gzip"),
        "an unusable place to go": OK.replace(b"200 OK", b"302 Found\r\nLocation: http://[\x1b]:99999999/"),
    }.items(),
    ids=lambda item: item[0],
)
def test_what_is_no_http_is_a_lost_answer(answer: tuple[str, bytes], serve: Serve) -> None:
    with Api(settings(serve(says(answer[1])).url), sleep=hush) as api:
        for call in (lambda: api.get("/groups"), lambda: api.send("PUT", "/groups/g1", {})):
            with pytest.raises(problems.Unreachable) as caught:
                call()
            assert caught.value.outcome == "unknown"


def test_a_server_that_repeats_the_request_does_not_make_the_token_known(serve: Serve) -> None:
    def echoes(server: Any, connection: socket.socket, _: int) -> None:
        asked = server.receive(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\x01" + asked[asked.index(b"Authorization") :])

    with Api(settings(serve(echoes).url), sleep=hush) as api, pytest.raises(problems.Unreachable) as caught:
        api.send("POST", "/groups", {})
    assert "Token ***" in str(caught.value)
    assert "nbp_x" not in str(caught.value)


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_for_a_write(serve: Serve) -> None:
    def act(server: Any, connection: socket.socket, _: int) -> None:
        server.receive(connection)
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)

    server = serve(act)
    with Api(settings(server.url)) as api:
        assert api.get("/groups") == []
        time.sleep(0.05)  # until the end of the connection has arrived here
        assert api.send("POST", "/groups", {}) == []
    assert (server.connections, api.writes) == (2, 1)


def test_a_closed_port_is_not_processed(serve: Serve) -> None:
    server = serve(answers)
    server.close()
    with (
        Api(settings(server.url), sleep=hush) as api,
        pytest.raises(problems.Unreachable, match="Connection refused") as caught,
    ):
        api.send("POST", "/groups", {})
    assert (caught.value.outcome, api.writes) == ("not_processed", 6)


def test_a_name_that_nobody_knows_is_not_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with (
        Api(settings("https://nb.example"), sleep=hush) as api,
        pytest.raises(problems.Unreachable, match="not known") as caught,
    ):
        api.send("POST", "/groups", {})
    assert caught.value.outcome == "not_processed"


@pytest.mark.parametrize(
    "act",
    [
        silent,
        drips(b""),
        drips(b"HTTP/1.1 200 OK\r\nX-Drip: "),
        drips(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"),
    ],
    ids=["silent", "status", "header", "body"],
)
def test_a_request_ends_at_its_deadline_however_slowly_the_server_drips(act: Callable[..., None], serve: Serve) -> None:
    server = serve(act)
    started = time.monotonic()
    with (
        Api(settings(server.url, timeout=0.3)) as api,
        pytest.raises(problems.TimedOut, match=r"within 0\.3 s") as caught,
    ):
        api.send("PUT", "/groups/g1", {})
    assert time.monotonic() - started < 0.6
    assert (caught.value.outcome, caught.value.exit_code) == ("unknown", 9)


def test_a_redirect_is_not_followed_and_the_token_stays(serve: Serve) -> None:
    other = serve(answers)

    def redirects(server: Any, connection: socket.socket, _: int) -> None:
        server.receive(connection)
        connection.sendall(f"HTTP/1.1 307 Go\r\nLocation: {other.url}/api/groups\r\nConnection: close\r\n\r\n".encode())

    with Api(settings(serve(redirects).url)) as api:
        for attempt in ("GET", "POST", "DELETE"):
            with pytest.raises(problems.BadAnswer, match="a redirect to http://127"):
                api.send(attempt, "/groups")
    assert other.connections == 0


def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut_off(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.api.exchange.LARGEST_ANSWER", 1_000_000)
    body = gzip.compress(b" " * 20_000_000)

    def bombs(server: Any, connection: socket.socket, _: int) -> None:
        server.receive(connection)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    with ReadApi(settings(serve(bombs).url)) as api, pytest.raises(problems.BadAnswer, match="more than"):
        api.get("/groups")


def test_a_server_that_is_not_trusted_is_told_once(serve: Serve) -> None:
    server = serve(answers, tls=True)
    with (
        Api(settings(server.url)) as api,
        pytest.raises(problems.Untrusted, match="CERTIFICATE_VERIFY_FAILED") as caught,
    ):
        api.send("POST", "/groups", {})
    assert (api.writes, server.requests) == (1, [])
    assert (caught.value.outcome, caught.value.diagnostics[0].code) == ("not_processed", "NBS501")
    assert "SSL_CERT_FILE" in caught.value.diagnostics[0].help


def test_a_certificate_of_ones_own_is_trusted_through_ssl_cert_file(
    serve: Serve, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = serve(answers, tls=True)
    with ReadApi(settings(server.url)) as api:
        assert api.get_many(["/groups"] * 20) == [[]] * 20
    assert server.connections <= 8


def test_the_deadline_holds_through_tls(serve: Serve, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = serve(drips(b"HTTP/1.1 200 OK\r\nX-Drip: "), tls=True)
    started = time.monotonic()
    with Api(settings(server.url, timeout=0.3)) as api, pytest.raises(problems.TimedOut):
        api.send("PUT", "/groups/g1", {})
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_trust_store_that_is_not_there_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(UsageError, match=f"{name} cannot be used: there is nothing at .*none") as caught:
        ReadApi(settings("https://nb.example"))
    assert caught.value.exit_code == 64


def test_a_trust_store_without_certificates_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty"))
    with pytest.raises(UsageError, match="SSL_CERT_FILE cannot be used: no certificates"):
        ReadApi(settings("https://nb.example"))


def test_loopback_never_goes_through_a_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serve(answers), serve(answers)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    with ReadApi(settings(server.url)) as api:
        assert api.get("/groups") == []
    assert proxy.connections == 0


def test_https_goes_through_the_proxy_and_the_token_does_not_show_there(
    serve: Serve, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(server: Any, connection: socket.socket, _: int) -> None:
        server.receive(connection)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    proxy = serve(refuses)
    monkeypatch.setenv("https_proxy", proxy.url)
    with (
        Api(settings("https://nb.example"), sleep=hush) as api,
        pytest.raises(problems.Unreachable, match="407") as caught,
    ):
        api.send("POST", "/groups", {})
    assert (caught.value.outcome, api.writes) == ("not_processed", 6)
    assert proxy.requests[0].startswith(b"CONNECT nb.example:443 ")
    assert b"nbp_x" not in b"".join(proxy.requests)
    assert "NO_PROXY" in caught.value.diagnostics[0].help


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://p.example:3128"}, "http://p.example:3128"),
        ({"https_proxy": "p.example:3128"}, "http://p.example:3128"),
        ({"all_proxy": "https://p.example"}, "https://p.example"),
        ({"http_proxy": "http://p.example"}, None),
        ({"https_proxy": "http://p.example", "no_proxy": "nb.example"}, None),
        ({"https_proxy": "http://p.example", "no_proxy": "example"}, None),
        ({"https_proxy": "http://p.example", "no_proxy": "*"}, None),
        ({"https_proxy": "http://p.example", "no_proxy": "other.example"}, "http://p.example"),
    ],
)
def test_the_proxy_of_the_environment(
    environ: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = proxy_for("https://nb.example:8443")
    assert (found and found.url) == (proxy and httpx.URL(proxy))


@pytest.mark.parametrize(
    "proxy", ["socks5://u:hunter2@p.example", "gopher://u:hunter2@p.example", "http://u:hunter2@p.example:x"]
)
def test_a_proxy_that_cannot_be_used_is_refused_without_showing_its_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(UsageError, match="HTTPS_PROXY cannot be used") as caught:
        ReadApi(settings("https://nb.example"))
    assert "hunter2" not in str(caught.value)


def test_a_netrc_file_does_not_replace_the_token(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    server = serve(answers)
    with ReadApi(settings(server.url)) as api:
        api.get("/groups")
    assert b"Authorization: Token nbp_x" in server.requests[0]
