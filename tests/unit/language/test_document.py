"""The root of a document: version, ownership, guards, what is left alone, and what may not stand there."""

from __future__ import annotations

import pytest

from tests.unit.harness import Desk, marked
from tests.unit.language.conftest import Check

UNKNOWN, MISSING, TYPE, INVALID = "NBS110", "NBS111", "NBS112", "NBS113"

REFUSED = {
    "another version": ("version: ▸2\n", INVALID, "version 2 of the language is not known", "version: 1"),
    "the version as text": ('version: ▸"1"\n', INVALID, "version 1 of", "a number without quotes"),
    "the version as a fraction": ("version: ▸1.0\n", INVALID, "version 1.0 of", "version: 1"),
    "the version as a boolean": ("version: ▸true\n", INVALID, "version true of", "version: 1"),
    "an unknown root key": ("▸group: {}", UNKNOWN, "unknown key 'group'", "did you mean 'groups'?"),
    "a root key that resembles nothing": (
        "▸frobnicate: {}",
        UNKNOWN,
        "'frobnicate'",
        "possible: version, manage, guards",
    ),
    "a kind of a later version": ("▸agent_network: {}", UNKNOWN, "not managed by this version", "take it out"),
    "access tests, which are of a later version": ("▸tests: {}", UNKNOWN, "not managed by this version", "take it out"),
    "an unknown part of dns": ("dns: {▸zone: {}}", UNKNOWN, "unknown key 'zone'", "did you mean 'zones'?"),
    "dns that is no mapping": ("dns: ▸x", TYPE, "'dns' is a mapping, not 'x'", "write a mapping"),
    "a kind that is a list": ("groups: ▸[a]", TYPE, "'groups' is a mapping, not a list", "write a mapping"),
    "a kind that is an empty list": ("groups: ▸[]", TYPE, "'groups' is a mapping, not a list", "write a mapping"),
    "a kind that is a number": ("policies: ▸3", TYPE, "'policies' is a mapping, not '3'", "write a mapping"),
    "an object that is a number": ("groups: {a: ▸3}", TYPE, "'a' is a mapping, not '3'", "write a mapping"),
    "an object that is a list": ("groups: {a: ▸[x]}", TYPE, "'a' is a mapping, not a list", "write a mapping"),
    "an object without a name": ('groups: {▸"": {}}', INVALID, "a name cannot be empty", "give it one"),
    "manage that is no mapping": ("manage: ▸full", TYPE, "'manage' is a mapping, not 'full'", "write a mapping"),
    "a misspelt default": ("manage: {▸defualt: full}", UNKNOWN, "manage knows no 'defualt'", "did you mean 'default'?"),
    "a mode by the kind instead of its root key": (
        "manage: {▸group: full}",
        UNKNOWN,
        "'group'",
        "did you mean 'groups'?",
    ),
    "a mode for a part of dns": ("manage: {▸zones: full}", UNKNOWN, "manage knows no 'zones'", "possible: default, "),
    "an unknown mode": ("manage: {default: ▸all}", INVALID, "'all' is no mode", "write full or no-delete"),
    "a boolean for a mode": ("manage: {default: ▸true}", INVALID, "'true' is no mode", "write full or no-delete"),
    "no mode": ("manage: {groups: ▸~}\ngroups: {}", INVALID, "nothing is no mode", "write full or no-delete"),
    "guards that are no mapping": ("guards: ▸3", TYPE, "'guards' is a mapping, not '3'", "write a mapping"),
    "an unknown guard": (
        "guards: {▸max_deletes: {}}",
        UNKNOWN,
        "unknown key 'max_deletes'",
        "did you mean 'max_delete'",
    ),
    "a limit without a unit": (
        "guards: {max_delete: ▸30}",
        TYPE,
        "a mapping is meant here, not '30'",
        "write a mapping",
    ),
    "more than all": ("guards: {max_delete: {percent: ▸101}}", INVALID, "'101' is out of range", "at most 100"),
    "less than none": ("guards: {max_delete: {percent: ▸-1}}", INVALID, "'-1' is out of range", "at least 0"),
    "a negative count": ("guards: {max_delete: {count: ▸-1}}", INVALID, "'-1' is out of range", "at least 0"),
    "a fraction of a percent": ("guards: {max_delete: {percent: ▸1.5}}", TYPE, "a whole number is meant", "digits"),
    "a count as text": ('guards: {max_delete: {count: ▸"5"}}', TYPE, "a whole number is meant here, not '5'", "digits"),
    "a count as a boolean": ("guards: {max_delete: {count: ▸true}}", TYPE, "a whole number is meant here", "digits"),
    "a limit of an unknown kind": (
        "guards: {max_delete_for: {▸policies: {count: 1}}}",
        UNKNOWN,
        "no kind is called 'policies'",
        "did you mean 'policy'",
    ),
    "an unknown part of a limit": (
        "guards: {max_delete_for: {policy: {▸cuont: 1}}}",
        UNKNOWN,
        "unknown key 'cuont'",
        "did you mean 'count'",
    ),
    "protection that is no list": ("guards: {protect: ▸group/a}", TYPE, "a list is meant here", "write a list"),
    "protection of an unknown kind": ("guards: {protect: [▸grop/a]}", INVALID, "is no address", "did you mean 'group'"),
    "protection of a whole kind without a pattern": (
        "guards: {protect: [▸group]}",
        INVALID,
        "is no address",
        "group/*",
    ),
    "a pattern that fits no kind": ("guards: {protect: [▸legacy-*]}", INVALID, "is no address", "KIND/KEY"),
    "protection by a number": (
        "guards: {protect: [▸5]}",
        TYPE,
        "text is meant here, and 5 is a number",
        'quote it: "5"',
    ),
    "a negative number of admins": ("guards: {keep_admins: ▸-1}", INVALID, "'-1' is out of range", "at least 0"),
    "unmanaged that is no list": ("unmanaged: ▸group/a", TYPE, "is a list of addresses or patterns", "write a list"),
    "unmanaged objects of an unknown kind": (
        "unmanaged: [▸polcy/x]",
        INVALID,
        "is no address",
        "did you mean 'policy'",
    ),
    "an unmanaged pattern that fits no kind": ("unmanaged: [▸sandbox-*]", INVALID, "is no address", "KIND/KEY"),
    "variables that are no mapping": ("vars: ▸[a]", "NBS006", "vars is not a mapping", "write"),
    "remove outside of an overlay": ("▸remove: [group/a]", "NBS105", "outside of an overlay", "delete"),
}


