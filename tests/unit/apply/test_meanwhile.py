"""What somebody changes between the plan and its changes: that object is left alone, the others go on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.apply.fresh import AT_ONCE, SOON, Fresh
from reconciler.simulator.seed import owner_token
from schemas import KINDS
from tests.unit.harness import Account, Between, Json, Outcome, json_answer

SECRETS = ("--secrets-out", "secrets.jsonl")
Edit = Callable[[Account], None]


class Person:
    """Somebody at a terminal who reads the plan, does something else, and says yes."""

    def __init__(self, edit: Callable[[], None]) -> None:
        self._edit = edit

    def isatty(self) -> bool:
        """It is a terminal."""
        return True

    def readline(self) -> str:
        """Say yes after a while."""
        self._edit()
        return "yes\n"


@pytest.fixture
def approve(account: Account, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Apply a document with a person who approves it, and with something that happens between the plan and the yes.

    What happens there does not count as sent by the run.
    """

    def approve(text: str, edit: Edit, *flags: str) -> Outcome:
        requests, places = account.simulator.requests, []

        def happen() -> None:
            places.append(len(requests))
            edit(account)
            places.append(len(requests))

        monkeypatch.setattr(sys, "stdin", Person(happen))
        began = len(requests)
        outcome = account.do("apply", text, *SECRETS, *flags)
        first, last = (place - began for place in places)
        return replace(outcome, sent=outcome.sent[:first] + outcome.sent[last:])

    return approve


def put(path: str, name: str, key: str = "name", /, **fields: Any) -> Edit:
    """Somebody changes fields of an object in the dashboard."""

    def edit(account: Account) -> None:
        seen = account.named(path, name, key)
        account.send("PUT", f"{path}/{seen['id']}", {**_request(seen), **fields})

    return edit


def _request(seen: Json) -> Json:
    """An answer as a request: objects as ids."""
    return {key: _ids(value) for key, value in seen.items()}


def _ids(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict) and "peers_count" in value[0]:
        return [item["id"] for item in value]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_request(item) for item in value]
    return value


def put_inside(path: str, member: str, **fields: Any) -> Edit:
    """Somebody changes the only object inside a network."""

    def edit(account: Account) -> None:
        network, (seen,) = account.named("/networks", "n"), account.read(f"/networks/{member}")
        account.send("PUT", f"/networks/{network['id']}/{member}/{seen['id']}", {**_request(seen), **fields})

    assert path == "/networks"
    return edit


def put_record(account: Account) -> None:
    """Somebody changes a record."""
    zone = account.named("/dns/zones", "x.example", "domain")
    (record,) = zone["records"]
    account.send("PUT", f"/dns/zones/{zone['id']}/records/{record['id']}", {**record, "ttl": 77})


def put_settings(account: Account) -> None:
    """Somebody changes a setting."""
    (seen,) = account.read("/accounts")
    settings = {**seen["settings"], "peer_inactivity_expiration": 700}
    account.send("PUT", f"/accounts/{seen['id']}", {"settings": settings})


def put_dns(account: Account) -> None:
    """Somebody turns off the DNS of a group."""
    group = account.named("/groups", "b")
    account.send("PUT", "/dns/settings", {"disabled_management_groups": [group["id"]]})


def revoke(account: Account) -> None:
    """Somebody revokes a key."""
    key = account.named("/setup-keys", "k")
    account.send("PUT", f"/setup-keys/{key['id']}", {"auto_groups": key["auto_groups"], "revoked": True})


def empty(account: Account) -> None:
    """Somebody takes the member out that the files name."""
    group = account.named("/groups", "g")
    account.send("PUT", f"/groups/{group['id']}", {"name": "g", "peers": []})


