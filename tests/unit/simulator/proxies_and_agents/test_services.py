"""Services of the reverse proxy: what no recording of a real server shows."""

from typing import Any

import pytest

from reconciler.simulator import Simulator

Json = dict[str, Any]

SERVICES = "/reverse-proxies/services"


@pytest.fixture
def body(connect: Any, peer: Json) -> Json:
    """A service that is accepted."""
    connect("eu-1", "eu.test", supports_custom_ports=True)
    target = {"target_id": peer["id"], "target_type": "peer", "protocol": "http", "port": 80, "enabled": True}
    return {"name": "web", "domain": "web.eu.test", "enabled": True, "targets": [target]}


@pytest.fixture
def tcp(body: Json) -> Json:
    return {**body, "mode": "tcp", "listen_port": 2222}


def with_target(body: Json, **fields: Any) -> Json:
    return {**body, "targets": [{**body["targets"][0], **fields}]}


def test_a_body_is_checked_before_permission_and_permission_before_the_cluster(admin: Any, body: Json) -> None:
    reader = admin.as_role("auditor")
    assert reader("POST", SERVICES, {}) == (422, "service name is required")
    assert reader("POST", SERVICES, {**body, "domain": "nowhere.test"}) == (403, "permission denied")
    assert reader("PUT", f"{SERVICES}/nope", {**body, "targets": []}) == (422, "at least one target is required")
    assert reader("PUT", f"{SERVICES}/nope", body) == (403, "permission denied")


def test_durations_and_crowdsec_mode_are_read_before_the_name_is_missed(admin: Any, body: Json) -> None:
    options = {"request_timeout": "10"}
    refused = admin("POST", SERVICES, {**with_target(body, options=options), "name": ""})
    assert refused == (422, 'target 0: parse request_timeout "10": time: missing unit in duration "10"')
    restricted = {**body, "name": "", "access_restrictions": {"crowdsec_mode": "on"}}
    assert admin("POST", SERVICES, restricted) == (422, 'invalid crowdsec_mode "on"')


def test_the_cluster_is_looked_for_before_targets(admin: Any, body: Json) -> None:
    lost = {**with_target(body, target_id="nope"), "domain": "web.us.test"}
    status, message = admin("POST", SERVICES, lost)
    assert status == 412
    assert message == (
        "could not derive cluster from domain web.us.test: domain web.us.test does not match any available proxy cluster"
    )
    assert admin("POST", SERVICES, {**lost, "domain": "web.eu.test"}) == (
        422,
        'peer target "nope" not found in account',
    )


def test_the_longest_custom_domain_decides_the_cluster(admin: Any, body: Json, connect: Any) -> None:
    connect("us-1", "us.test")
    for domain, cluster in (("shop.example", "eu.test"), ("eu.shop.example", "us.test")):
        admin.made("/reverse-proxies/domains", {"domain": domain, "target_cluster": cluster})
    made = admin.made(SERVICES, {**body, "domain": "a.eu.shop.example"})
    assert made["proxy_cluster"] == "us.test"


def test_where_two_clusters_fit_the_account_s_own_one_serves(admin: Any, body: Json, connect: Any) -> None:
    token = admin.made("/reverse-proxies/proxy-tokens", {"name": "own"})["plain_token"]
    connect("own-1", "own.eu.test", token=token)
    assert admin.made(SERVICES, {**body, "domain": "x.own.eu.test"})["proxy_cluster"] == "own.eu.test"


def test_a_changed_domain_that_no_cluster_serves_keeps_the_old_cluster(admin: Any, body: Json) -> None:
    service = admin.made(SERVICES, body)
    status, changed = admin("PUT", f"{SERVICES}/{service['id']}", {**body, "domain": "elsewhere.test"})
    assert (status, changed["proxy_cluster"]) == (200, "eu.test")


def test_without_any_cluster_a_changed_domain_keeps_the_old_one_even_if_a_custom_domain_fits(
    simulator: Simulator, admin: Any, body: Json, connect: Any
) -> None:
    connect("us-1", "us.test")
    admin.made("/reverse-proxies/domains", {"domain": "shop.example", "target_cluster": "us.test"})
    service = admin.made(SERVICES, body)
    for proxy in ("eu-1", "us-1"):
        simulator.event({"event": "proxy_disconnects", "id": proxy})
    moved = admin("PUT", f"{SERVICES}/{service['id']}", {**body, "domain": "shop.example"})[1]
    assert moved["proxy_cluster"] == "eu.test"


def test_what_auth_does_not_name_is_removed_and_link_auth_is_dropped(admin: Any, body: Json) -> None:
    auth = {"password_auth": {"enabled": True, "password": "s3cret"}, "link_auth": {"enabled": True}}
    service = admin.made(SERVICES, {**body, "auth": auth})
    assert service["auth"] == {"password_auth": {"enabled": True, "password": ""}}
    assert admin("PUT", f"{SERVICES}/{service['id']}", body)[1]["auth"] == {}


