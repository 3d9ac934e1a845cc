"""What the account shows to be odd: warnings, and differences that are none."""

from __future__ import annotations

import pytest

from tests.unit.harness import Account

SECRETS = ("--secrets-out", "secrets")
DAY = 86_400


def test_a_key_that_has_expired_is_a_warning_with_the_command_that_renews_it(account: Account) -> None:
    text = "setup_keys: {▸k/1 x: {type: reusable, expires_in: 1d}}"
    account.applied(text, *SECRETS)
    assert account.plan(text).findings == []
    account.simulator.event({"event": "time_passes", "seconds": 2 * DAY})
    outcome = account.plan(text)
    assert (outcome.exit_code, outcome.changes) == (0, [])
    assert outcome.warning.message == "this setup key has expired; no machine can join with it"
    assert outcome.warning.help == "renew it: nbsync rotate 'setup_key/k%2F1 x'"
    assert outcome.warning.place == "nbsync.yaml:2:14"


def test_a_key_that_is_used_up_or_revoked_is_a_warning(account: Account, folder: object) -> None:
    text = "setup_keys: {used: {type: one-off}, gone: {type: reusable}}"
    account.applied(text, *SECRETS)
    for key in account.read("/setup-keys"):
        account.store(
            "setup_keys",
            {
                **account.row("setup_keys", key["id"]),
                **({"used_times": 1} if key["name"] == "used" else {"revoked": True}),
            },
        )
    outcome = account.plan(text)
    assert outcome.changes == []
    assert sorted(warning.message for warning in outcome.warnings) == [
        "this setup key is revoked; no machine can join with it",
        "this setup key is used up; no machine can join with it",
    ]


def test_a_key_that_is_declared_revoked_is_revoked_and_stays_so(account: Account) -> None:
    account.applied("setup_keys: {k: {type: reusable}}", *SECRETS)
    revoked = "setup_keys: {k: {type: reusable, revoked: true}}"
    assert account.applied(revoked).changes == ["~ setup_key/k (revoked)"]
    assert account.plan(revoked).findings == []
    assert account.plan("setup_keys: {k: {type: reusable, revoked: false}}").changes == []


def test_an_expired_token_is_a_warning_with_the_command_that_renews_it(account: Account) -> None:
    text = "service_users: {s: {role: user, tokens: {t: {expires_in: 1d}}}}"
    account.applied(text, *SECRETS)
    user = account.named("/users", "s")["id"]
    (token,) = account.read(f"/users/{user}/tokens")
    account.store("tokens", {**account.row("tokens", token["id"]), "expiration_date": 1})
    outcome = account.plan(text)
    assert (outcome.changes, outcome.warning.message) == ([], "this token has expired")
    assert outcome.warning.help == "renew it: nbsync rotate token/s/t"


SAME = {
    "when a key or token is to end": (
        "setup_keys: {k: {type: reusable, expires_in: 1d}}\nservice_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}",
        "setup_keys: {k: {type: reusable, expires_in: never}}\nservice_users: {s: {role: user, tokens: {t: {expires_in: 90d}}}}",
    ),
    "the limit of a one-off key": (
        "setup_keys: {k: {type: one-off}}",
        "setup_keys: {k: {type: one-off, usage_limit: 1}}",
    ),
    "the order of lists": (
        "groups: {a: , b: }\npolicies: {p: {from: [a, b], to: [b, a], allow: [tcp/1, tcp/2]}}",
        "groups: {b: , a: }\npolicies: {p: {from: [b, a, b], to: [a, b], allow: [tcp/2, tcp/1, tcp/2]}}",
    ),
    "how ports are written": (
        "policies: {p: {from: All, to: All, allow: [tcp/1, tcp/2, tcp/3]}}",
        "policies: {p: {from: All, to: All, allow: tcp/1-3}}",
    ),
    "how ranges of ports are cut": (
        "policies: {p: {from: All, to: All, deny: [udp/1-5, udp/9]}}",
        "policies: {p: {from: All, to: All, deny: [udp/1-2, udp/3-5, udp/9]}}",
    ),
    "one of a list or the list": (
        "policies: {p: {from: All, to: All, allow: tcp}}",
        "policies: {p: {from: [All], to: [All], allow: [tcp]}}",
    ),
    "an address and the network of it alone": (
        "networks: {n: {resources: {r: {address: 10.0.0.5}}}}",
        "networks: {n: {resources: {r: {address: 10.0.0.5/32}}}}",
    ),
    "host bits of a route": (
        "routes: {r: {network: 10.1.2.3/8, peer_groups: [All], groups: [All]}}",
        "routes: {r: {network: 10.0.0.0/8, peer_groups: [All], groups: [All]}}",
    ),
    "spellings of IPv6": (
        "dns: {nameservers: {n: {servers: ['fd00::53'], groups: [All], primary: true}}}",
        "dns: {nameservers: {n: {servers: ['[FD00:0:0::53]:53'], groups: [All], primary: true}}}",
    ),
    "letters of a person's address": (
        "users: {owner@acme.example: {auto_groups: []}}",
        "users: {Owner@ACME.example: {auto_groups: []}}",
    ),
    "units of durations": ("account: {peer_login_expiration: 1d12h}", "account: {peer_login_expiration: 36h}"),
}


