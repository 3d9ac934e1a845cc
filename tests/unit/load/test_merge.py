"""Many files add up to one tree."""

import pytest

from reconciler.load import locate


def test_mappings_of_several_files_are_merged_by_key(load):
    found = load(
        "version: 1\ngroups: {dev: {peers: [a]}}\ndns: {zones: {a.io: {groups: [dev]}}}\n",
        "groups: {ops: }\ndns: {zones: {b.io: {}}, nameservers: {corp: {}}}\npolicies: {p: {}}\n",
    )
    assert found.diagnostics == []
    assert found.root == {
        "version": 1,
        "groups": {"dev": {"peers": ["a"]}, "ops": None},
        "dns": {"zones": {"a.io": {"groups": ["dev"]}, "b.io": {}}, "nameservers": {"corp": {}}},
        "policies": {"p": {}},
    }
    assert str(found.sources.place(locate(found.root, ["dns", "zones", "b.io"], key=True))) == "b.yaml:2:15"


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        ("groups: {dev: {}}\n", "groups: {dev: {}}\n", "b.yaml:1:10 a.yaml:1:10"),
        ("groups: {dev: }\n", "groups: {dev: }\n", "b.yaml:1:10 a.yaml:1:10"),
        ("groups: {dev: {peers: [a]}}\n", "\ngroups: {dev: }\n", "b.yaml:2:10 a.yaml:1:10"),
        ("dns: {zones: {a: {x: 1}}}\n", "dns: {zones: {a: {y: 1}}}\n", "b.yaml:1:15 a.yaml:1:15"),
        ("account: {a: 1}\n", "account: {b: 1}\n", "b.yaml:1:1 a.yaml:1:1"),
        ("manage: {default: full}\n", "manage: {default: full}\n", "b.yaml:1:10 a.yaml:1:10"),
        ("guards: {max_delete: {count: 1}}\n", "guards: {max_delete: {count: 2}}\n", "b.yaml:1:23 a.yaml:1:23"),
        ("version: 1\n", "version: 2\n", "b.yaml:1:1 a.yaml:1:1"),
        ("version: 1\n", "version: true\n", "b.yaml:1:1 a.yaml:1:1"),
        ("groups: {}\n", "groups: []\n", "b.yaml:1:1 a.yaml:1:1"),
        ("groups: text\n", "groups: {a: }\n", "b.yaml:1:1 a.yaml:1:1"),
        ("tests: [1]\n", "tests: [2]\n", "b.yaml:1:1 a.yaml:1:1"),
        ("vars: {a: 1}\n", "vars: {a: 1}\n", "b.yaml:1:8 a.yaml:1:8"),
        ("vars: {a: {b: 1}}\n", "vars: {a: {c: 1}}\n", "b.yaml:1:8 a.yaml:1:8"),
    ],
)
def test_what_is_declared_twice_is_shown_with_both_places(only, first, second, place):
    found = only(first, second)
    assert (found.code, f"{found.place} {found.message.split()[-1]}") == ("NBS101", place)


def test_the_message_names_what_is_declared_twice(only):
    message = only("dns: {zones: {a: {}}}\n", "dns: {zones: {a: {}}}\n").message
    assert message == "dns.zones.a is declared twice, first at a.yaml:1:15"


def test_every_second_declaration_is_reported(problems):
    assert problems(*["groups: {dev: {}, ops: {}}\n"] * 2, "groups: {dev: {}}\n") == [
        "b.yaml:1:10 NBS101",
        "b.yaml:1:19 NBS101",
        "c.yaml:1:10 NBS101",
    ]


def test_the_version_may_be_repeated(load):
    found = load("version: 1\n", "version: 1\n", "version:\n")
    assert (found.root, found.diagnostics) == ({"version": 1}, [])


@pytest.mark.parametrize(
    "texts",
    [("groups:\n", "groups: {a: }\n"), ("groups: {a: }\n", "groups:\n"), ("groups:\n", "groups:\n", "groups: {a: }\n")],
)
def test_an_empty_key_adds_nothing(load, texts):
    found = load(*texts)
    assert (found.root, found.diagnostics) == ({"groups": {"a": None}}, [])


def test_lists_of_what_is_left_alone_add_up(load):
    found = load(
        "unmanaged: &u [a]\nguards: {protect: *u}\n",
        "unmanaged: [b]\n",
        "guards: {protect: [c, d], keep_admins: 2}\nunmanaged:\n",
    )
    assert found.diagnostics == []
    assert found.root == {"unmanaged": ["a", "b"], "guards": {"protect": ["a", "c", "d"], "keep_admins": 2}}
    assert str(found.sources.place(locate(found.root, ["guards", "protect", 2]))) == "c.yaml:1:23"


def test_objects_are_taken_over_as_they_are(load):
    found = load("x: &x {peers: [a]}\ngroups: {a: *x, b: *x}\n", "groups: {c: }\n")
    assert found.root["groups"]["a"] is found.root["groups"]["b"]


def test_the_order_of_files_is_the_order_of_keys(load):
    assert list(load("groups: {b: , a: }\n", "groups: {c: }\naccount: {}\n").root["groups"]) == ["b", "a", "c"]
