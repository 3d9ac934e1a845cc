"""Applies that do not go to their end: what is done all the same, what is skipped, and what is said about it."""

from __future__ import annotations

import io
import json

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.harness import Account, Between, json_answer

THREE = """
groups: {a: , b: }
networks: {n: {routers: [{peer_groups: [b]}], resources: {r: {address: 10.0.0.1, groups: [a]}}}}
policies: {p: {from: a, to: b, allow: all}, q: {from: b, to: All, allow: all}}
"""


def test_dependents_of_a_failure_are_skipped_and_named_and_the_others_go_on(account: Account) -> None:
    account.fault("POST", "/api/groups", "status:422", nth=1)
    outcome = account.apply(THREE)
    assert outcome.exit_code == 7
    assert outcome.statuses == {
        "group/a": "failed",
        "group/b": "applied",
        "network/n": "applied",
        "network_resource/n/r": "skipped",
        "network_router/n/groups:b": "applied",
        "policy/p": "skipped",
        "policy/q": "applied",
    }
    assert outcome.change("group/a")["error"]["request"] == "POST /api/groups"
    assert outcome.change("policy/p")["error"]["message"] == "policy/p was not tried: it needs group/a"
    assert outcome.change("policy/q")["error"] is None
    assert account.applied(THREE).changes == ["+ group/a", "+ network_resource/n/r", "+ policy/p"]


def test_skipping_is_handed_on(account: Account) -> None:
    account.fault("POST", "/api/networks", "status:422")
    outcome = account.apply(
        "networks: {n: {resources: {r: {address: a.b}}}}\npolicies: {p: {from: All, to: {resource: n/r}, allow: all}}"
    )
    assert outcome.statuses == {"network/n": "failed", "network_resource/n/r": "skipped", "policy/p": "skipped"}
    assert outcome.change("policy/p")["error"]["message"] == "policy/p was not tried: it needs network_resource/n/r"


def test_a_partial_apply_says_so_as_text(account: Account) -> None:
    account.fault("POST", "/api/groups", "status:422", nth=1)
    account.write("version: 1" + THREE)
    outcome = account.nbsync("apply", "--yes")
    assert outcome.exit_code == 7
    assert "Applied 4 of 7 changes: 1 failed, 2 skipped." in outcome.stdout
    assert "Mend what the errors say and run apply again: it goes on from there." in outcome.stdout
    assert "policy/p was not tried: it needs group/a" in outcome.stderr
    assert "applied group/b (2/7)" in outcome.stderr


@pytest.mark.parametrize(
    ("status", "exit_code", "code"),
    [(400, 1, "NBS506"), (403, 8, "NBS503"), (401, 8, "NBS502"), (409, 1, "NBS507"), (412, 1, "NBS507")],
)
def test_where_nothing_was_written_the_failure_tells_the_exit_code(
    account: Account, status: int, exit_code: int, code: str
) -> None:
    account.fault("POST", "/api/groups", f"status:{status}")
    outcome = account.apply("groups: {a: }")
    assert outcome.exit_code == exit_code
    assert outcome.change("group/a")["error"]["code"] == code
    assert outcome.change("group/a")["status"] == "failed"


def test_a_write_whose_end_nobody_knows_counts_as_partial(account: Account) -> None:
    account.fault("POST", "/api/groups", "status:502")
    outcome = account.apply("groups: {a: }")
    assert (outcome.exit_code, outcome.statuses) == (7, {"group/a": "unknown"})


def test_a_replacement_of_which_only_the_delete_was_done_is_partial(account: Account) -> None:
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    account.fault("POST", "/api/setup-keys", "status:422")
    outcome = account.apply("setup_keys: {k: {type: one-off}}", "--secrets-out", "secrets")
    assert (outcome.exit_code, outcome.statuses) == (7, {"setup_key/k": "failed"})
    assert account.applied("setup_keys: {k: {type: one-off}}", "--secrets-out", "secrets").changes == ["+ setup_key/k"]


