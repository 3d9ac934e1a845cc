"""The agent network: what no recording of a real server shows."""

from typing import Any

import pytest

from reconciler.simulator import Simulator

Json = dict[str, Any]

AGENT = "/agent-network"
PROVIDER = {"provider_id": "openai_api", "name": "p", "upstream_url": "https://api.openai.com", "api_key": "k"}


@pytest.fixture
def provider(admin: Any) -> Any:
    return admin.made(f"{AGENT}/providers", PROVIDER)


@pytest.fixture
def account_id(admin: Any) -> Any:
    return admin.read("/accounts")[0]["id"]


@pytest.fixture
def report(simulator: Simulator, connect: Any, account_id: str) -> Any:
    """Let a gateway tell of a request to an AI provider."""
    connect("gw", "gw.test")

    def report(
        log_id: str, timestamp: str = "2026-11-20T10:00:00Z", metadata: Json | None = None, **fields: Any
    ) -> Any:
        entry = {"logId": log_id, "accountId": account_id, "timestamp": timestamp, "agentNetwork": True, **fields}
        line = {"event": "proxy_sends_access_log", "id": "gw", "entry": {**entry, "metadata": metadata or {}}}
        assert simulator.event(line) == {"ok": True}

    return report


def ids(answer: Json) -> list[str]:
    return [entry["id"] for entry in answer["data"]]


def test_the_catalog_is_whole_and_everybody_may_read_it(admin: Any) -> None:
    catalog = admin.as_role("user").read(f"{AGENT}/catalog/providers")
    assert [entry["id"] for entry in catalog][:4] == ["openai_api", "anthropic_api", "azure_openai_api", "bedrock_api"]
    assert len(catalog) == 15
    assert all(model["input_per_1k"] >= 0 for entry in catalog for model in entry["models"])


@pytest.mark.parametrize("kind", ["providers", "policies", "guardrails", "budget-rules"])
def test_bodies_are_checked_before_permission_and_permission_before_existence(
    admin: Any, kind: str, provider: Json
) -> None:
    bodies = {
        "providers": PROVIDER,
        "policies": {"name": "n", "source_groups": ["g"], "destination_provider_ids": [provider["id"]]},
    }
    reader = admin.as_role("network_admin")
    assert reader("PUT", f"{AGENT}/{kind}/nope", {})[0] == 422
    assert reader("PUT", f"{AGENT}/{kind}/nope", bodies.get(kind, {"name": "n"})) == (403, "permission denied")
    assert reader("DELETE", f"{AGENT}/{kind}/nope") == (403, "permission denied")


def test_settings_ask_for_permission_before_anything_but_json(admin: Any) -> None:
    reader = admin.as_role("network_admin")
    assert reader("POST", f"{AGENT}/settings", {}) == (403, "permission denied")
    assert reader("PUT", f"{AGENT}/settings", {}) == (403, "permission denied")


def test_a_policy_that_is_put_is_looked_for_before_its_providers(admin: Any) -> None:
    body = {"name": "n", "source_groups": ["g"], "destination_provider_ids": ["nope"]}
    missing = "failed to get agent network policy: agent network policy: x not found"
    assert admin("PUT", f"{AGENT}/policies/x", body) == (404, missing)


def test_enabled_is_taken_for_granted_only_in_what_is_new(admin: Any, provider: Json) -> None:
    rule = admin.made(f"{AGENT}/budget-rules", {"name": "b"})
    assert rule["enabled"]
    assert admin("PUT", f"{AGENT}/budget-rules/{rule['id']}", {"name": "b"})[1]["enabled"] is False
    body = {"name": "n", "source_groups": ["g"], "destination_provider_ids": [provider["id"]]}
    policy = admin.made(f"{AGENT}/policies", body)
    assert policy["enabled"]
    assert admin("PUT", f"{AGENT}/policies/{policy['id']}", body)[1]["enabled"] is False
    assert provider["enabled"] is False


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            {"budget_limit": {"enabled": True, "user_cap_usd": 1}},
            "limits.budget_limit.window_seconds must be at least 60",
        ),
        (
            {"budget_limit": {"enabled": True, "user_cap_usd": -0.5, "window_seconds": 60}},
            "limits.budget_limit.user_cap_usd must not be negative",
        ),
        (
            {"budget_limit": {"enabled": True, "window_seconds": 60}},
            "limits.budget_limit requires group_cap_usd or user_cap_usd to be greater than zero when enabled",
        ),
    ],
)
def test_an_enabled_limit_must_limit_something(admin: Any, limits: Json, message: str) -> None:
    status, refused = admin("POST", f"{AGENT}/budget-rules", {"name": "b", "limits": limits})
    assert status == 422
    assert refused.startswith(message)


def test_a_hostname_is_refused_for_its_first_bad_character(admin: Any) -> None:
    status, message = admin("POST", f"{AGENT}/settings", {"endpoint": "it's.test"})
    assert (status, message) == (
        422,
        "invalid endpoint: invalid hostname \"it's.test\": label \"it's\" contains invalid character '\\''",
    )


