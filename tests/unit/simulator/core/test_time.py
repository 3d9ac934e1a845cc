"""What time does: keys, tokens and logins run out, rate limits refill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from reconciler.simulator import Simulator
from tests.unit.simulator.core.conftest import Caller

DAY = 86_400


def wait(simulator: Simulator, seconds: float) -> None:
    simulator.event({"event": "time_passes", "seconds": seconds})


def test_a_setup_key_expires(simulator: Simulator, admin: Caller) -> None:
    key = admin.post("/setup-keys", {"name": "k", "type": "reusable", "expires_in": 60})
    wait(simulator, 61)

    assert admin.get("/setup-keys")[0]["state"] == "expired"
    refused = simulator.event({"event": "peer_joins", "hostname": "late", "setup_key": key["key"]})
    assert refused == {"error": "rpc error: code = NotFound desc = couldn't add peer: setup key is invalid"}


def test_an_expired_token_is_401_and_stays_in_the_list(simulator: Simulator, admin: Caller, owner: Caller) -> None:
    user = next(user for user in admin.get("/users") if user["is_current"])
    made = admin.post(f"/users/{user['id']}/tokens", {"name": "short", "expires_in": 1})
    short = Caller(simulator, f"Token {made['plain_token']}")
    assert short("GET", "/groups")[0] == 200
    wait(simulator, DAY)

    assert short("GET", "/groups") == (401, "token invalid")
    assert [token["name"] for token in admin.get(f"/users/{user['id']}/tokens")] == ["ci", "short"]
    assert owner("GET", "/groups") == (401, "token invalid")


def test_the_rate_limit_refills(admin: Caller) -> None:
    """Two at once, one more each minute; a refused request costs nothing, and another token has its own limit."""
    environment = {
        "NB_API_RATE_LIMITING_ENABLED": "true",
        "NB_API_RATE_LIMITING_RPM": "1",
        "NB_API_RATE_LIMITING_BURST": "2",
    }
    simulator = Simulator(environment)
    token = simulator.bootstrap()
    caller = Caller(simulator, f"Token {token}")
    assert [caller("GET", "/groups")[0] for _ in range(4)] == [200, 200, 429, 429]
    wait(simulator, 60)

    assert [caller("GET", "/groups")[0] for _ in range(2)] == [200, 429]
    assert Caller(simulator, f"Token {simulator.bootstrap()}")("GET", "/groups")[0] == 200
    with httpx.Client(transport=simulator.transport(), headers={"User-Agent": "x-Terraform/1"}) as client:
        headers = {"Authorization": f"Token {token}"}
        assert client.get("http://netbird/api/groups", headers=headers).status_code == 200


def test_a_persons_login_expires_and_a_keys_peer_does_not(
    simulator: Simulator, admin: Caller, join: Callable[..., dict[str, Any]]
) -> None:
    """Another login brings the peer back."""
    admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user"})
    mine, server = join("laptop", user="ana@acme.test", connected=True), join("server", connected=True)
    wait(simulator, DAY)

    assert _expiry(admin, mine["id"]) == (True, False)
    assert _expiry(admin, server["id"]) == (False, True)
    expired = "rpc error: code = PermissionDenied desc = peer login has expired, please log in once more"
    assert simulator.event({"event": "peer_logs_in", "hostname": "laptop"}) == {"error": expired}
    join("laptop", user="ana@acme.test", connected=True)
    assert _expiry(admin, mine["id"]) == (False, True)


def test_an_account_can_let_logins_last(
    simulator: Simulator, admin: Caller, join: Callable[..., dict[str, Any]]
) -> None:
    admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user"})
    peer = join("laptop", user="ana@acme.test")
    account = admin.get("/accounts")[0]
    settings = {**account["settings"], "peer_login_expiration_enabled": False}
    admin.put(f"/accounts/{account['id']}", {"settings": settings})
    wait(simulator, 200 * DAY)

    assert _expiry(admin, peer["id"]) == (False, False)


def test_an_invitation_expires(simulator: Simulator, admin: Caller) -> None:
    invite = admin.post("/users/invites", {"name": "Bob", "email": "bob@acme.test", "role": "user", "expires_in": 3600})
    wait(simulator, 3601)

    assert admin.get("/users/invites")[0]["expired"] is True
    anybody = Caller(simulator)
    assert anybody.get(f"/users/invites/{invite['invite_token']}")["valid"] is False


def test_a_machine_is_seen_when_a_stream_begins_or_ends(
    simulator: Simulator, admin: Caller, join: Callable[..., dict[str, Any]]
) -> None:
    """Whole seconds then; the exact moment of the registration until then, whatever logins follow."""
    peer = join("server")["id"]

    def seen(event: str, **fields: Any) -> str:
        wait(simulator, 5)
        simulator.event({"event": event, "hostname": "server", **fields})
        return str(admin.get(f"/peers/{peer}")["last_seen"])

    registered = admin.get(f"/peers/{peer}")["created_at"]
    assert "." in registered
    assert seen("peer_logs_in") == registered
    assert seen("peer_disconnects") == registered
    begun = seen("peer_logs_in", connected=True)
    assert begun > registered
    assert seen("peer_logs_in") == begun
    ended = seen("peer_disconnects")
    assert ended > begun
    assert seen("peer_disconnects") == ended
    assert "." not in begun + ended
    assert "." not in admin.get(f"/peers/{join('gw', connected=True)['id']}")["last_seen"]


def test_a_person_who_logs_in_counts_as_active(
    simulator: Simulator, admin: Caller, join: Callable[..., dict[str, Any]]
) -> None:
    admin.post("/users", {"name": "Ana", "email": "ana@acme.test", "role": "user"})
    peer = join("laptop", user="ana@acme.test")["id"]
    account = admin.get("/accounts")[0]
    limits = {"peer_inactivity_expiration_enabled": True, "peer_inactivity_expiration": 600}
    admin.put(f"/accounts/{account['id']}", {"settings": {**account["settings"], **limits}})
    wait(simulator, 601)
    assert _expiry(admin, peer) == (True, False)
    join("laptop", user="ana@acme.test")

    assert _expiry(admin, peer) == (False, False)


def _expiry(admin: Caller, peer_id: str) -> tuple[bool, bool]:
    peer = admin.get(f"/peers/{peer_id}")
    return peer["login_expired"], peer["connected"]