@pytest.mark.parametrize(("text", "other"), SAME.values(), ids=SAME)
def test_what_makes_no_difference(account: Account, text: str, other: str) -> None:
    account.applied(text, *SECRETS)
    assert account.plan(other).changes == []


DIFFERENT = {
    "the order of nameservers": (
        "dns: {nameservers: {n: {servers: [9.9.9.9, 1.1.1.1], groups: [All], primary: true}}}",
        "dns: {nameservers: {n: {servers: [1.1.1.1, 9.9.9.9], groups: [All], primary: true}}}",
        ["~ nameserver_group/n (servers)"],
    ),
    "host bits of a resource": (
        "networks: {n: {resources: {r: {address: 10.0.0.5/24}}}}",
        "networks: {n: {resources: {r: {address: 10.0.0.0/24}}}}",
        ["~ network_resource/n/r (address)"],
    ),
    "a left-out value": (
        "policies: {p: {from: All, to: All, allow: tcp, bidirectional: true, description: x}}",
        "policies: {p: {from: All, to: All, allow: tcp}}",
        ["~ policy/p (bidirectional, description)"],
    ),
    "the type of a key": (
        "setup_keys: {k: {type: reusable}}",
        "setup_keys: {k: {type: one-off}}",
        ["! setup_key/k (type)"],
    ),
    "case in a domain": (
        "dns: {zones: {x.example: {groups: [All]}}}",
        "dns: {zones: {X.example: {groups: [All]}}}",
        ["+ dns_zone/X.example"],
    ),
}


@pytest.mark.parametrize(("text", "other", "changes"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_does_make_a_difference(account: Account, text: str, other: str, changes: list[str]) -> None:
    account.applied(text, *SECRETS)
    assert account.plan(other).changes == changes


def test_a_policy_is_on_only_if_its_rule_is_on(account: Account) -> None:
    account.applied("policies: {p: {from: All, to: All, allow: all}}")
    row = account.row("policies", account.named("/policies", "p")["id"])
    account.store("policies", {**row, "rules": [{**row["rules"][0], "enabled": False}]})
    outcome = account.applied("policies: {p: {from: All, to: All, allow: all}}")
    assert outcome.changes == ["~ policy/p (enabled)"]
    assert account.named("/policies", "p")["rules"][0]["enabled"] is True


def test_what_a_self_hosted_server_does_not_keep_is_a_warning_and_no_change(account: Account) -> None:
    text = "account: {network_traffic_logs_enabled: true, peer_login_expiration: 9h}"
    assert account.applied(text).warning.message == (
        "a self-hosted server does not keep network_traffic_logs_enabled; it is not counted as a change"
    )
    assert account.plan(text).changes == []


def test_a_resource_that_moves_to_another_network_keeps_its_id(account: Account) -> None:
    account.applied("networks: {a: {resources: {r: {address: x.example}}}, b: {resources: {}}}")
    (before,) = account.read("/networks/resources")
    outcome = account.applied("networks: {a: {resources: {}}, b: {resources: {r: {address: x.example}}}}")
    assert outcome.changes == ["> network_resource/b/r (was a/r)"]
    (after,) = account.read("/networks/resources")
    assert after["id"] == before["id"]
    assert account.named("/networks", "b")["resources"] == [after["id"]]


def test_a_router_that_changes_is_made_anew_before_the_old_one_goes(account: Account) -> None:
    account.applied("groups: {a: , b: }\nmanage: {networks: full}\nnetworks: {n: {routers: [{peer_groups: [a]}]}}")
    outcome = account.applied(
        "groups: {a: , b: }\nmanage: {networks: full}\nnetworks: {n: {routers: [{peer_groups: [b]}]}}"
    )
    assert outcome.changes == ["+ network_router/n/groups:b", "- network_router/n/groups:a"]
