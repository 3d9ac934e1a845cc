"""Many callers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from reconciler.simulator import Simulator
from tests.unit.simulator.core.conftest import Caller


def test_of_twelve_posts_of_one_name_one_wins(simulator: Simulator, admin: Caller) -> None:
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: admin("POST", "/groups", {"name": "same"})[0], range(12)))

    assert sorted(statuses) == [200] + [409] * 11
    assert [group["name"] for group in admin.get("/groups")] == ["All", "same"]


def test_no_write_is_lost(simulator: Simulator, admin: Caller) -> None:
    """Every group, every member, every audit event."""
    key = admin.post("/setup-keys", {"name": "k", "type": "reusable"})["key"]

    def work(number: int) -> None:
        admin.post("/groups", {"name": f"g{number}"})
        simulator.event({"event": "peer_joins", "hostname": f"h{number}", "setup_key": key})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(80)))

    groups = admin.get("/groups")
    assert {group["name"] for group in groups} == {"All", *(f"g{number}" for number in range(80))}
    assert groups[0]["peers_count"] == 80
    assert len({peer["ip"] for peer in admin.get("/peers")}) == 80
    assert admin.get("/setup-keys")[0]["used_times"] == 80
    codes = [event["activity_code"] for event in admin.get("/events/audit")]
    assert (codes.count("group.add"), codes.count("peer.setupkey.add")) == (80, 80)
