"""Settings, address ranges, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.simulator.core.conftest import Caller

Join = Callable[..., dict[str, Any]]


def put(admin: Caller, **changes: Any) -> tuple[int, Any]:
    account = admin.get("/accounts")[0]
    return admin("PUT", f"/accounts/{account['id']}", {"settings": {**account["settings"], **changes}})


def test_another_range_moves_every_peer(admin: Caller, join: Join) -> None:
    for number in range(12):
        join(f"h{number}")

    assert put(admin, network_range="10.9.8.7/24")[0] == 200

    addresses = [peer["ip"] for peer in admin.get("/peers")]
    assert all(address.startswith("10.9.8.") for address in addresses)
    assert len(set(addresses)) == 12


def test_a_range_needs_room_for_half_as_many_again(admin: Caller, join: Join) -> None:
    for number in range(10):
        join(f"h{number}")

    message = "network range too small: need at least 15 addresses for 10 peers + buffer, but range provides 14"
    assert put(admin, network_range="10.0.0.0/28") == (422, message)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("1.2.3/8", 'netip.parseprefix("1.2.3/8"): parseaddr("1.2.3"): ipv4 address too short'),
        ("256.0.0.0/8", 'netip.parseprefix("256.0.0.0/8"): parseaddr("256.0.0.0"): ipv4 field has value >255'),
        ("10.0.0.0/08", 'netip.parseprefix("10.0.0.0/08"): bad bits after slash: "08"'),
        ("10.0.0.0", "netip.parseprefix(\"10.0.0.0\"): no '/'"),
    ],
)
def test_a_range_that_is_none_is_refused_in_gos_words(admin: Caller, text: str, flaw: str) -> None:
    assert put(admin, network_range=text) == (422, f"invalid cidr format: {flaw}")


def test_ipv6_follows_the_enabled_groups(admin: Caller, join: Join) -> None:
    """Membership gives an address and takes it; so does the end of the group."""
    peer, _ = join("a")["id"], join("b")
    group = admin.post("/groups", {"name": "v6"})["id"]
    assert put(admin, ipv6_enabled_groups=[group])[0] == 200
    assert _with_ipv6(admin) == []

    admin.put(f"/groups/{group}", {"name": "v6", "peers": [peer]})
    assert _with_ipv6(admin) == ["a"]

    assert admin("DELETE", f"/groups/{group}") == (200, {})
    assert _with_ipv6(admin) == []
    assert put(admin) == (422, f"ipv6 enabled group {group} does not exist")


def test_traffic_logging_is_echoed_and_not_kept(admin: Caller) -> None:
    extra = {**admin.get("/accounts")[0]["settings"]["extra"], "network_traffic_logs_enabled": True}

    _, answer = put(admin, extra=extra)

    assert answer["settings"]["extra"]["network_traffic_logs_enabled"] is True
    assert admin.get("/accounts")[0]["settings"]["extra"]["network_traffic_logs_enabled"] is False


def test_only_the_owner_deletes_the_account_and_all_tokens_with_it(admin: Caller, owner: Caller) -> None:
    path = f"/accounts/{admin.get('/accounts')[0]['id']}"
    only = "user is not allowed to delete account. only account owner can delete account"
    assert admin("DELETE", path) == (403, only)

    assert owner("DELETE", path) == (200, {})

    status, message = admin("GET", "/groups")
    assert status == 404
    assert message.startswith("invalid token: pat: ")


def _with_ipv6(admin: Caller) -> list[str]:
    return [peer["name"] for peer in admin.get("/peers") if "ipv6" in peer]
