"""Who is told what first: the order of checks that no recording of a real server shows."""

from typing import Any

import pytest

Json = dict[str, Any]
Answer = tuple[int, Any]

FORBIDDEN = (403, "permission denied")
NO_JSON = (400, "couldn't parse JSON request")


class TestWhoIsToldWhat:
    """The order of checks for somebody who may not write."""

    def test_a_network_is_forbidden_before_it_is_missing(self, reader: Any) -> None:
        assert reader("PUT", "/networks/nope", {"name": "x"}) == FORBIDDEN
        assert reader("PUT", "/networks/nope", raw=b"{") == NO_JSON

    def test_a_bad_address_is_forbidden_like_a_good_one(self, reader: Any, network: str) -> None:
        assert reader("PUT", f"/networks/{network}/resources/nope", {"address": "10.0.0.0/99"}) == FORBIDDEN

    def test_a_router_without_peers_is_refused_before_anything_else(self, reader: Any) -> None:
        assert reader("PUT", "/networks/nope/routers/nope", {}) == (400, "either peer or peer_groups must be provided")
        assert reader("PUT", "/networks/nope/routers/nope", {"peer": "p"}) == FORBIDDEN

    def test_a_missing_route_is_found_out_even_before_the_body(self, reader: Any) -> None:
        assert reader("PUT", "/routes/nope", raw=b"{") == (404, "route: nope not found")

    @pytest.mark.parametrize(
        ("body", "answer"),
        [
            ({}, (422, "either 'network' or 'domains' should be provided")),
            ({"network_id": "r", "network": "x", "peer": ""}, (422, "invalid network x")),
            ({"network_id": "r", "domains": [], "peer": ""}, (422, "invalid domains: domains list is empty")),
            ({"network_id": "r", "network": "10.0.0.0/8", "peer": "nope"}, FORBIDDEN),
        ],
    )
    def test_a_route_is_read_before_the_permission_and_compared_after_it(
        self, admin: Any, reader: Any, body: Json, answer: Answer, route: Any
    ) -> None:
        existing = admin.make("/routes", route(network="10.9.0.0/24", peer=""))["id"]
        assert reader("POST", "/routes", body) == answer
        assert reader("PUT", f"/routes/{existing}", body) == answer

    def test_nameservers_are_read_before_the_permission(self, reader: Any) -> None:
        assert reader("PUT", "/dns/nameservers/nope", {"nameservers": [{}]}) == (422, "invalid ns servers format")
        assert reader("PUT", "/dns/nameservers/nope", {}) == FORBIDDEN

    def test_dns_settings_are_forbidden_whatever_they_are(self, reader: Any) -> None:
        assert reader("PUT", "/dns/settings", {}) == FORBIDDEN
        assert reader("PUT", "/dns/settings", {"disabled_management_groups": ["nope"]}) == FORBIDDEN

    def test_zones_and_records_are_checked_by_themselves_first(self, reader: Any, zone: str) -> None:
        assert reader("PUT", "/dns/zones/nope", {}) == (422, "zone name is required")
        changed = {"name": "z", "domain": "other.example", "distribution_groups": ["nope"]}
        assert reader("PUT", f"/dns/zones/{zone}", changed) == FORBIDDEN
        assert reader("PUT", "/dns/zones/nope/records/nope", {}) == (422, "record name is required")
        record = {"name": "a", "type": "A", "content": "10.0.0.1"}
        assert reader("PUT", "/dns/zones/nope/records/nope", record) == FORBIDDEN
