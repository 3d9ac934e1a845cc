"""`nbsync rollback`: what a run has changed is put back, and what has changed since is not overwritten."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from reconciler.apply.journal import Journal
from reconciler.simulator import Simulator
from tests.unit.apply.journals import cut, journals, lines
from tests.unit.apply.test_cuts import AFTER, BEFORE
from tests.unit.cli.test_history import ANYTHING
from tests.unit.harness import Account, Between, Outcome

SINK = ("--secrets-out", "secrets.jsonl")
FULL = "manage: {default: full, users: no-delete, peers: no-delete}\nguards: {max_delete: {percent: 100}}\nunmanaged: [policy/Default]"
KEYS_OF_LINES = (
    "number",
    "kind",
    "address",
    "action",
    "outcome",
    "id",
    "parent",
    "path",
    "body",
    "before",
    "after",
    "falls",
)
_CACHE: dict[str, Any] = {}


def rollback(account: Account, *flags: str) -> Outcome:
    return account.nbsync("rollback", "--yes", "-o", "json", *SINK, *flags)


def rolled_back(account: Account, *flags: str) -> Outcome:
    """Roll back, which must succeed."""
    outcome = rollback(account, *flags)
    assert outcome.exit_code == 0, outcome.stdout
    return outcome


def exported(account: Account) -> str:
    """The whole account in the files' words."""
    assert account.nbsync("export", "--out", "exported", "--force", "-q").exit_code == 0
    said = "\n".join(path.read_text() for path in sorted(Path("exported").rglob("*.yaml")))
    shutil.rmtree("exported")
    return said


@pytest.fixture
def changed(
    folder: Path, capsys: pytest.CaptureFixture[str], connect: Callable[[Any, str], None], impatient: list[float]
) -> Account:
    """An account that was as BEFORE has it, and is as AFTER has it, with all core kinds; the journal is of the second apply."""
    simulator = Simulator()
    if not _CACHE:
        token = simulator.bootstrap()
        connect(simulator, token)
        account = Account(folder, capsys, simulator, token)
        account.join("gw-1", "gw-2")
        account.applied(BEFORE, *SINK)
        before = exported(account)
        _CACHE["earlier"] = deepcopy(simulator.world)
        account.applied(AFTER, *SINK, "--journal", "journal")
        journal = (folder / "journal").read_text()
        _CACHE.update(
            token=token, before=before, journal=journal, after=exported(account), world=deepcopy(simulator.world)
        )
        _CACHE["server"] = lines(folder / "journal")[0]["server"]
    simulator.world = deepcopy(_CACHE["world"])
    connect(simulator, _CACHE["token"])
    (folder / "journal").write_text(_CACHE["journal"])
    return Account(folder, capsys, simulator, _CACHE["token"])


def test_an_account_is_as_it_was_before_the_apply(changed: Account) -> None:
    outcome = rolled_back(changed, "journal", "--allow", "delete:9")
    assert exported(changed) == _CACHE["before"]
    assert changed.plan(BEFORE).changes == []
    said = {found.address for found in outcome.warnings if found.code == "NBS613" and "secret" not in found.message}
    assert said == {"service_user/gone"}


def test_a_rollback_can_be_rolled_back_except_that_people_do_not_come_back(changed: Account) -> None:
    rolled_back(changed, "journal", "--allow", "delete:9")
    outcome = rolled_back(changed, "--allow", "delete:9")
    assert exported(changed) == _CACHE["after"].replace("  eve@acme.io: {role: user}\n", "")
    assert changed.plan(AFTER).changes == ["+ user/eve@acme.io"]
    (left,) = (found for found in outcome.warnings if "secret" not in found.message)
    assert (left.code, left.address) == ("NBS613", "user/eve@acme.io")
    assert left.message.endswith("it was deleted, and no user can be made from here")
    assert "this takes back nbsync rollback at " in outcome.findings[-1].message


MADE_IN_TWO_CALLS = "{peer_groups: [b], enabled: false}"
"""A router of which the server keeps the one half only in an update; see the test below."""


class Killed(BaseException):
    """The process is gone."""


def kill(monkeypatch: pytest.MonkeyPatch, method: str, number: int) -> None:
    """End the process when it has written down the nth call, or would write down its answer."""
    written = getattr(Journal, method)

    def die(self: Journal, *arguments: Any, **named: Any) -> Any:
        done = written(self, *arguments, **named) if method == "call" else None
        if (done or arguments[0]) == number:
            os.close(self._descriptor)
            raise Killed
        return done if method == "call" else written(self, *arguments, **named)

    monkeypatch.setattr(Journal, method, die)


