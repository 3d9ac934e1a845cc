"""What drift finds: objects that differ, and those that the account has and the files do not say."""

from __future__ import annotations

from tests.unit.harness import Account, Outcome

FILES = "groups: {a: }\nsetup_keys: {}\n"


def drift(account: Account, text: str, *arguments: str) -> Outcome:
    return account.do("drift", text, "--detailed-exitcode", *arguments)


def undeclared(outcome: Outcome) -> list[str]:
    return [one["address"] for one in outcome.document["undeclared"]]


def test_what_somebody_clicked_is_drift_even_where_apply_would_leave_it(account: Account) -> None:
    account.applied(FILES)
    assert drift(account, FILES).exit_code == 0
    made = account.send("POST", "/groups", {"name": "clicked"})
    outcome = drift(account, FILES)
    assert (outcome.exit_code, outcome.changes) == (2, [])
    assert outcome.document["undeclared"] == [
        {"address": "group/clicked", "kind": "group", "key": "clicked", "id": made["id"]}
    ]
    assert account.plan(FILES, "--detailed-exitcode").exit_code == 0


def test_an_owned_kind_shows_it_as_a_deletion(account: Account) -> None:
    account.applied(FILES)
    account.send("POST", "/groups", {"name": "clicked"})
    outcome = drift(account, "manage: {default: full}\n" + FILES)
    assert (outcome.exit_code, outcome.changes, undeclared(outcome)) == (2, ["- group/clicked"], [])


def test_what_is_listed_as_unmanaged_is_no_drift(account: Account) -> None:
    account.applied(FILES)
    account.send("POST", "/groups", {"name": "clicked"})
    outcome = drift(account, FILES + "unmanaged: [group/click*]")
    assert (outcome.exit_code, undeclared(outcome)) == (0, [])
    assert outcome.document["summary"]["unmanaged"] == 1


def test_kinds_in_no_file_people_machines_and_what_the_server_made_are_no_drift(account: Account) -> None:
    account.join("laptop")
    assert drift(account, "groups: {}\nusers: {}\npeers: {}\n").exit_code == 0


def test_parts_of_a_network_are_drift_only_where_the_files_have_such_parts(account: Account) -> None:
    account.applied("groups: {a: }\nnetworks: {n: {resources: {r: {address: 10.0.0.1}}}}")
    [network] = account.send("GET", "/networks")
    clicked = {"name": "s", "address": "10.0.0.2", "enabled": True, "groups": []}
    account.send("POST", f"/networks/{network['id']}/resources", clicked)
    with_parts = drift(account, "networks: {n: {resources: {r: {address: 10.0.0.1}}}}")
    assert undeclared(with_parts) == ["network_resource/n/s"]
    assert undeclared(drift(account, "networks: {n: }")) == []


def test_a_missing_and_a_foreign_object_are_told_of_together(account: Account) -> None:
    account.applied("groups: {a: }")
    account.send("POST", "/groups", {"name": "x\x1b[31m"})
    outcome = account.do("drift", "groups: {a: , b: }", "-o", "text")
    assert "not in the files (1)" in outcome.stdout
    assert "\x1b" not in outcome.stdout
    assert outcome.stdout.rstrip().endswith("Drift: 1 missing, 1 not in the files.")
