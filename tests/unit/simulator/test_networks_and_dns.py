"""What networks, routes and DNS do beyond what the recordings of a real server happen to show."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.simulator import Simulator

Json = dict[str, Any]
Answer = tuple[int, Any]
Join = Callable[[str], str]

FORBIDDEN = (403, "permission denied")
NO_JSON = (400, "couldn't parse JSON request")


class Caller:
    """A client with somebody's token that speaks in plain data."""

    def __init__(self, simulator: Simulator, token: str) -> None:
        headers = {"Authorization": f"Token {token}"}
        self._client = httpx.Client(transport=simulator.transport(), base_url="http://netbird/api", headers=headers)

    def __call__(self, method: str, path: str, body: Json | None = None, *, raw: bytes | None = None) -> Answer:
        """Status and JSON of the answer; of a refusal, its message."""
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        response = self._client.request(method, path, content=content)
        data = response.json()
        return (response.status_code, data if response.status_code == 200 else data["message"])

    def make(self, path: str, body: Json) -> Any:
        """Create something that must succeed; answers what the server says."""
        status, made = self("POST", path, body)
        assert status == 200, made
        return made

    def make_id(self, path: str, body: Json) -> str:
        """Create something that must succeed; answers its id."""
        return str(self.make(path, body)["id"])

    def get(self, path: str) -> Any:
        """Read something that must be there."""
        status, found = self("GET", path)
        assert status == 200, found
        return found


@pytest.fixture
def simulator() -> Simulator:
    return Simulator({"NB_SETUP_PAT_ENABLED": "true"})


@pytest.fixture
def admin(simulator: Simulator) -> Caller:
    return Caller(simulator, simulator.bootstrap())


@pytest.fixture
def reader(simulator: Simulator, admin: Caller) -> Caller:
    """A service user that may read everything and write nothing."""
    user = {"name": "reader", "role": "user", "is_service_user": True, "auto_groups": []}
    user_id = admin.make("/users", user)["id"]
    return Caller(simulator, admin.make(f"/users/{user_id}/tokens", {"name": "t", "expires_in": 1})["plain_token"])


@pytest.fixture
def group(admin: Caller) -> str:
    return admin.make_id("/groups", {"name": "devs"})


@pytest.fixture
def network(admin: Caller) -> str:
    return admin.make_id("/networks", {"name": "office"})


@pytest.fixture
def zone(admin: Caller, group: str) -> str:
    body = {"name": "corp", "domain": "corp.example", "distribution_groups": [group]}
    return admin.make_id("/dns/zones", body)


@pytest.fixture
def join(simulator: Simulator, admin: Caller) -> Join:
    """Let a peer join under a host name; answers its id."""
    key = admin.make("/setup-keys", {"name": "k", "type": "reusable", "expires_in": 86400, "auto_groups": []})["key"]

    def joined(hostname: str) -> str:
        line = {"event": "peer_joins", "hostname": hostname, "setup_key": key, "connected": False, "meta": {}}
        return str(simulator.event(line)["id"])

    return joined


def events(simulator: Simulator, admin: Caller, code: str) -> list[dict[str, str]]:
    """Meta of the audit events with this code, oldest first."""
    account = simulator.world.account(admin.get("/accounts")[0]["id"])
    return [row["meta"] for row in account.rows("events") if row["code"] == code]


def route(group: str, **fields: object) -> Json:
    return {"network_id": "r", "metric": 9999, "groups": [group], **fields}