GROUPS = "groups: {a: , b: }\n"
CHANGES: dict[str, tuple[str, str, Edit, str]] = {
    "group": (
        "groups: {g: {peers: {at_least: [m1]}}}",
        "groups: {g: {peers: {at_least: [m1, m2]}}}",
        empty,
        'peers was ["m1"] when planned, is [] now',
    ),
    "posture_check": (
        "posture_checks: {c: {netbird_version: 1.0.0}}",
        "posture_checks: {c: {netbird_version: 1.1.0}}",
        put("/posture-checks", "c", description="new"),
        'description was "" when planned, is "new" now',
    ),
    "policy": (
        GROUPS + "policies: {p: {from: a, to: b, allow: icmp}}",
        GROUPS + "policies: {p: {from: a, to: b, allow: all}}",
        put("/policies", "p", enabled=False),
        "enabled was true when planned, is false now",
    ),
    "network": (
        "networks: {n: }",
        "networks: {n: {description: x}}",
        put("/networks", "n", description="y"),
        'description was "" when planned, is "y" now',
    ),
    "network_resource": (
        GROUPS + "networks: {n: {resources: {r: {address: a.example}}}}",
        GROUPS + "networks: {n: {resources: {r: {address: b.example}}}}",
        put_inside("/networks", "resources", enabled=False),
        "enabled was true when planned, is false now",
    ),
    "network_router": (
        GROUPS + "networks: {n: {routers: [{peer_groups: [a]}]}}",
        GROUPS + "networks: {n: {routers: [{peer_groups: [a], metric: 5}]}}",
        put_inside("/networks", "routers", masquerade=False),
        "masquerade was true when planned, is false now",
    ),
    "route": (
        GROUPS + "routes: {r: {domains: [x.example], peer_groups: [a], groups: [a]}}",
        GROUPS + "routes: {r: {domains: [x.example], peer_groups: [a], groups: [b]}}",
        put("/routes", "r", "network_id", network=None, peer=None, keep_route=True),
        "keep_route was false when planned, is true now",
    ),
    "nameserver_group": (
        GROUPS + "dns: {nameservers: {n: {servers: [9.9.9.9], groups: [a], primary: true}}}",
        GROUPS + "dns: {nameservers: {n: {servers: [9.9.9.9], groups: [b], primary: true}}}",
        put("/dns/nameservers", "n", description="y"),
        'description was "" when planned, is "y" now',
    ),
    "dns_zone": (
        GROUPS + "dns: {zones: {x.example: {groups: [a]}}}",
        GROUPS + "dns: {zones: {x.example: {groups: [b]}}}",
        put("/dns/zones", "x.example", "domain", enabled=False),
        "enabled was true when planned, is false now",
    ),
    "dns_record": (
        GROUPS + "dns: {zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}}",
        GROUPS + "dns: {zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1, ttl: 60}}}}}",
        put_record,
        "ttl was 300 when planned, is 77 now",
    ),
    "dns_settings": (
        GROUPS + "dns: {disabled_management_groups: []}",
        GROUPS + "dns: {disabled_management_groups: [a]}",
        put_dns,
        'disabled_management_groups was [] when planned, is ["b"] now',
    ),
    "setup_key": (
        GROUPS + "setup_keys: {k: {type: reusable}}",
        GROUPS + "setup_keys: {k: {type: reusable, auto_groups: [a]}}",
        revoke,
        "revoked was false when planned, is true now",
    ),
    "service_user": (
        "service_users: {s: {role: user}}",
        "service_users: {s: {role: auditor}}",
        put("/users", "s", role="network_admin"),
        'role was "user" when planned, is "network_admin" now',
    ),
    "user": (
        GROUPS + "users: {ana@acme.io: {invite: true, name: Ana}}",
        GROUPS + "users: {ana@acme.io: {auto_groups: [a]}}",
        put("/users", "ana@acme.io", "email", is_blocked=True),
        "blocked was false when planned, is true now",
    ),
    "peer": (
        "peers: {m1: }",
        "peers: {m1: {ssh_enabled: true}}",
        put("/peers", "m1", inactivity_expiration_enabled=False, name="m9"),
        "it was m1 when planned, is m9 now",
    ),
    "account": (
        "account: {peer_login_expiration: 24h}",
        "account: {peer_login_expiration: 12h}",
        put_settings,
        "peer_inactivity_expiration was",
    ),
}


def test_all_kinds_that_can_be_updated_are_among_these() -> None:
    assert CHANGES.keys() == {name for name, kind in KINDS.items() if kind.endpoint.updates}


@pytest.mark.parametrize(("before", "after", "edit", "said"), CHANGES.values(), ids=CHANGES)
def test_what_somebody_changes_before_the_yes_is_left_alone(
    account: Account, approve: Callable[..., Outcome], before: str, after: str, edit: Edit, said: str
) -> None:
    account.join("m1", "m2")
    account.applied(before, *SECRETS)
    (planned,) = account.plan(after).document["changes"]
    outcome = approve(after, edit)
    assert outcome.exit_code == 6
    assert outcome.statuses == {planned["address"]: "failed"}
    error = outcome.change(planned["address"])["error"]
    assert error["code"] == "NBS630"
    assert f"{planned['address']} has changed since the plan was made: " in error["message"]
    assert said in error["message"]
    assert error["file"] == "nbsync.yaml"
    assert outcome.writes == []