def test_a_bad_token_ends_the_run(account: Account) -> None:
    account.fault("POST", "/api/groups", "status:401", nth=2)
    outcome = account.apply("groups: {a: , b: , c: }")
    assert outcome.exit_code == 7
    assert outcome.statuses == {"group/a": "applied", "group/b": "failed", "group/c": "skipped"}
    assert outcome.writes == ["POST /api/groups"] * 2
    assert "the run ended before it" in outcome.change("group/c")["error"]["message"]


def test_a_failed_delete_leaves_what_has_to_wait_for_it(account: Account) -> None:
    account.applied("groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: all}, q: {from: b, to: b, allow: all}}")
    account.fault("DELETE", "/api/policies/*", "status:412")
    outcome = account.apply(
        "manage: {default: full}\ngroups: {b: }\npolicies: {q: {from: b, to: b, allow: icmp}}\nunmanaged: [policy/Default]"
    )
    assert outcome.statuses == {"policy/p": "failed", "policy/q": "applied", "group/a": "skipped"}


def change_answer(between: Between, method: str, path: str, **fields: object) -> None:
    """Let the server show something else than what it was told."""

    def after(request: Request, response: Response) -> Response:
        if request.method != method or not request.path.startswith(path):
            return response
        return json_answer({**json.loads(response.get_data()), **fields})

    between.after = after


def test_an_answer_that_does_not_keep_the_intent_is_a_failure(account: Account, between: Between) -> None:
    change_answer(between, "PUT", "/api/networks", description="something else")
    account.applied("networks: {n: }")
    outcome = account.apply("networks: {▸n: {description: mine}}")
    error = outcome.change("network/n")["error"]
    assert (outcome.exit_code, error["code"]) == (7, "NBS604")
    assert "description: meant mine, is something else" in error["message"]
    assert (error["file"], error["line"], error["column"]) == ("nbsync.yaml", 2, 12)


@pytest.mark.parametrize(("methods", "exit_code"), [({"POST"}, 0), ({"POST", "PUT"}, 7)], ids=["once", "always"])
def test_an_id_that_the_server_drops_is_sent_again_and_noticed(
    account: Account, between: Between, methods: set[str], exit_code: int
) -> None:
    def before(request: Request) -> None:
        if request.method in methods and request.path.startswith("/api/policies"):
            body = json.loads(request.get_data())
            body["rules"][0]["sources"] = body["rules"][0]["sources"][:1]
            put_body(request, body)

    between.before = before
    outcome = account.apply("groups: {a: , b: }\npolicies: {p: {from: [a, b], to: a, allow: all}}")
    assert outcome.exit_code == exit_code
    if exit_code:
        error = outcome.change("policy/p")["error"]
        assert error["code"] == "NBS604"
        assert error["message"].endswith("did not keep all of it: from: meant ['a', 'b'], is ['a']")


