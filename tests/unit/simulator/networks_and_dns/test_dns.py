"""Zones, records and DNS settings: what no recording of a real server shows."""

from typing import Any

import pytest

from reconciler.simulator import Simulator


class TestZonesAndRecords:
    @pytest.mark.parametrize(
        ("ttl", "shown"),
        [(999_999, "999999"), (1_000_000, "1e+06"), (2**31, "2.147483648e+09"), (2**63 - 1, "9.223372036854776e+18")],
    )
    def test_a_large_ttl_has_an_exponent_in_the_audit_log(
        self, admin: Any, zone: str, ttl: int, shown: str, events: Any
    ) -> None:
        admin.make(
            f"/dns/zones/{zone}/records", {"name": "corp.example", "type": "A", "content": "10.0.0.1", "ttl": ttl}
        )
        assert events("dns.zone.record.create")[-1]["ttl"] == shown

    def test_a_record_is_not_compared_with_itself_when_its_type_changes(self, admin: Any, zone: str) -> None:
        path = f"/dns/zones/{zone}/records"
        made = admin.make(path, {"name": "a.corp.example", "type": "A", "content": "10.0.0.1"})["id"]
        alias = {"name": "a.corp.example", "type": "CNAME", "content": "b.corp.example"}
        assert admin("PUT", f"{path}/{made}", alias)[0] == 200
        assert admin("POST", path, alias) == (409, "identical record already exists")

    def test_a_record_that_stays_the_same_is_not_compared_at_all(
        self, simulator: Simulator, admin: Any, zone: str
    ) -> None:
        path = f"/dns/zones/{zone}/records"
        made = admin.make(path, {"name": "a.corp.example", "type": "A", "content": "10.0.0.1"})["id"]
        account = simulator.world.account(admin.get("/accounts")[0]["id"])
        alias = {"id": "x", "zone_id": zone, "name": "a.corp.example", "type": "CNAME", "content": "b", "ttl": 0}
        account.save("zone_records", alias)
        same = {"name": "a.corp.example", "type": "A", "content": "10.0.0.1", "ttl": 5}
        assert admin("PUT", f"{path}/{made}", same)[1]["ttl"] == 5

    def test_the_same_name_in_another_zone_is_another_name(self, admin: Any, group: str, zone: str) -> None:
        below = {"name": "sub", "domain": "sub.corp.example", "distribution_groups": [group]}
        record = {"name": "sub.corp.example", "type": "CNAME", "content": "x.example"}
        for owner in (zone, admin.make("/dns/zones", below)["id"]):
            admin.make(f"/dns/zones/{owner}/records", record)

    def test_groups_of_a_zone_are_checked_last_and_in_order(self, admin: Any, group: str, zone: str) -> None:
        wanted = {"name": "corp", "domain": "corp.example", "distribution_groups": [group, "One", "two"]}
        assert admin("PUT", f"/dns/zones/{zone}", wanted) == (422, "group: one not found")


class TestDnsSettings:
    def test_each_mention_of_a_group_that_comes_or_goes_is_an_event(self, admin: Any, group: str, events: Any) -> None:
        for listed in ([group, group], [group], []):
            admin("PUT", "/dns/settings", {"disabled_management_groups": listed})
        code = "dns.setting.disabled.management.group"
        assert len(events(f"{code}.add")) == 2
        assert len(events(f"{code}.delete")) == 1