def test_what_is_approved_while_nobody_does_anything_is_applied(
    account: Account, approve: Callable[..., Outcome]
) -> None:
    assert approve(GROUPS, lambda _: None).exit_code == 0
    assert account.names("/groups") == ["All", "a", "b"]


THREE = GROUPS + "policies: {p: {from: a, to: b, allow: all}, q: {from: b, to: a, allow: all}}"
ANOTHER = "groups: {a: , b: , c: }\npolicies: {p: {from: a, to: c, allow: all}, q: {from: b, to: c, allow: all}}"


def once(between: Between, method: str, path: str, edit: Callable[[], None]) -> None:
    """Let something happen just before the first such request."""
    waiting = [edit]

    def before(request: Request) -> None:
        if request.method == method and request.path.startswith(path) and waiting:
            waiting.pop()()

    between.before = before


def test_what_somebody_changes_in_the_middle_of_an_apply_is_left_alone_and_the_rest_is_done(
    account: Account, between: Between
) -> None:
    account.applied(THREE)

    def edit() -> None:
        """Behind the back of the audit log, too: who is at work there is another question."""
        seen = account.named("/policies", "p")
        account.store("policies", {**account.row("policies", seen["id"]), "description": "mine"})

    once(between, "POST", "/api/groups", edit)
    outcome = account.apply(ANOTHER)
    assert outcome.exit_code == 7
    assert outcome.statuses == {"group/c": "applied", "policy/p": "failed", "policy/q": "applied"}
    assert outcome.change("policy/p")["error"]["message"].endswith('description was "" when planned, is "mine" now')
    assert account.named("/policies", "p")["rules"][0]["destinations"][0]["name"] == "b"


def test_what_needs_a_changed_object_is_skipped(account: Account, approve: Callable[..., Outcome]) -> None:
    text = "networks: {new: {previously: old, resources: {r: {address: a.example}}}}\ngroups: {a: }"
    account.applied("networks: {old: }")
    outcome = approve(
        text + "\npolicies: {p: {from: a, to: {resource: new/r}, allow: all}}",
        lambda account: account.send("POST", "/networks", {"name": "new"}),
    )
    assert outcome.statuses["network/new"] == "failed"
    assert outcome.exit_code == 7
    assert outcome.statuses["group/a"] == "applied"
    assert account.names("/networks") == ["new", "old"]


def delete(path: str, name: str, key: str = "name") -> Edit:
    """Somebody deletes an object."""
    return lambda account: account.send("DELETE", f"{path}/{account.named(path, name, key)['id']}")


@pytest.mark.parametrize("kind", ["policy", "network", "nameserver_group", "dns_zone", "setup_key", "service_user"])
def test_what_somebody_has_deleted_is_not_updated(account: Account, approve: Callable[..., Outcome], kind: str) -> None:
    before, after, _, _ = CHANGES[kind]
    account.applied(before, *SECRETS)
    (address,) = (change["address"] for change in account.plan(after).document["changes"])
    path, key = KINDS[kind].endpoint.path, KINDS[kind].name_field
    outcome = approve(after, delete(path, address.partition("/")[2], key))
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.change(address)["error"]["message"].endswith("it is gone")


FULL = "manage: {default: full}\nguards: {max_delete: {percent: 100}}\nunmanaged: [policy/Default]\n"
DELETES: dict[str, tuple[str, Edit, str]] = {
    "its own field": (
        GROUPS + "policies: {p: {from: a, to: b, allow: all}}",
        put("/policies", "p", description="kept, please"),
        'description was "" when planned, is "kept, please" now',
    ),
    "its name": ("networks: {n: }", put("/networks", "n", name="m"), "it was n when planned, is m now"),
    "something new inside": (
        "networks: {n: }",
        lambda account: account.send(
            "POST",
            f"/networks/{account.named('/networks', 'n')['id']}/resources",
            {"name": "r", "address": "a.example", "groups": [], "enabled": True},
        ),
        "network_resource/n/r goes with it, and it was not there when planned",
    ),
    "something inside": (
        "networks: {n: {resources: {r: {address: a.example}}}}",
        put_inside("/networks", "resources", description="in use"),
        'network_resource/n/r goes with it, and description was "" when planned, is "in use" now',
    ),
    "a record inside": (
        GROUPS + "dns: {zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}}",
        put_record,
        "goes with it, and ttl was 300 when planned, is 77 now",
    ),
}


