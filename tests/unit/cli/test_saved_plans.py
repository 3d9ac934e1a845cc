"""`plan --save`, `show` and `apply --plan` from the command line."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.options import FORMATS
from reconciler.redact import clean
from reconciler.simulator import Simulator
from tests.unit.harness import Account, Between, Desk, NoServer, Outcome, json_answer
from tests.unit.plan.test_savefile import sealed

FILES = "groups: {a: , b: }\npolicies: {p: {from: a, to: b, allow: tcp/443}}"
PLAN = ("-o", "json", "--plan", "plan.json")


def saved(account: Account, text: str = FILES, *flags: str) -> Outcome:
    outcome = account.plan(text, "--save", "plan.json", *flags)
    assert outcome.exit_code == 0, outcome.stdout
    return outcome


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def reseal(path: Path, spoil: Callable[[Any], Any]) -> None:
    document = json.loads(path.read_bytes())
    spoil(document)
    path.write_bytes(sealed(document))


def add_policy(account: Account, name: str, group: str) -> None:
    """Somebody lets the machines of a group reach each other."""
    ends = {"sources": [group], "destinations": [group]}
    rule = {"name": "r", "enabled": True, "action": "accept", "protocol": "all", **ends}
    account.send("POST", "/policies", {"name": name, "enabled": True, "rules": [rule]})


def test_a_saved_plan_is_applied_without_files_and_without_asking(account: Account) -> None:
    planned = saved(account)
    (account.folder / "nbsync.yaml").unlink()
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.changes) == (0, planned.changes)
    assert set(outcome.statuses.values()) == {"applied"}
    assert account.plan(FILES).changes == []


def test_its_changes_say_where_the_files_asked_for_them(account: Account) -> None:
    planned = saved(account).document["changes"]
    (account.folder / "nbsync.yaml").unlink()
    shown = account.nbsync("show", "plan.json", "-o", "json").document["changes"]
    applied = account.nbsync("apply", *PLAN).document["changes"]
    assert planned == shown
    assert [change["cause"] for change in planned] == [change["cause"] for change in applied]
    assert planned[0]["cause"]["file"] == "nbsync.yaml"


def carried_out(outcome: Outcome) -> list[str]:
    """What is said of runs that have carried out the same plan."""
    return [found.message.partition(": ")[2] for found in outcome.findings if found.code == "NBS628"]


def test_of_a_plan_that_others_have_overtaken_nobody_says_that_it_was_carried_out(account: Account) -> None:
    saved(account)
    account.applied(FILES)
    again = account.nbsync("apply", *PLAN)
    assert (again.exit_code, carried_out(again)) == (6, [])


def test_it_is_applied_only_once(account: Account) -> None:
    saved(account)
    account.nbsync("apply", *PLAN)
    again = account.nbsync("apply", *PLAN)
    assert (again.exit_code, again.writes) == (6, [])
    assert {error.address for error in again.errors} == {"group/a", "group/b", "policy/p"}
    ids = {one["name"]: one["id"] for path in ("/groups", "/policies") for one in account.read(path)}
    for error in again.errors:
        name = (error.address or "").partition("/")[2]
        what = f"it was not there when planned, is there now with the id {ids[name]}"
        assert error.message == f"{error.address} has changed since the plan was made: {what}"
    assert {error.code for error in again.errors} == {"NBS620"}
    assert carried_out(again) == ["3 of 3 changes were made"]


def test_a_change_says_field_by_field_what_it_was_and_is(account: Account) -> None:
    account.applied(FILES)
    saved(account, FILES.replace("tcp/443", "tcp/444"))
    policy = account.named("/policies", "p")
    (rule,) = policy["rules"]
    ends = {end: [one["id"] for one in rule[end]] for end in ("sources", "destinations")}
    rule |= {**ends, "ports": ["80"], "bidirectional": True}
    account.send("PUT", f"/policies/{policy['id']}", {**policy, "source_posture_checks": [], "rules": [rule]})
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.error.message == (
        "policy/p has changed since the plan was made: "
        'allow was ["tcp/443"] when planned, is ["tcp/80"] now; bidirectional was false when planned, is true now'
    )
    assert outcome.error.place == "nbsync.yaml:3:12"
    assert outcome.error.help == "nothing was written; plan again, and look at what the plan says now"


def test_what_only_the_server_knows_of_an_object_counts_as_well(account: Account) -> None:
    account.applied(FILES)
    saved(account, FILES.replace("tcp/443", "tcp/444"))
    row = account.row("policies", account.named("/policies", "p")["id"])
    row["rules"][0]["description"] = "clicked"
    account.store("policies", row)
    message = account.nbsync("apply", *PLAN).error.message
    assert message.endswith("rules, for which the files have no word, is another one now than when planned")


def test_a_group_made_anew_under_its_name_is_another_one(account: Account) -> None:
    group = account.send("POST", "/groups", {"name": "live"})
    saved(account, "policies: {p: {from: live, to: live, allow: all}}")
    account.send("DELETE", f"/groups/{group['id']}")
    new = account.send("POST", "/groups", {"name": "live"})
    error = account.nbsync("apply", *PLAN).error
    assert (error.address, error.place) == ("group/live", "nbsync.yaml:2:12")
    assert f"it had the id {group['id']} when planned, has {new['id']} now (policy/p needs it)" in error.message


def test_a_name_that_two_groups_have_by_now_is_stale(account: Account) -> None:
    live, other = (account.send("POST", "/groups", {"name": name}) for name in ("live", "other"))
    saved(account, "policies: {p: {from: live, to: live, allow: all}}")
    account.send("PUT", f"/groups/{other['id']}", {"name": "live"})
    error = account.nbsync("apply", *PLAN).error
    assert error.address == "group/live"
    assert all(one["id"] in error.message for one in (live, other))


def test_an_object_that_shares_its_name_by_now_is_stale(account: Account) -> None:
    account.applied(FILES)
    saved(account, FILES.replace("tcp/443", "tcp/444"))
    policy = account.named("/policies", "p")
    group = account.named("/groups", "a")["id"]
    add_policy(account, "p", group)
    error = account.nbsync("apply", *PLAN).error
    assert error.message.startswith("policy/p has changed since the plan was made: 2 live objects match policy/p: ")
    assert policy["id"] in error.message


def test_lists_may_come_in_another_order(account: Account, connect: Callable[[Any, str], None]) -> None:
    account.join("m", "n")
    account.applied(
        "groups: {a: {peers: [m, n]}, b: , c: }\npolicies: {p: {from: [a, b], to: [b, c], allow: [tcp/1, tcp/2]}}"
    )
    row = account.row("policies", account.named("/policies", "p")["id"])
    account.store("policies", {**row, "rules": [*row["rules"], {**row["rules"][0], "id": "another", "name": "r2"}]})
    saved(
        account,
        "manage: {policies: full}\nunmanaged: [policy/Default]\ngroups: {a: {peers: []}}\npolicies: {q: {from: a, to: a, allow: all}}",
    )
    between = Between(account.simulator)
    between.after = lambda request, response: (
        response if "/events/" in request.path else json_answer(backwards(json.loads(response.get_data())))
    )
    connect(between, account.token)
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, set(outcome.changes)) == (0, {"~ group/a (peers)", "- policy/p", "+ policy/q"})


def test_what_an_object_shows_of_others_does_not_count(account: Account) -> None:
    """A policy with two rules can be deleted only, and shows how many members its groups have."""
    account.join("m")
    account.applied("groups: {a: }\npolicies: {p: {from: a, to: a, allow: all}}")
    row = account.row("policies", account.named("/policies", "p")["id"])
    account.store("policies", {**row, "rules": [*row["rules"], {**row["rules"][0], "id": "another", "name": "r2"}]})
    saved(account, "manage: {policies: full}\nunmanaged: [policy/Default]\npolicies: {}", "--allow-empty", "policies")
    group = account.named("/groups", "a")
    account.send("PUT", f"/groups/{group['id']}", {"name": "a", "peers": [account.named("/peers", "m")["id"]]})
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.changes) == (0, ["- policy/p"])


def backwards(answer: Any) -> Any:
    """All lists of an answer the other way round."""
    if isinstance(answer, dict):
        return {key: backwards(value) for key, value in answer.items()}
    return [backwards(item) for item in reversed(answer)] if isinstance(answer, list) else answer


def test_what_would_be_new_in_the_plan_is_not_done(account: Account) -> None:
    account.applied(FILES)
    saved(account, "manage: {groups: full}\n" + FILES.replace("tcp/443", "tcp/444"))
    account.send("POST", "/groups", {"name": "clicked"})
    account.send("POST", "/groups", {"name": "clicked too"})
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.changes) == (0, ["~ policy/p (allow)"])
    assert {"clicked", "clicked too"} <= set(account.names("/groups"))


def test_what_does_not_fit_the_files_any_more_does_not_matter_elsewhere(account: Account) -> None:
    """An object that is not in the plan lost the group that it needs: planned anew, the files would be refused."""
    account.send("POST", "/groups", {"name": "live"})
    text = "groups: {a: {peers: []}}\npolicies: {p: {from: live, to: live, allow: all}}"
    account.applied(text)
    account.join("m")
    saved(account, text.replace("[]", "[m]"))
    account.send("DELETE", f"/policies/{account.named('/policies', 'p')['id']}")
    account.send("DELETE", f"/groups/{account.named('/groups', 'live')['id']}")
    assert account.plan(text).exit_code == 3
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.changes) == (0, ["~ group/a (peers)"])


def test_members_that_come_and_go_by_themselves_do_not_matter_unless_they_would_go(account: Account) -> None:
    account.join("m", "n", "o")
    account.applied("groups: {some: {peers: {at_least: []}}, exact: {peers: [m, n]}, gone: }")
    saved(account, "manage: {groups: full}\ngroups: {some: {peers: {at_least: [m]}}, exact: {peers: [m]}}")
    peers = {peer["name"]: peer["id"] for peer in account.read("/peers")}

    def fill(group: str, *names: str) -> None:
        body = {"name": group, "peers": [peers[name] for name in names]}
        account.send("PUT", f"/groups/{account.named('/groups', group)['id']}", body)

    fill("some", "n", "o")
    fill("gone", "o")
    fill("exact", "m", "n", "o")
    outcome = account.nbsync("apply", *PLAN)
    assert {error.address for error in outcome.errors} == {"group/exact", "group/gone"}
    fill("gone")
    fill("exact", "m", "n")
    assert account.nbsync("apply", *PLAN).exit_code == 0
    assert len(account.named("/groups", "some")["peers"]) == 3


def test_what_is_observed_of_an_object_does_not_matter(account: Account) -> None:
    account.join("m")
    account.applied("setup_keys: {k: {type: reusable, auto_groups: []}}", "--secrets-out", "secrets")
    saved(account, "setup_keys: {k: {type: reusable, revoked: true}}\npeers: {m: {ssh_enabled: true}}")
    key = json.loads((account.folder / "secrets").read_text())["secret"]
    account.simulator.event({"event": "peer_joins", "hostname": "n", "setup_key": key})
    account.simulator.event({"event": "time_passes", "seconds": 4000})
    assert account.nbsync("apply", *PLAN).exit_code == 0


def test_guards_judge_the_account_as_it_is_now(account: Account) -> None:
    account.applied(FILES + "\nmanage: {groups: full}")
    saved(
        account,
        "manage: {groups: full, policies: full}\ngroups: {a: }\npolicies: {}\nunmanaged: [policy/Default]",
        "--allow-empty",
        "policies",
    )
    group = account.named("/groups", "b")["id"]
    add_policy(account, "other", group)
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.writes, outcome.error.code) == (5, [], "NBS406")
    account.send("DELETE", f"/policies/{account.named('/policies', 'other')['id']}")
    assert account.nbsync("apply", *PLAN).exit_code == 0


def test_the_plan_remembers_which_guards_were_lifted(account: Account) -> None:
    account.applied(FILES)
    text = "manage: {policies: full}\nunmanaged: [policy/Default]\npolicies: {}"
    assert account.plan(text, "--save", "plan.json").exit_code == 5
    saved(account, text, "--allow-empty", "policies")
    assert account.nbsync("apply", *PLAN).exit_code == 0


def test_a_plan_for_a_target_stays_one(account: Account) -> None:
    saved(account, FILES, "--target", "group/a")
    assert account.nbsync("apply", *PLAN).changes == ["+ group/a"]


def test_overlays_and_variables_are_in_the_plan(account: Account) -> None:
    account.applied("groups: {c: }")
    account.write("policies: {p: {description: laid over}}\nremove: [group/c]", "over.yaml")
    text = FILES.replace("{a: ,", "{a: , c: ,") + "\nvars: {x: 1}\nmanage: {groups: full}"
    text = text.replace("allow: tcp/443", 'allow: "tcp/${var:x}"')
    saved(account, text, "nbsync.yaml", "--overlay", "over.yaml", "--var", "x=8443")
    (account.folder / "over.yaml").unlink()
    outcome = account.nbsync("apply", *PLAN)
    assert outcome.changes == ["+ group/a", "+ group/b", "+ policy/p", "- group/c"]
    policy = account.named("/policies", "p")
    assert (policy["description"], policy["rules"][0]["ports"]) == ("laid over", ["8443"])


def test_an_empty_plan_can_be_saved_and_does_nothing_as_often_as_one_likes(account: Account) -> None:
    account.applied(FILES)
    assert saved(account).changes == []
    for _ in range(2):
        outcome = account.nbsync("apply", *PLAN)
        assert (outcome.exit_code, outcome.writes) == (0, [])


def test_a_secret_needs_its_place_when_the_plan_is_applied(account: Account) -> None:
    saved(account, "setup_keys: {k: {type: reusable}}")
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.writes, outcome.error.code) == (5, [], "NBS601")
    assert account.nbsync("apply", *PLAN, "--secrets-out", "secrets").exit_code == 0


def test_a_cut_apply_is_not_taken_up_again_by_its_plan(account: Account) -> None:
    saved(account)
    account.fault("POST", "/api/groups", "status:422", nth=2)
    first = account.nbsync("apply", *PLAN[2:])
    assert (first.exit_code, "Mend what the errors say and plan anew: it goes on from there." in first.stdout) == (
        7,
        True,
    )
    again = account.nbsync("apply", *PLAN)
    assert (again.exit_code, carried_out(again)) == (6, ["1 of 3 changes were made"])
    saved(account)
    assert account.nbsync("apply", *PLAN).exit_code == 0


def test_a_refused_plan_is_not_saved(account: Account) -> None:
    account.applied(FILES)
    outcome = account.plan("policies: {}\nmanage: {policies: full}", "--save", "plan.json")
    assert (outcome.exit_code, outcome.warning.code) == (5, "NBS624")
    assert outcome.warning.message.endswith("a guard refuses it; no file was written")
    assert not (account.folder / "plan.json").exists()
    saved(account)
    before = (account.folder / "plan.json").read_bytes()
    outcome = account.plan("policies: {}\nmanage: {policies: full}", "--save", "plan.json")
    assert outcome.warning.message.endswith("the file there is left as it is")
    assert (account.folder / "plan.json").read_bytes() == before


@pytest.mark.parametrize("there", [None, b"", b'{"nbsync_plan":1 and whatever came of it'])
def test_plan_files_are_for_their_owner_alone(account: Account, there: bytes | None) -> None:
    path = account.folder / "plan.json"
    if there is not None:
        path.write_bytes(there)
        path.chmod(0o644)
    before = os.umask(0)
    try:
        saved(account)
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert [found.code for found in account.plan(FILES, "--save", "plan.json").findings] == ["NBS625"]


def test_no_other_file_is_overwritten(nobody: NoServer, desk: Desk) -> None:
    desk.write("version: 1\n" + FILES)
    (desk.folder / "folder").mkdir()
    (desk.folder / "link").symlink_to("nbsync.yaml")
    os.mkfifo(desk.folder / "pipe")
    for name in ("nbsync.yaml", "folder", "link", "pipe", "/dev/null"):
        outcome = desk.nbsync("plan", "nbsync.yaml", "-o", "json", "--save", name)
        assert (outcome.exit_code, outcome.error.code) == (64, "NBS626")
    assert (desk.folder / "nbsync.yaml").read_text() == "version: 1\n" + FILES
    assert nobody.requests == []


def test_a_place_where_nothing_can_be_written_is_an_error(account: Account) -> None:
    outcome = account.plan(FILES, "--save", "nowhere/plan.json")
    assert (outcome.exit_code, outcome.error.code) == (1, "NBS902")


def test_the_file_holds_no_token_and_no_secret(account: Account) -> None:
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    secret = json.loads((account.folder / "secrets").read_text())["secret"]
    saved(
        account,
        "setup_keys: {k: {type: one-off}}\nservice_users: {nbsync: {role: admin, tokens: {t: {expires_in: 1d}}}}",
    )
    text = (account.folder / "plan.json").read_text()
    assert "setup_key" in text
    assert account.token not in text
    assert secret not in text
    assert secret[:5] not in text


@pytest.mark.parametrize(
    "flags",
    [
        ("nbsync.yaml",),
        ("--overlay", "x.yaml"),
        ("--var", "x=1"),
        ("--target", "group/a"),
        ("--allow", "delete:3"),
        ("--allow", "another-run", "--allow", "renumber"),
        ("--allow-empty", "groups"),
    ],
)
def test_the_plan_says_all(account: Account, flags: tuple[str, ...]) -> None:
    saved(account)
    outcome = account.nbsync("apply", *PLAN, *flags)
    assert (outcome.exit_code, outcome.sent, outcome.error.code) == (64, (), "NBS901")
    assert "do not go together" in outcome.error.message


def test_other_flags_stay(account: Account) -> None:
    saved(account)
    (account.folder / "token").write_text(account.token)
    flags = ("--yes", "-q", "--token-file", "token", "--out", "text=out.txt", "--secrets-out", "s", "--journal", "j")
    assert account.nbsync("apply", *PLAN, *flags).exit_code == 0
    assert "3 created" in (account.folder / "out.txt").read_text()


def test_another_server_is_refused_before_it_is_asked(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(account)
    monkeypatch.setenv("NB_MANAGEMENT_URL", "https://netbird.example")
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.error.code, outcome.sent) == (3, "NBS622", ())
    assert "and this is https://netbird.example" in outcome.error.message


def test_another_account_of_the_same_server_is_refused(
    account: Account, connect: Callable[[Any, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    saved(account)
    other = Simulator()
    token = other.bootstrap()
    connect(other, token)
    outcome = Account(account.folder, capsys, other, token).nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.error.code) == (3, "NBS622")
    assert not {"GET /api/groups", "GET /api/policies"} & set(outcome.sent)
    assert outcome.writes == []


def test_damaged_files_are_refused_before_anybody_is_asked(nobody: NoServer, desk: Desk) -> None:
    (desk.folder / "folder").mkdir()
    (desk.folder / "newer").write_text('{"nbsync_plan":99}')
    (desk.folder / "empty").write_text("")
    for command in (("apply", "--plan"), ("show",)):
        for name, code in {"missing": 621, "folder": 621, "/dev/zero": 621, "empty": 621, "newer": 623}.items():
            outcome = desk.nbsync(*command, name, "-o", "json")
            assert (outcome.exit_code, outcome.error.code) == (3, f"NBS{code}"), name
    assert nobody.requests == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda desired: desired["marks"].pop(),
        lambda desired: desired["marks"].append(0),
        lambda desired: desired["marks"].__setitem__(3, 1 << 60),
        lambda desired: desired["marks"].__setitem__(3, -1),
        lambda desired: desired.update(files=[]),
        lambda desired: desired["tree"].update(version=2),
        lambda desired: desired["tree"]["policies"]["p"].update({"allow": "everything"}),
    ],
)
def test_a_desired_state_that_makes_no_sense_is_refused(account: Account, spoil: Callable[[Any], Any]) -> None:
    saved(account)
    reseal(account.folder / "plan.json", lambda document: spoil(document["desired"]))
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.error.code, outcome.sent) == (3, "NBS621", ())


def test_a_change_that_the_desired_state_does_not_ask_for_is_not_made(account: Account) -> None:
    """Whoever seals a file anew can ask for other things, but not for changes that no plan would make."""
    saved(account)
    reseal(account.folder / "plan.json", lambda document: document["desired"]["tree"]["policies"].pop("p"))
    reseal(
        account.folder / "plan.json", lambda document: document["desired"].update(marks=marks_of(document["desired"]))
    )
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.writes, outcome.error.address) == (6, [], "policy/p")
    assert "it would not be changed any more" in outcome.error.message


def marks_of(desired: Any) -> list[int]:
    """As many marks as the tree needs, all at the start of the first file."""

    def count(node: Any) -> int:
        if isinstance(node, dict):
            return 1 + sum(2 + count(value) for value in node.values())
        return 1 + sum(1 + count(item) for item in node) if isinstance(node, list) else 0

    return [0] * count(desired["tree"])


def test_other_values_in_a_resealed_file_are_noticed(account: Account) -> None:
    saved(account)
    reseal(
        account.folder / "plan.json",
        lambda document: document["desired"]["tree"]["policies"]["p"].update(allow="tcp/22"),
    )
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.writes, outcome.error.address) == (6, [], "policy/p")


@pytest.mark.parametrize("output", FORMATS)
def test_show_needs_no_server_and_says_whose_plan_it_is(
    account: Account, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = saved(account)
    for name in ("NB_MANAGEMENT_URL", "NB_PAT"):
        monkeypatch.delenv(name)
    outcome = account.nbsync("show", "plan.json", "-o", output)
    assert (outcome.exit_code, outcome.sent) == (0, ())
    said = outcome.stdout + outcome.stderr
    assert all(
        part in said.replace("\n", " ")
        for part in ("NBS627", account.read("/accounts")[0]["id"], "made by nbsync 0.", "T")
    )
    if output == "json":
        assert outcome.document["changes"] == planned.document["changes"]
        assert outcome.document["server"] == planned.document["server"]
        assert outcome.document["summary"] == planned.document["summary"]
        assert outcome.document["command"] == "show"


def test_show_says_what_plan_says(account: Account) -> None:
    account.join("m")
    account.applied("manage: {networks: full}\nnetworks: {n: {resources: {r: {address: 10.0.0.1}}}}\ngroups: {old: }")
    account.write(
        "version: 1\nmanage: {networks: full}\nnetworks: {}\ngroups: {new: {previously: old, peers: [m, absent]}}"
    )
    planned = account.nbsync("plan", "--save", "plan.json", "--allow-empty", "networks")
    shown = account.nbsync("show", "plan.json")
    assert planned.exit_code == 0
    assert shown.stdout == planned.stdout
    assert "goes with it: network_resource/n/r" in shown.stdout
    assert "the peer 'absent' has not joined yet" in shown.stderr


def test_show_cleans_what_a_file_says(account: Account) -> None:
    saved(account)
    hostile = "\x1b[2J\u202e::error::x\n##[group]\ud800"

    def spoil(document: Any) -> None:
        document["target"] = dict.fromkeys(document["target"], hostile)
        document |= {"nbsync_version": hostile, "made_at": hostile, "since": hostile}
        for change in document["changes"]:
            change |= {
                "address": [change["address"][0], hostile],
                "reason": hostile,
                "cause": [hostile, 1, 1],
                "previous_key": hostile,
            }
            change["fields"] = [{"path": hostile, "before": [hostile], "after": {hostile: hostile}}]

    reseal(account.folder / "plan.json", spoil)
    for output in FORMATS:
        outcome = account.nbsync("show", "plan.json", "-o", output)
        assert outcome.exit_code == 0
        for line in (outcome.stdout + outcome.stderr).split("\n"):
            assert line.isprintable()
            assert "##[" not in line
            assert not line.startswith("::error::x")
            assert output == "github" or clean(line) == line


ALIAS = "groups: {g: }\ndns: {zones: {x.example: {groups: [g], records: {w: {CNAME: t.example}}}}}"


def add_address(account: Account) -> None:
    """Somebody gives the name an address, beside which it can be no alias."""
    (zone,) = account.read("/dns/zones")
    record = {"name": "w.x.example", "type": "A", "content": "10.0.0.1", "ttl": 300}
    account.send("POST", f"/dns/zones/{zone['id']}/records", record)


def test_a_plan_is_refused_if_something_has_come_beside_which_the_server_takes_nothing_else(account: Account) -> None:
    account.applied("groups: {g: }\ndns: {zones: {x.example: {groups: [g]}}}")
    saved(account, ALIAS)
    add_address(account)
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.error.message == (
        "dns_record/x.example/w/CNAME/t.example has changed since the plan was made: "
        "dns_record/x.example/w/A/10.0.0.1 is there now, which excludes it"
    )


def test_what_a_plan_takes_away_itself_does_not_exclude_what_it_makes(account: Account) -> None:
    account.applied(ALIAS.replace("CNAME: t.example", "A: 10.0.0.1"))
    planned = saved(account, "manage: {default: full}\n" + ALIAS)
    assert account.nbsync("apply", *PLAN).changes == planned.changes
    assert account.plan(ALIAS).changes == []


def test_a_token_that_somebody_has_made_for_a_service_user_who_is_to_go_refuses_the_plan(account: Account) -> None:
    account.applied("service_users: {nbsync: {role: admin}, s: {role: user}}")
    saved(account, "manage: {service_users: full}\nservice_users: {nbsync: {role: admin}}")
    (user,) = (one["id"] for one in account.read("/users") if one["name"] == "s")
    account.send("POST", f"/users/{user}/tokens", {"name": "t", "expires_in": 9})
    outcome = account.nbsync("apply", *PLAN)
    assert (outcome.exit_code, outcome.writes) == (6, [])
    assert outcome.error.message == (
        "token/s/t has changed since the plan was made: "
        "it was not there when planned, and would go with service_user/s now"
    )


def test_a_record_of_another_zone_excludes_nothing(account: Account) -> None:
    zones = "groups: {g: }\ndns: {zones: {sub.x.example: {groups: [g], records: {w: {CNAME: t.example}}}, x.example: {groups: [g]%s}}}"
    account.applied(zones % "")
    saved(account, zones % ", records: {w.sub: {A: 10.0.0.1}}")
    assert account.nbsync("apply", *PLAN).exit_code == 0


def test_what_goes_with_what_the_plan_deletes_excludes_nothing(account: Account) -> None:
    alias = "groups: {g: }\ndns: {zones: {%s: {groups: [g], records: {w: {%s}}}}}"
    account.applied(alias % ("x.example", "CNAME: t.example"))
    after = "manage: {default: full}\nguards: {max_delete: {percent: 100}}\n" + alias % ("y.example", "A: 10.0.0.1")
    saved(account, after)
    assert account.nbsync("apply", *PLAN).exit_code == 0
    assert account.plan(after).changes == []