class TestWhoIsToldWhat:
    """The order of checks for somebody who may not write."""

    def test_a_network_is_forbidden_before_it_is_missing(self, reader: Caller) -> None:
        assert reader("PUT", "/networks/nope", {"name": "x"}) == FORBIDDEN
        assert reader("PUT", "/networks/nope", raw=b"{") == NO_JSON

    def test_a_bad_address_is_forbidden_like_a_good_one(self, reader: Caller, network: str) -> None:
        assert reader("PUT", f"/networks/{network}/resources/nope", {"address": "10.0.0.0/99"}) == FORBIDDEN

    def test_a_router_without_peers_is_refused_before_anything_else(self, reader: Caller) -> None:
        assert reader("PUT", "/networks/nope/routers/nope", {}) == (400, "either peer or peer_groups must be provided")
        assert reader("PUT", "/networks/nope/routers/nope", {"peer": "p"}) == FORBIDDEN

    def test_a_missing_route_is_found_out_even_before_the_body(self, reader: Caller) -> None:
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
        self, admin: Caller, reader: Caller, group: str, body: Json, answer: Answer
    ) -> None:
        existing = admin.make("/routes", route(group, network="10.9.0.0/24", peer=""))["id"]
        assert reader("POST", "/routes", body) == answer
        assert reader("PUT", f"/routes/{existing}", body) == answer

    def test_nameservers_are_read_before_the_permission(self, reader: Caller) -> None:
        assert reader("PUT", "/dns/nameservers/nope", {"nameservers": [{}]}) == (422, "invalid ns servers format")
        assert reader("PUT", "/dns/nameservers/nope", {}) == FORBIDDEN

    def test_dns_settings_are_forbidden_whatever_they_are(self, reader: Caller) -> None:
        assert reader("PUT", "/dns/settings", {}) == FORBIDDEN
        assert reader("PUT", "/dns/settings", {"disabled_management_groups": ["nope"]}) == FORBIDDEN

    def test_zones_and_records_are_checked_by_themselves_first(self, reader: Caller, zone: str) -> None:
        assert reader("PUT", "/dns/zones/nope", {}) == (422, "zone name is required")
        changed = {"name": "z", "domain": "other.example", "distribution_groups": ["nope"]}
        assert reader("PUT", f"/dns/zones/{zone}", changed) == FORBIDDEN
        assert reader("PUT", "/dns/zones/nope/records/nope", {}) == (422, "record name is required")
        record = {"name": "a", "type": "A", "content": "10.0.0.1"}
        assert reader("PUT", "/dns/zones/nope/records/nope", record) == FORBIDDEN


