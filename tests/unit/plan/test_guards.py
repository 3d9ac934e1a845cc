"""Guards: plans that are refused as a whole, in plan as in apply, and the flags that allow them."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest

from tests.unit.harness import Account, Finding, Outcome

Stopped = Callable[..., list[Finding]]

FULL = "manage: {default: full}\n"


@pytest.fixture
def stopped(account: Account) -> Stopped:
    """Verdicts against a document: the same in plan and apply, exit 5, the plan shown whole, nothing written."""

    def stopped(text: str, *flags: str, changes: list[str] | None = None) -> list[Finding]:
        planned, applied = account.plan(text, *flags), account.apply(text, *flags)
        assert (planned.exit_code, applied.exit_code) == (5, 5)
        assert planned.errors == applied.errors
        assert planned.changes == applied.changes != []
        assert changes is None or sorted(planned.changes) == sorted(changes)
        assert applied.writes == []
        assert all(verdict.help for verdict in planned.errors)
        return planned.errors

    return stopped


def groups(count: int) -> str:
    """So many groups."""
    return f"groups: {{{', '.join(f'g{number:02}: ' for number in range(count))}}}"


def test_more_than_30_percent_of_a_kind_are_not_deleted(account: Account, stopped: Stopped) -> None:
    account.applied(groups(20))
    assert account.plan(FULL + groups(14)).exit_code == 0
    (verdict,) = stopped(FULL + groups(13))
    assert verdict.code == "NBS401"
    assert verdict.message == "7 of 20 live objects of the kind group would be deleted: 35 %, the limit is 30 %"
    assert verdict.help == "allow it for one run with --allow delete:7"
    assert account.plan(FULL + groups(13), "--allow", "delete:6").exit_code == 5
    assert account.apply(FULL + groups(13), "--allow", "delete:7").exit_code == 0


@pytest.mark.parametrize(
    ("total", "left", "limit", "share"),
    [(23, 16, 30, "30.5 %"), (20, 13, 30, "35 %"), (12, 8, 33, "33.4 %"), (12, 8, 30, "33 %"), (11, 0, 99, "100 %")],
)
def test_a_share_over_the_limit_is_not_shown_as_the_limit(
    account: Account, stopped: Stopped, total: int, left: int, limit: int, share: str
) -> None:
    account.applied(groups(total))
    text = f"{FULL}guards: {{max_delete: {{percent: {limit}}}}}\n" + groups(left)
    (verdict,) = stopped(text, "--allow-empty", "groups")
    gone = total - left
    assert verdict.message == (
        f"{gone} of {total} live objects of the kind group would be deleted: {share}, the limit is {limit} %"
    )


def test_just_the_limit_is_allowed(account: Account) -> None:
    account.applied(groups(20))
    assert account.plan(FULL + "guards: {max_delete: {percent: 35}}\n" + groups(13)).exit_code == 0
    assert account.plan(FULL + "guards: {max_delete: {percent: 100, count: 7}}\n" + groups(13)).exit_code == 0


def pasted(outcome: Outcome) -> list[str]:
    """The flags that the last line of a refused plan offers."""
    (line,) = (line for line in outcome.stdout.splitlines() if line.startswith("To allow it for one run: "))
    return shlex.split(line.partition(": ")[2])


def test_the_flags_of_a_refusal_let_the_plan_pass_when_they_are_pasted(account: Account) -> None:
    """Several kinds at once, what falls with a parent, an empty section with a blank in its name, and addresses that change."""
    resources = ", ".join(f"r{number:02}: {{address: a{number}.x}}" for number in range(12))
    account.applied(
        f"{groups(20)}\nnetworks: {{a: {{resources: {{{resources}}}}}, b c: {{routers: [{{peer_groups: [All]}}]}}}}"
    )
    text = (
        f"version: 1\n{FULL}{groups(13)}\nnetworks: {{b c: {{routers: []}}}}\naccount: {{network_range: 10.99.0.0/16}}"
    )
    account.write(text)
    refused = account.nbsync("apply", "--yes")
    flags = pasted(refused)
    assert (refused.exit_code, refused.writes) == (5, [])
    assert flags == [
        *("--allow", "delete:12", "--allow", "delete:7"),
        *("--allow-empty", "network/b c", "--allow", "renumber"),
    ]
    for left_out in range(0, len(flags), 2):
        fewer = [*flags[:left_out], *flags[left_out + 2 :]]
        # the greater of two numbers holds for both kinds
        assert account.nbsync("plan", *fewer).exit_code == (
            0 if fewer[1] == "delete:12" and "delete:7" not in fewer else 5
        )
    assert account.nbsync("apply", "--yes", *flags).exit_code == 0
    assert account.nbsync("plan", "--detailed-exitcode").exit_code == 0


def test_each_of_several_kinds_is_counted_by_itself(account: Account, stopped: Stopped) -> None:
    checks = ", ".join(f"c{number:02}: {{netbird_version: 1.0.0}}" for number in range(12))
    account.applied(f"{groups(20)}\nposture_checks: {{{checks}}}")
    text = f"{FULL}{groups(13)}\nposture_checks: {{c00: {{netbird_version: 1.0.0}}}}"
    assert sorted(verdict.help for verdict in stopped(text)) == [
        "allow it for one run with --allow delete:11",
        "allow it for one run with --allow delete:7",
    ]
    (left,) = stopped(text, "--allow", "delete:10")
    assert left.message.startswith("11 of 12 live objects of the kind posture_check")
    assert account.plan(text, "--allow", "delete:11").exit_code == 0


def test_what_allows_an_empty_section_does_not_allow_more_deletes_than_are_safe(
    account: Account, stopped: Stopped
) -> None:
    account.applied(groups(20))
    assert {verdict.code for verdict in stopped(FULL + "groups: {}")} == {"NBS401", "NBS405"}
    (count,) = stopped(FULL + "groups: {}", "--allow-empty", "groups")
    assert count.message == "20 of 20 live objects of the kind group would be deleted: 100 %, the limit is 30 %"
    (empty,) = stopped(FULL + "groups: {}", "--allow", "delete:20")
    assert empty.help == "allow it with --allow-empty groups"


def test_ten_or_fewer_objects_are_judged_by_count_alone(account: Account, stopped: Stopped) -> None:
    account.applied(groups(10))
    assert account.plan(FULL + groups(1)).exit_code == 0
    (verdict,) = stopped(FULL + "guards: {max_delete: {count: 8}}\n" + groups(1))
    assert verdict.message == "9 objects of the kind group would be deleted, the limit is 8"
    assert account.plan(FULL + "guards: {max_delete: {count: 9}}\n" + groups(1)).exit_code == 0


def test_percent_and_count_stand_by_themselves(account: Account, stopped: Stopped) -> None:
    account.applied(groups(20))
    (by_percent,) = stopped(FULL + "guards: {max_delete: {count: 10}}\n" + groups(13))
    assert "the limit is 30 %" in by_percent.message
    (by_count,) = stopped(FULL + "guards: {max_delete: {percent: 100, count: 6}}\n" + groups(13))
    assert "the limit is 6" in by_count.message
    both = stopped(FULL + "guards: {max_delete: {percent: 5, count: 1}}\n" + groups(13))
    assert [verdict.code for verdict in both] == ["NBS401", "NBS401"]


def test_a_kind_can_have_limits_of_its_own(account: Account, stopped: Stopped) -> None:
    account.applied(groups(20))
    own = "guards: {max_delete_for: {group: {percent: 50}}}\n"
    assert account.plan(FULL + own + groups(13)).exit_code == 0
    (verdict,) = stopped(FULL + "guards: {max_delete_for: {group: {count: 6, percent: 100}}}\n" + groups(13))
    assert "the limit is 6" in verdict.message
    other = "guards: {max_delete_for: {policy: {percent: 100}}}\n"
    assert account.plan(FULL + other + groups(13)).exit_code == 5


def test_server_owned_objects_do_not_count(account: Account) -> None:
    account.applied(groups(10))
    assert len(account.read("/groups")) == 11
    assert account.plan(FULL + groups(5)).exit_code == 0


def test_a_replacement_counts_as_a_delete(account: Account, stopped: Stopped) -> None:
    account.applied("setup_keys: {a: {type: reusable}, b: {type: reusable}}", "--secrets-out", "secrets")
    text = "guards: {max_delete: {count: 1}}\nsetup_keys: {a: {type: one-off}, b: {type: one-off}}"
    (verdict,) = stopped(text)
    assert verdict.message == "2 objects of the kind setup_key would be deleted, the limit is 1"


def test_what_falls_with_a_parent_counts_in_its_own_kind(account: Account, stopped: Stopped) -> None:
    account.applied(
        "networks: {a: {resources: {x: {address: a.x}, y: {address: b.x}}, routers: [{peer_groups: [All]}]}, b: }"
    )
    text = FULL + "guards: {max_delete_for: {network_resource: {count: 1}}}\nnetworks: {b: }"
    (verdict,) = stopped(text)
    assert verdict.message == "2 objects of the kind network_resource would be deleted, the limit is 1"
    assert verdict.help.endswith("--allow delete:2")


@pytest.mark.parametrize(
    "guards", ["guards: {protect: [group/a]}\n", "guards: {protect: ['*/a']}\n", "guards: {protect: [group/*]}\n"]
)
@pytest.mark.parametrize(
    ("text", "verb"),
    [("groups: {b: }", "delete"), ("groups: {b: , new: {previously: a}}", "rename")],
    ids=["deleted", "renamed"],
)
def test_protected_objects_are_neither_deleted_nor_renamed(
    account: Account, stopped: Stopped, guards: str, text: str, verb: str
) -> None:
    account.applied("groups: {a: , b: }")
    (verdict,) = stopped(FULL + guards + text)
    assert verdict.code == "NBS402"
    assert f"is protected, and the plan would {verb} it" in verdict.message


def test_a_protected_object_may_be_updated(account: Account) -> None:
    account.applied("networks: {n: {protect: true}}\nguards: {protect: [network/n]}")
    assert (
        account.apply("networks: {n: {protect: true, description: x}}\nguards: {protect: [network/n]}").exit_code == 0
    )


def test_protect_on_an_object_refuses_to_rename_and_to_replace_it(account: Account, stopped: Stopped) -> None:
    account.applied("groups: {a: }\nsetup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    (renamed,) = stopped("groups: {b: {previously: a, protect: true}}")
    assert renamed.message == "group/b is protected, and the plan would rename it"
    (replaced,) = stopped("setup_keys: {k: {type: one-off, protect: true}}")
    assert replaced.message == "setup_key/k is protected, and the plan would replace it"


def test_a_protected_object_does_not_fall_with_its_parent(account: Account, stopped: Stopped) -> None:
    account.applied("networks: {a: {resources: {x: {address: a.x}}}, b: }")
    (verdict,) = stopped(FULL + "guards: {protect: [network_resource/a/*]}\nnetworks: {b: }")
    assert verdict.message == "network_resource/a/x is protected, and it would go with network/a"


TOKENS = "service_users: {a: {role: user, tokens: {x: {expires_in: 9d}, y: {expires_in: 9d}}}, b: {role: user}}"


def test_tokens_that_fall_with_a_service_user_are_under_guard(account: Account, stopped: Stopped) -> None:
    account.applied(TOKENS, "--secrets-out", "secrets")
    text = FULL + "service_users: {b: {role: user}}\n"
    (protected,) = stopped(text + "guards: {protect: [token/a/x]}", changes=["- service_user/a"])
    assert protected.message == "token/a/x is protected, and it would go with service_user/a"
    (unmanaged,) = stopped(text + "unmanaged: [token/*/y]", changes=["- service_user/a"])
    assert unmanaged.message == "token/a/y is to be left alone (unmanaged), and it would go with service_user/a"
    (counted,) = stopped(text + "guards: {max_delete_for: {token: {count: 1}}}")
    assert counted.message == "2 objects of the kind token would be deleted, the limit is 1"
    assert account.plan(text).exit_code == 0


def people(account: Account, **roles: str) -> None:
    """Invite people with these roles."""
    for name, role in roles.items():
        body = {"name": name, "email": f"{name}@acme.io", "role": role, "auto_groups": [], "is_service_user": False}
        account.send("POST", "/users", body)


@pytest.mark.parametrize("change", ["{role: user}", "{blocked: true}"])
def test_admins_stay_above_the_limit(account: Account, stopped: Stopped, change: str) -> None:
    people(account, ana="admin")
    (verdict,) = stopped(f"guards: {{keep_admins: 2}}\nusers: {{ana@acme.io: {change}}}")
    assert verdict.code == "NBS404"
    assert verdict.message == "1 of 2 people who can administer the account would be left; keep_admins is 2"
    assert account.plan(f"users: {{ana@acme.io: {change}}}").exit_code == 0


def test_a_deleted_admin_counts_as_gone(account: Account, stopped: Stopped) -> None:
    people(account, ana="admin", ben="user")
    text = "guards: {keep_admins: 2}\nmanage: {users: full}\nusers: {ben@acme.io: }"
    (verdict,) = stopped(text, changes=["- user/ana@acme.io"])
    assert verdict.code == "NBS404"


def test_fewer_admins_than_the_limit_may_stay_as_they_are(account: Account) -> None:
    assert account.apply("guards: {keep_admins: 9}\ngroups: {a: }").exit_code == 0


EMPTY = {
    "a kind": ("groups: {a: }", "groups: {}", "groups", ["- group/a"]),
    "a kind without a value": ("groups: {a: }", "groups:", "groups", ["- group/a"]),
    "a part of dns": (
        "dns: {zones: {x.y: {groups: [All]}}}",
        "dns: {zones: {}}",
        "dns.zones",
        ["- dns_zone/x.y"],
    ),
    "the resources of a network": (
        "networks: {n: {resources: {r: {address: a.b}}}}",
        "networks: {n: {resources: {}}}",
        "network/n",
        ["- network_resource/n/r"],
    ),
    "the routers of a network": (
        "networks: {n/1: {routers: [{peer_groups: [All]}]}}",
        "networks: {n/1: {routers: []}}",
        "network/n%2F1",
        ["- network_router/n%2F1/groups:All"],
    ),
    "the records of a zone": (
        "dns: {zones: {x.y: {groups: [All], records: {w: {A: 10.0.0.1}}}}}",
        "dns: {zones: {x.y: {groups: [All], records: {}}}}",
        "dns_zone/x.y",
        ["- dns_record/x.y/w/A/10.0.0.1"],
    ),
    "the routes": (
        "routes: {r: {network: 10.0.0.0/8, peer_groups: [All], groups: [All]}}",
        "routes: {}",
        "routes",
        ["- route/r/groups:All"],
    ),
}


@pytest.mark.parametrize(("before", "text", "section", "changes"), EMPTY.values(), ids=EMPTY)
def test_what_is_declared_empty_is_not_emptied_unless_that_is_allowed(
    account: Account, stopped: Stopped, before: str, text: str, section: str, changes: list[str]
) -> None:
    account.applied(before)
    (verdict,) = stopped(FULL + text, changes=changes)
    assert (verdict.code, verdict.place) == ("NBS405", verdict.place)
    assert verdict.message == f"{section} is declared empty, and everything there would be deleted"
    assert verdict.help == f"allow it with --allow-empty {section}"
    assert account.plan(text).exit_code == 0
    assert account.apply(FULL + text, "--allow-empty", section).exit_code == 0


def test_tokens_that_are_declared_empty_are_not_deleted(account: Account, stopped: Stopped) -> None:
    account.applied("service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}", "--secrets-out", "secrets")
    (verdict,) = stopped(FULL + "service_users: {s: {role: user, tokens: {}}}")
    assert verdict.help == "allow it with --allow-empty service_user/s"


def test_an_empty_kind_with_nothing_to_delete_is_fine(account: Account) -> None:
    assert account.apply(FULL + "groups: {}\nroutes: {}\nsetup_keys: {}\nnetworks: {}").exit_code == 0


def test_what_an_undeclared_object_still_needs_is_not_deleted(account: Account, stopped: Stopped) -> None:
    account.applied("groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: all}}")
    (verdict,) = stopped(FULL + "groups: {b: }", changes=["- group/a"])
    assert verdict.code == "NBS406"
    assert verdict.message == "group/a would be deleted, but policy/p still needs it"
    assert verdict.help == "declare group/a, or change or delete policy/p as well"


NEEDS = {
    "a resource": ("networks: {n: {resources: {r: {address: a.b, groups: [a]}}}}", "network_resource/n/r"),
    "a router": ("networks: {n: {routers: [{peer_groups: [a]}]}}", "network_router/n/groups:a"),
    "a route": ("routes: {r: {network: 10.0.0.0/8, peer_groups: [All], groups: [a]}}", "route/r/groups:All"),
    "nameservers": ("dns: {nameservers: {n: {servers: [9.9.9.9], groups: [a], primary: true}}}", "nameserver_group/n"),
    "a zone": ("dns: {zones: {x.y: {groups: [a]}}}", "dns_zone/x.y"),
    "dns settings": ("dns: {disabled_management_groups: [a]}", "dns_settings/dns_settings"),
    "a setup key": ("setup_keys: {k: {type: reusable, auto_groups: [a]}}", "setup_key/k"),
    "a service user": ("service_users: {s: {role: user, auto_groups: [a]}}", "service_user/s"),
    "a person": ("users: {owner@acme.example: {auto_groups: [a]}}", "user/owner@acme.example"),
    "the account": ("account: {peer_expose_groups: [a], peer_expose_enabled: true}", "account/account"),
}


@pytest.mark.parametrize(("text", "by"), NEEDS.values(), ids=NEEDS)
def test_a_group_that_something_undeclared_needs_is_not_deleted(
    account: Account, stopped: Stopped, text: str, by: str
) -> None:
    account.applied("groups: {a: , b: }\n" + text, "--secrets-out", "secrets")
    verdicts = stopped(FULL + "groups: {b: }", changes=["- group/a"])
    assert [verdict.message for verdict in verdicts] == [f"group/a would be deleted, but {by} still needs it"]


def test_a_posture_check_that_an_undeclared_policy_needs_is_not_deleted(account: Account, stopped: Stopped) -> None:
    account.applied(
        "posture_checks: {c: {netbird_version: 1.0.0}, d: {netbird_version: 1.0.0}}\npolicies: {p: {from: All, to: All, allow: all, posture: c}}"
    )
    (verdict,) = stopped(FULL + "posture_checks: {d: {netbird_version: 1.0.0}}")
    assert verdict.message == "posture_check/c would be deleted, but policy/p still needs it"


def test_what_lets_go_in_the_same_plan_is_no_hindrance(account: Account) -> None:
    account.applied("groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: all}, q: {from: a, to: b, allow: all}}")
    outcome = account.apply(
        FULL
        + "groups: {b: }\npolicies: {p: {from: b, to: b, allow: all}, Default: {from: All, to: All, allow: all, ignore: [bidirectional, description]}}"
    )
    assert outcome.exit_code == 0, outcome.stdout
    assert set(outcome.changes) == {"- policy/q", "~ policy/p (from)", "- group/a"}


CALLER = {
    "deleted by name": ("manage: {service_users: full}\nservice_users: {other: {role: user}}", None),
    "blocked": ("service_users: {nbsync: {role: admin, blocked: true}}", "it is never blocked"),
    "demoted": ("service_users: {nbsync: {role: user}}", "its role is never changed"),
}


@pytest.mark.parametrize(("text", "message"), CALLER.values(), ids=CALLER)
def test_the_caller_is_never_cut_off(account: Account, stopped: Stopped, text: str, message: str | None) -> None:
    if message is None:
        assert account.plan(text).changes == ["+ service_user/other"]
        return
    (verdict,) = stopped(text)
    assert verdict.code == "NBS403"
    assert message in verdict.message


@pytest.fixture
def as_role(account: Account, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """From now on nbsync works as a service user of this role, which is called `worker`; returns its id."""

    def as_role(role: str) -> str:
        body = {"name": "worker", "role": role, "auto_groups": [], "is_service_user": True}
        user: str = account.send("POST", "/users", body)["id"]
        made = account.send("POST", f"/users/{user}/tokens", {"name": "t", "expires_in": 9})
        monkeypatch.setenv("NB_PAT", made["plain_token"])
        return user

    return as_role


MIXED_PLAN = "groups: {g: }\nsetup_keys: {k: {type: reusable}}\nservice_users: {a: {role: user}, b: {role: user}}"


def test_a_plan_that_the_caller_may_not_carry_out_to_its_end_is_not_begun(
    account: Account, as_role: Callable[[str], str]
) -> None:
    """The server would take the group from a network_admin, and refuse what comes after it."""
    as_role("network_admin")
    outcome = account.apply(MIXED_PLAN, "--secrets-out", "secrets")
    assert (outcome.exit_code, outcome.writes) == (8, [])
    assert [(error.code, error.message) for error in outcome.errors] == [
        ("NBS407", "worker, whose token this is, has the role network_admin and may not write setup_key/k"),
        (
            "NBS407",
            "worker, whose token this is, has the role network_admin and may not write service_user/a and service_user/b",
        ),
    ]
    assert {error.help for error in outcome.errors} == {
        "nothing was sent: use the token of a service user with the role admin, or take this out of the files"
    }
    assert account.plan(MIXED_PLAN).exit_code == 0


def test_of_many_changes_that_are_not_permitted_the_first_are_named(
    account: Account, as_role: Callable[[str], str]
) -> None:
    as_role("auditor")
    error = account.apply(groups(5)).error
    assert error.message.endswith("has the role auditor and may not write group/g00, group/g01, group/g02 and 2 more")
    assert "with the role network_admin" in error.help


def test_what_a_network_admin_may_do_it_does(account: Account, as_role: Callable[[str], str]) -> None:
    """Its own tokens are among that."""
    as_role("network_admin")
    own = "service_users: {worker: {role: network_admin, tokens: {t: {expires_in: 9d}, u: {expires_in: 9d}}}}"
    assert account.apply(f"groups: {{g: }}\n{own}", "--secrets-out", "secrets").exit_code == 0


def test_a_plan_without_changes_needs_no_permission(account: Account, as_role: Callable[[str], str]) -> None:
    account.applied("groups: {g: }")
    as_role("user")
    assert account.apply("groups: {g: }").exit_code == 0


def test_who_asks_is_known_where_the_users_were_read(account: Account, as_role: Callable[[str], str]) -> None:
    as_role("network_admin")
    outcome = account.apply("service_users: {a: {role: user}}")
    assert (outcome.error.code, "GET /api/users/current" in outcome.sent) == ("NBS407", False)


def test_only_who_is_to_write_is_asked_who_it_is(account: Account) -> None:
    asks = "GET /api/users/current"
    assert asks not in account.plan("groups: {g: }").sent
    assert asks in account.applied("groups: {g: }").sent
    assert asks not in account.applied("groups: {g: }").sent


def test_where_nobody_says_who_asks_the_server_has_the_word(account: Account) -> None:
    account.fault("GET", "/api/users/current", "status:500")
    assert account.apply("groups: {g: }").exit_code == 0


@pytest.fixture
def as_ana(account: Account, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From now on nbsync works with the access token of a person of this role."""

    def as_ana(role: str) -> None:
        people(account, ana=role)
        login = {"event": "user_logs_in", "email": "ana@acme.io", "name": "ana", "subject": "ana", "groups": []}
        token = account.simulator.event(login)["token"]
        monkeypatch.delenv("NB_PAT")
        monkeypatch.setenv("NB_ACCESS_TOKEN", token)

    return as_ana