def test_empty_distribution_groups_are_empty_in_the_answer_and_null_later(admin: Any, body: Json) -> None:
    auth = {"bearer_auth": {"enabled": True, "distribution_groups": []}}
    service = admin.made(SERVICES, {**body, "auth": auth})
    assert service["auth"]["bearer_auth"]["distribution_groups"] == []
    assert admin.read(f"{SERVICES}/{service['id']}")["auth"]["bearer_auth"]["distribution_groups"] is None


def test_a_header_login_keeps_its_value_only_under_the_same_header(admin: Any, body: Json) -> None:
    def login(header: str, value: str = "") -> Json:
        return {**body, "auth": {"header_auths": [{"enabled": True, "header": header, "value": value}]}}

    path = f"{SERVICES}/{admin.made(SERVICES, login('X-Key', 'v'))['id']}"
    assert admin("PUT", path, login("x-key"))[0] == 200
    assert admin("PUT", path, login("X-Other")) == (422, "header_auths[0]: value is required")
    new = {**login("X-New"), "domain": "new.eu.test"}
    assert admin("POST", SERVICES, new) == (422, "header_auths[0]: value is required")


def test_a_disabled_header_login_is_not_checked(admin: Any, body: Json) -> None:
    auth = {"header_auths": [{"enabled": False, "header": "Host", "value": ""}]}
    assert admin.made(SERVICES, {**body, "auth": auth})["auth"]["header_auths"][0]["header"] == "Host"


def test_the_host_of_a_target_follows_the_peer_and_the_resource(admin: Any, body: Json, peer: Json) -> None:
    network = admin.made("/networks", {"name": "n"})["id"]
    resources = f"/networks/{network}/resources"
    nas = admin.made(resources, {"name": "nas", "address": "10.1.2.3", "enabled": True})["id"]
    targets = [{**body["targets"][0], "host": "ignored"}, {"target_id": nas, "target_type": "host", "port": 1}]
    service = admin.made(SERVICES, {**body, "targets": targets})
    assert [target["host"] for target in service["targets"]] == [peer["address"].partition("/")[0], "10.1.2.3"]
    admin("PUT", f"{resources}/{nas}", {"name": "nas", "address": "nas.corp", "enabled": True})
    assert admin.read(f"{SERVICES}/{service['id']}")["targets"][1]["host"] == "invalid IP"
    assert admin("DELETE", f"{resources}/{nas}") == (412, f"resource {nas} is in use by proxy {service['id']}")


def test_deleting_a_network_leaves_services_that_cannot_be_saved(admin: Any, body: Json) -> None:
    network = admin.made("/networks", {"name": "n"})["id"]
    nas = admin.made(f"/networks/{network}/resources", {"name": "nas", "address": "10.1.2.3"})["id"]
    body = with_target(body, target_id=nas, target_type="host")
    service = admin.made(SERVICES, body)
    assert admin("DELETE", f"/networks/{network}")[0] == 200
    assert admin.read(f"{SERVICES}/{service['id']}")["targets"][0]["host"] == "unknown"
    refused = (422, f'resource target "{nas}" not found in account')
    assert admin("PUT", f"{SERVICES}/{service['id']}", body) == refused


def test_only_groups_that_let_somebody_in_hold_a_service_s_group(admin: Any, body: Json) -> None:
    group = admin.made("/groups", {"name": "g"})["id"]
    service = admin.made(SERVICES, {**body, "access_groups": [group]})
    path = f"{SERVICES}/{service['id']}"
    held = (400, "group has been linked to reverse proxy service: web.eu.test")
    admin("PUT", path, {**body, "access_groups": [group], "private": True})
    assert admin("DELETE", f"/groups/{group}") == held
    admin("PUT", path, {**body, "auth": {"bearer_auth": {"enabled": True, "distribution_groups": [group]}}})
    assert admin("DELETE", f"/groups/{group}") == held
    admin("PUT", path, {**body, "access_groups": [group]})
    assert admin("DELETE", f"/groups/{group}") == (200, {})


@pytest.mark.parametrize(
    ("mode", "change", "message"),
    [
        ("tcp", {"private": True, "access_groups": ["g"]}, 'private services only support http mode, got "tcp"'),
        ("udp", {"domain": ""}, "domain is required for tcp/udp services (used for cluster derivation)"),
        ("tls", {"listen_port": 0}, "listen_port is required for tls services"),
        ("http", {"mode": "sctp"}, 'unsupported mode "sctp"'),
        ("http", {"mode": "http"}, "listen_port is not supported for http services"),
    ],
)
def test_each_mode_has_its_rules(admin: Any, tcp: Json, mode: str, change: Json, message: str) -> None:
    assert admin("POST", SERVICES, {**tcp, "mode": mode, **change}) == (422, message)