class TestNamesAndAddresses:
    @pytest.mark.parametrize(
        "name", ["a_.b", "a-.b", "a.-b", "_", "a._b", "-", "a..b", "", "a\n", "xn--", f"{'x' * 64}.b"]
    )
    def test_no_kind_takes_a_broken_domain(self, admin: Caller, group: str, network: str, name: str) -> None:
        wanted = route(group, domains=[name], peer="")
        assert admin("POST", "/routes", wanted) == (422, f"invalid domains: invalid domain format: {name}")
        assert admin("POST", f"/networks/{network}/resources", {"address": name})[0] == 500
        zone = {"name": "z", "domain": name, "distribution_groups": [group]}
        assert admin("POST", "/dns/zones", zone) == (422, "invalid zone domain format")

    @pytest.mark.parametrize("name", ["_a.b", "a_b", "a--b.c", "10.0.0.1", f"{'x' * 63}.b"])
    def test_every_kind_takes_these(self, admin: Caller, group: str, name: str) -> None:
        assert admin.make("/routes", route(group, domains=[name], peer=""))["domains"] == [name]
        zone = {"name": "z", "domain": name, "distribution_groups": [group]}
        assert admin.make("/dns/zones", zone)["domain"] == name

    def test_the_mark_of_punycode_does_not_count_for_the_length_of_a_label(self, admin: Caller, group: str) -> None:
        for length, status in ((63, 200), (64, 422)):
            zone = {"name": "z", "domain": f"xn--{'x' * length}.b", "distribution_groups": [group]}
            assert admin("POST", "/dns/zones", zone)[0] == status

    def test_only_ascii_letters_of_a_route_are_lower_cased(self, admin: Caller, group: str) -> None:
        made = admin.make("/routes", route(group, domains=["BÜCHER.at", "XN--BCHER-KVA.de", "*.Ünï.x"], peer=""))
        assert made["domains"] == ["bÜcher.at", "bücher.de", "*.Ünï.x"]

    def test_broken_punycode_is_told_apart(self, admin: Caller, group: str) -> None:
        broken = 'convert domain to punycode: xn--0.com: idna: invalid label "0"'
        wanted = route(group, domains=["xn--0.com"], peer="")
        assert admin("POST", "/routes", wanted) == (422, f"invalid domains: {broken}")
        escaped = broken.replace('"', '\\"')
        assert admin("POST", "/dns/nameservers", {"domains": ["xn--0.com"]}) == (
            422,
            f'nameserver group got an invalid domain: xn--0.com "invalid domain name: {escaped}"',
        )

    def test_what_cannot_be_printed_is_escaped_in_the_complaint(self, admin: Caller) -> None:
        assert admin("POST", "/dns/nameservers", {"domains": ["a\x00\tb"]}) == (
            422,
            'nameserver group got an invalid domain: a\x00\tb "invalid domain name: invalid domain format: a\\x00\\tb"',
        )

    def test_the_pattern_is_matched_in_lower_case(self, admin: Caller, group: str) -> None:
        kelvin = {"name": "z", "domain": "\u212a.example", "distribution_groups": [group]}
        assert admin.make("/dns/zones", kelvin)["domain"] == "\u212a.example"

    @pytest.mark.parametrize(
        ("given", "stored", "kind"),
        [
            ("2001:DB8::1%eth0/64", "2001:db8::1/128", "host"),
            ("::ffff:1.2.3.4/128", "::ffff:1.2.3.4/128", "host"),
            ("::1.2.3.4/96", "::102:304/96", "subnet"),
            ("1:2:3:4:5:6:7::/64", "1:2:3:4:5:6:7:0/64", "subnet"),
        ],
    )
    def test_addresses_are_read_as_go_reads_them(
        self, admin: Caller, network: str, given: str, stored: str, kind: str
    ) -> None:
        made = admin.make(f"/networks/{network}/resources", {"address": given})
        assert (made["address"], made["type"]) == (stored, kind)

    @pytest.mark.parametrize("given", ["10.0.0.0/08", "10.0.0.0/+8", "fe80::1%", "10.0.0.0/"])
    def test_these_are_no_addresses(self, admin: Caller, network: str, given: str) -> None:
        assert admin("POST", f"/networks/{network}/resources", {"address": given}) == (500, "internal server error")

    @pytest.mark.parametrize(
        ("given", "stored"), [("[1.1.1.1]", "1.1.1.1"), ("0::0", "::"), ("[::FFFF:1.1.1.1]", "::ffff:1.1.1.1")]
    )
    def test_brackets_around_a_nameserver_come_off_in_pairs(
        self, admin: Caller, group: str, given: str, stored: str
    ) -> None:
        body = {"name": "n", "groups": [group], "primary": True, "nameservers": [{"ip": given, "ns_type": "UDP"}]}
        assert admin.make("/dns/nameservers", body)["nameservers"] == [{"ip": stored, "ns_type": "udp", "port": 0}]

    @pytest.mark.parametrize("given", ["[1.1.1.1", "1.1.1.1]", "[[::1]]", "[::1%eth0]", "[]"])
    def test_other_brackets_do_not(self, admin: Caller, given: str) -> None:
        body = {"nameservers": [{"ip": given, "ns_type": "udp"}]}
        assert admin("POST", "/dns/nameservers", body) == (422, "invalid ns servers format")

    def test_an_ipv4_address_in_ipv6_clothes_belongs_in_an_a_record(self, admin: Caller, zone: str) -> None:
        record = {"name": "a.corp.example", "content": "::FFFF:102:304"}
        assert admin("POST", f"/dns/zones/{zone}/records", {**record, "type": "AAAA"})[0] == 422
        assert admin.make(f"/dns/zones/{zone}/records", {**record, "type": "A"})["content"] == "::FFFF:102:304"

    def test_complaints_are_lower_cased_letter_by_letter(self, admin: Caller) -> None:
        assert admin("GET", "/networks/İΣ") == (404, "network: i\N{GREEK SMALL LETTER SIGMA} not found")