@pytest.mark.parametrize("method", ["call", "answer"])
@pytest.mark.parametrize("number", range(3, 51, 9))
def test_a_run_that_was_killed_is_taken_back_as_far_as_it_came(
    changed: Account, monkeypatch: pytest.MonkeyPatch, number: int, method: str
) -> None:
    """It dies just before the server sees the nth call, or after it and before anybody has noted the answer."""
    changed.simulator.world = deepcopy(_CACHE["earlier"])
    changed.write("version: 1" + AFTER.replace(MADE_IN_TWO_CALLS, "{peer_groups: [b]}"))
    with monkeypatch.context() as patch:
        kill(patch, method, number)
        with pytest.raises(Killed):
            changed.nbsync("apply", "--yes", "-q", *SINK)
    rolled_back(changed, "--allow", "delete:9")
    assert exported(changed) == _CACHE["before"]


@pytest.mark.parametrize("method", ["call", "answer"])
@pytest.mark.parametrize("number", range(2, 51, 9))
def test_a_rollback_that_was_killed_is_gone_on_with(
    changed: Account, monkeypatch: pytest.MonkeyPatch, number: int, method: str
) -> None:
    with monkeypatch.context() as patch:
        kill(patch, method, number)
        with pytest.raises(Killed):
            changed.nbsync("rollback", "journal", "--yes", "-q", *SINK, "--allow", "delete:9")
    outcome = rolled_back(changed, "--allow", "delete:9")
    assert exported(changed) == _CACHE["before"]
    (told,) = (found for found in outcome.warnings if found.code == "NBS609")
    assert told.help.endswith(f"; nbsync rollback {Path('journal').absolute()} goes on with it")
    assert outcome.findings[-1].message.startswith("this goes on taking back nbsync apply at ")
    again = rolled_back(changed, "journal", "--allow", "delete:9")
    assert (again.changes, exported(changed)) == ([], _CACHE["before"])


def test_a_dry_run_shows_what_the_rollback_would_do(changed: Account) -> None:
    shown = changed.nbsync("rollback", "journal", "--dry-run", "-o", "json", "--allow", "delete:9")
    assert (shown.exit_code, shown.writes) == (0, [])
    assert shown.changes == rolled_back(changed, "journal", "--allow", "delete:9").changes
    assert len(shown.changes) > 40


def fail_half_way(account: Account) -> None:
    """A rollback deletes two of three groups."""
    account.applied("groups: {a: , b: , c: }")
    account.fault("DELETE", f"/api/groups/{account.named('/groups', 'b')['id']}", "status:422")
    assert rollback(account).exit_code == 7
    assert account.names("/groups") == ["All", "b"]


def test_a_rollback_that_failed_is_gone_on_with(account: Account) -> None:
    fail_half_way(account)
    rolled_back(account)
    assert account.names("/groups") == ["All"]


def test_a_rollback_that_failed_is_taken_back_by_name(account: Account, folder: Path) -> None:
    fail_half_way(account)
    rolled_back(account, str(journals(folder)[-1]))
    assert account.names("/groups") == ["All", "a", "b", "c"]


def test_a_rollback_cannot_be_gone_on_with_without_the_journal_that_it_follows(account: Account, folder: Path) -> None:
    fail_half_way(account)
    first, half = journals(folder)
    first.unlink()
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (64, "NBS614", [])
    assert str(first) in outcome.error.message
    assert f"nbsync rollback {half}" in outcome.error.help


def test_a_rollback_that_was_killed_before_its_first_call_is_gone_on_with(
    account: Account, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    def die(self: Journal, *_: Any, **__: Any) -> None:
        os.close(self._descriptor)
        raise Killed

    account.applied("groups: {a: }")
    account.applied("groups: {a: , b: }")
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "call", die)
        with pytest.raises(Killed):
            account.nbsync("rollback", str(journals(folder)[0]), "--yes", "-q")
    assert rolled_back(account).changes == ["- group/a"]
    assert account.names("/groups") == ["All", "b"]


def test_what_was_left_stays_left_when_a_rollback_is_gone_on_with(account: Account) -> None:
    account.applied("groups: {a: , b: , c: }")
    account.fault("DELETE", f"/api/groups/{account.named('/groups', 'b')['id']}", "status:422")
    assert rollback(account, "--leave", "group/a").exit_code == 7
    assert rolled_back(account).changes == ["- group/b"]
    assert account.names("/groups") == ["All", "a"]


