"""Services that peers expose: what no recording of a real server shows."""

from typing import Any

import pytest

from reconciler.simulator import Simulator

Json = dict[str, Any]

SERVICES = "/reverse-proxies/services"


@pytest.fixture
def expose(simulator: Simulator, admin: Any, peer: Json, connect: Any) -> Any:
    """Let the peer alpha expose something, which the account allows."""
    group = admin.made("/groups", {"name": "exposers", "peers": [peer["id"]]})["id"]
    account = admin.read("/accounts")[0]
    settings = {**account["settings"], "peer_expose_enabled": True, "peer_expose_groups": [group]}
    assert admin("PUT", f"/accounts/{account['id']}", {"settings": settings})[0] == 200
    connect("eu-1", "eu.test")

    def expose(**fields: Any) -> Any:
        return simulator.event({"event": "peer_expose", "hostname": "alpha", "port": 8080, **fields})

    return expose


def audited(admin: Any, code: str) -> list[Json]:
    return [event for event in admin.read("/events/audit") if event["activity_code"] == code]


def test_a_session_ends_when_it_is_not_renewed_in_time(
    simulator: Simulator, admin: Any, peer: Json, expose: Any
) -> None:
    domain = expose()["domain"]
    simulator.event({"event": "time_passes", "seconds": 80})
    assert "renewed" in simulator.event({"event": "peer_renew", "hostname": "alpha", "domain": domain})
    simulator.event({"event": "time_passes", "seconds": 80})
    assert len(admin.read(SERVICES)) == 1
    simulator.event({"event": "time_passes", "seconds": 20})
    assert admin.read(SERVICES) == []
    ended = audited(admin, "service.peer.expose.expire")[0]
    assert (ended["initiator_id"], ended["meta"]["peer_name"]) == (peer["id"], "alpha")


def test_a_put_makes_it_permanent(simulator: Simulator, admin: Any, expose: Any) -> None:
    expose()
    service = admin.read(SERVICES)[0]
    assert admin("PUT", f"{SERVICES}/{service['id']}", service)[0] == 200
    simulator.event({"event": "time_passes", "seconds": 3600})
    assert len(admin.read(SERVICES)) == 1


def test_a_cluster_without_custom_ports_picks_one(admin: Any, expose: Any) -> None:
    expose(protocol=2, listen_port=22)
    service = admin.read(SERVICES)[0]
    assert service["port_auto_assigned"]
    assert service["listen_port"] >= 10000


def test_a_mask_in_a_recorded_event_stands_for_the_random_part(simulator: Simulator, admin: Any, expose: Any) -> None:
    expose(name_prefix="web")
    stopped = simulator.event({"event": "peer_stop", "hostname": "alpha", "domain": "web-<random>.eu.test"})
    assert stopped == {"stopped": "web-<random>.eu.test"}
    assert admin.read(SERVICES) == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"protocol": 2, "pin": "123456"}, "authentication is not supported for tcp mode"),
        ({"user_groups": [""]}, "user group name cannot be empty"),
        ({"pin": "\uff11\uff12\uff13\uff14\uff15\uff16"}, "invalid pin: must be exactly 6 digits"),
    ],
)
def test_requests_without_sense_are_refused(expose: Any, fields: Json, reason: str) -> None:
    refused = f"rpc error: code = InvalidArgument desc = validate expose request: {reason}"
    assert expose(**fields) == {"error": refused}


def test_own_clusters_are_offered_only_when_they_are_asked_for(
    simulator: Simulator, admin: Any, connect: Any, expose: Any
) -> None:
    simulator.event({"event": "proxy_disconnects", "id": "eu-1"})
    token = admin.made("/reverse-proxies/proxy-tokens", {"name": "own"})["plain_token"]
    connect("own-1", "own.test", token=token)
    assert expose() == {"error": "rpc error: code = Internal desc = internal error"}
    assert expose(domain="own.test", name_prefix="a")["domain"].endswith(".own.test")
    lost = expose(domain="eu.test", name_prefix="a")["error"]
    assert lost.startswith("rpc error: code = ResourceExhausted desc = could not derive cluster from domain a-")


def test_a_peer_that_has_been_deleted_exposes_nothing(admin: Any, peer: Json, expose: Any) -> None:
    assert admin("DELETE", f"/peers/{peer['id']}")[0] == 200
    assert expose() == {"error": "rpc error: code = PermissionDenied desc = peer is not registered"}