def test_a_label_needs_room_before_the_proxy_address(admin: Any) -> None:
    long = ".".join(["x" * 61] * 4)
    status, message = admin("POST", f"{AGENT}/settings", {"proxy_address": long})
    assert status == 422
    assert message == "proxy_address leaves no room for a label: hostname exceeds 253 characters"


def test_a_drawn_endpoint_is_new_each_time(admin: Any) -> None:
    drawn = set()
    for _ in range(5):
        drawn.add(admin.made(f"{AGENT}/settings", {"proxy_address": "eu.test"})["endpoint"])
        assert admin("DELETE", f"{AGENT}/settings") == (200, {})
    assert len(drawn) > 1


def test_the_names_of_settings_are_repeated_in_any_letter_case(admin: Any) -> None:
    admin.made(f"{AGENT}/settings", {"endpoint": "gw.test"})
    body = {"endpoint": " GW.Test ", "proxy_address": "gw.TEST", "redact_pii": True}
    status, settings = admin("PUT", f"{AGENT}/settings", body)
    assert (status, settings["endpoint"], settings["redact_pii"]) == (200, "gw.test", True)


def test_any_letter_case_of_a_proxy_s_address_holds_the_endpoint(admin: Any, connect: Any) -> None:
    admin.made(f"{AGENT}/settings", {"endpoint": "gw.test"})
    connect("gw", "GW.Test")
    assert admin("DELETE", f"{AGENT}/settings")[0] == 412


def test_usage_is_kept_without_settings_and_the_log_is_not(admin: Any, report: Any) -> None:
    report("a", metadata={"llm.input_tokens": "7"})
    assert admin.read(f"{AGENT}/access-logs")["total_records"] == 0
    overview = admin.read(f"{AGENT}/usage/overview?start_date=2026-11-01T00:00:00Z&end_date=2026-12-01T00:00:00Z")
    assert [(bucket["period_start"], bucket["input_tokens"]) for bucket in overview] == [("2026-11-20", 7)]


def test_requests_fold_into_sessions(admin: Any, report: Any) -> None:
    admin.made(f"{AGENT}/settings", {"endpoint": "ai.test"})
    first = {"llm.session_id": "S", "llm.model": "a", "cost.usd_input": "0.5", "llm.authorising_groups": "g, h,g"}
    report("one", metadata=first, userId="u")
    second = {"llm.session_id": "S", "llm.model": "b", "cost.usd_output": "0.5", "llm_policy.decision": "deny"}
    report("two", "2026-11-20T11:00:00Z", second)
    report("three", "2026-11-20T12:00:00Z", {"cost.usd_input": "nan", "llm.total_tokens": "-3"})
    alone, together = admin.read(f"{AGENT}/access-log-sessions")["data"]
    assert (alone["decision"], alone["cost_usd"], alone["total_tokens"]) == ("allow", 0, 0)
    assert "session_id" not in alone
    assert (together["request_count"], together["decision"], together["cost_usd"]) == (2, "deny", 1)
    assert (together["models"], together["group_ids"], together["user_id"]) == (["a", "b"], ["g", "h"], "u")
    assert ids({"data": together["entries"]}) == ["one", "two"]


def test_filters_take_several_values_and_refuse_dates_that_are_none(admin: Any, report: Any) -> None:
    admin.made(f"{AGENT}/settings", {"endpoint": "ai.test"})
    for name in "abc":
        report(name, metadata={"llm.model": name})
    assert sorted(ids(admin.read(f"{AGENT}/access-logs?model=a,b&model=x"))) == ["a", "b"]
    status, message = admin.as_role("user")("GET", f"{AGENT}/access-logs?start_date=2026-11-20")
    layout = '"2026-11-20" as "2006-01-02t15:04:05z07:00"'
    assert (status, message) == (422, f'invalid start_date: parsing time {layout}: cannot parse "" as "t"')


def test_a_request_counts_once_in_each_window(simulator: Simulator, admin: Any, connect: Any, account_id: str) -> None:
    connect("gw", "gw.test")
    limit = {"enabled": True, "window_seconds": 3600}
    both = {"token_limit": {**limit, "user_cap": 1}, "budget_limit": {**limit, "user_cap_usd": 1}}
    admin.made(f"{AGENT}/budget-rules", {"name": "all", "limits": both})
    longer = {"token_limit": {"enabled": True, "window_seconds": 7200, "user_cap": 1}}
    admin.made(f"{AGENT}/budget-rules", {"name": "off", "enabled": False, "limits": longer})
    entry = {"accountId": account_id, "userId": "u", "groupIds": ["g"], "windowSeconds": "3600", "costUsd": 0.5}
    for _ in range(2):
        simulator.event({"event": "proxy_records_usage", "id": "gw", "entry": entry})
    assert [
        (row["dimension_kind"], row["dimension_id"], row["cost_usd"]) for row in admin.read(f"{AGENT}/consumption")
    ] == [("user", "u", 1)]