def test_both_halves_of_a_rollback_are_taken_back_together(account: Account) -> None:
    fail_half_way(account)
    rolled_back(account)
    outcome = rolled_back(account)
    assert outcome.findings[-1].message.endswith("; and what it went on with, 1 before it")
    assert account.names("/groups") == ["All", "a", "b", "c"]
    rolled_back(account)
    assert account.names("/groups") == ["All"]


def test_a_rollback_that_somebody_ended_by_hand_is_over(account: Account) -> None:
    fail_half_way(account)
    account.send("DELETE", f"/groups/{account.named('/groups', 'b')['id']}")
    assert rolled_back(account).changes == []
    assert set(rolled_back(account).changes) == {"+ group/a", "+ group/c"}


def test_a_journal_that_holds_all_runs_is_enough(account: Account) -> None:
    journal = ("--journal", "all.jsonl")
    account.applied("groups: {z: }")
    account.applied("groups: {a: , b: , c: }", *journal)
    account.fault("DELETE", f"/api/groups/{account.named('/groups', 'b')['id']}", "status:422")
    assert rollback(account, *journal).exit_code == 7
    assert rolled_back(account, *journal).changes == ["- group/b"]
    assert account.names("/groups") == ["All", "z"]


LITTLE = "manage: {default: full}\nguards: {max_delete: {percent: 100}}\nunmanaged: [policy/Default]\ngroups: {x: }\npolicies: {}"


def little(account: Account, before: str) -> None:
    """Apply a document, and then little, so that most of it is deleted."""
    account.applied(before)
    account.applied(LITTLE, "--allow-empty", "policies")


def killed(account: Account, monkeypatch: pytest.MonkeyPatch, command: str, method: str, number: int) -> None:
    """Kill a run at its nth call, as `kill` does."""
    with monkeypatch.context() as patch:
        kill(patch, method, number)
        with pytest.raises(Killed):
            account.nbsync(command, "--yes", "-q", *SINK)


