"""The audit log, the control endpoint, and what only events can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.simulator import Simulator
from tests.unit.simulator.core.conftest import Caller

Join = Callable[..., dict[str, Any]]


def test_an_unknown_event_is_501(simulator: Simulator) -> None:
    with httpx.Client(transport=simulator.transport(), base_url="http://netbird") as client:
        assert client.post("/_simulator/events", json={"event": "meteor_falls"}).status_code == 501
        assert client.post("/_simulator/events", content="no json").status_code == 400
        assert client.post("/_simulator/events", json=["event"]).status_code == 400


def test_the_log_can_be_switched_off() -> None:
    simulator = Simulator({"NB_EVENT_ACTIVITY_LOG_ENABLED": "false"})

    assert Caller(simulator, f"Token {simulator.bootstrap()}").get("/events/audit") == []


def test_at_most_ten_thousand_events_are_shown(simulator: Simulator, admin: Caller) -> None:
    """The newest, newest first."""
    account = simulator.world.accounts()[0]
    for number in range(10_050):
        account.audit("sys", "group.add", f"g{number}")

    events = admin.get("/events/audit")

    assert len(events) == 10_000
    assert (events[0]["target_id"], events[-1]["target_id"]) == ("g10049", "g50")


@pytest.mark.parametrize(
    ("change", "logged"),
    [
        ({"peer_login_expiration": 7200}, [("account.setting.peer.login.expiration.update", {})]),
        ({"peer_inactivity_expiration_enabled": True}, []),
        ({"regular_users_view_blocked": False}, []),
        ({"lazy_connection_enabled": False}, [("account.setting.lazy.connection.disable", {})]),
        ({"ipv6_enabled_groups": []}, [("account.setting.ipv6.disable", {})]),
        (
            {"dns_domain": "corp.test"},
            [("account.dns.domain.update", {"old_dns_domain": "", "new_dns_domain": "corp.test"})],
        ),
    ],
)
def test_some_settings_are_logged_and_some_are_not(
    admin: Caller, change: dict[str, Any], logged: list[tuple[str, dict[str, str]]]
) -> None:
    account = admin.get("/accounts")[0]
    path = f"/accounts/{account['id']}"
    settings = {key: value for key, value in account["settings"].items() if not key.startswith("network_range")}
    before = len(admin.get("/events/audit"))

    admin.put(path, {"settings": {**settings, **change}})

    events = admin.get("/events/audit")
    new = events[: len(events) - before]
    assert [(event["activity_code"], event["meta"]) for event in new] == logged
    assert all(event["activity"] and event["target_id"] == account["id"] for event in new)


def test_members_are_logged_one_by_one(admin: Caller, join: Join) -> None:
    peer = join("web")["id"]
    group = admin.post("/groups", {"name": "a", "peers": [peer]})
    admin.put(f"/groups/{group['id']}", {"name": "b"})

    events = admin.get("/events/audit")[:4]

    assert {event["activity_code"] for event in events} == {
        "group.add",
        "peer.group.add",
        "group.update",
        "peer.group.delete",
    }
    renamed = next(event for event in events if event["activity_code"] == "group.update")
    assert renamed["meta"] == {"old_name": "a", "new_name": "b"}


def test_a_machine_that_was_deleted_joins_as_a_new_peer(admin: Caller, join: Join) -> None:
    """One that was not is the same peer, and is known by what it tells as soon as it has a stream."""
    first = join("web", meta={"version": "0.60.0"})
    assert join("web", meta={"version": "0.70.0"})["id"] == first["id"]
    assert admin.get(f"/peers/{first['id']}")["version"] == "0.60.0"
    join("web", meta={"version": "0.71.0"}, connected=True)
    assert admin.get(f"/peers/{first['id']}")["version"] == "0.71.0"

    admin("DELETE", f"/peers/{first['id']}")

    assert join("web")["id"] != first["id"]


def test_names_in_dns_are_unique(admin: Caller, join: Join) -> None:
    """A taken label gets the last two octets of the address; a peer finds its own label taken."""
    first, second = join("Web Server.corp"), join("web-server")
    octets = "-".join(second["address"].partition("/")[0].split(".")[2:])

    assert first["fqdn"] == "web-server.netbird.selfhosted"
    assert second["fqdn"] == f"web-server-{octets}.netbird.selfhosted"
    own = "-".join(first["address"].partition("/")[0].split(".")[2:])
    renamed = admin.put(f"/peers/{first['id']}", {"name": "WEB-SERVER"})
    assert renamed["dns_label"] == f"web-server-{own}.netbird.selfhosted"