def put_body(request: Request, body: object) -> None:
    """Let the server see another body."""
    data = json.dumps(body).encode()
    request.environ |= {"wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}


def test_a_name_that_the_server_keeps_is_noticed(account: Account, between: Between) -> None:
    account.applied("groups: {old: }")
    change_answer(between, "PUT", "/api/groups", name="old")
    outcome = account.apply("groups: {new: {previously: old}}")
    assert (outcome.exit_code, outcome.statuses) == (7, {"group/new": "failed"})
    assert "name: meant new, is old" in outcome.change("group/new")["error"]["message"]


def test_what_the_server_takes_only_in_an_update_is_sent_as_one(account: Account) -> None:
    outcome = account.applied("networks: {n: {routers: [{peer_groups: [All], enabled: false}]}}")
    network = account.named("/networks", "n")
    assert [line.split("/")[2] for line in outcome.writes] == ["networks", "networks", "networks"]
    assert outcome.writes[-1] == f"PUT /api/networks/{network['id']}/routers/{network['routers'][0]}"
    assert account.read("/networks/routers")[0]["enabled"] is False


def test_a_new_router_that_is_to_be_off_leads_through_nobody_until_it_is_off(
    account: Account, between: Between
) -> None:
    account.join("m1")
    names = {peer["id"]: peer["name"] for peer in account.read("/peers")}
    shown: list[tuple[bool, str | None]] = []

    def look(request: Request, response: Response) -> Response:
        if request.method != "GET" and "/routers" in request.path:
            shown.extend((router["enabled"], names.get(router["peer"])) for router in account.read("/networks/routers"))
        return response

    between.after = look
    account.applied("networks: {n: {routers: [{peer: m1, enabled: false}]}}")
    assert shown == [(True, None), (False, "m1")]


@pytest.mark.parametrize(
    "routers", ["{peer: m1, enabled: false}", "{peer_groups: [All]}", "{peer: m1}, {peer: m2, enabled: false}"]
)
def test_a_router_that_was_only_begun_becomes_one_that_is_missing(account: Account, routers: str) -> None:
    account.join("m1", "m2")
    network = account.send("POST", "/networks", {"name": "n"})["id"]
    begun = {"peer": network, "metric": 9999, "masquerade": True, "enabled": True}
    identifier = account.send("POST", f"/networks/{network}/routers", begun)["id"]
    after = f"networks: {{n: {{routers: [{routers}]}}}}"
    account.applied(after)
    left = {router["id"]: router["peer"] for router in account.read("/networks/routers")}
    assert identifier in left
    assert network not in left.values()
    assert len(left) == routers.count("peer")
    assert account.plan(after).changes == []


def test_a_router_that_was_begun_in_another_network_of_the_same_name_is_left_there(account: Account) -> None:
    one, other = (account.send("POST", "/networks", {"name": "n"})["id"] for _ in range(2))
    begun = {"peer": other, "metric": 9999, "masquerade": True, "enabled": True}
    identifier = account.send("POST", f"/networks/{other}/routers", begun)["id"]
    after = f"networks: {{n: {{id: {one}, routers: [{{peer_groups: [All]}}]}}}}"
    account.applied(after)
    assert account.plan(after).changes == []
    assert account.read(f"/networks/{other}/routers")[0]["id"] == identifier


def test_a_router_that_was_begun_by_a_call_whose_answer_is_lost_gets_the_rest_in_the_same_run(account: Account) -> None:
    account.applied("networks: {n: }")
    network = account.named("/networks", "n")["id"]
    account.fault("POST", f"/api/networks/{network}/routers", "drop-after")
    account.applied("networks: {n: {routers: [{peer_groups: [All], enabled: false}]}}")
    assert [(router["enabled"], router["peer"]) for router in account.read("/networks/routers")] == [(False, "")]


POLICY: dict[str, object] = {
    "id": "x",
    "name": "p",
    "enabled": True,
    "description": "",
    "source_posture_checks": None,
}
ODD_ANSWERS: dict[str, object] = {
    "an object without its rule": {**POLICY, "rules": []},
    "an object with two rules": {**POLICY, "rules": [{}, {}]},
    "an object whose rule is text": {**POLICY, "rules": ["x"]},
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_an_answer_that_is_no_such_object_fails_that_change_alone(
    account: Account, between: Between, answer: object
) -> None:
    between.after = lambda request, response: (
        json_answer(answer) if request.method == "POST" and request.path == "/api/policies" else response
    )
    outcome = account.apply(
        "groups: {a: , z: }\npolicies: {p: {from: a, to: a, allow: all}}\nsetup_keys: {k: {type: reusable}}",
        "--secrets-out",
        "secrets",
    )
    assert outcome.exit_code == 7
    assert outcome.statuses["group/a"] == outcome.statuses["setup_key/k"] == "applied"
    assert outcome.statuses["policy/p"] in ("failed", "unknown")
    assert outcome.change("policy/p")["error"]["code"] in ("NBS509", "NBS604")
