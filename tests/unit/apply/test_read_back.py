"""What the server took and did not keep: it is read again and compared, and what came out wider than meant is undone."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.api.pacing import Pace
from reconciler.simulator import Simulator
from schemas import KINDS
from tests.unit.apply.journals import fill_up
from tests.unit.harness import Account, Between, Json, Outcome, json_answer

SECRETS = ("--secrets-out", "secrets.jsonl")
Twist = Callable[[Json], None]


class Liar:
    """Stands before a server that keeps something else than it was sent, and answers as if it had not.

    Attributes:
        left: how many more requests are twisted.
        asked: method and path of all writes.
    """

    def __init__(self, account: Account, between: Between, method: str, path: str, twist: Twist) -> None:
        self.left = 99
        self.asked: list[str] = []
        self.then: Callable[[Request], Response | None] = lambda _request: None
        self._account, self._method, self._path, self._twist = account, method, path, twist
        between.before = self._before

    def _before(self, request: Request) -> Response | None:
        if request.method == "GET":
            return None
        self.asked.append(f"{request.method} {'/'.join(request.path.split('/')[:3])}")
        if request.method != self._method or not request.path.startswith(f"/api{self._path}") or not self.left:
            return self.then(request)
        self.left -= 1
        asked = json.loads(request.get_data())
        kept = deepcopy(asked)
        self._twist(kept)
        mirror = Simulator()
        mirror.world = deepcopy(self._account.simulator.world)
        shown, stored = _answer(mirror, request, asked), _answer(self._account.simulator, request, kept)
        made, kept = (one.get("personal_access_token", one) for one in (shown, stored))
        text = json.dumps(shown)
        return json_answer(json.loads(text.replace(made["id"], kept["id"]) if "id" in made else text))


def _answer(simulator: Simulator, request: Request, body: Json) -> Json:
    data = json.dumps(body).encode()
    environ = {**request.environ, "wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}
    response = Response.from_app(simulator, environ, buffered=True)
    assert response.status_code == 200, response.get_data()
    answer: Json = json.loads(response.get_data())
    return answer


def lets(**fields: Any) -> Twist:
    """Keep other values than were sent."""
    return lambda body: body.update(fields)


def rule(**fields: Any) -> Twist:
    """Keep another rule of a policy than was sent."""
    return lambda body: body["rules"][0].update(fields)


GROUPS = "groups: {a: , b: }\n"
FORGOTTEN: dict[str, tuple[str, str, str, str, Twist, str]] = {
    "group": (
        "groups: {g: }",
        "groups: {g: {peers: [m1, m2]}}",
        "PUT",
        "/groups",
        lambda body: body.update(peers=body["peers"][:1]),
        "peers: meant ['m1', 'm2'], is ['m1']",
    ),
    "posture_check": (
        "posture_checks: {c: {netbird_version: 1.0.0}}",
        "posture_checks: {c: {netbird_version: 1.0.0, description: new}}",
        "PUT",
        "/posture-checks",
        lets(description="old"),
        "description: meant new, is old",
    ),
    "policy": (
        GROUPS + "policies: {p: {from: a, to: b, allow: all}}",
        GROUPS + "policies: {p: {from: a, to: b, allow: all, description: new}}",
        "PUT",
        "/policies",
        lets(description="old"),
        "description: meant new, is old",
    ),
    "network": (
        "networks: {n: }",
        "networks: {n: {description: new}}",
        "PUT",
        "/networks",
        lets(description=""),
        "description: meant new, is ",
    ),
    "network_resource": (
        "networks: {n: {resources: {r: {address: a.example}}}}",
        "networks: {n: {resources: {r: {address: a.example, description: new}}}}",
        "PUT",
        "/networks",
        lets(description=""),
        "description: meant new, is ",
    ),
    "network_router": (
        GROUPS + "networks: {n: {routers: [{peer_groups: [a]}]}}",
        GROUPS + "networks: {n: {routers: [{peer_groups: [a], metric: 5}]}}",
        "PUT",
        "/networks",
        lets(metric=6),
        "metric: meant 5, is 6",
    ),
    "route": (
        GROUPS + "routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [b]}}",
        GROUPS + "routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [b], metric: 5}}",
        "PUT",
        "/routes",
        lets(metric=6),
        "metric: meant 5, is 6",
    ),
    "nameserver_group": (
        GROUPS + "dns: {nameservers: {n: {servers: [9.9.9.9], groups: [a], primary: true}}}",
        GROUPS + "dns: {nameservers: {n: {servers: [9.9.9.9], groups: [a], primary: true, enabled: false}}}",
        "PUT",
        "/dns/nameservers",
        lets(enabled=True),
        "enabled: meant False, is True",
    ),
    "dns_zone": (
        GROUPS + "dns: {zones: {x.example: {groups: [a]}}}",
        GROUPS + "dns: {zones: {x.example: {groups: [a], enabled: false}}}",
        "PUT",
        "/dns/zones",
        lets(enabled=True),
        "enabled: meant False, is True",
    ),
    "dns_record": (
        GROUPS + "dns: {zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}}",
        GROUPS + "dns: {zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1, ttl: 60}}}}}",
        "PUT",
        "/dns/zones",
        lets(ttl=300),
        "ttl: meant 60, is 300",
    ),
    "dns_settings": (
        GROUPS + "dns: {disabled_management_groups: []}",
        GROUPS + "dns: {disabled_management_groups: [a]}",
        "PUT",
        "/dns/settings",
        lets(disabled_management_groups=[]),
        "disabled_management_groups: meant ['a'], is []",
    ),
    "setup_key": (
        GROUPS + "setup_keys: {k: {type: reusable}}",
        GROUPS + "setup_keys: {k: {type: reusable, auto_groups: [a]}}",
        "PUT",
        "/setup-keys",
        lets(auto_groups=[]),
        "auto_groups: meant ['a'], is []",
    ),
    "token": (
        "service_users: {s: {role: user}}",
        "service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}",
        "POST",
        "/users",
        lets(name="u"),
        "name: meant t, is u",
    ),
    "service_user": (
        "service_users: {s: {role: user}}",
        "service_users: {s: {role: auditor}}",
        "PUT",
        "/users",
        lets(role="user"),
        "role: meant auditor, is user",
    ),
    "user": (
        GROUPS + "users: {ana@acme.io: {invite: true, name: Ana}}",
        GROUPS + "users: {ana@acme.io: {auto_groups: [a]}}",
        "PUT",
        "/users",
        lets(auto_groups=[]),
        "auto_groups: meant ['a'], is []",
    ),
    "peer": (
        "peers: {m1: }",
        "peers: {m1: {ssh_enabled: true}}",
        "PUT",
        "/peers",
        lets(ssh_enabled=False),
        "ssh_enabled: meant True, is False",
    ),
    "account": (
        "account: {peer_login_expiration: 24h}",
        "account: {peer_login_expiration: 12h}",
        "PUT",
        "/accounts",
        lambda body: body["settings"].update(peer_login_expiration=86400),
        "peer_login_expiration: meant 12h, is 1d",
    ),
    "group that loses its resources": (
        GROUPS + "networks: {n: {resources: {r: {address: a.example, groups: [a]}}}}",
        "groups: {a: {peers: [m1]}, b: }",
        "PUT",
        "/groups",
        lets(resources=[]),
        "resources: lost [{'id': ",
    ),
    "field that is none of the change": (
        GROUPS + "networks: {n: {routers: [{peer_groups: [a]}]}}",
        GROUPS + "networks: {n: {routers: [{peer_groups: [a], metric: 5}]}}",
        "PUT",
        "/networks",
        lets(masquerade=False),
        "masquerade: meant True, is False",
    ),
}


def test_all_kinds_are_among_these() -> None:
    assert KINDS.keys() <= FORGOTTEN.keys()


def prepare(account: Account, before: str) -> None:
    """Let two machines join, and apply a document."""
    account.join("m1", "m2")
    account.applied(before, *SECRETS)


def failed(outcome: Outcome) -> Json:
    """The error of the only change that failed; something else was written or nothing was left to do."""
    assert outcome.exit_code == 7, outcome.stdout
    (change,) = (change for change in outcome.document["changes"] if change["status"] == "failed")
    error: Json = change["error"]
    return error


@pytest.mark.parametrize("case", FORGOTTEN.values(), ids=FORGOTTEN)
def test_what_is_answered_and_not_kept_is_found_when_it_is_read_again(
    account: Account, between: Between, case: tuple[str, str, str, str, Twist, str]
) -> None:
    before, after, method, path, twist, said = case
    prepare(account, before)
    Liar(account, between, method, path, twist)
    error = failed(account.apply(after, *SECRETS))
    assert error["code"] == "NBS604"
    assert "did not keep all of it" in error["message"]
    assert said in error["message"]
    assert error["file"] == "nbsync.yaml"


FULL = "manage: {default: full}\nguards: {max_delete: {percent: 100}}\nunmanaged: [policy/Default]\n"
DELETED = {
    "network": ("networks: {n: }", "networks: {}", "networks"),
    "policy": (GROUPS + "policies: {p: {from: a, to: b, allow: all}}", GROUPS + "policies: {}", "policies"),
    "setup_key": ("setup_keys: {k: {type: reusable}}", "setup_keys: {}", "setup_keys"),
}


@pytest.mark.parametrize(("before", "after", "section"), DELETED.values(), ids=DELETED)
def test_what_is_answered_and_not_deleted_is_found(
    account: Account, between: Between, before: str, after: str, section: str
) -> None:
    prepare(account, before)
    between.before = lambda request: json_answer({}) if request.method == "DELETE" else None
    error = failed(account.apply(FULL + after, "--allow-empty", section))
    assert error["code"] == "NBS604"
    assert error["message"].endswith("and it is still there")


def test_what_is_answered_and_not_made_is_found(account: Account, between: Between) -> None:
    shown = {"id": "made-up", "name": "n", "description": "", "routers": [], "resources": [], "policies": []}
    between.before = lambda request: json_answer(shown) if request.method == "POST" else None
    outcome = account.apply("networks: {n: {resources: {r: {address: a.example}}}}")
    assert outcome.statuses == {"network/n": "failed", "network_resource/n/r": "skipped"}
    assert failed(outcome)["message"].endswith("it is not there when it is read again")


CHECK = "posture_checks: {c: {netbird_version: 1.0.0}}\n"
P = GROUPS + CHECK
NEW: dict[str, tuple[str, str, str, Twist, str, str]] = {
    "a policy without its check": (
        P,
        "policies: {p: {from: a, to: b, allow: all, posture: c}}",
        "/policies",
        lets(source_posture_checks=[]),
        "disabled",
        "posture: meant ['c'], is []",
    ),
    "a policy with all ports": (
        P,
        "policies: {p: {from: a, to: b, allow: tcp/443}}",
        "/policies",
        lambda body: body["rules"][0].pop("ports"),
        "disabled",
        "allow: meant ['tcp/443'], is ['tcp']",
    ),
    "a policy in both directions": (
        P,
        "policies: {p: {from: a, to: b, allow: all}}",
        "/policies",
        rule(bidirectional=True),
        "disabled",
        "bidirectional: meant False, is True",
    ),
    "a policy that is on": (
        P,
        "policies: {p: {from: a, to: b, allow: all, enabled: false}}",
        "/policies",
        lambda body: (body.update(enabled=True), body["rules"][0].update(enabled=True)),
        "disabled",
        "enabled: meant False, is True",
    ),
    "a resource that is on": (
        P,
        "networks: {n: {resources: {r: {address: a.example, enabled: false}}}}",
        "/networks/",
        lets(enabled=True),
        "disabled",
        "enabled: meant False, is True",
    ),
    "a route that is on": (
        P,
        "routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [b], enabled: false}}",
        "/routes",
        lets(enabled=True),
        "disabled",
        "enabled: meant False, is True",
    ),
    "a posture check for every version": (
        P,
        "posture_checks: {c: {netbird_version: 1.0.0}, d: {netbird_version: 9.0.0}}",
        "/posture-checks",
        lets(checks={"nb_version_check": {"min_version": "0.0.0"}}),
        "deleted again",
        "netbird_version: meant 9.0.0, is 0.0.0",
    ),
}


RULES = "it is one that the files have no words for: the live policy has 2 rules; the language has one rule per policy"


def document(before: str, after: str) -> str:
    """Both, without sections twice."""
    section = after.partition(":")[0] + ":"
    return "".join(line + "\n" for line in before.splitlines() if not line.startswith(section)) + after


@pytest.mark.parametrize("case", NEW.values(), ids=NEW)
def test_a_new_object_that_opens_more_than_meant_is_disabled_or_deleted_at_once(
    account: Account, between: Between, case: tuple[str, str, str, Twist, str, str]
) -> None:
    before, after, path, twist, done, said = case
    prepare(account, before)
    liar = Liar(account, between, "POST", path, twist)
    error = failed(account.apply(document(before, after)))
    assert error["code"] == "NBS631"
    assert f"came out with more access than meant and was {done}: " in error["message"]
    assert said in error["message"]
    assert liar.asked[-1].startswith("DELETE" if done == "deleted again" else "PUT")
    listed = account.read("/networks/resources" if "resources" in after else _list(path, after))
    made = [one for one in listed if one.get("name") not in ("c", "Default")]
    assert [one["enabled"] for one in made] == ([] if done == "deleted again" else [False])
    liar.left = 0
    account.applied(document(before, after))
    assert account.plan(document(before, after)).changes == []


def _list(path: str, after: str) -> str:
    return "/networks/routers" if "routers" in after else path


def another_rule(account: Account, between: Between, method: str) -> None:
    """Let the server add a rule to the first policy that is written."""
    waiting = [method]

    def after(request: Request, response: Response) -> Response:
        if waiting == [request.method] and request.path.startswith("/api/policies"):
            waiting.pop()
            row = account.row("policies", account.named("/policies", "p")["id"])
            account.store("policies", {**row, "rules": [row["rules"][0], {**row["rules"][0], "id": "second"}]})
        return response

    between.after = after


def test_a_new_policy_that_comes_out_with_another_rule_is_deleted(account: Account, between: Between) -> None:
    account.applied(GROUPS)
    another_rule(account, between, "POST")
    error = failed(account.apply(GROUPS + "policies: {p: {from: a, to: b, allow: icmp}}"))
    assert (error["code"], account.names("/policies")) == ("NBS631", ["Default"])
    assert "came out with more access than meant and was deleted again: " in error["message"]
    assert error["message"].endswith(RULES)


def test_what_is_too_wide_is_taken_back_also_after_the_end_of_the_time(
    account: Account, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.applied(GROUPS)
    opened: list[str] = []

    def after(request: Request, response: Response) -> Response:
        if request.method == "POST" and not opened:
            row = account.row("policies", account.named("/policies", "p")["id"])
            account.store("policies", {**row, "rules": [{**row["rules"][0], "protocol": "all"}]})
            opened.append(row["id"])
            account.fault("POST", "/api/policies", "status:422")
        elif request.method == "GET" and request.path == "/api/policies" and opened:
            monkeypatch.setattr(Pace, "time_left", -1.0)
        return response

    between.after = after
    text = GROUPS + "policies: {p: {from: a, to: b, allow: icmp}, q: {from: a, to: b, allow: icmp}}"
    outcome = account.apply(text, "--timeout", "1h")
    assert outcome.change("policy/p")["error"]["code"] == "NBS631"
    assert account.named("/policies", "p")["enabled"] is False


def test_a_word_of_a_newer_server_is_no_reason_to_take_a_policy_back(account: Account, between: Between) -> None:
    account.applied(GROUPS)

    def after(_request: Request, response: Response) -> Response:
        response.set_data(response.get_data().replace(b'"icmp"', b'"icmpv4"'))
        return response

    between.after = after
    error = failed(account.apply(GROUPS + "policies: {p: {from: a, to: b, allow: icmp}}"))
    assert (error["code"], account.names("/policies")) == ("NBS604", ["Default", "p"])
    assert "the protocol 'icmpv4', for which the language has no word" in error["message"]


def test_a_changed_policy_that_keeps_another_rule_is_said_loudly(account: Account, between: Between) -> None:
    """NetBird keeps rules that an update does not send."""
    account.applied(GROUPS + "policies: {p: {from: a, to: b, allow: all}}")
    another_rule(account, between, "PUT")
    error = failed(account.apply(GROUPS + "policies: {p: {from: a, to: b, allow: icmp}}"))
    assert error["code"] == "NBS632"
    assert "gives more access than meant, and could not be put back as it was: " in error["message"]
    assert error["message"].endswith(RULES)


def test_a_group_that_gets_a_member_with_its_new_name_is_put_back(account: Account, between: Between) -> None:
    account.join("m1", "m2")
    account.applied("groups: {g: {peers: [m1]}}")
    ids = [peer["id"] for peer in account.read("/peers")]

    def after(request: Request, response: Response) -> Response:
        if request.method == "PUT" and len(liar) < 1:
            liar.append(account.send("PUT", request.path.removeprefix("/api"), {"name": "h", "peers": ids}))
            return json_answer(liar[0])
        return response

    liar: list[Json] = []
    between.after = after
    error = failed(account.apply("groups: {h: {previously: g, peers: [m1]}}"))
    assert error["code"] == "NBS631"
    assert error["message"].endswith("was put back as it was: peers: meant ['m1'], is ['m1', 'm2']")
    assert len(account.read("/groups")[-1]["peers"]) == 1


def test_a_new_group_with_more_members_than_meant_is_deleted(account: Account, between: Between) -> None:
    account.join("m1", "m2")
    ids = [peer["id"] for peer in account.read("/peers")]
    Liar(account, between, "POST", "/groups", lets(peers=ids))
    error = failed(account.apply("groups: {g: {peers: [m1]}}"))
    assert error["code"] == "NBS631"
    assert error["message"].endswith("was deleted again: peers: meant ['m1'], is ['m1', 'm2']")
    assert account.names("/groups") == ["All"]


@pytest.mark.parametrize(
    ("after", "path", "twist", "said"),
    [
        ("service_users: {s: {role: user}}", "/users", lets(role="admin"), "role: meant user, is admin"),
        ("setup_keys: {k: {type: one-off}}", "/setup-keys", lets(type="reusable"), "type: meant one-off, is reusable"),
        (
            "setup_keys: {k: {type: reusable, usage_limit: 3}}",
            "/setup-keys",
            lets(usage_limit=0),
            "usage_limit: meant 3, is 0",
        ),
        (
            "setup_keys: {k: {type: reusable, expires_in: 12h}}",
            "/setup-keys",
            lets(expires_in=0),
            "expires_in: meant 12h, is never",
        ),
        (
            "setup_keys: {k: {type: reusable, expires_in: 12h}}",
            "/setup-keys",
            lets(expires_in=86400),
            "expires_in: meant 12h, is 1d",
        ),
    ],
)
def test_a_new_object_that_lets_do_more_than_meant_is_deleted(
    account: Account, between: Between, after: str, path: str, twist: Twist, said: str
) -> None:
    Liar(account, between, "POST", path, twist).left = 1
    before = account.names(path)
    error = failed(account.apply(after, *SECRETS))
    assert (error["code"], account.names(path)) == ("NBS631", before)
    assert said in error["message"]


def test_a_token_that_lives_longer_than_meant_is_deleted(account: Account, between: Between) -> None:
    account.applied("service_users: {s: {role: user}}")
    Liar(account, between, "POST", "/users", lets(expires_in=365)).left = 1
    error = failed(account.apply("service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}", *SECRETS))
    assert error["code"] == "NBS631"
    assert error["message"].endswith("was deleted again: expires_in: meant 9d, is 365d")
    assert not account.read(f"/users/{account.named('/users', 's')['id']}/tokens")


@pytest.mark.parametrize("field", ["created_at", "expiration_date"])
def test_a_token_that_ends_before_it_was_made_is_an_error(account: Account, between: Between, field: str) -> None:
    account.applied("service_users: {s: {role: user}}")

    def after(request: Request, response: Response) -> Response:
        shown = json.loads(response.get_data()) if request.method == "POST" else {}
        if "personal_access_token" not in shown:
            return response
        odd = {"created_at": "9999-12-31T23:59:59Z", "expiration_date": "0001-01-01T00:00:00Z"}[field]
        return json_answer({**shown, "personal_access_token": {**shown["personal_access_token"], field: odd}})

    between.after = after
    text = "service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}"
    assert failed(account.apply(text, *SECRETS))["code"] == "NBS509"


def test_a_lifetime_may_be_rounded(account: Account, between: Between) -> None:
    Liar(account, between, "POST", "/setup-keys", lets(expires_in=43200 - 50)).left = 1
    account.applied("setup_keys: {k: {type: reusable, expires_in: 12h}}", *SECRETS)


@pytest.mark.parametrize("identifier", ["7", "0" * 20, "v" * 20, "a-key"])
def test_ids_that_hold_no_time_say_nothing_of_a_lifetime(identifier: str) -> None:
    seen = {"id": identifier, "updated_at": "2026-03-01T10:00:00Z", "expires": "2026-03-01T22:00:00Z"}
    lifetime = KINDS["setup_key"].lifetime
    assert lifetime is not None
    assert lifetime(seen) == "12h"


def test_a_key_that_ends_too_early_is_said(account: Account, between: Between) -> None:
    Liar(account, between, "POST", "/setup-keys", lets(expires_in=3600)).left = 1
    error = failed(account.apply("setup_keys: {k: {type: reusable}}", *SECRETS))
    assert (error["code"], account.names("/setup-keys")) == ("NBS604", ["k"])
    assert error["message"].endswith("expires_in: meant never, is 1h")


@pytest.mark.parametrize(("method", "done"), [("POST", "cleared of it"), ("PUT", "put back as it was")])
def test_a_group_that_comes_out_with_a_resource_is_undone(
    account: Account, between: Between, method: str, done: str
) -> None:
    account.applied("networks: {n: {resources: {r: {address: a.example}}}}")
    account.join("m1")
    if method == "PUT":
        account.applied("groups: {g: }")
    resource = {"id": account.read("/networks/resources")[0]["id"], "type": "domain"}
    Liar(account, between, method, "/groups", lets(resources=[resource])).left = 1
    error = failed(account.apply("groups: {g: {peers: [m1]}}"))
    assert (error["code"], account.named("/groups", "g")["resources_count"]) == ("NBS631", 0)
    assert f"was {done}: resources: has [{{" in error["message"]


OLD: dict[str, tuple[str, str, str, Twist, str]] = {
    "a service user gets a higher role": (
        "service_users: {s: {role: user}}",
        "service_users: {s: {role: auditor}}",
        "/users",
        lets(role="admin"),
        "role: meant auditor, is admin",
    ),
    "a policy loses its check": (
        P + "policies: {p: {from: a, to: b, allow: all, posture: c}}",
        P + "policies: {p: {from: a, to: b, allow: all, posture: c, description: new}}",
        "/policies",
        lets(source_posture_checks=[]),
        "posture: meant ['c'], is []",
    ),
    "a policy gets another source": (
        P + "policies: {p: {from: a, to: b, allow: tcp/443}}",
        P + "policies: {p: {from: a, to: b, allow: tcp/444}}",
        "/policies",
        lambda body: body["rules"][0].update(sources=body["rules"][0]["sources"] + body["rules"][0]["destinations"]),
        "from: meant ['a'], is ['a', 'b']",
    ),
    "a deny loses a source": (
        P + "policies: {p: {from: [a, b], to: b, deny: all}}",
        P + "policies: {p: {from: [a, b], to: b, deny: all, description: new}}",
        "/policies",
        lambda body: body["rules"][0].update(sources=body["rules"][0]["sources"][:1]),
        "from: meant ['a', 'b'], is ['a']",
    ),
    "a disabled policy comes out enabled": (
        P + "policies: {p: {from: a, to: b, allow: all, enabled: false}}",
        P + "policies: {p: {from: a, to: b, allow: icmp, enabled: false}}",
        "/policies",
        lambda body: (body.update(enabled=True), body["rules"][0].update(enabled=True)),
        "enabled: meant False, is True",
    ),
    "a resource is in more groups": (
        GROUPS + "networks: {n: {resources: {r: {address: a.example, groups: [a]}}}}",
        GROUPS + "networks: {n: {resources: {r: {address: a.example, groups: [a], description: new}}}}",
        "/networks/",
        lambda body: body.update(groups=[*body["groups"], "b"]),
        "groups: meant ['a'], is ['a', 'b']",
    ),
    "a group gets more members": (
        "groups: {g: {peers: []}}",
        "groups: {g: {peers: [m1]}}",
        "/groups",
        lambda body: body.update(peers=["m1", "m2"]),
        "peers: meant ['m1'], is ['m1', 'm2']",
    ),
    "a route is open to more": (
        GROUPS + "routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [b]}}",
        GROUPS + "routes: {r: {network: 10.0.0.0/8, peer_groups: [a], groups: [b], metric: 5}}",
        "/routes",
        lambda body: body.update(groups=[*body["groups"], "a"]),
        "groups: meant ['b'], is ['a', 'b']",
    ),
    "a person is let in": (
        "users: {ana@acme.io: {invite: true, name: Ana, blocked: true}}",
        "users: {ana@acme.io: {role: auditor, blocked: true}}",
        "/users",
        lets(is_blocked=False),
        "blocked: meant True, is False",
    ),
}


def named(account: Account, twist: Twist) -> Twist:
    """A twist that may say names of groups and peers where the server wants ids."""
    paths = ("/groups", "/peers")
    ids = {one["name"]: one["id"] for path in paths for one in account.read(path)}

    def by_id(body: Json) -> None:
        twist(body)
        for key in ("groups", "peers"):
            if key in body:
                body[key] = [ids.get(name, name) for name in body[key]]

    return by_id


def without_computed(seen: Any) -> Any:
    """An answer without what counts objects."""
    counters = {"routers", "resources_count", "peers_count", "last_login"}
    if isinstance(seen, dict):
        return {key: without_computed(value) for key, value in seen.items() if key not in counters}
    return [without_computed(item) for item in seen] if isinstance(seen, list) else seen


@pytest.mark.parametrize(("before", "after", "path", "twist", "said"), OLD.values(), ids=OLD)
def test_an_object_that_comes_out_wider_than_it_was_is_put_back(
    account: Account, between: Between, before: str, after: str, path: str, twist: Twist, said: str
) -> None:
    prepare(account, before)
    if "blocked" in before:
        account.applied(before)
    where = "/networks/resources" if "networks" in before else path
    liar = Liar(account, between, "PUT", path, named(account, twist))
    liar.left = 1
    seen = without_computed(account.read(where))
    error = failed(account.apply(after))
    assert error["code"] == "NBS631"
    assert "came out with more access than meant and was put back as it was: " in error["message"]
    assert said in error["message"]
    assert [line.split()[0] for line in liar.asked] == ["PUT", "PUT"]
    assert by_id(without_computed(account.read(where))) == by_id(seen)


def by_id(listed: list[Json]) -> list[Json]:
    """In one order: people come in any."""
    return sorted(listed, key=lambda one: str(one["id"]))


def test_an_object_that_is_no_wider_than_it_was_is_left(account: Account, between: Between) -> None:
    """Its check was not kept: the policy is as wide as before, and closing it would cut off who has access."""
    prepare(account, P + "policies: {p: {from: a, to: b, allow: all}}")
    liar = Liar(account, between, "PUT", "/policies", lets(source_posture_checks=[]))
    error = failed(account.apply(P + "policies: {p: {from: a, to: b, allow: all, posture: c}}"))
    assert error["code"] == "NBS604"
    assert error["message"].endswith("posture: meant ['c'], is []; it gives no more access than before")
    assert len(liar.asked) == 1


def test_a_new_deny_that_denies_too_little_is_left(account: Account, between: Between) -> None:
    prepare(account, GROUPS)
    twist = lambda body: body["rules"][0].update(sources=body["rules"][0]["sources"][:1])  # noqa: E731
    liar = Liar(account, between, "POST", "/policies", twist)
    error = failed(account.apply(GROUPS + "policies: {p: {from: [a, b], to: b, deny: all}}"))
    assert error["code"] == "NBS604"
    assert error["message"].endswith("it is left so, because without it there would be more access")
    assert len(liar.asked) == 1
    assert account.named("/policies", "p")["enabled"]


WIDER = (P, P + "policies: {p: {from: a, to: b, allow: all, posture: c}, q: {from: b, to: a, allow: all}}")


def test_what_needs_an_object_that_was_undone_is_skipped(account: Account, between: Between) -> None:
    prepare(account, GROUPS)
    Liar(account, between, "POST", "/posture-checks", lets(checks={"nb_version_check": {"min_version": "0.0.0"}}))
    outcome = account.apply(WIDER[1])
    assert outcome.statuses == {"posture_check/c": "failed", "policy/p": "skipped", "policy/q": "applied"}
    assert outcome.change("policy/p")["error"]["message"] == "policy/p was not tried: it needs posture_check/c"


@pytest.mark.parametrize("fault", ["drop-after", "drop-before", "status:503", "garbage"])
def test_a_fault_while_it_is_undone_does_not_leave_it_open(account: Account, between: Between, fault: str) -> None:
    prepare(account, P)
    liar = Liar(account, between, "POST", "/policies", lets(source_posture_checks=[]))
    liar.left = 1
    account.fault("PUT", "/api/policies/*", fault)
    outcome = account.apply(WIDER[1])
    assert outcome.statuses == {"policy/p": "failed", "policy/q": "applied"}
    assert failed(outcome)["code"] == "NBS631"
    assert not account.named("/policies", "p")["enabled"]


def test_what_cannot_be_disabled_is_deleted(account: Account, between: Between) -> None:
    prepare(account, P)
    liar = Liar(account, between, "POST", "/policies", lets(source_posture_checks=[]))
    liar.left = 1
    liar.then = lambda request: json_answer({"message": "no", "code": 422}, 422) if request.method == "PUT" else None
    error = failed(account.apply(WIDER[1]))
    assert (error["code"], "was deleted again" in error["message"]) == ("NBS631", True)
    assert account.names("/policies") == ["Default", "q"]


def test_what_cannot_be_undone_is_said_loudly(account: Account, between: Between) -> None:
    prepare(account, P)
    liar = Liar(account, between, "POST", "/policies", lets(source_posture_checks=[]))
    liar.left = 1
    liar.then = lambda request: (
        json_answer({"message": "not today", "code": 503}, 503) if request.method in ("PUT", "DELETE") else None
    )
    error = failed(account.apply(WIDER[1]))
    assert error["code"] == "NBS632"
    assert (
        "policy/p gives more access than meant, and could not be deleted again: DELETE /api/policies/"
        in error["message"]
    )
    assert error["message"].endswith("not today; posture: meant ['c'], is []")
    assert error["help"].startswith("look at it in the dashboard now")


def test_what_cannot_be_undone_for_want_of_a_journal_is_said_loudly(
    account: Account, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk has room for the lines of both policies, and none for the one before the undo."""
    prepare(account, P)
    Liar(account, between, "POST", "/policies", lets(source_posture_checks=[])).left = 1
    fill_up(monkeypatch, 7)
    outcome = account.apply(WIDER[1])
    assert outcome.statuses == {"policy/p": "failed", "policy/q": "applied"}
    assert failed(outcome)["code"] == "NBS632"
    assert "cannot be written: no space left on device; posture: meant ['c'], is []" in failed(outcome)["message"]


