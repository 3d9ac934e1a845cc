"""The reverse proxy's access log: what no recording of a real server shows."""

from typing import Any

import pytest

from reconciler.simulator import Simulator

LOG = "/events/proxy"


@pytest.fixture
def report(simulator: Simulator, admin: Any, connect: Any) -> Any:
    """Let a proxy tell of a request."""
    connect("eu-1", "eu.test")
    account_id = admin.read("/accounts")[0]["id"]

    def report(log_id: str, **fields: Any) -> Any:
        entry = {"logId": log_id, "accountId": account_id, "timestamp": "2026-11-20T10:00:00Z", "authSuccess": True}
        return simulator.event({"event": "proxy_sends_access_log", "id": "eu-1", "entry": {**entry, **fields}})

    return report


def ids(admin: Any, query: str) -> list[str]:
    return [entry["id"] for entry in admin.read(f"{LOG}?{query}")["data"]]


def test_an_id_can_be_used_once(report: Any) -> None:
    assert report("a") == {"ok": True}
    text = "rpc error: code = Internal desc = save access log: failed to create access log entry in store"
    assert report("a") == {"error": text}


def test_an_address_is_found_only_in_quotation_marks(admin: Any, report: Any) -> None:
    report("a", sourceIp="::ffff:203.0.113.7")
    assert admin.read(LOG)["data"][0]["source_ip"] == "203.0.113.7"
    assert ids(admin, "source_ip=203.0.113.7") == []
    assert ids(admin, "source_ip=%22203.0.113.7%22") == ["a"]
    assert ids(admin, "search=203.0") == ["a"]


def test_search_reads_percent_and_underscore_as_sql_does(admin: Any, report: Any) -> None:
    report("a", host="web.eu.test", path="/Login")
    assert ids(admin, "search=test/log") == ["a"]
    assert ids(admin, "path=l_gin") == ["a"]
    assert ids(admin, "path=l%25n") == ["a"]
    assert ids(admin, "path=lgin") == []


def test_a_person_stands_for_an_id_and_an_unknown_one_for_nothing(admin: Any, report: Any) -> None:
    owner = next(user for user in admin.read("/users") if user["role"] == "owner")
    report("a", userId=owner["id"])
    report("b")
    assert ids(admin, "user_email=OWNER") == ["a"]
    assert sorted(ids(admin, "user_email=nobody")) == ["a", "b"]


def test_dates_are_compared_as_they_are_written(admin: Any, report: Any) -> None:
    report("a")
    assert ids(admin, "start_date=2026-11-20T10:00:00Z&end_date=2026-11-20T10:00:00Z") == ["a"]
    assert ids(admin, "start_date=2026-11-20T11:00:00%2B02:00") == []
    assert ids(admin, "start_date=2026-11-20") == ["a"]


def test_only_http_requests_have_a_reason(admin: Any, report: Any) -> None:
    report("tcp", protocol="tcp", authSuccess=False, responseCode=500)
    report("http", protocol="http", responseCode=404)
    reasons = {entry["id"]: entry.get("reason") for entry in admin.read(LOG)["data"]}
    assert reasons == {"tcp": None, "http": "Request failed"}


def test_a_proxy_of_an_account_speaks_for_that_account_only(simulator: Simulator, admin: Any, connect: Any) -> None:
    token = admin.made("/reverse-proxies/proxy-tokens", {"name": "own"})["plain_token"]
    connect("own-1", "own.test", token=token)
    line = {"event": "proxy_sends_access_log", "id": "own-1", "entry": {"logId": "x", "accountId": "foreign"}}
    text = "account-scoped token cannot access account foreign"
    assert simulator.event(line) == {"error": f"rpc error: code = PermissionDenied desc = {text}"}