class TestRepeatedKeys:
    """A later null empties what is optional in the server's request and leaves the rest as it was."""

    def test_of_a_network(self, admin: Caller) -> None:
        raw = b'{"name": "n", "NAME": null, "description": "d", "Description": null}'
        made = admin("POST", "/networks", raw=raw)[1]
        assert (made["name"], made["description"]) == ("n", "")

    def test_of_a_router(self, admin: Caller, network: str) -> None:
        raw = b'{"peer": "p", "PEER": null}'
        refused = (400, "either peer or peer_groups must be provided")
        assert admin("POST", f"/networks/{network}/routers", raw=raw) == refused


class TestResourcesAndTheirGroups:
    def test_a_group_named_twice_holds_the_resource_once_and_says_so_twice(
        self, simulator: Simulator, admin: Caller, group: str, network: str
    ) -> None:
        made = admin.make(f"/networks/{network}/resources", {"address": "10.0.0.1", "groups": [group, group]})
        assert [shown["resources_count"] for shown in made["groups"]] == [1]
        assert len(events(simulator, admin, "resource.group.add")) == 2
        again = {"address": "10.0.0.1", "groups": [other := admin.make_id("/groups", {"name": "ops"}), other]}
        admin("PUT", f"/networks/{network}/resources/{made['id']}", again)
        assert len(events(simulator, admin, "resource.group.add")) == 4

    def test_each_entry_of_a_group_counts_and_leaving_takes_out_the_first(
        self, admin: Caller, group: str, network: str
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
        self, admin: Caller, group: str, network: str
    ) -> None:
        made = admin.make(f"/networks/{network}/resources", {"address": "10.0.0.1"})["id"]
        twice = [{"id": made, "type": "host"}, {"id": made, "type": "domain"}]
        admin("PUT", f"/groups/{group}", {"name": "devs", "resources": twice})
        admin("DELETE", f"/networks/{network}")
        assert admin("DELETE", f"/groups/{group}") == (400, f"group has been linked to network resource: {made}")

    def test_a_refused_group_changes_nothing(
        self, simulator: Simulator, admin: Caller, group: str, network: str
    ) -> None:
        path = f"/networks/{network}/resources"
        made = admin.make(path, {"name": "web", "address": "10.0.0.1", "groups": [group]})["id"]
        before = admin.get(f"{path}/{made}")
        assert admin("PUT", f"{path}/{made}", {"name": "new", "address": "10.0.0.2", "groups": ["nope"]})[0] == 404
        assert admin.get(f"{path}/{made}") == before
        assert not events(simulator, admin, "network.resource.update")

    def test_a_resource_in_use_is_told_before_its_network_is_looked_for(
        self, simulator: Simulator, admin: Caller, network: str
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
        self, admin: Caller, group: str, network: str
    ) -> None:
        admin.make(f"/networks/{network}/resources", {"address": "10.0.0.1", "groups": [group]})
        rule = {"enabled": True, "action": "accept", "protocol": "all", "sources": [group]}
        odd = {**rule, "destinationResource": {"id": group, "type": "host"}}
        admin.make("/policies", {"name": "odd", "enabled": True, "rules": [odd]})
        assert admin.get(f"/networks/{network}")["policies"] == []
        plain = admin.make("/policies", {"name": "p", "enabled": True, "rules": [{**rule, "destinations": [group]}]})
        assert admin.get(f"/networks/{network}")["policies"] == [plain["id"]]

    def test_members_are_counted_known_or_not_and_as_often_as_their_group_is_named(
        self, admin: Caller, network: str
    ) -> None:
        members = admin.make("/groups", {"name": "gone", "peers": ["nope", "neither"]})["id"]
        admin.make(f"/networks/{network}/routers", {"peer_groups": [members, members, "unknown"]})
        assert admin.get(f"/networks/{network}")["routing_peers_count"] == 4

    def test_the_routers_of_a_network_stay_in_order_in_the_list_of_all(self, admin: Caller, network: str) -> None:
        other = admin.make("/networks", {"name": "other"})["id"]
        made = [admin.make(f"/networks/{owner}/routers", {"peer": "p"})["id"] for owner in (network, other, network)]
        listed = [router["id"] for router in admin.get("/networks/routers")]
        assert [router_id for router_id in listed if router_id != made[1]] == [made[0], made[2]]

    def test_the_networks_of_that_list_come_in_any_order(self, admin: Caller, network: str) -> None:
        for owner in (network, admin.make_id("/networks", {"name": "other"})):
            admin.make(f"/networks/{owner}/routers", {"peer": "p"})
        assert len({admin.get("/networks/routers")[0]["id"] for _ in range(50)}) == 2

    def test_children_of_a_network_called_routers_can_be_asked_for(self, admin: Caller) -> None:
        assert admin.get("/networks/routers/routers") == []
        assert admin.get("/networks/routers/resources") is None
        assert admin("PUT", "/networks/routers", {}) == (404, "failed to get network: network: routers not found")

    def test_events_of_a_deletion_tell_what_went(self, simulator: Simulator, admin: Caller, network: str) -> None:
        admin.make(f"/networks/{network}/routers", {"peer_groups": ["a", "b"]})
        admin.make(f"/networks/{network}/routers", {"peer": "p", "peer_groups": []})
        admin("DELETE", f"/networks/{network}")
        gone = events(simulator, admin, "network.router.delete")
        assert [(meta["peer"], meta["peer_groups"]) for meta in gone] == [("", "[a b]"), ("p", "[]")]


