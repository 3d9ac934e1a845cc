"""Clusters, domains and tokens of the reverse proxy: what no recording of a real server shows."""

from typing import Any

from reconciler.simulator import Simulator

TOKENS = "/reverse-proxies/proxy-tokens"
CLUSTERS = "/reverse-proxies/clusters"
DOMAINS = "/reverse-proxies/domains"


def test_crowdsec_needs_every_proxy_and_other_capabilities_one(admin: Any, connect: Any) -> None:
    connect("a", "eu.test", supports_crowdsec=True, private=True)
    connect("b", "eu.test", supports_crowdsec=True)
    cluster = admin.read(CLUSTERS)[0]
    assert (cluster["supports_crowdsec"], cluster["private"], cluster["connected_proxies"]) == (True, True, 2)
    connect("c", "eu.test", private=False)
    cluster = admin.read(CLUSTERS)[0]
    assert (cluster["supports_crowdsec"], cluster["private"]) == (False, True)


def test_a_cluster_is_forgotten_an_hour_after_its_last_proxy_has_gone(
    simulator: Simulator, admin: Any, connect: Any
) -> None:
    connect("a", "eu.test", private=True)
    simulator.event({"event": "time_passes", "seconds": 7200})
    assert admin.read(CLUSTERS)[0]["online"]
    simulator.event({"event": "proxy_disconnects", "id": "a"})
    assert admin.read(CLUSTERS) == [
        {"id": "a", "address": "eu.test", "type": "shared", "online": False, "connected_proxies": 0}
    ]
    simulator.event({"event": "time_passes", "seconds": 3700})
    assert admin.read(CLUSTERS) == []


def test_a_proxy_that_comes_back_takes_the_place_of_its_namesake(admin: Any, connect: Any) -> None:
    connect("a", "eu.test")
    connect("a", "us.test")
    assert [cluster["address"] for cluster in admin.read(CLUSTERS)] == ["us.test"]


def test_the_gateway_of_a_dedicated_agent_network_is_no_cluster_for_services(admin: Any, connect: Any) -> None:
    connect("gw", "ai.test")
    admin.made("/agent-network/settings", {"endpoint": "ai.test"})
    assert admin.read(DOMAINS) == []
    assert len(admin.read(CLUSTERS)) == 1
    assert admin("POST", DOMAINS, {"domain": "x.test", "target_cluster": "ai.test"}) == (500, "internal server error")


def test_free_domains_come_before_custom_ones_and_own_clusters_before_shared_ones(admin: Any, connect: Any) -> None:
    connect("eu", "eu.test")
    token = admin.made(TOKENS, {"name": "own"})["plain_token"]
    connect("own", "own.test", token=token)
    admin.made(DOMAINS, {"domain": "shop.example", "target_cluster": "eu.test"})
    assert [domain["domain"] for domain in admin.read(DOMAINS)] == ["own.test", "eu.test", "shop.example"]


def test_a_token_that_has_expired_opens_nothing(simulator: Simulator, admin: Any, connect: Any) -> None:
    token = admin.made(TOKENS, {"name": "short", "expires_in": 60})["plain_token"]
    assert connect("a", "own.test", token=token) == {"connected": "a"}
    simulator.event({"event": "time_passes", "seconds": 61})
    refused = {"error": "rpc error: code = Unauthenticated desc = token expired or revoked"}
    assert connect("b", "own.test", token=token) == refused


def test_a_lifetime_that_does_not_fit_wraps_to_none_at_all(admin: Any) -> None:
    assert "expires_at" not in admin.made(TOKENS, {"name": "t", "expires_in": 9223372037})
    assert "expires_at" in admin.made(TOKENS, {"name": "t", "expires_in": 9223372036})


def test_tokens_ask_for_permission_before_they_read_the_body(admin: Any) -> None:
    assert admin.as_role("network_admin")("POST", TOKENS, {}) == (403, "permission denied")
    assert admin.as_role("billing_admin")("POST", TOKENS, {}) == (500, "failed to validate permissions")


def test_a_token_s_name_is_counted_in_bytes(admin: Any) -> None:
    message = "name is required and must be at most 255 characters"
    assert admin("POST", TOKENS, {"name": "ä" * 128}) == (400, message)
    assert admin.made(TOKENS, {"name": "ä" * 127})["name"] == "ä" * 127
