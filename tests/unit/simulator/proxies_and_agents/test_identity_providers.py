"""Identity providers: what no recording of a real server shows."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from reconciler.simulator import Simulator

Json = dict[str, Any]

PROVIDERS = "/identity-providers"


class Issuer(http.server.BaseHTTPRequestHandler):
    """Answers with the document of its own name, or with what its path asks for."""

    documents: ClassVar = {
        "/html": b"<html>",
        "/empty": b"",
        "/list": b"[]",
        "/number": b'{"issuer": 5}',
        "/null": b"null",
        "/cut": b'{"issuer": "x"',
    }

    def do_GET(self) -> None:
        name = self.path.removesuffix("/.well-known/openid-configuration")
        port = self.connection.getsockname()[1]
        self.send_response(503 if name == "/busy" else 200, "Busy Now" if name == "/busy" else None)
        self.end_headers()
        own = json.dumps({"Issuer": f"http://127.0.0.1:{port}{name}"}).encode()
        self.wfile.write(self.documents.get(name, own) if name != "/busy" else b"Later")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def oidc(issuer: str, **fields: Any) -> Json:
    return {"type": "oidc", "name": "n", "issuer": issuer, "client_id": "c", **fields}


def test_permission_comes_before_every_rule(admin: Any) -> None:
    assert admin.as_role("network_admin")("POST", PROVIDERS, {}) == (403, "permission denied")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/html", "invalid character '<' looking for beginning of value"),
        ("/empty", "unexpected end of json input"),
        ("/cut", "unexpected end of json input"),
        ("/list", "json: cannot unmarshal array into go value of type server.oidcproviderjson"),
        ("/number", "json: cannot unmarshal number into go struct field oidcproviderjson.issuer of type string"),
    ],
)
def test_a_document_that_is_none_is_told_in_go_s_words(admin: Any, issuer: str, path: str, reason: str) -> None:
    message = f"identity provider issuer is unreachable: failed to decode provider discovery object: {reason}"
    assert admin("POST", PROVIDERS, oidc(issuer + path)) == (422, message)


def test_an_answer_other_than_200_is_told_with_its_body(admin: Any, issuer: str) -> None:
    message = "identity provider issuer is unreachable: 503 busy now: later"
    assert admin("POST", PROVIDERS, oidc(f"{issuer}/busy")) == (422, message)


def test_a_document_without_an_issuer_names_none(admin: Any, issuer: str) -> None:
    text = "identity provider issuer does not match the issuer returned by the provider"
    assert admin("POST", PROVIDERS, oidc(f"{issuer}/null")) == (422, f'{text}: expected "{issuer}/null" got ""')


def test_keys_of_the_document_match_in_any_case(admin: Any, issuer: str) -> None:
    assert admin.made(PROVIDERS, oidc(f"{issuer}/corp"))["issuer"] == f"{issuer}/corp"


def test_nothing_beyond_this_machine_is_asked(admin: Any) -> None:
    assert admin.made(PROVIDERS, oidc("https://login.acme.io"))["issuer"] == "https://login.acme.io"
    status, message = admin("POST", PROVIDERS, oidc("https://login.acme.test"))
    assert status == 422
    assert message.endswith("dial tcp: lookup login.acme.test: no such host")


def test_the_server_s_own_provider_is_there(admin: Any) -> None:
    own = "http://localhost:33073/oauth2"
    assert admin.made(PROVIDERS, oidc(own))["issuer"] == own


def test_a_put_keeps_the_secret_and_the_type_comes_before_nothing_but_existence(
    simulator: Simulator, admin: Any
) -> None:
    made = admin.made(PROVIDERS, {"type": "google", "name": "g", "client_id": "c", "client_secret": "s"})
    path = f"{PROVIDERS}/{made['id']}"
    assert admin("PUT", path, {"type": "google", "name": "h", "client_id": "d"})[0] == 200
    row = simulator.world.store.table("identity_providers").get(made["id"])
    assert row is not None
    assert (row["client_secret"], row["name"], row["client_id"]) == ("s", "h", "d")
    changed = {"type": "microsoft", "name": "h", "client_id": "d"}
    update = "failed to update identity provider: failed to update connector:"
    assert admin("PUT", path, changed) == (500, f"{update} connector type change not allowed")
    assert admin("PUT", f"{PROVIDERS}/nope", changed) == (500, f"{update} not found")