class TestRoutes:
    def test_domains_collide_with_a_route_to_their_placeholder(self, admin: Caller, group: str, join: Join) -> None:
        peer = join("alpha")
        gateways = admin.make("/groups", {"name": "Gateways", "peers": [peer]})["id"]
        admin.make("/routes", route(group, network="192.0.2.0/32", peer_groups=[gateways]))
        assert admin("POST", "/routes", route(group, domains=["bücher.de"], peer=peer)) == (
            409,
            f"failed to add route with domains [bücher.de] - peer {peer} already has this route",
        )

    def test_the_first_peer_to_have_joined_is_named(self, admin: Caller, group: str, join: Join) -> None:
        first, second = join("first"), join("second")
        taken = admin.make("/groups", {"name": "taken", "peers": [second, first]})["id"]
        wanted = admin.make("/groups", {"name": "wanted", "peers": [second, first]})["id"]
        admin.make("/routes", route(group, network="10.0.0.0/24", peer_groups=[taken]))
        assert admin("POST", "/routes", route(group, network="10.0.0.9/24", peer_groups=[wanted])) == (
            409,
            "failed to add route with prefix 10.0.0.0/24 - peer first from the group wanted already has this route",
        )

    def test_a_shared_peer_that_nobody_knows_is_not_found(self, admin: Caller, group: str) -> None:
        unknown = [admin.make("/groups", {"name": name, "peers": ["nope"]})["id"] for name in ("one", "two")]
        admin.make("/routes", route(group, network="10.0.0.0/24", peer_groups=unknown[:1]))
        wanted = route(group, network="10.0.0.0/24", peer_groups=unknown[1:])
        assert admin("POST", "/routes", wanted) == (422, "peer with id nope not found")

    def test_a_route_may_name_a_group_twice(self, admin: Caller, group: str) -> None:
        assert admin.make("/routes", route(group, network="10.0.0.0/24", peer_groups=[group, group]))

    def test_a_prefix_of_length_nothing_is_the_default_route(self, admin: Caller, group: str) -> None:
        assert admin.make("/routes", route(group, network="10.9.9.9/0", peer=""))["network"] == "0.0.0.0/0"

    def test_a_zone_index_makes_a_network_invalid(self, admin: Caller, group: str) -> None:
        wanted = route(group, network="fe80::1%eth0/64", peer="")
        assert admin("POST", "/routes", wanted) == (422, "invalid network fe80::1%eth0/64")