def test_numbers_of_ports_wrap(admin: Any, tcp: Json) -> None:
    assert admin.made(SERVICES, {**tcp, "listen_port": 67836})["listen_port"] == 2300
    made = admin.made(SERVICES, {**with_target(tcp, port=-1), "domain": "b.eu.test", "listen_port": -1})
    assert (made["listen_port"], made["targets"][0]["port"]) == (65535, 65535)


def test_a_port_is_picked_and_kept_until_one_is_given(admin: Any, tcp: Json) -> None:
    service = admin.made(SERVICES, {**tcp, "listen_port": 0})
    path, picked = f"{SERVICES}/{service['id']}", service["listen_port"]
    assert 10000 <= picked <= 49151
    assert service["port_auto_assigned"]
    kept = admin("PUT", path, {**tcp, "listen_port": 0})[1]
    assert (kept["listen_port"], kept["port_auto_assigned"]) == (picked, True)
    given = admin("PUT", path, {**tcp, "listen_port": 22})[1]
    assert (given["listen_port"], given["port_auto_assigned"]) == (22, False)


def test_tls_services_share_a_port_and_tcp_services_do_not(admin: Any, tcp: Json) -> None:
    admin.made(SERVICES, {**tcp, "mode": "tls"})
    admin.made(SERVICES, {**tcp, "mode": "tls", "domain": "b.eu.test"})
    admin.made(SERVICES, {**tcp, "domain": "c.eu.test"})
    refused = 'tcp port 2222 is already in use by service "web" on cluster eu.test'
    assert admin("POST", SERVICES, {**tcp, "domain": "d.eu.test"}) == (409, refused)


def test_ports_of_one_s_own_need_a_cluster_that_allows_them(admin: Any, tcp: Json, connect: Any) -> None:
    connect("us-1", "us.test", supports_custom_ports=False)
    body = {**tcp, "domain": "a.us.test"}
    assert admin("POST", SERVICES, body) == (422, "custom ports not supported on cluster us.test")
    service = admin.made(SERVICES, {**body, "listen_port": 0})
    refused = (422, "custom ports not supported on target cluster us.test")
    assert admin("PUT", f"{SERVICES}/{service['id']}", body) == refused
    assert admin.made(SERVICES, {**body, "mode": "tls", "domain": "b.us.test"})["listen_port"] == 2222


def test_a_forgotten_mode_reads_as_http(admin: Any, tcp: Json) -> None:
    service = admin.made(SERVICES, tcp)
    forgotten = {key: value for key, value in tcp.items() if key != "mode"}
    path = f"{SERVICES}/{service['id']}"
    assert admin("PUT", path, forgotten) == (422, "listen_port is not supported for http services")
    assert admin("PUT", path, {**tcp, "mode": "udp"}) == (422, 'cannot change mode from "tcp" to "udp"')


def test_a_terminated_service_reads_as_disabled_and_cannot_be_changed(
    simulator: Simulator, admin: Any, body: Json
) -> None:
    service = admin.made(SERVICES, body)
    table = simulator.world.store.table("proxy_services")
    row = table.get(service["id"])
    assert row is not None
    table.put({**row, "terminated": True})
    shown = admin.read(f"{SERVICES}/{service['id']}")
    assert (shown["enabled"], shown["targets"][0]["enabled"], shown["terminated"]) == (False, False, True)
    refused = (403, "service is terminated and cannot be updated")
    assert admin("PUT", f"{SERVICES}/{service['id']}", body) == refused


def test_a_proxy_s_report_stands_in_meta(simulator: Simulator, admin: Any, body: Json) -> None:
    service = admin.made(SERVICES, body)
    report = {"event": "proxy_reports_status", "id": "eu-1", "service": service["id"], "status": "ACTIVE"}
    assert simulator.event({**report, "certificate_issued": True}) == {"ok": True}
    meta = admin.read(f"{SERVICES}/{service['id']}")["meta"]
    assert meta["status"] == "active"
    assert "certificate_issued_at" in meta
    lost = simulator.event({**report, "service": "nope"})
    assert lost == {"error": "rpc error: code = NotFound desc = service nope not found"}


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("10.0.0.0", "netip.parseprefix(\"10.0.0.0\"): no '/'"),
        ("10.0.0.0/33", 'netip.parseprefix("10.0.0.0/33"): prefix length out of range'),
        ("x/8", 'netip.parseprefix("x/8"): parseaddr("x"): unable to parse ip'),
        ("::1/64", '"::1/64" has host bits set, use ::/64 instead'),
    ],
)
def test_networks_are_refused_in_go_s_words(admin: Any, body: Json, network: str, reason: str) -> None:
    restricted = {**body, "access_restrictions": {"blocked_cidrs": ["10.0.0.0/8", network]}}
    assert admin("POST", SERVICES, restricted) == (422, f"blocked_cidrs[1]: {reason}")