def test_an_undo_that_is_only_answered_is_no_undo(account: Account, between: Between) -> None:
    """The server says that it has disabled the policy, and that it has deleted it, and has done neither."""
    prepare(account, P)
    liar = Liar(account, between, "POST", "/policies", lets(source_posture_checks=[]))
    liar.left = 1

    def then(request: Request) -> Response | None:
        if request.method == "PUT":
            return json_answer({**account.named("/policies", "p"), "enabled": False})
        return json_answer({}) if request.method == "DELETE" else None

    liar.then = then
    error = failed(account.apply(WIDER[1]))
    assert error["code"] == "NBS632"
    assert "the server took that and did not do it" in error["message"]


def test_an_answer_that_shows_more_access_is_acted_upon_at_once(account: Account, between: Between) -> None:
    """The server drops the check, and says so: nothing else is written before that is undone."""
    prepare(account, P)

    def before(request: Request) -> None:
        if request.path.startswith("/api/policies") and request.method in ("POST", "PUT"):
            body = json.loads(request.get_data()) | {"source_posture_checks": []}
            data = json.dumps(body).encode()
            request.environ |= {"wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}

    between.before = before
    outcome = account.apply(WIDER[1])
    assert failed(outcome)["code"] == "NBS631"
    assert [line.split()[0] for line in outcome.writes] == ["POST", "PUT", "PUT", "POST"]
    assert not account.named("/policies", "p")["enabled"]


def test_an_object_whose_update_failed_after_it_was_made_does_not_stay_open(account: Account, between: Between) -> None:
    """Every new router is on; turning it off is refused."""
    prepare(account, GROUPS)
    between.before = lambda request: (
        json_answer({"message": "no", "code": 422}, 422) if request.method == "PUT" else None
    )
    error = failed(account.apply(GROUPS + "networks: {n: {routers: [{peer_groups: [a], enabled: false}]}}"))
    assert (error["code"], "was deleted again" in error["message"]) == ("NBS631", True)
    assert account.read("/networks/routers") == []


def test_a_new_router_that_only_seems_to_be_turned_off_is_turned_off(account: Account, between: Between) -> None:
    prepare(account, GROUPS)
    liar = Liar(account, between, "PUT", "/networks/", lets(enabled=True))
    liar.left = 1
    error = failed(account.apply(GROUPS + "networks: {n: {routers: [{peer_groups: [a], enabled: false}]}}"))
    assert (error["code"], "was disabled" in error["message"]) == ("NBS631", True)
    assert [router["enabled"] for router in account.read("/networks/routers")] == [False]


def test_an_apply_that_could_not_look_is_not_done(account: Account, between: Between) -> None:
    posted: list[str] = []

    def before(request: Request) -> Response | None:
        if request.method == "POST":
            posted.append(request.path)
        if request.method == "GET" and posted:
            return json_answer({"message": "out of order", "code": 503}, 503)
        return None

    between.before = before
    outcome = account.apply("groups: {a: , b: }")
    assert outcome.exit_code == 7
    assert outcome.statuses == {"group/a": "applied", "group/b": "applied"}
    (error,) = outcome.errors
    assert error.code == "NBS633"
    assert error.message.startswith("2 changes were answered as meant, and could not be read again")


def test_all_that_was_written_of_a_kind_is_read_again_at_once(account: Account) -> None:
    """One list for the check of a kind, one to see what came of it; these two fall together where kinds follow one another."""
    planned = Counter(account.plan(WIDER[1]).sent)
    outcome = account.applied(WIDER[1])
    reads = Counter(outcome.sent) - Counter(outcome.writes) - planned
    lists = ("posture-checks", "groups", "policies")
    assert {path: reads[f"GET /api/{path}"] for path in lists} == dict.fromkeys(lists, 2)
    assert outcome.sent[-1] == "GET /api/policies"