class TestZonesAndRecords:
    @pytest.mark.parametrize(
        ("ttl", "shown"),
        [(999_999, "999999"), (1_000_000, "1e+06"), (2**31, "2.147483648e+09"), (2**63 - 1, "9.223372036854776e+18")],
    )
    def test_a_large_ttl_has_an_exponent_in_the_audit_log(
        self, simulator: Simulator, admin: Caller, zone: str, ttl: int, shown: str
    ) -> None:
        admin.make(
            f"/dns/zones/{zone}/records", {"name": "corp.example", "type": "A", "content": "10.0.0.1", "ttl": ttl}
        )
        assert events(simulator, admin, "dns.zone.record.create")[-1]["ttl"] == shown

    def test_a_record_is_not_compared_with_itself_when_its_type_changes(self, admin: Caller, zone: str) -> None:
        path = f"/dns/zones/{zone}/records"
        made = admin.make(path, {"name": "a.corp.example", "type": "A", "content": "10.0.0.1"})["id"]
        alias = {"name": "a.corp.example", "type": "CNAME", "content": "b.corp.example"}
        assert admin("PUT", f"{path}/{made}", alias)[0] == 200
        assert admin("POST", path, alias) == (409, "identical record already exists")

    def test_a_record_that_stays_the_same_is_not_compared_at_all(
        self, simulator: Simulator, admin: Caller, zone: str
    ) -> None:
        path = f"/dns/zones/{zone}/records"
        made = admin.make(path, {"name": "a.corp.example", "type": "A", "content": "10.0.0.1"})["id"]
        account = simulator.world.account(admin.get("/accounts")[0]["id"])
        alias = {"id": "x", "zone_id": zone, "name": "a.corp.example", "type": "CNAME", "content": "b", "ttl": 0}
        account.save("zone_records", alias)
        same = {"name": "a.corp.example", "type": "A", "content": "10.0.0.1", "ttl": 5}
        assert admin("PUT", f"{path}/{made}", same)[1]["ttl"] == 5

    def test_the_same_name_in_another_zone_is_another_name(self, admin: Caller, group: str, zone: str) -> None:
        below = {"name": "sub", "domain": "sub.corp.example", "distribution_groups": [group]}
        record = {"name": "sub.corp.example", "type": "CNAME", "content": "x.example"}
        for owner in (zone, admin.make("/dns/zones", below)["id"]):
            admin.make(f"/dns/zones/{owner}/records", record)

    def test_groups_of_a_zone_are_checked_last_and_in_order(self, admin: Caller, group: str, zone: str) -> None:
        wanted = {"name": "corp", "domain": "corp.example", "distribution_groups": [group, "One", "two"]}
        assert admin("PUT", f"/dns/zones/{zone}", wanted) == (422, "group: one not found")


class TestDnsSettings:
    def test_each_mention_of_a_group_that_comes_or_goes_is_an_event(
        self, simulator: Simulator, admin: Caller, group: str
    ) -> None:
        for listed in ([group, group], [group], []):
            admin("PUT", "/dns/settings", {"disabled_management_groups": listed})
        code = "dns.setting.disabled.management.group"
        assert len(events(simulator, admin, f"{code}.add")) == 2
        assert len(events(simulator, admin, f"{code}.delete")) == 1