def test_a_person_may_write_what_the_server_says(account: Account, as_ana: Callable[[str], None]) -> None:
    """A person's permissions come with the answer to who asks."""
    as_ana("network_admin")
    assert account.apply("groups: {g: }").exit_code == 0
    error = account.apply("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets").error
    assert "has the role network_admin and may not write setup_key/k" in error.message


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("users: {ana@acme.io: {role: user}}", ["its role is never changed"]),
        ("users: {ana@acme.io: {blocked: true}}", ["it is never blocked"]),
        ("users: {ana@acme.io: {role: user, blocked: true}}", ["it is never blocked", "its role is never changed"]),
        ("manage: {users: full}\nusers: {other@acme.io: }", []),
    ],
    ids=["demoted", "blocked", "both", "not declared"],
)
def test_a_person_who_works_with_it_is_not_cut_off(
    account: Account, as_ana: Callable[[str], None], stopped: Stopped, text: str, messages: list[str]
) -> None:
    as_ana("admin")
    if not messages:
        assert account.plan(text).changes == []
        return
    verdicts = [verdict.message for verdict in stopped(text) if verdict.code == "NBS403"]
    assert verdicts == [
        f"user/ana@acme.io: this is the caller: nbsync works with its token; {said}" for said in messages
    ]


def test_the_token_in_use_is_never_deleted(account: Account) -> None:
    text = "manage: {service_users: full}\nservice_users: {nbsync: {role: admin, tokens: {other: {expires_in: 9d}}}}"
    outcome = account.plan(text, "--allow-empty", "service_user/nbsync")
    assert outcome.changes == ["+ token/nbsync/other"]
    assert outcome.document["summary"]["unmanaged"] == 0


