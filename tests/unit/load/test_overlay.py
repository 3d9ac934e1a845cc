"""Overlays change what the files say."""

from pathlib import Path

import pytest

from reconciler.load import locate, read

BASE = """\
version: 1
groups:
  dev: {peers: [a, b], owner: ana}
  ops:
account: {x: 1, y: {z: 1}}
guards: {max_delete: {percent: 10}, protect: [a]}
unmanaged: [a]
"""


def test_mappings_merge_by_key_lists_and_scalars_replace(load):
    found = load(
        BASE,
        overlays=[
            "groups: {dev: {peers: [c]}, new: {}, ops: {peers: [d]}}\nunmanaged: [b]\n",
            "account: {y: {w: 2}, x: [2]}\nguards: {protect: [], max_delete: 5}\ngroups: {dev: {owner: {}}}\n",
        ],
    )
    assert found.diagnostics == []
    assert found.root == {
        "version": 1,
        "groups": {"dev": {"peers": ["c"], "owner": {}}, "ops": {"peers": ["d"]}, "new": {}},
        "account": {"x": [2], "y": {"z": 1, "w": 2}},
        "guards": {"max_delete": 5, "protect": []},
        "unmanaged": ["b"],
    }


def test_places_are_those_of_who_wrote_it(load):
    found = load(BASE, overlays=["groups: {dev: {peers: [c]}}\n"])
    places = [
        str(found.sources.place(locate(found.root, path)))
        for path in (["groups", "dev", "peers"], ["groups", "dev", "owner"], ["groups", "dev"])
    ]
    assert places == ["over1.yaml:1:23", "a.yaml:3:31", "a.yaml:3:8"]


@pytest.mark.parametrize(
    "nothing", ["groups:", "groups: {dev: }", "account:", "guards: {max_delete: }", "guards:", "dns:"]
)
def test_null_over_a_mapping_says_nothing(load, nothing):
    root = load(BASE, overlays=[nothing + "\n"]).root
    root.drop("dns")
    assert root == load(BASE).root


@pytest.mark.parametrize(
    ("over", "path"), [("account: {y: }", ["account", "y"]), ("groups: {dev: {owner: }}", ["groups", "dev", "owner"])]
)
def test_null_inside_of_an_object_replaces(load, over, path):
    node = load(BASE, overlays=[over + "\n"]).root
    for step in path:
        node = node[step]
    assert node is None


def test_variables_are_replaced(load):
    base = "vars: {a: 1, b: {c: 1}, d: {e: 1}}\nx: ['${var:a}', '${var:b}', '${var:d}']\n"
    assert load(base, overlays=["vars: {a: 2, b: , d: {f: 2}}\n"]).root == {"x": [2, None, {"e": 1, "f": 2}]}


def test_overlays_leave_shared_subtrees_alone(load):
    found = load("x: &x {peers: [a]}\ngroups: {a: *x, b: *x}\n", overlays=["groups: {a: {peers: [b]}}\n"])
    assert found.root["groups"] == {"a": {"peers": ["b"]}, "b": {"peers": ["a"]}}
    assert found.root["x"] == {"peers": ["a"]}


def test_removed_addresses_are_collected(load):
    found = load(
        BASE, overlays=["remove: [group/dev, policy/x]\n", "remove:\n- '${var:g}'\nvars: {g: group/ops}\n", "remove:\n"]
    )
    assert found.diagnostics == []
    assert [(address, str(found.sources.place(at))) for address, at in found.removed] == [
        ("group/dev", "over1.yaml:1:10"),
        ("policy/x", "over1.yaml:1:21"),
        ("group/ops", "over2.yaml:2:3"),
    ]
    assert "remove" not in found.root


def test_remove_is_for_overlays_only(load):
    found = load("version: 1\nremove: [a]\n", "remove: [b]\n")
    assert [f"{d.place} {d.code}" for d in found.diagnostics] == ["a.yaml:2:1 NBS105", "b.yaml:1:1 NBS105"]
    assert (found.root, found.removed) == ({"version": 1}, [])


@pytest.mark.parametrize(
    ("listed", "place"), [("text", "1:9"), ("{a: b}", "1:9"), ("[1]", "1:10"), ("[a, {b: }]", "1:13")]
)
def test_remove_is_a_list_of_text(load, listed, place):
    found = load(BASE, overlays=[f"remove: {listed}\n"])
    assert [f"{d.place} {d.code}" for d in found.diagnostics] == [f"over1.yaml:{place} NBS105"]
    assert all(address == "a" for address, _ in found.removed)


def test_two_overlays_may_say_the_same(load):
    found = load(BASE, overlays=["groups: {dev: {owner: a}}\n", "groups: {dev: {owner: b}}\n"])
    assert (found.root["groups"]["dev"]["owner"], found.diagnostics) == ("b", [])


def test_what_is_an_overlay_is_not_a_file_too(load, folder):
    load(
        files={"conf/a.yaml": "groups: {a: }\n", "conf/env/prod.yaml": "groups: {a: {peers: []}}\nremove: [group/a]\n"}
    )
    found = read([Path("conf")], overlays=[Path("conf/env")], environ={}, objects=frozenset(), singletons=frozenset())
    assert found.diagnostics == []
    assert found.files == (Path("conf/a.yaml"), Path("conf/env/prod.yaml"))
    assert found.root == {"groups": {"a": {"peers": []}}}


def test_an_overlay_that_cannot_be_read_is_an_error(load):
    found = load("a: 1\n", overlays=["b: [\n"])
    assert [f"{d.place} {d.code}" for d in found.diagnostics] == ["over1.yaml:2:1 NBS002"]
    assert found.root == {"a": 1}


def test_a_missing_overlay_is_an_error(load):
    load("a: 1\n")
    Path("empty").mkdir()
    paths = [Path("no.yaml"), Path("empty")]
    found = read([Path("a.yaml")], overlays=paths, environ={}, objects=frozenset(), singletons=frozenset())
    assert [d.code for d in found.diagnostics] == ["NBS001"]
    found = read([Path("a.yaml")], overlays=paths[1:], environ={}, objects=frozenset(), singletons=frozenset())
    assert [d.code for d in found.diagnostics] == ["NBS007"]