@pytest.mark.parametrize(("text", "code", "message", "advice"), REFUSED.values(), ids=REFUSED)
def test_refused(refused: Check, text: str, code: str, message: str, advice: str) -> None:
    (error,) = refused(text)
    assert error.code == code
    assert message in error.message
    assert advice in error.help


def test_the_version_is_needed_in_one_of_the_files(desk: Desk) -> None:
    desk.write("groups: {a: {}}", "a.yaml")
    desk.write("policies: {}", "b.yaml")
    error = desk.nbsync("validate", "-o", "json").error
    assert (error.code, error.message, error.help) == (
        MISSING,
        "'version' is missing",
        "write version: 1 in one of the files",
    )
    desk.write("version: 1", "c.yaml")
    assert desk.nbsync("validate", "-o", "json").exit_code == 0


def test_the_version_is_not_missed_where_a_file_cannot_be_read(desk: Desk) -> None:
    desk.write("version: 1\ngroups: [", "a.yaml")
    desk.write("groups: {a: {}}", "b.yaml")
    assert [error.code for error in desk.nbsync("validate", "-o", "json").errors] == ["NBS002"]


@pytest.mark.parametrize(
    "text",
    [
        "groups:",
        "groups: {}",
        "manage:\nguards:\nvars:\nunmanaged:",
        "dns:",
        "dns: {}",
        "dns: {zones: , nameservers: {}, disabled_management_groups: []}",
        "manage: {default: full, users: full, peers: no-delete}\nusers: {}\npeers: {}",
        "guards: {max_delete: {percent: 0, count: 0}, max_delete_for: {dns_record: {percent: 100}}, keep_admins: 0}",
        "guards: {protect: [network_resource/dc1/*, '*/nas', 'polic?/x', '[gp]*/x', account/account]}",
        "unmanaged: ['*', policy/legacy-*, network/dc*]",
    ],
)
def test_taken(taken: Check, text: str) -> None:
    taken(text)


def test_a_mode_for_a_kind_that_no_file_has_is_a_warning(taken: Check) -> None:
    (warning,) = taken("manage: {▸policies: full}\ngroups: {}")
    assert warning.code == "NBS301"
    assert warning.message == "the mode of 'policies' does nothing: no file has policies"


def test_dns_is_its_nameservers_and_zones(taken: Check) -> None:
    (warning,) = taken("manage: {▸dns: full}\ndns: {}")
    assert warning.message == "the mode of 'dns' does nothing: no file has dns.nameservers or dns.zones"
    assert taken("manage: {dns: full}\ndns: {zones: {}}") == []


def test_what_is_declared_and_unmanaged_is_a_warning(taken: Check) -> None:
    (warning,) = taken("unmanaged: [group/a*]\ngroups: {▸abc: {}, b: {}}")
    assert (warning.code, warning.address) == ("NBS303", "group/abc")


def test_names_that_no_file_declares_are_listed_for_the_account(desk: Desk) -> None:
    text = "groups: {a: {peers: [gw]}}\npolicies: {p: {from: a, to: [b, All], allow: all, posture: strict}}"
    outcome = desk.validate(text)
    assert outcome.exit_code == 0
    assert [(found.severity, found.message) for found in outcome.findings] == [
        ("info", f"the {what} is to be found in the account")
        for what in ("peer 'gw'", "group 'b'", "posture check 'strict'")
    ]


def test_all_errors_of_all_files_come_at_once(desk: Desk) -> None:
    files = {
        "a.yaml": "version: 1\ngroups: {a: {▸peer: [x]}}\npolicies: {▸p: {from: a, allow: all}}",
        "sub/b.yaml": "groups: {b: {peers: ▸x}}\nroutes: {r: {network: ▸10.0.0.0, groups: [a], peer: x}}",
        "c.yaml": "groups: {a: ▸'x",
        "d.yml": "vars: {v: ▸'${env:NOT_SET}'}\nsetup_keys: {k: {type: ▸once}}",
    }
    for name, text in files.items():
        desk.write(text, name)
    outcome = desk.nbsync("validate", "-o", "json")
    assert outcome.exit_code == 3
    places = [f"{name}:{place}" for name, text in files.items() for place in marked(text)[1]]
    assert sorted(error.place for error in outcome.errors) == sorted(places)