@pytest.mark.parametrize(
    ("change", "message"), [("{role: user}", "role is never changed"), ("{blocked: true}", "never blocked")]
)
def test_the_owner_is_never_cut_off(account: Account, stopped: Stopped, change: str, message: str) -> None:
    verdicts = stopped(f"users: {{owner@acme.example: {change}}}")
    assert any(verdict.code == "NBS403" and message in verdict.message for verdict in verdicts)


def test_the_owner_is_not_pruned(account: Account) -> None:
    people(account, ana="user")
    outcome = account.plan("manage: {users: full}\nusers: {}", "--allow-empty", "users")
    assert outcome.changes == ["- user/ana@acme.io"]


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("network_range: 10.100.0.0/16", "network_range"),
        ("network_range_v6: 'fd00:77::/64'", "network_range_v6"),
        ("ipv6_enabled_groups: []", "ipv6_enabled_groups"),
    ],
)
def test_peers_are_not_given_other_addresses_unless_that_is_allowed(
    account: Account, stopped: Stopped, setting: str, name: str
) -> None:
    (verdict,) = stopped(f"account: {{{setting}}}", changes=[f"~ account/account ({name})"])
    assert (verdict.code, verdict.help) == ("NBS403", "apply it with --allow renumber")
    assert f"{name} changes the addresses of peers" in verdict.message
    assert account.apply(f"account: {{{setting}}}", "--allow", "renumber").exit_code == 0


def test_a_refused_plan_names_the_flags_that_allow_it_also_as_text(account: Account) -> None:
    account.applied(groups(20) + "\nnetworks: {n: {routers: [{peer_groups: [All]}]}}")
    account.write("version: 1\n" + FULL + groups(10) + "\nnetworks: {n: {routers: []}}")
    outcome = account.nbsync("plan")
    assert outcome.exit_code == 5
    assert "Refused: 2 guards say no; nothing will be written." in outcome.stdout
    assert "To allow it for one run: --allow delete:10 --allow-empty network/n" in outcome.stdout
    assert outcome.stdout.count("- group/g") == 10
    allowed = account.nbsync("apply", "--yes", "--allow", "delete:10", "--allow-empty", "network/n")
    assert allowed.exit_code == 0


def test_drift_is_shown_without_guards(account: Account) -> None:
    account.applied(groups(20))
    outcome = account.do("drift", FULL + groups(1))
    assert (outcome.exit_code, len(outcome.changes), outcome.errors) == (0, 19, [])
