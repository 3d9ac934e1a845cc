"""Networks, their resources and routers: what no recording of a real server shows."""

from typing import Any

from reconciler.simulator import Simulator


class TestRepeatedKeys:
    """A later null empties what is optional in the server's request and leaves the rest as it was."""

    def test_of_a_network(self, admin: Any) -> None:
        raw = b'{"name": "n", "NAME": null, "description": "d", "Description": null}'
        made = admin("POST", "/networks", raw=raw)[1]
        assert (made["name"], made["description"]) == ("n", "")

    def test_of_a_router(self, admin: Any, network: str) -> None:
        raw = b'{"peer": "p", "PEER": null}'
        refused = (400, "either peer or peer_groups must be provided")
        assert admin("POST", f"/networks/{network}/routers", raw=raw) == refused


class TestResourcesAndTheirGroups:
    def test_a_group_named_twice_holds_the_resource_once_and_says_so_twice(
        self, admin: Any, group: str, network: str, events: Any
    ) -> None:
        made = admin.make(f"/networks/{network}/resources", {"address": "10.0.0.1", "groups": [group, group]})
        assert [shown["resources_count"] for shown in made["groups"]] == [1]
        assert len(events("resource.group.add")) == 2
        again = {"address": "10.0.0.1", "groups": [other := admin.make_id("/groups", {"name": "ops"}), other]}
        admin("PUT", f"/networks/{network}/resources/{made['id']}", again)
        assert len(events("resource.group.add")) == 4

    def test_each_entry_of_a_group_counts_and_leaving_takes_out_the_first(
        self, admin: Any, group: str, network: str
    ) -> None:
        resource = {"name": "web", "address": "10.0.0.1", "enabled": True}
        path = f"/networks/{network}/resources"
        made = admin.make(path, resource)["id"]
        twice = [{"id": made, "type": "host"}, {"id": made, "type": "domain"}]
        admin("PUT", f"/groups/{group}", {"name": "devs", "resources": twice})
        assert [shown["id"] for shown in admin.get(f"{path}/{made}")["groups"]] == [group, group]
        assert [shown["id"] for shown in admin("PUT", f"{path}/{made}", resource)[1]["groups"]] == [group]
        assert admin.get(f"/groups/{group}")["resources"] == [{"id": made, "type": "domain"}]

    def test_an_entry_that_a_deletion_leaves_behind_still_holds_the_group(
        self, admin: Any, group: str, network: str
    ) -> None:
        made = admin.make(f"/networks/{network}/resources", {"address": "10.0.0.1"})["id"]
        twice = [{"id": made, "type": "host"}, {"id": made, "type": "domain"}]
        admin("PUT", f"/groups/{group}", {"name": "devs", "resources": twice})
        admin("DELETE", f"/networks/{network}")
        assert admin("DELETE", f"/groups/{group}") == (400, f"group has been linked to network resource: {made}")

    def test_a_refused_group_changes_nothing(self, admin: Any, group: str, network: str, events: Any) -> None:
        path = f"/networks/{network}/resources"
        made = admin.make(path, {"name": "web", "address": "10.0.0.1", "groups": [group]})["id"]
        before = admin.get(f"{path}/{made}")
        assert admin("PUT", f"{path}/{made}", {"name": "new", "address": "10.0.0.2", "groups": ["nope"]})[0] == 404
        assert admin.get(f"{path}/{made}") == before
        assert not events("network.resource.update")

    def test_a_resource_in_use_is_told_before_its_network_is_looked_for(
        self, simulator: Simulator, admin: Any, network: str
    ) -> None:
        resource = admin.make(f"/networks/{network}/resources", {"address": "10.0.0.1"})["id"]
        token = simulator.event({"event": "shared_proxy_token_created_on_the_server", "name": "t"})["token"]
        cluster = {"token": token, "id": "p", "address": "eu.proxy.test", "capabilities": {}}
        simulator.event({"event": "proxy_connects", **cluster})
        target = {"target_id": resource, "target_type": "host", "protocol": "http", "port": 80}
        service = {"name": "s", "domain": "s.eu.proxy.test", "targets": [target]}
        used_by = admin.make("/reverse-proxies/services", service)["id"]
        refused = (412, f"resource {resource} is in use by proxy {used_by}")
        assert admin("DELETE", f"/networks/nope/resources/{resource}") == refused


class TestNetworks:
    def test_a_policy_to_a_resource_with_the_id_of_a_group_is_not_the_networks(
        self, admin: Any, group: str, network: str
    ) -> None:
        admin.make(f"/networks/{network}/resources", {"address": "10.0.0.1", "groups": [group]})
        rule = {"enabled": True, "action": "accept", "protocol": "all", "sources": [group]}
        odd = {**rule, "destinationResource": {"id": group, "type": "host"}}
        admin.make("/policies", {"name": "odd", "enabled": True, "rules": [odd]})
        assert admin.get(f"/networks/{network}")["policies"] == []
        plain = admin.make("/policies", {"name": "p", "enabled": True, "rules": [{**rule, "destinations": [group]}]})
        assert admin.get(f"/networks/{network}")["policies"] == [plain["id"]]

    def test_members_are_counted_known_or_not_and_as_often_as_their_group_is_named(
        self, admin: Any, network: str
    ) -> None:
        members = admin.make("/groups", {"name": "gone", "peers": ["nope", "neither"]})["id"]
        admin.make(f"/networks/{network}/routers", {"peer_groups": [members, members, "unknown"]})
        assert admin.get(f"/networks/{network}")["routing_peers_count"] == 4

    def test_the_routers_of_a_network_stay_in_order_in_the_list_of_all(self, admin: Any, network: str) -> None:
        other = admin.make("/networks", {"name": "other"})["id"]
        made = [admin.make(f"/networks/{owner}/routers", {"peer": "p"})["id"] for owner in (network, other, network)]
        listed = [router["id"] for router in admin.get("/networks/routers")]
        assert [router_id for router_id in listed if router_id != made[1]] == [made[0], made[2]]

    def test_the_networks_of_that_list_come_in_any_order(self, admin: Any, network: str) -> None:
        for owner in (network, admin.make_id("/networks", {"name": "other"})):
            admin.make(f"/networks/{owner}/routers", {"peer": "p"})
        assert len({admin.get("/networks/routers")[0]["id"] for _ in range(50)}) == 2

    def test_children_of_a_network_called_routers_can_be_asked_for(self, admin: Any) -> None:
        assert admin.get("/networks/routers/routers") == []
        assert admin.get("/networks/routers/resources") is None
        assert admin("PUT", "/networks/routers", {}) == (404, "failed to get network: network: routers not found")

    def test_events_of_a_deletion_tell_what_went(self, admin: Any, network: str, events: Any) -> None:
        admin.make(f"/networks/{network}/routers", {"peer_groups": ["a", "b"]})
        admin.make(f"/networks/{network}/routers", {"peer": "p", "peer_groups": []})
        admin("DELETE", f"/networks/{network}")
        gone = events("network.router.delete")
        assert [(meta["peer"], meta["peer_groups"]) for meta in gone] == [("", "[a b]"), ("p", "[]")]