@pytest.mark.parametrize(("before", "edit", "said"), DELETES.values(), ids=DELETES)
def test_what_somebody_has_changed_is_not_deleted(
    account: Account, approve: Callable[..., Outcome], before: str, edit: Edit, said: str
) -> None:
    account.applied(before)
    rest = GROUPS if before.startswith(GROUPS) else ""
    empty = "policies: {}\nnetworks: {}\ndns: {zones: {}}"
    allow = [word for name in ("networks", "policies", "dns.zones", "groups") for word in ("--allow-empty", name)]
    outcome = approve(FULL + rest + empty, edit, *allow)
    (change,) = outcome.document["changes"]
    assert (outcome.exit_code, change["action"], change["status"]) == (6, "delete", "failed")
    assert change["error"]["message"].endswith(said)
    assert outcome.writes == []


@pytest.mark.parametrize("listed", ["nothing", "null", "all but this one"])
def test_what_only_a_list_does_not_show_is_not_taken_for_deleted(
    account: Account, between: Between, listed: str
) -> None:
    account.applied(GROUPS + "policies: {p: {from: a, to: b, allow: all}, q: {from: a, to: b, allow: icmp}}")
    reads: list[str] = []

    def after(request: Request, response: Response) -> Response:
        if request.path != "/api/policies" or len(reads) < 1:
            reads.extend([request.path] * (request.path == "/api/policies"))
            return response
        rest = [one for one in json.loads(response.get_data()) if one["name"] != "q"]
        return json_answer({"nothing": [], "null": None, "all but this one": rest}[listed])

    between.after = after
    outcome = account.apply(FULL + GROUPS + "policies: {p: {from: a, to: b, allow: all}}")
    assert (outcome.exit_code, outcome.statuses, outcome.writes) == (6, {"policy/q": "failed"}, [])
    assert outcome.error.message.endswith("its list does not show it any more, and it is there")


def test_a_group_that_somebody_has_given_a_member_or_a_resource_is_not_deleted(
    account: Account, between: Between
) -> None:
    account.join("m1")
    account.applied("groups: {a: , b: , c: , d: }\nnetworks: {n: {resources: {r: {address: a.example}}}}")
    peer, resource = account.read("/peers")[0]["id"], account.read("/networks/resources")[0]["id"]

    def fill() -> None:
        put("/groups", "b", peers=[peer])(account)
        put("/groups", "c", resources=[{"id": resource, "type": "domain"}])(account)

    once(between, "GET", "/api/groups", lambda: once(between, "GET", "/api/groups", fill))
    outcome = account.apply(FULL + "groups: {d: }\nnetworks: {n: {resources: {r: {address: a.example}}}}")
    assert (outcome.exit_code, account.names("/groups")) == (7, ["All", "b", "c", "d"])
    assert {address for address, status in outcome.statuses.items() if status == "failed"} == {"group/b", "group/c"}


def test_a_service_user_to_whom_somebody_has_given_a_token_is_not_deleted(
    account: Account, approve: Callable[..., Outcome]
) -> None:
    account.applied("service_users: {s: {role: user}}")
    after = "manage: {service_users: full}\nguards: {max_delete: {percent: 100}, protect: [token/other/*]}\n"

    def edit(account: Account) -> None:
        user = account.named("/users", "s")["id"]
        account.send("POST", f"/users/{user}/tokens", {"name": "t", "expires_in": 9})

    outcome = approve(after + "service_users: {nbsync: {role: admin}}", edit)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.error.message.endswith("token/s/t goes with it, and it was not there when planned")


def swap(path: str) -> Edit:
    """Somebody calls a b, and b a."""

    def edit(account: Account) -> None:
        for name, to in (("a", "c"), ("b", "a"), ("c", "b")):
            put(path, name, name=to)(account)

    return edit


NAMED = {
    "of a new policy": (
        GROUPS,
        GROUPS + "policies: {p: {from: a, to: a, allow: all}}",
        swap("/groups"),
        "group/a, which it needs, was a when planned, is b now",
    ),
    "of one that is changed": (
        GROUPS + "policies: {p: {from: b, to: b, allow: all}}",
        GROUPS + "policies: {p: {from: b, to: a, allow: all}}",
        swap("/groups"),
        "group/a, which it needs, was a when planned, is b now",
    ),
    "of what it stands in": (
        "networks: {a: , b: }",
        "networks: {a: {resources: {r: {address: a.example}}}, b: }",
        swap("/networks"),
        "network/a, which it needs, was a when planned, is b now",
    ),
    "of a machine": (
        "groups: {g: {peers: []}}",
        "groups: {g: {peers: [m1]}}",
        put("/peers", "m1", name="m9"),
        "peer/m1, which it needs, was m1 when planned, is m9 now",
    ),
    "that is gone": (
        GROUPS + "posture_checks: {c: {netbird_version: 0.60.0}}",
        GROUPS
        + "posture_checks: {c: {netbird_version: 0.60.0}}\npolicies: {p: {from: a, to: a, allow: all, posture: c}}",
        delete("/posture-checks", "c"),
        "posture_check/c, which it needs, is gone",
    ),
}