def test_an_object_of_somebody_else_is_not_taken_for_one_that_a_cut_rollback_made(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.join("good", "evil")
    little(account, "groups: {x: , g: {peers: [good]}}\npolicies: {p: {from: g, to: x, allow: all}}")
    killed(account, monkeypatch, "rollback", "call", 1)
    (evil,) = (peer["id"] for peer in account.read("/peers") if peer["name"] == "evil")
    account.send("POST", "/groups", {"name": "g", "peers": [evil]})
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert any("another group is called so by now" in error.message for error in outcome.errors)


def test_machines_that_come_with_their_person_into_a_new_group_are_no_change_of_somebody_else(account: Account) -> None:
    body = {"name": "ana", "email": "ana@acme.io", "role": "user", "auto_groups": [], "is_service_user": False}
    account.send("POST", "/users", body)
    assert "error" not in account.simulator.event({"event": "peer_joins", "hostname": "laptop", "user": "ana@acme.io"})
    account.join("other")
    account.applied("groups: {g: }\nusers: {ana@acme.io: {auto_groups: [g]}}")
    assert account.named("/groups", "g")["peers_count"] == 1
    account.send(
        "PUT",
        f"/groups/{account.named('/groups', 'g')['id']}",
        {"name": "g", "peers": [peer["id"] for peer in account.read("/peers")]},
    )
    assert rollback(account).error.message == "group/g: it has changed since that run: peers was (empty), is ['other']"
    account.send(
        "PUT",
        f"/groups/{account.named('/groups', 'g')['id']}",
        {"name": "g", "peers": [peer["id"] for peer in account.read("/peers") if peer["name"] == "laptop"]},
    )
    assert rolled_back(account).changes == ["~ user/ana@acme.io (auto_groups)", "- group/g"]
    assert "g" not in account.names("/groups")


def test_what_a_later_run_has_made_is_not_taken_for_what_a_cut_one_was_to_make(
    account: Account, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    account.write("version: 1\ngroups: {g: , h: }")
    killed(account, monkeypatch, "apply", "call", 1)
    cut = journals(folder)[-1]
    account.applied("groups: {g: , h: }")
    assert rolled_back(account, str(cut)).changes == []
    assert {"g", "h"} <= set(account.names("/groups"))


def test_what_others_do_between_the_halves_is_not_overwritten(account: Account) -> None:
    account.join("m1", "m2", "m3")
    account.applied("groups: {g: {peers: [m1]}}\npeers: {m1: {ssh_enabled: false}}")
    account.applied("groups: {g: {peers: [m1, m2]}}\npeers: {m1: {ssh_enabled: true}}")
    group = account.named("/groups", "g")["id"]
    account.fault("PUT", f"/api/groups/{group}", "status:422")
    assert rollback(account).exit_code == 7
    account.send("PUT", f"/groups/{group}", {"name": "g", "peers": [peer["id"] for peer in account.read("/peers")]})
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.writes, outcome.error.address) == (6, [], "group/g")


@pytest.mark.parametrize("rule", ["allow: all", "ssh: {g: [root]}"])
def test_references_follow_what_the_first_half_has_made_again(
    account: Account, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    before = f"groups: {{x: , g: }}\npolicies: {{p: {{from: g, to: x, {rule}}}}}"
    little(account, before)
    killed(account, monkeypatch, "rollback", "call", 2)
    rolled_back(account)
    assert account.plan(before).changes == []


def test_a_rollback_that_is_taken_back_and_begun_again_follows_every_id(account: Account, folder: Path) -> None:
    before = "groups: {x: , g: }\npolicies: {p: {from: g, to: x, allow: all}}"
    little(account, before)
    applied = journals(folder)[-1]
    for _ in range(2):
        account.fault("POST", "/api/policies", "status:422")
        assert rollback(account, str(applied)).exit_code == 7
        rolled_back(account, str(journals(folder)[-1]))
    rolled_back(account, str(applied))
    assert account.plan(before).changes == []


ROUTER = "networks: {n: {routers: [{peer_groups: [All], enabled: false}]}}"


def test_a_new_router_of_a_cut_apply_is_taken_back_whatever_the_server_made_of_it(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server makes every router enabled."""
    account.write(f"version: 1\n{ROUTER}")
    killed(account, monkeypatch, "apply", "answer", 2)
    assert rolled_back(account).changes == ["- network/n"]
    assert not account.read("/networks")


def test_something_new_that_is_not_as_the_cut_call_asked_for_is_left_to_a_person(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has changed it since, or the server has not kept what it was sent: who knows."""
    account.write(f"version: 1\n{ROUTER}")
    killed(account, monkeypatch, "apply", "answer", 2)
    (router,) = account.read("/networks/routers")
    where = f"/networks/{account.named('/networks', 'n')['id']}/routers/{router['id']}"
    account.send("PUT", where, {**router, "metric": 5})
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.error.message == "network_router/n/groups:All: it has changed since that run: metric was 9999, is 5"


def test_a_router_that_a_cut_rollback_made_again_does_not_stay_enabled(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.applied(ROUTER)
    gone = "manage: {networks: full}\nguards: {max_delete: {percent: 100}}\nnetworks: {n: {routers: []}}"
    assert account.applied(gone, "--allow-empty", "network/n").changes == ["- network_router/n/groups:All"]
    killed(account, monkeypatch, "rollback", "answer", 1)
    rolled_back(account)
    assert [router["enabled"] for router in account.read("/networks/routers")] == [False]


def test_a_cut_apply_that_was_taken_back_is_not_made_again(
    account: Account, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    account.write("version: 1\ngroups: {g: }")
    killed(account, monkeypatch, "apply", "answer", 1)
    assert rolled_back(account).changes == ["- group/g"]
    assert rolled_back(account, str(journals(folder)[0])).changes == []


def test_halves_of_a_rollback_of_a_cut_apply_do_not_swing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.applied("networks: {n: {description: x}, o: {description: x}}")
    account.write("version: 1\nnetworks: {n: {description: y}, o: {description: y}}")
    killed(account, monkeypatch, "apply", "answer", 2)
    account.fault("PUT", f"/api/networks/{account.named('/networks', 'n')['id']}", "status:422")
    assert rollback(account).exit_code == 7
    rolled_back(account)
    assert {one["name"]: one["description"] for one in account.read("/networks")} == {"n": "x", "o": "x"}


def test_what_a_cut_rollback_made_again_and_another_took_back_is_made_again(
    account: Account, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    little(account, "groups: {x: , g: }")
    applied = journals(folder)[-1]
    killed(account, monkeypatch, "rollback", "answer", 1)
    assert rolled_back(account, str(journals(folder)[-1])).changes == ["- group/g"]
    assert rolled_back(account, str(applied)).changes == ["+ group/g"]


def test_a_path_that_cannot_be_is_one_where_nothing_is(account: Account) -> None:
    outcome = rollback(account, "x" * 5000)
    assert (outcome.exit_code, outcome.error.code) == (3, "NBS611")


KEY = "setup_keys: {k: {type: reusable, expires_in: 9d}, z: {type: one-off}}"


def test_a_key_of_a_cut_apply_is_taken_back(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.write(f"version: 1\n{KEY}")
    killed(account, monkeypatch, "apply", "answer", 1)
    assert rolled_back(account).changes == ["- setup_key/k"]


@pytest.mark.parametrize("method", ["call", "answer"])
def test_a_key_that_a_cut_rollback_made_again_is_not_made_twice(
    account: Account, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    account.applied(KEY, *SINK)
    account.applied(
        "manage: {setup_keys: full}\nguards: {max_delete: {percent: 100}}\nsetup_keys: {z: {type: one-off}}"
    )
    killed(account, monkeypatch, "rollback", method, 1)
    outcome = rolled_back(account)
    assert account.names("/setup-keys") == ["k", "z"]
    assert ("NBS610" in {found.code for found in outcome.warnings}) is (method == "answer")


def test_what_has_changed_since_is_not_overwritten_and_named(account: Account) -> None:
    account.applied("groups: {a: , b: }\nnetworks: {n: {description: x}}\npolicies: {p: {from: a, to: a, allow: icmp}}")
    account.applied(
        "groups: {a: , c: {previously: b}, d: }\nnetworks: {n: {description: y}, m: }\n"
        "policies: {p: {from: [a, d], to: a, allow: tcp/1}}"
    )
    network, made = account.named("/networks", "n"), account.named("/networks", "m")
    account.send("PUT", f"/networks/{network['id']}", {"name": "n", "description": "clicked"})
    account.send("PUT", f"/networks/{made['id']}", {"name": "m", "description": "clicked"})
    account.send("PUT", f"/groups/{account.named('/groups', 'c')['id']}", {"name": "clicked", "peers": []})
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert {found.address: found.message.partition(": ")[2] for found in outcome.errors} == {
        "network/n": "it has changed since that run: description was y, is clicked",
        "network/m": "it has changed since that run: description was (empty), is clicked",
        "group/c": "it has changed since that run: name was c, is clicked",
    }
    assert {found.code for found in outcome.errors} == {"NBS612"}
    assert outcome.errors[0].help == f"to put back the rest and leave it as it is: --leave {outcome.errors[0].address}"
    left = ("--leave", "network/n", "--leave", "network/m", "--leave", "group/c")
    assert rolled_back(account, *left).changes == ["~ policy/p (from, allow)", "- group/d"]


def test_what_stands_in_something_that_the_run_did_not_touch_is_not_taken_for_moved(account: Account) -> None:
    account.applied("networks: {n: {resources: {r: {address: a.example}}}}")
    account.applied("networks: {n: {resources: {r: {address: b.example}}}}")
    assert rolled_back(account).changes == ["~ network_resource/n/r (address)"]


def test_what_the_run_did_not_touch_may_change_and_stays(account: Account) -> None:
    text = "groups: {a: , b: }\nnetworks: {n: {description: x}}"
    account.applied(text)
    account.applied("groups: {a: , c: {previously: b}}\nnetworks: {n: {description: y}}")
    account.join("late")
    peer = account.named("/peers", "late")["id"]
    account.send("PUT", f"/groups/{account.named('/groups', 'c')['id']}", {"name": "c", "peers": [peer]})
    account.send("PUT", f"/networks/{account.named('/networks', 'n')['id']}", {"name": "clicked", "description": "y"})
    account.send("POST", "/groups", {"name": "another"})
    assert rolled_back(account).changes == ["> group/b (was c)", "~ network/clicked (description)"]
    assert [one["name"] for one in account.named("/groups", "b")["peers"]] == ["late"]
    assert account.named("/networks", "clicked")["description"] == "x"
    assert "another" in account.names("/groups")


def test_what_went_with_something_comes_back_with_it_and_references_follow(account: Account) -> None:
    text = """
groups: {a: , b: }
networks: {n: {routers: [{peer_groups: [a]}], resources: {r: {address: a.example, groups: [b]}}}}
dns: {zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}}
policies: {p: {from: a, to: {resource: n/r}, allow: all}, q: {from: [a, b], to: All, allow: all}}
"""
    account.applied(text, *SINK)
    before, groups = exported(account), account.read("/groups")
    emptied = ("networks", "dns.zones", "policies")
    nothing = "groups: {c: }\nnetworks: {}\ndns: {zones: {}}\npolicies: {}"
    account.applied(f"{FULL}\n{nothing}", *(flag for name in emptied for flag in ("--allow-empty", name)))
    assert account.names("/groups") == ["All", "c"]
    rolled_back(account)
    assert exported(account) == before
    assert account.plan(text).changes == []
    assert account.named("/groups", "a")["id"] not in {group["id"] for group in groups}


def test_tokens_that_went_with_a_service_user_unread_are_said_to_be_gone(account: Account) -> None:
    text = "service_users: {nbsync: {role: admin}, s: {role: user, auto_groups: [g], tokens: {t: {expires_in: 9d}}}}"
    account.applied(f"groups: {{g: }}\n{text}", *SINK)
    (user,) = (one["id"] for one in account.read("/users") if one["name"] == "s")
    account.fault("GET", f"/api/users/{user}/tokens", "status:403")
    account.applied("manage: {service_users: full}\ngroups: {g: }\nservice_users: {nbsync: {role: admin}}")
    outcome = rolled_back(account)
    assert outcome.changes == ["+ service_user/s"]
    assert outcome.warning.message == (
        "service_user/s: tokens that may have been in it do not come back: nobody had read them when it was deleted"
    )
    assert account.plan(text).changes == ["+ token/s/t"]


@pytest.mark.parametrize("status", ["403", "404"])
def test_a_service_user_whose_tokens_are_closed_can_go_while_those_of_others_are_declared(
    account: Account, status: str
) -> None:
    other = "nbsync: {role: admin}, o: {role: user, tokens: {t: {expires_in: 9d}}}"
    account.applied(f"service_users: {{{other}, s: {{role: user}}}}", *SINK)
    (user,) = (one["id"] for one in account.read("/users") if one["name"] == "s")
    account.fault("GET", f"/api/users/{user}/tokens", f"status:{status}")
    gone = f"manage: {{service_users: full}}\nservice_users: {{{other}}}"
    assert account.applied(gone).changes == ["- service_user/s"]


def test_tokens_of_a_service_user_who_is_left_alone_are_not_read(account: Account) -> None:
    account.applied("service_users: {nbsync: {role: admin}, s: {role: user}}")
    (user,) = (one["id"] for one in account.read("/users") if one["name"] == "s")
    stays = "manage: {service_users: full}\nunmanaged: [service_user/s]\nservice_users: {nbsync: {role: admin}}"
    assert f"GET /api/users/{user}/tokens" not in account.plan(stays).sent


def test_tokens_that_went_with_a_service_user_come_back_as_new_ones(account: Account) -> None:
    text = "service_users: {nbsync: {role: admin}, s: {role: user, tokens: {t: {expires_in: 9d}}}}"
    account.applied(text, *SINK)
    account.applied("manage: {service_users: full}\nservice_users: {nbsync: {role: admin}}")
    assert rolled_back(account).changes == ["+ service_user/s", "+ token/s/t"]
    assert account.plan(text).changes == []


KEYS = "setup_keys: {k: {type: reusable, usage_limit: 1, expires_in: 9d}, other: {type: reusable}}"
WITHOUT = "manage: {default: full}\nsetup_keys: {other: {type: reusable}}"


def test_a_key_that_was_deleted_comes_back_as_a_new_one_and_needs_a_sink(account: Account, folder: Path) -> None:
    account.applied(KEYS, *SINK)
    account.applied(WITHOUT)
    refused = account.nbsync("rollback", "--yes", "-o", "json")
    assert (refused.exit_code, refused.error.code, refused.writes) == (5, "NBS601", [])
    outcome = rolled_back(account)
    assert outcome.changes == ["+ setup_key/k"]
    assert outcome.warning.message == (
        "setup_key/k: it comes back with a new secret; the one before that run cannot be brought back"
    )
    first, _, second = (json.loads(line) for line in (folder / "secrets.jsonl").read_text().splitlines())
    assert first["secret"] != second["secret"]
    assert (account.named("/setup-keys", "k")["expires"] == second["expires"]) is True
    assert not account.named("/setup-keys", "k")["expires"].startswith("0001")


def use_up(account: Account, folder: Path) -> None:
    secret = json.loads((folder / "secrets.jsonl").read_text().splitlines()[0])["secret"]
    assert "error" not in account.simulator.event({"event": "peer_joins", "hostname": "x", "setup_key": secret})


def wait(account: Account, folder: Path) -> None:
    account.simulator.event({"event": "time_passes", "seconds": 10 * 86400})


@pytest.mark.parametrize(("spend", "said"), [(use_up, "used up"), (wait, "expired")])
def test_a_key_that_is_used_up_or_expired_is_not_made_again(
    account: Account, folder: Path, spend: Callable[[Account, Path], None], said: str
) -> None:
    account.applied(KEYS, *SINK)
    spend(account, folder)
    account.applied(WITHOUT)
    outcome = rolled_back(account)
    assert outcome.changes == []
    assert outcome.warning.address == "setup_key/k"
    assert said in outcome.warning.message


def test_a_key_that_has_expired_since_it_was_deleted_is_not_made_again(account: Account, folder: Path) -> None:
    account.applied(KEYS, *SINK)
    expires = account.named("/setup-keys", "k")["expires"]
    account.applied(WITHOUT)
    path = journals(folder)[-1]
    path.write_text(path.read_text().replace(expires, "2020-01-01T00:00:00Z"))
    outcome = rolled_back(account)
    assert outcome.changes == []
    assert outcome.warning.message == (
        "setup_key/k: it was deleted, and would have expired by now: it is not made again"
    )


def test_a_key_that_was_revoked_stays_so(account: Account) -> None:
    account.applied(KEYS, *SINK)
    account.applied(KEYS.replace("9d", "9d, revoked: true"), *SINK)
    outcome = rolled_back(account)
    assert outcome.changes == []
    assert outcome.warning.message == "setup_key/k: revoked stays True: NetBird does not take that back"


def test_a_rotation_is_taken_back_only_where_its_journal_is_named(account: Account, folder: Path) -> None:
    account.applied(KEYS, *SINK)
    account.nbsync("rotate", "setup_key/k", "--yes", *SINK)
    assert rolled_back(account, journals(folder)[1].name).changes == []
    outcome = rollback(account)
    assert (outcome.exit_code, {found.address for found in outcome.errors}) == (0, set())
    assert outcome.changes == ["- setup_key/other"]


def test_peers_that_were_deleted_do_not_come_back_and_that_is_said(account: Account) -> None:
    account.join("gw-1", "gw-2")
    account.applied("groups: {g: {peers: [gw-1, gw-2]}}")
    account.applied("manage: {peers: full}\nguards: {max_delete: {percent: 100}}\npeers: {gw-2: }")
    outcome = rolled_back(account)
    assert outcome.changes == []
    assert outcome.warning.message == "peer/gw-1: it was deleted, and no peer can be made from here"


def test_a_name_that_somebody_else_has_taken_is_not_overwritten(account: Account) -> None:
    account.applied("networks: {n: {description: mine}, m: }")
    account.applied("manage: {default: full}\nnetworks: {m: }")
    other = account.send("POST", "/networks", {"name": "n", "description": "somebody else's"})
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.error.message == f"network/n: another network is called so by now (id {other['id']})"


def test_what_others_have_put_into_something_new_is_not_deleted_with_it(account: Account) -> None:
    account.applied("networks: {m: }")
    account.applied("networks: {m: , n: {resources: {r: {address: a.example}}}}")
    network = account.named("/networks", "n")["id"]
    body = {"name": "theirs", "address": "b.example", "groups": [], "enabled": True, "description": ""}
    account.send("POST", f"/networks/{network}/resources", body)
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.error.message == "network/n: it holds what that run has not made: network_resource/n/theirs"


def test_what_needs_something_that_is_gone_is_named(account: Account) -> None:
    account.applied("groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: all}}")
    account.applied("groups: {a: , b: }\npolicies: {p: {from: a, to: a, allow: all}}")
    account.send("DELETE", f"/groups/{account.named('/groups', 'b')['id']}")
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.error.code, outcome.error.address) == (6, "NBS612", "policy/p")
    assert "it cannot be as it was: no group is called" in outcome.error.message


def test_what_is_not_there_any_more_is_said_and_left_so(account: Account) -> None:
    account.applied("networks: {n: {description: x}}")
    account.applied("networks: {n: {description: y}, m: }")
    for network in account.read("/networks"):
        account.send("DELETE", f"/networks/{network['id']}")
    outcome = rolled_back(account)
    assert outcome.changes == []
    assert {found.message for found in outcome.warnings} == {
        "network/n: it is not there any more, and is left so",
        "network/m: it is not there any more, and is left so",
    }


def test_a_child_that_was_moved_goes_back(account: Account) -> None:
    text = "networks: {n: {resources: {r: {address: a.example}}}, m: }"
    account.applied(text)
    account.applied("manage: {default: full}\nnetworks: {m: {resources: {r: {address: a.example}}}}")
    assert rolled_back(account).changes == ["+ network/n", "> network_resource/n/r (was m/r)"]
    assert account.plan(text).changes == []


def test_guards_and_approval_are_those_of_every_plan(account: Account) -> None:
    account.applied("groups: {a: }")
    account.applied("groups: {a: , b: , c: , d: , e: }")
    account.applied("groups: {f: , a: , b: , c: , d: , e: , g: , h: , i: , j: , k: }")
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (5, "NBS401", [])
    assert "--allow delete:6" in outcome.error.help
    assert account.nbsync("rollback", "-o", "json").exit_code == 64
    assert len(rolled_back(account, "--allow", "delete:6").changes) == 6


def test_there_has_to_be_a_run_of_this_server(account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = rollback(account)
    assert (outcome.exit_code, outcome.error.code) == (64, "NBS614")
    account.fault("POST", "/api/groups", "status:422")
    account.apply("groups: {a: }")
    assert rollback(account).exit_code == 64
    assert rollback(account, journals(folder)[0].name).error.message.endswith("has changed anything")
    account.applied("groups: {a: }")
    assert rollback(account, "--leave", "group/b").error.message == "the run has not touched group/b"
    url = os.environ["NB_MANAGEMENT_URL"]
    monkeypatch.setenv("NB_MANAGEMENT_URL", url.replace("127.0.0.1", "localhost"))
    outcome = rollback(account, journals(folder)[-1].name)
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (3, "NBS615", [])
    assert rollback(account, "nowhere.jsonl").error.code == "NBS611"


def test_a_run_that_is_still_at_work_is_waited_for(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    (path,) = journals(folder)
    cut(path, "answer")
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        outcome = rollback(account)
    assert (outcome.exit_code, outcome.writes) == (3, [])
    assert "its run is still at work" in outcome.error.message


def test_no_files_are_read_and_the_last_lines_say_what_was_done(account: Account, folder: Path) -> None:
    account.applied("groups: {a: , b: {}}")
    account.write("no YAML: [")
    outcome = account.nbsync("rollback", "--yes", "-q")
    assert outcome.exit_code == 0
    assert "Applied: 2 deleted." in outcome.stdout
    assert "info[NBS614] this takes back nbsync apply at " in outcome.stderr
    assert "No changes" not in outcome.stdout
    assert account.names("/groups") == ["All"]
    assert lines(journals(folder)[-1])[0]["command"] == "rollback"


def test_a_simulated_account_has_no_run_that_could_be_taken_back(account: Account) -> None:
    account.applied("groups: {a: }")
    assert rollback(account, "--simulate").error.code == "NBS614"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 8), st.dictionaries(st.sampled_from(KEYS_OF_LINES), ANYTHING, max_size=2)), max_size=4
    )
)
def test_no_content_of_a_journal_breaks_a_rollback(
    account: Account, connect: Callable[[Any, str], None], folder: Path, edits: list[Any]
) -> None:
    """The account cannot be written, so that it is the same for every example."""
    path = folder / "edited"
    if not path.exists():
        account.applied("groups: {a: }\nnetworks: {n: {description: x}, m: }")
        account.applied(
            "manage: {default: full}\ngroups: {a: , b: }\nnetworks: {n: {description: y}}", "--journal", "edited"
        )
        _CACHE["edited"] = lines(path)
        between = Between(account.simulator)
        between.before = lambda request: None if request.method == "GET" else Response("no", 403)
        connect(between, account.token)
    found = deepcopy(_CACHE["edited"])
    for number, edit in edits:
        line = found[number % len(found)]
        line.update({key: value for key, value in edit.items() if key not in ("before", "after")})
        for image in ("before", "after"):
            if image in edit:
                line[image] = {
                    **(line.get(image) or {}),
                    **(edit[image] if isinstance(edit[image], dict) else {"name": edit[image]}),
                }
    path.write_text("".join(json.dumps(line) + "\n" for line in found))
    outcome = account.nbsync("rollback", "edited", "-o", "json", "--yes", "--allow", "delete:9", *SINK)
    assert "NBS999" not in {found.code for found in outcome.findings}
    assert outcome.exit_code in (0, 3, 5, 6, 8, 64)
