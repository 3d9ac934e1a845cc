"""Routes: what no recording of a real server shows."""

from typing import Any


class TestRoutes:
    def test_domains_collide_with_a_route_to_their_placeholder(self, admin: Any, join: Any, route: Any) -> None:
        peer = join("alpha")
        gateways = admin.make("/groups", {"name": "Gateways", "peers": [peer]})["id"]
        admin.make("/routes", route(network="192.0.2.0/32", peer_groups=[gateways]))
        assert admin("POST", "/routes", route(domains=["bücher.de"], peer=peer)) == (
            409,
            f"failed to add route with domains [bücher.de] - peer {peer} already has this route",
        )

    def test_the_first_peer_to_have_joined_is_named(self, admin: Any, join: Any, route: Any) -> None:
        first, second = join("first"), join("second")
        taken = admin.make("/groups", {"name": "taken", "peers": [second, first]})["id"]
        wanted = admin.make("/groups", {"name": "wanted", "peers": [second, first]})["id"]
        admin.make("/routes", route(network="10.0.0.0/24", peer_groups=[taken]))
        assert admin("POST", "/routes", route(network="10.0.0.9/24", peer_groups=[wanted])) == (
            409,
            "failed to add route with prefix 10.0.0.0/24 - peer first from the group wanted already has this route",
        )

    def test_a_shared_peer_that_nobody_knows_is_not_found(self, admin: Any, route: Any) -> None:
        unknown = [admin.make("/groups", {"name": name, "peers": ["nope"]})["id"] for name in ("one", "two")]
        admin.make("/routes", route(network="10.0.0.0/24", peer_groups=unknown[:1]))
        wanted = route(network="10.0.0.0/24", peer_groups=unknown[1:])
        assert admin("POST", "/routes", wanted) == (422, "peer with id nope not found")

    def test_a_route_may_name_a_group_twice(self, admin: Any, group: str, route: Any) -> None:
        assert admin.make("/routes", route(network="10.0.0.0/24", peer_groups=[group, group]))

    def test_a_prefix_of_length_nothing_is_the_default_route(self, admin: Any, route: Any) -> None:
        assert admin.make("/routes", route(network="10.9.9.9/0", peer=""))["network"] == "0.0.0.0/0"

    def test_a_zone_index_makes_a_network_invalid(self, admin: Any, route: Any) -> None:
        wanted = route(network="fe80::1%eth0/64", peer="")
        assert admin("POST", "/routes", wanted) == (422, "invalid network fe80::1%eth0/64")