@pytest.mark.parametrize(("before", "after", "edit", "said"), NAMED.values(), ids=NAMED)
def test_no_access_is_given_to_what_is_called_otherwise_by_now(
    account: Account, approve: Callable[..., Outcome], before: str, after: str, edit: Edit, said: str
) -> None:
    account.join("m1")
    account.applied(before)
    outcome = approve(after, edit)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.error.code == "NBS630"
    assert outcome.error.message.endswith(said)


def test_what_a_change_refers_to_is_looked_at_again_within_a_stage(
    account: Account, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.applied(GROUPS)
    monkeypatch.setattr("reconciler.apply.fresh.SOON", -1)  # some seconds pass between two changes
    after_the_write(between, "/api/policies", lambda: by_the_owner(account, swap("/groups")))
    outcome = account.apply(GROUPS + "policies: {p: {from: a, to: a, allow: all}, q: {from: a, to: a, allow: all}}")
    assert outcome.statuses == {"policy/p": "applied", "policy/q": "failed"}
    assert "group/a, which it needs, was a when planned, is b now" in outcome.change("policy/q")["error"]["message"]


def test_a_click_on_members_counts_also_where_the_run_itself_moves_some(account: Account, between: Between) -> None:
    before = "groups: {a: {peers: []}, b: {peers: []}}\naccount: {peer_login_expiration: 24h}\n"
    account.join("m1", "m2")
    account.applied(before)
    (peer,) = (peer["id"] for peer in account.read("/peers") if peer["name"] == "m2")

    def click() -> None:
        by_the_owner(account, put("/groups", "b", peers=[peer]))

    after_the_write(between, "/api/accounts", click)
    after = before.replace("24h", "12h").replace("b: {peers: []}", "b: {peers: [m1]}")
    outcome = account.apply(after)
    assert outcome.statuses == {"account/account": "applied", "group/b": "failed"}
    assert 'peers was [] when planned, is ["m2"] now (Owner: ' in outcome.change("group/b")["error"]["message"]
    assert [member["id"] for member in account.named("/groups", "b")["peers"]] == [peer]


def test_what_somebody_has_deleted_is_deleted_without_a_call(account: Account, approve: Callable[..., Outcome]) -> None:
    account.applied("networks: {n: }")
    outcome = approve(FULL + "networks: {}", delete("/networks", "n"), "--allow-empty", "networks")
    assert (outcome.exit_code, outcome.statuses, outcome.writes) == (0, {"network/n": "applied"}, [])


def post(path: str, /, **body: Any) -> Edit:
    """Somebody makes an object."""
    return lambda account: account.send("POST", path, body)


def post_record(account: Account) -> None:
    """Somebody makes a record."""
    zone = account.named("/dns/zones", "x.example", "domain")
    body = {"name": "w.x.example", "type": "A", "content": "10.0.0.1", "ttl": 60}
    account.send("POST", f"/dns/zones/{zone['id']}/records", body)


def post_token(account: Account) -> None:
    """Somebody makes a token."""
    user = account.named("/users", "s")
    account.send("POST", f"/users/{user['id']}/tokens", {"name": "t", "expires_in": 9})


def post_route(account: Account) -> None:
    """Somebody makes a route."""
    group = account.named("/groups", "a")["id"]
    body = {"network_id": "r", "network": "10.0.0.0/8", "peer_groups": [group], "groups": [group], "metric": 9}
    account.send("POST", "/routes", body)


def post_router(account: Account) -> None:
    """Somebody makes a router."""
    group, network = account.named("/groups", "a")["id"], account.named("/networks", "n")["id"]
    account.send("POST", f"/networks/{network}/routers", {"peer_groups": [group], "metric": 9})


def post_policy(account: Account) -> None:
    """Somebody makes a policy."""
    group = account.named("/groups", "a")["id"]
    rule = {"name": "p", "action": "accept", "protocol": "all", "sources": [group], "destinations": [group]}
    account.send("POST", "/policies", {"name": "p", "rules": [rule]})


MADE: dict[str, tuple[str, str, Edit]] = {
    "group": (GROUPS, "groups: {g: }", post("/groups", name="g")),
    "policy": (GROUPS, GROUPS + "policies: {p: {from: a, to: b, allow: all}}", post_policy),
    "network": ("", "networks: {n: {description: x}}", post("/networks", name="n")),
    "network_router": (
        GROUPS + "networks: {n: }",
        GROUPS + "networks: {n: {routers: [{peer_groups: [a]}]}}",
        post_router,
    ),
    "route": (GROUPS, GROUPS + "routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [b]}}", post_route),
    "dns_record": (
        GROUPS + "dns: {zones: {x.example: {groups: [a]}}}",
        GROUPS + "dns: {zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}}",
        post_record,
    ),
    "setup_key": (
        "",
        "setup_keys: {k: {type: reusable}}",
        post("/setup-keys", name="k", type="reusable", expires_in=86400, auto_groups=[], usage_limit=0),
    ),
    "service_user": (
        "",
        "service_users: {s: {role: user}}",
        post("/users", name="s", role="user", is_service_user=True, auto_groups=[]),
    ),
    "token": (
        "service_users: {s: {role: user}}",
        "service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}",
        post_token,
    ),
    "renamed": ("networks: {old: }", "networks: {n: }", put("/networks", "old", name="n")),
}


@pytest.mark.parametrize(("before", "after", "edit"), MADE.values(), ids=MADE)
def test_what_somebody_has_made_is_not_made_twice(
    account: Account, approve: Callable[..., Outcome], before: str, after: str, edit: Edit
) -> None:
    if before:
        account.applied(before, *SECRETS)
    outcome = approve(after, edit)
    (change,) = outcome.document["changes"]
    assert (outcome.exit_code, change["action"], change["status"]) == (6, "create", "failed"), change
    assert "it was not there when planned, is there now with the id" in change["error"]["message"]
    assert outcome.writes == []


def test_nothing_is_renamed_to_what_somebody_has_made(account: Account, approve: Callable[..., Outcome]) -> None:
    account.applied("groups: {old: }")
    outcome = approve("groups: {new: {previously: old}}", post("/groups", name="new"))
    assert (outcome.exit_code, outcome.writes) == (6, [])


def test_what_nobody_declared_and_somebody_changed_a_moment_ago_survives(
    account: Account, approve: Callable[..., Outcome]
) -> None:
    account.join("m1", "m2")
    account.applied("groups: {old: {peers: [m1]}}\nnetworks: {n: {resources: {r: {address: a.example}}}}")
    members = {peer["name"]: peer["id"] for peer in account.read("/peers")}
    resource = account.read("/networks/resources")[0]

    def edit(account: Account) -> None:
        group = account.named("/groups", "old")
        parts = {"peers": [*members.values()], "resources": [{"id": resource["id"], "type": "domain"}]}
        account.send("PUT", f"/groups/{group['id']}", {"name": "old", **parts})

    outcome = approve("groups: {new: {previously: old}}", edit)
    assert outcome.exit_code == 0
    group = account.named("/groups", "new")
    assert {peer["name"] for peer in group["peers"]} == {"m1", "m2"}
    assert [part["id"] for part in group["resources"]] == [resource["id"]]


def test_a_machine_that_joins_in_the_middle_of_an_apply_stays_in_its_group(account: Account, between: Between) -> None:
    account.applied("groups: {g1: , g2: }")
    account.join("m1")
    peer = account.read("/peers")[0]["id"]

    def join() -> None:
        group = account.named("/groups", "g2")
        account.send("PUT", f"/groups/{group['id']}", {"name": "g2", "peers": [peer]})

    once(between, "GET", "/api/groups", lambda: once(between, "GET", "/api/groups", join))
    text = "groups: {h1: {previously: g1}, h2: {previously: g2}}"
    assert account.apply(text).exit_code == 0
    assert [member["id"] for member in account.named("/groups", "h2")["peers"]] == [peer]


def test_a_machine_that_joins_just_after_the_write_stays_where_more_members_may_be(
    account: Account, between: Between
) -> None:
    account.join("m1", "m2")
    account.applied("groups: {g: {peers: {at_least: []}}}")
    peers = [peer["id"] for peer in account.read("/peers")]
    after_the_write(between, "/api/groups", lambda: put("/groups", "g", peers=peers)(account))
    assert account.apply("groups: {g: {peers: {at_least: [m1]}}}").exit_code == 0
    assert len(account.named("/groups", "g")["peers"]) == 2


@pytest.mark.parametrize(
    ("before", "after", "path", "edit", "said"),
    [
        (
            "groups: {g: {peers: []}}",
            "groups: {g: {peers: []}, h: {peers: []}}",
            "/groups",
            lambda account: put("/groups", "h", peers=[account.read("/peers")[0]["id"]])(account),
            "peers: meant [], is ['m1']",
        ),
        (
            "groups: {a: , b: }\nnetworks: {n: {resources: {r: {address: a.example, enabled: false}}}}",
            "groups: {a: , b: }\nnetworks: {n: {resources: {r: {address: b.example, enabled: false}}}}",
            "/networks",
            put_inside("/networks", "resources", enabled=True),
            "enabled: meant False, is True",
        ),
        (
            "groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: all, enabled: false}}",
            "groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: icmp, enabled: false}}",
            "/policies",
            put("/policies", "p", description="mine"),
            "description: meant , is mine",
        ),
        (
            "peers: {m1: {ssh_enabled: true}}",
            "peers: {m1: {ssh_enabled: false}}",
            "/peers",
            put("/peers", "m1", ssh_enabled=True),
            "ssh_enabled: meant False, is True",
        ),
        (
            GROUPS + "dns: {disabled_management_groups: []}",
            GROUPS + "dns: {disabled_management_groups: [a]}",
            "/dns/settings",
            put_dns,
            "disabled_management_groups: meant ['a'], is ['b']",
        ),
    ],
    ids=["a new group", "a resource", "a policy", "a peer", "DNS settings"],
)
def test_what_somebody_changes_just_after_the_write_is_left_and_said_not_undone(
    account: Account, between: Between, before: str, after: str, path: str, edit: Edit, said: str
) -> None:
    account.join("m1")
    account.applied(before)
    after_the_write(between, f"/api{path}", lambda: by_the_owner(account, edit))
    outcome = account.apply(after)
    assert (outcome.exit_code, len(outcome.writes)) == (7, 2), "the run's and the owner's"
    assert outcome.error.code == "NBS630"
    assert "was changed after this run had written it (Owner: " in outcome.error.message
    assert outcome.error.message.endswith(said)


def after_the_write(between: Between, path: str, edit: Callable[[], None]) -> None:
    """Let something happen just after the first write there."""
    waiting = [edit]

    def after(request: Request, response: Response) -> Response:
        if request.method != "GET" and request.path.startswith(path) and waiting:
            waiting.pop()()
        return response

    between.after = after


def by_the_owner(account: Account, edit: Edit) -> None:
    """Let a person do it, and not the service user of the tests."""
    own = account._http.headers["Authorization"]
    account._http.headers["Authorization"] = f"Bearer {owner_token(account.simulator)}"
    edit(account)
    account._http.headers["Authorization"] = own


OWN = {
    "a resource leaves a group that goes": (
        GROUPS + "networks: {n: {resources: {r: {address: a.example, groups: [a]}}}}",
        "groups: {b: }\nnetworks: {n: {resources: {r: {address: a.example, groups: [b]}}}}",
    ),
    "a network goes, and a group of its resources": (
        GROUPS + "networks: {n: {resources: {r: {address: a.example, groups: [a]}}}}",
        "groups: {b: }\nnetworks: {}",
    ),
    "all names move on": (
        GROUPS + "policies: {p: {from: a, to: b, allow: all}, q: {from: b, to: a, allow: icmp}}",
        """
groups: {a: {previously: b}, b: {previously: a}}
policies: {p: {previously: q, from: b, to: a, allow: all}, q: {previously: p, from: a, to: b, allow: all}}
""",
    ),
    "people take their machines along": (
        GROUPS + "account: {groups_propagation_enabled: true}\nusers: {owner@acme.example: {auto_groups: [a]}}",
        """
groups: {b: {peers: [m1]}}
account: {groups_propagation_enabled: true}
users: {owner@acme.example: {auto_groups: [b]}}
""",
    ),
    "settings reach machines and groups": (
        GROUPS + "account: {groups_propagation_enabled: false}\npeers: {m1: }",
        GROUPS + "account: {groups_propagation_enabled: true, network_range: 10.99.0.0/16, ipv6_enabled_groups: []}\n"
        "peers: {m1: {ssh_enabled: true}}",
    ),
}


@pytest.mark.parametrize(("before", "after"), OWN.values(), ids=OWN)
def test_what_the_run_does_itself_is_nobodys_change(account: Account, before: str, after: str) -> None:
    account.join("m1")
    account.applied(before)
    allow = [word for name in ("networks", "policies") for word in ("--allow-empty", name)]
    account.applied(FULL + after, *allow, "--allow", "renumber")
    assert account.plan(FULL + after, *allow).changes == []


def many(number: int, description: str = "") -> str:
    """A document of so many objects of three kinds."""
    groups = ", ".join(f"g{n}: " for n in range(number))
    networks = ", ".join(f"n{n}: {{description: '{description}'}}" for n in range(number))
    ends = f"description: '{description}', to: All, allow: all"
    policies = ", ".join(f"p{n}: {{from: g{n}, {ends}}}" for n in range(number))
    return f"groups: {{{groups}}}\nnetworks: {{{networks}}}\npolicies: {{{policies}}}"


LISTS = ("GET /api/groups", "GET /api/networks", "GET /api/policies")
"""What is read of the changed objects; the audit log is read in a rhythm of its own."""


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_reads_do_not_depend_on_how_many_objects_are_changed(account: Account, action: str) -> None:
    reads = []
    for number in (2, 12):
        if action != "create":
            account.applied(many(number))
        text = many(number, "x") if action != "delete" else FULL + "groups: {}\nnetworks: {}\npolicies: {}"
        sections = ("groups", "networks", "policies")
        allow = [word for name in sections for word in ("--allow-empty", name)] if action == "delete" else []
        outcome = account.applied(text, *allow)
        assert len(outcome.writes) == number * (2 if action == "update" else 3)
        reads.append([outcome.sent.count(line) for line in LISTS])
        account.applied(FULL + "groups: {}\nnetworks: {}\npolicies: {}", *deletable())
    assert reads[0] == reads[1]


def deletable() -> list[str]:
    """Flags that let everything go."""
    return [word for name in ("groups", "networks", "policies") for word in ("--allow-empty", name)]


def test_where_the_account_cannot_be_read_again_nothing_is_sent(account: Account, between: Between) -> None:
    account.applied(THREE)
    reads: list[str] = []

    def before(request: Request) -> Response | None:
        if request.path == "/api/policies":
            reads.append(request.method)
            if len(reads) > 1:
                return json_answer({"message": "out of order", "code": 503}, 503)
        return None

    between.before = before
    outcome = account.apply(THREE.replace("allow: all", "allow: icmp"))
    assert outcome.exit_code == 1
    assert outcome.statuses == {"policy/p": "failed", "policy/q": "failed"}
    assert outcome.writes == []


class Lists:
    """Counts how often the groups are read."""

    def __init__(self, *, is_limited: bool) -> None:
        self.reads = 0
        self.done = 0
        self.is_limited = is_limited

    def get_many(self, places: list[str], *, overtime: bool) -> list[Any]:
        """Give an empty list."""
        assert not overtime
        self.reads += len(places)
        return [[] for _ in places]


@pytest.mark.parametrize(
    ("limit", "seconds", "is_limited", "reads"),
    [
        (SOON, 0.02, False, 1),
        (SOON, 1, False, 17),
        (SOON, 10, False, 100),
        (SOON, 1, True, 17),
        (SOON, 10, True, 20),
        (SOON, 30, True, 34),
        (AT_ONCE, 0.02, False, 4),
        (AT_ONCE, 10, True, 100),
    ],
)
def test_a_read_is_good_for_some_seconds_or_where_every_request_waits_for_a_few_changes(
    limit: float, seconds: float, is_limited: bool, reads: int
) -> None:
    """A hundred updates that take so long each: how often their list is read."""
    lists, time = Lists(is_limited=is_limited), [0.0]
    book: Any = SimpleNamespace(desired=SimpleNamespace(registry=KINDS))
    wire: Any = lists
    fresh = Fresh(wire, book, lambda: time[0])
    for _ in range(100):
        fresh.now(KINDS["network"], limit=limit)
        lists.done += 1
        time[0] += seconds
    assert lists.reads == reads


ALIAS = "groups: {g: }\ndns: {zones: {x.example: {groups: [g], records: {w: {CNAME: t.example}}}}}"


def test_what_somebody_has_made_can_exclude_what_is_to_come(account: Account, approve: Callable[..., Outcome]) -> None:
    def give_it_an_address(account: Account) -> None:
        (zone,) = account.read("/dns/zones")
        record = {"name": "w.x.example", "type": "A", "content": "10.0.0.1", "ttl": 300}
        account.send("POST", f"/dns/zones/{zone['id']}/records", record)

    account.applied(ALIAS.replace("{w: {CNAME: t.example}}", "{}"))
    outcome = approve(ALIAS, give_it_an_address)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.change("dns_record/x.example/w/CNAME/t.example")["error"]["message"].endswith(
        "dns_record/x.example/w/A/10.0.0.1 is there now, which excludes it"
    )
