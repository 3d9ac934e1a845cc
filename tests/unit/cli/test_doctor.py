"""What the doctor finds: every failure is provoked on loopback, and what comes after it is not checked."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.simulator.areas.tokens import new_token
from reconciler.simulator.ids import _checksum
from reconciler.simulator.server import Server
from tests.unit.harness import Account, Between, Desk, json_answer

TRUSTED = Path(__file__).parents[1] / "api" / "localhost.pem"
NAMES = [
    "url",
    "connection",
    "tls",
    "server",
    "credential",
    "caller",
    "files",
    "role",
    "expiry",
    "version",
    "clock",
    "rate limit",
]
GOOD = f"nbp_{'0' * 30}{_checksum('0' * 30)}"
ALL_KINDS = "groups: {devs: }\npolicies: {p: {from: devs, to: devs, allow: all}}\nsetup_keys: {k: {type: reusable}}\n"


def statuses(desk: Desk, *arguments: str, code: int = 0) -> dict[str, str]:
    """How every check ended; the outcome has this exit code."""
    outcome = desk.nbsync("doctor", "-q", "-o", "json", *arguments)
    assert outcome.exit_code == code, outcome.stdout
    found = {check["name"]: check["status"] for check in outcome.document["checks"]}
    assert list(found) == NAMES
    return found


def found(desk: Desk, *arguments: str) -> dict[str, tuple[str, str]]:
    """Code and message of the checks that did not pass."""
    document = desk.nbsync("doctor", "-q", "-o", "json", *arguments).document
    return {
        check["name"]: (check["diagnostics"][0]["code"], check["message"])
        for check in document["checks"]
        if check["diagnostics"]
    }


@pytest.fixture
def between(account: Account, connect: Callable[[Any, str], None]) -> Between:
    app = Between(account.simulator)
    connect(app, account.token)
    return app


def test_all_is_well_with_an_admins_token(account: Account) -> None:
    account.write(f"version: 1\n{ALL_KINDS}")
    assert set(statuses(account).values()) == {"ok"}


def test_all_is_well_with_a_simulated_account(desk: Desk) -> None:
    assert set(statuses(desk, "--simulate").values()) == {"ok"}


def test_only_get_is_sent(account: Account) -> None:
    outcome = account.nbsync("doctor", "-q")
    assert outcome.sent
    assert not outcome.writes


def test_text_has_a_line_for_each_check_and_says_what_to_do(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB_MANAGEMENT_URL", "ftp://x")
    outcome = desk.nbsync("doctor", "-q")
    assert (outcome.exit_code, outcome.stderr) == (1, "")
    lines = outcome.stdout.splitlines()
    assert lines[0] == "✗ url         NB_MANAGEMENT_URL is no URL of a server"
    assert lines[1].strip().startswith("help: it begins with https://")
    assert "· connection  not checked: url comes first" in lines
    assert lines[-1] == "Checked: 2 failed, 9 not checked."


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1", "https://me:secret@nb.example", "nonsense", "https://nb.example/?x"]
)
def test_a_url_that_is_refused(url: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB_MANAGEMENT_URL", url)
    monkeypatch.setenv("NB_PAT", GOOD)
    found = statuses(desk, code=1)
    assert (found["url"], found["connection"], found["caller"]) == ("failed", "not_checked", "not_checked")
    assert "secret" not in desk.nbsync("doctor", "-q", "-o", "json").stdout


def test_a_port_at_which_nobody_listens(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("NB_MANAGEMENT_URL", f"https://127.0.0.1:{port}")
    monkeypatch.setenv("NB_PAT", GOOD)
    ended = statuses(desk, code=1)
    assert (ended["connection"], ended["tls"], ended["server"]) == ("failed", "not_checked", "not_checked")
    assert found(desk)["connection"][0] == "NBS501"


def test_a_name_that_nobody_knows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB_MANAGEMENT_URL", "https://nobody.invalid")
    assert "the name nobody.invalid cannot be resolved" in found(desk)["connection"][1]


def test_an_ipv6_address_is_written_as_in_a_url(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB_MANAGEMENT_URL", "https://[::1]:1")
    assert "the server: [::1]:1: " in found(desk)["connection"][1]


def test_a_proxy_is_named_without_its_password(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB_MANAGEMENT_URL", "https://nb.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hidden@127.0.0.1:1")
    said = desk.nbsync("doctor", "-q").stdout
    assert "the proxy 127.0.0.1:1 (HTTPS_PROXY)" in said
    assert "hidden" not in said


class Quiet(Server):
    """A server that says nothing of clients that hang up: they are meant to."""

    def handle_error(self, *_: Any) -> None:
        """Pass over it."""


@contextmanager
def tls(app: Any, certificate: Path) -> Iterator[str]:
    """An application behind TLS; gives its URL."""
    server = Quiet(app)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def made(folder: Path, days: int, name: str = "localhost") -> Path:
    """A certificate of its own authority that ends in so many days (negative: ended)."""
    file = folder / f"{days}.pem"
    dates = [datetime.now(UTC) + timedelta(days=day) for day in (min(days, 0) - 1, days)]
    request = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        f"/CN={name}",
        "-keyout",
        str(file.with_suffix(".key")),
        "-out",
        str(file.with_suffix(".csr")),
    ]
    subprocess.run(request, check=True, capture_output=True)
    (folder / "index.txt").write_text("")
    (folder / "ext").write_text(f"subjectAltName=DNS:{name}\n")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
    )
    stamps = [f"{date:%Y%m%d%H%M%SZ}" for date in dates]
    sign = [
        "openssl",
        "ca",
        "-batch",
        "-selfsign",
        "-config",
        str(folder / "ca.cnf"),
        "-extfile",
        str(folder / "ext"),
        "-startdate",
        stamps[0],
        "-enddate",
        stamps[1],
        "-keyfile",
        str(file.with_suffix(".key")),
        "-in",
        str(file.with_suffix(".csr")),
        "-out",
        str(file.with_suffix(".crt")),
        "-notext",
    ]
    subprocess.run(sign, check=True, capture_output=True)
    file.write_text(file.with_suffix(".key").read_text() + file.with_suffix(".crt").read_text())
    return file


def test_a_certificate_that_nobody_vouches_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    with tls(account.simulator, TRUSTED) as url:
        monkeypatch.setenv("NB_MANAGEMENT_URL", url)
        ended = statuses(account, code=1)
        assert (ended["connection"], ended["tls"], ended["server"]) == ("ok", "failed", "not_checked")
        assert "self-signed certificate" in found(account)["tls"][1]
        monkeypatch.setenv("SSL_CERT_FILE", str(TRUSTED))
        assert set(statuses(account).values()) == {"ok"}
        assert "trusted through SSL_CERT_FILE" in account.nbsync("doctor", "-q").stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by the openssl program")
@pytest.mark.parametrize(
    ("days", "name", "status", "says"),
    [
        (-2, "localhost", "failed", "has expired"),
        (90, "other.example", "failed", "Hostname mismatch"),
        (5, "localhost", "warning", "is good until"),
    ],
)
def test_certificates(
    days: int, name: str, status: str, says: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = made(account.folder, days, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with tls(account.simulator, certificate) as url:
        monkeypatch.setenv("NB_MANAGEMENT_URL", url)
        assert statuses(account, code=int(status == "failed"))["tls"] == status
        assert says in found(account)["tls"][1]


@pytest.mark.parametrize(
    "answer",
    [
        Response("<title>Welcome</title>", content_type="text/html"),
        json_answer({"error": "no"}, 404),
        Response(status=302, headers={"Location": "https://login.example/"}),
        Response("", 502),
        json_answer([]),
        Response("no", 401),
    ],
)
def test_a_server_that_is_not_netbird(answer: Response, between: Between, account: Account) -> None:
    between.before = lambda _request: answer
    ended = statuses(account, code=1)
    assert (ended["tls"], ended["server"], ended["caller"]) == ("ok", "failed", "not_checked")


def test_the_token_is_not_sent_to_what_is_not_netbird(between: Between, account: Account) -> None:
    seen: list[str | None] = []

    def before(request: Request) -> Response:
        seen.append(request.headers.get("Authorization"))
        return Response("hello")

    between.before = before
    statuses(account, code=1)
    assert set(seen) == {None}


@pytest.mark.parametrize("token", [GOOD[:-1] + "Q", "nbp_short", "eyJ.e30.x"])
def test_a_mistyped_token_is_seen_without_the_server(
    token: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NB_PAT", token)
    ended = statuses(account, code=8)
    assert (ended["credential"], ended["caller"], ended["role"]) == ("failed", "not_checked", "not_checked")
    assert found(account)["credential"][0] == "NBS842"
    assert token not in account.nbsync("doctor", "-q").stdout


def test_two_tokens_are_one_too_many(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB_ACCESS_TOKEN", "a.b.c")
    assert statuses(account, code=8)["credential"] == "failed"


def test_no_token(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NB_PAT")
    assert statuses(account, code=8)["credential"] == "failed"


def jwt(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


def test_an_access_token_tells_when_it_ends(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NB_PAT")
    monkeypatch.setenv("NB_ACCESS_TOKEN", jwt(exp=time.time() - 60))
    assert statuses(account, code=8)["credential"] == "failed"
    assert found(account)["credential"][0] == "NBS843"


def test_a_token_that_the_server_does_not_know(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB_PAT", GOOD)
    ended = statuses(account, code=8)
    assert (ended["credential"], ended["caller"], ended["role"]) == ("ok", "failed", "not_checked")


def test_a_token_that_has_expired(account: Account) -> None:
    account.simulator.event({"event": "time_passes", "seconds": 366 * 86400})
    assert statuses(account, code=8)["caller"] == "failed"


def with_role(account: Account, monkeypatch: pytest.MonkeyPatch, role: str, *, days: int = 90) -> str:
    """A service user of this role; its token is the one that is used from now on."""
    user = account.send("POST", "/users", {"name": "ci", "role": role, "is_service_user": True, "auto_groups": []})
    token = account.send("POST", f"/users/{user['id']}/tokens", {"name": "t", "expires_in": days})["plain_token"]
    monkeypatch.setenv("NB_PAT", token)
    return str(user["id"])


def test_a_user_that_is_blocked(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    user = with_role(account, monkeypatch, "admin")
    account.send("PUT", f"/users/{user}", {"role": "admin", "auto_groups": [], "is_blocked": True})
    assert statuses(account, code=8)["caller"] == "failed"
    assert "blocked" in found(account)["caller"][1]


@pytest.mark.parametrize(
    ("role", "may_not"),
    [
        ("admin", ""),
        ("network_admin", "not write setup_keys"),
        ("auditor", "not write groups, policies, setup_keys"),
        ("user", "not write groups, policies, setup_keys"),
        ("billing_admin", "not write"),
    ],
)
def test_each_role_against_the_same_files(
    role: str, may_not: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.write(f"version: 1\n{ALL_KINDS}")
    with_role(account, monkeypatch, role)
    assert statuses(account, code=8 if may_not else 0)["role"] == ("failed" if may_not else "ok")
    if may_not:
        code, message = found(account)["role"]
        assert code == "NBS845"
        assert all(word in message for word in may_not.split(", "))


def test_a_network_admin_is_enough_for_policies(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.write("version: 1\npolicies: {p: {from: All, to: All, allow: all}}\n")
    with_role(account, monkeypatch, "network_admin")
    assert statuses(account)["role"] == "ok"


def owners_token(account: Account) -> str:
    """A token of the person who set the account up."""
    owner = account.named("/users", "owner", "role")
    row = account.row("users", owner["id"])
    account.store("users", {**row, "is_service_user": False})
    world = account.simulator.world
    secret, _ = new_token(world.accounts()[0], row, row["id"], "own", 90)
    return str(secret)


def test_a_persons_own_token_is_a_warning(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.write(f"version: 1\n{ALL_KINDS}")
    monkeypatch.setenv("NB_PAT", owners_token(account))
    ended = statuses(account)
    assert (ended["caller"], ended["role"], ended["expiry"]) == ("warning", "ok", "ok")
    assert found(account)["caller"][0] == "NBS844"


@pytest.mark.parametrize(
    ("role", "says"),
    [("auditor", "not write groups"), ("user", "not read groups"), ("billing_admin", "not read groups")],
)
def test_what_a_person_may_do_is_the_servers_own_answer(
    role: str, says: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.write(f"version: 1\n{ALL_KINDS}")
    monkeypatch.setenv("NB_PAT", owners_token(account))
    owner = account.named("/users", "owner", "role")
    account.store("users", {**account.row("users", owner["id"]), "role": role})
    assert statuses(account, code=8)["role"] == "failed"
    assert says in found(account)["role"][1]


def test_a_token_that_ends_soon_is_a_warning(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    with_role(account, monkeypatch, "user", days=3)
    assert statuses(account)["expiry"] == "warning"
    assert "in 2 days" in found(account)["expiry"][1]


def test_files_that_do_not_load_are_one_failed_line(account: Account) -> None:
    account.write("version: 1\nnonsense: 1\ngroups: {a: {peers: 3}}\n")
    ended = statuses(account, code=1)
    assert (ended["files"], ended["role"], ended["expiry"]) == ("failed", "not_checked", "ok")


def test_a_path_that_is_not_there_is_a_failed_line(account: Account) -> None:
    assert statuses(account, "missing.yaml", code=1)["files"] == "failed"


ZONES = "version: 1\ndns: {zones: {svc.example: {groups: [All]}}}\n"


def test_the_line_of_broken_files_has_the_help_of_what_it_shows(account: Account) -> None:
    account.write("version: 1\ngroup: {}\npolicy: {}\n")
    lines = [line.strip() for line in account.nbsync("doctor", "-q").stdout.splitlines()]
    [at] = [number for number, line in enumerate(lines) if line.startswith("✗ files")]
    assert lines[at].endswith("unknown key 'group' (and 1 more)")
    assert lines[at + 1 : at + 3] == ["help: did you mean 'groups'?", "help: nbsync validate shows all of them"]


@pytest.mark.parametrize(
    ("said", "status"), [("0.62.3", "failed"), ("0.63.0", "ok"), ("v0.77.1", "ok"), ("dev-0a1b2c3", "ok")]
)
def test_a_server_that_is_too_old_for_the_files(said: str, status: str, between: Between, account: Account) -> None:
    account.write(ZONES)

    def after(request: Request, response: Response) -> Response:
        return json_answer({"management_current_version": said}) if request.path.endswith("/version") else response

    between.after = after
    assert statuses(account, code=int(status == "failed"))["version"] == status
    if status == "failed":
        assert found(account)["version"] == (
            "NBS847",
            "NetBird 0.62.3; too old for the dns zones (since 0.63.0) of the files",
        )


def test_a_server_without_a_version_is_asked_for_what_the_files_need(between: Between, account: Account) -> None:
    account.write(ZONES)
    old = ("/version", "/dns/zones")
    between.before = lambda request: Response("404 page not found\n", 404) if request.path.endswith(old) else None
    assert statuses(account, code=1)["version"] == "failed"


def test_a_field_that_an_old_server_drops(between: Between, account: Account) -> None:
    account.write(
        "version: 1\nroutes: {r: {network: 10.0.0.0/8, peer_groups: [All], groups: [All], skip_auto_apply: true}}\n"
    )
    between.after = lambda request, response: (
        json_answer({"management_current_version": "0.54.0"}) if request.path.endswith("/version") else response
    )
    assert "route.skip_auto_apply (since 0.55.0)" in found(account)["version"][1]


@pytest.mark.parametrize(("seconds", "says"), [(300, "behind"), (-300, "ahead of")])
def test_clocks_that_differ(seconds: int, says: str, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    monkeypatch.setattr("reconciler.simulator.server._Handler.date_time_string", lambda *_: then)
    assert statuses(account)["clock"] == "warning"
    assert says in found(account)["clock"][1]


def test_a_limit_that_is_reached(between: Between, account: Account) -> None:
    between.before = lambda request: (
        json_answer({"message": "too many requests", "code": 429}, 429) if "Authorization" in request.headers else None
    )
    started = time.monotonic()
    assert statuses(account, code=1)["caller"] == "failed"
    assert found(account)["caller"][0] == "NBS510"
    assert time.monotonic() - started < 5


def test_a_limit_that_is_nearly_reached(between: Between, account: Account) -> None:
    account.write(ZONES)

    def after(_request: Request, response: Response) -> Response:
        response.headers["X-RateLimit-Remaining"] = "1"
        return response

    between.after = after
    assert statuses(account)["rate limit"] == "warning"


def test_no_output_shows_the_token(account: Account) -> None:
    for output in ("text", "json", "github", "sarif", "junit"):
        outcome = account.nbsync("doctor", "-o", output)
        assert account.token not in outcome.stdout + outcome.stderr


def test_a_server_that_says_the_token_does_not_make_us_say_it(between: Between, account: Account) -> None:
    between.after = lambda request, response: (
        json_answer({"management_current_version": account.token}) if request.path.endswith("/version") else response
    )
    for output in ("text", "json"):
        assert account.token not in account.nbsync("doctor", "-q", "-o", output).stdout


def test_a_server_that_never_answers_is_asked_once(
    between: Between, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.api.greeting.TIMEOUT", 0.5)
    asked: list[str] = []

    def before(request: Request) -> None:
        asked.append(request.path)
        time.sleep(1)

    between.before = before
    ended = statuses(account, code=1)
    assert (ended["server"], ended["clock"]) == ("failed", "not_checked")
    assert asked == ["/api/users"]


def test_steps_that_each_wait_long_end_together(
    between: Between, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.doctor.steps.TIMEOUT", 1.5)
    asked: list[str] = []

    def before(request: Request) -> None:
        asked.append(request.path)
        if request.path.endswith(("/tokens", "/version")):
            time.sleep(3)

    between.before = before
    ended = statuses(account, code=1)
    assert (ended["caller"], ended["expiry"], ended["version"]) == ("ok", "failed", "failed")
    assert len([path for path in asked if path.endswith(("/tokens", "/version"))]) == 1


@pytest.mark.parametrize("odd", [["x"], "yes", 5, None])
def test_permissions_of_another_shape_are_none(odd: Any, between: Between, account: Account) -> None:
    account.write(f"version: 1\n{ALL_KINDS}")
    person = {"id": "x", "name": "p", "role": "admin", "permissions": {"modules": {"groups": odd}}}
    between.after = lambda request, response: (
        json_answer(person) if request.path.endswith("/users/current") else response
    )
    assert statuses(account, code=8)["role"] == "failed"
    assert "not read groups" in found(account)["role"][1]


def test_tokens_of_another_shape_are_told_with_the_request(between: Between, account: Account) -> None:
    between.after = lambda request, response: json_answer({"a": 1}) if request.path.endswith("/tokens") else response
    message = found(account)["expiry"][1]
    assert "did not answer with NetBird's objects" in message
    assert "{" not in message
