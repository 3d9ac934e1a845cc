"""Whatever a server answers to whoever looks, it is kept or a clear error: no traceback, no wrong delete, no second of anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fuzz.answers import GONE, WRONG, Canned, Place, changed, deep, places, raw, truncated
from tests.unit.fuzz.chance import tries
from tests.unit.fuzz.conftest import LOOKS
from tests.unit.harness import Desk, Outcome, json_answer

LISTS = [
    *("groups", "peers", "policies", "posture-checks", "networks", "networks/routers", "networks/resources", "routes"),
    *("dns/nameservers", "dns/zones", "setup-keys", "users"),
]
SINGLE = ["accounts", "dns/settings"]


def check_told(outcome: Outcome) -> None:
    """It ended well, or says what is wrong, with which answer, and what to do; in JSON or in text."""
    assert outcome.exit_code in (0, 1, 3, 5, 8), outcome.stdout + outcome.stderr
    assert "NBS999" not in outcome.stdout + outcome.stderr, outcome.stdout + outcome.stderr
    if '"diagnostics"' not in outcome.stdout:
        assert outcome.exit_code == 0 or ("error[NBS" in outcome.stderr and "help: " in outcome.stderr)
        return
    errors = [found for found in json.loads(outcome.stdout)["diagnostics"] if found["severity"] == "error"]
    assert all(found["help"] for found in errors), errors
    assert bool(errors) == (outcome.exit_code not in (0, 5)), outcome.stdout


def told(outcome: Outcome) -> str:
    """The one error of a plan, with its request."""
    assert outcome.exit_code == 1, outcome.stdout
    assert outcome.error.code == "NBS509"
    return f"{outcome.error.message} [{outcome.error.request}]"


def run(desk: Desk, command: str) -> Outcome:
    return desk.nbsync(*LOOKS[command], *(["-q"] if command != "doctor" else []))


@tries(150)
@given(data=st.data())
def test_a_value_of_another_type_is_kept_or_a_clear_error(data: st.DataObject, canned: Canned, desk: Desk) -> None:
    command = data.draw(st.sampled_from(["plan"] * 6 + ["export"] * 3 + ["drift", "schema", "doctor"]))
    path = data.draw(st.sampled_from(sorted(canned.answers)))
    place = data.draw(st.sampled_from(list(places(canned.answers[path]))))
    wrong = data.draw(st.sampled_from(WRONG))
    canned.instead = {path: json_answer(changed(canned.answers[path], place, wrong))}
    outcome = run(desk, command)
    check_told(outcome)
    assert canned.refused == []
    if command == "plan" and outcome.exit_code == 0:
        check_changes(outcome, place, wrong)


def check_changes(outcome: Outcome, place: Place, wrong: Any) -> None:
    """A plan on a damaged answer asks for no delete; only what has another name or flag is another object."""
    removed = [change for change in outcome.document["changes"] if change["action"] in ("delete", "replace")]
    is_value = isinstance(wrong, str | int | float) or wrong in (["x"], GONE if place[-1:] == ("peer_groups",) else "x")
    is_nothing = wrong is None or wrong == []
    assert not removed or is_value or (is_nothing and place[-1:] in NOBODY_ROUTES), (removed, place, wrong)


NOBODY_ROUTES = [("peer_groups",), ("peer",), (0,)]
"""Older servers have routes and routers through nobody: these are others than those through somebody."""


@pytest.mark.parametrize("command", LOOKS)
@pytest.mark.parametrize(
    "body",
    ["", "[", "null", "<html>", "[]", "{}", "7", '"x"', "[null]", deep(1_000), deep(100_000), "[1e999]", "\xff", "[" * 500_000],
    ids=lambda body: f"{body[:6]} {len(body)}",
)  # fmt: skip
def test_a_server_that_answers_one_thing_to_everything_is_no_empty_account(
    command: str, body: str, canned: Canned, desk: Desk
) -> None:
    canned.instead = dict.fromkeys(canned.answers, raw(body.encode("latin-1")))
    outcome = run(desk, command)
    check_told(outcome)
    assert outcome.exit_code == 1
    assert canned.refused == []


@pytest.mark.parametrize("path", ["groups", "users"])
@pytest.mark.parametrize("nothing", [None, []])
def test_lists_that_are_never_empty_are_not_believed_when_they_are(
    path: str, nothing: Any, canned: Canned, desk: Desk
) -> None:
    canned.instead = {f"/api/{path}": json_answer(nothing)}
    missing = {"groups": "the group All, which is in every account", "users": "the user who asks for it"}[path]
    expected = f"GET /api/{path} does not show {missing}: the list cannot be whole [GET /api/{path}]"
    assert told(run(desk, "plan")) == expected
    check_told(run(desk, "export"))


def test_a_list_without_the_group_all_is_in_part(canned: Canned, desk: Desk) -> None:
    groups = [group for group in canned.answers["/api/groups"] if group["name"] != "All"]
    canned.instead = {"/api/groups": json_answer(groups)}
    assert "does not show the group All" in told(run(desk, "plan"))


@pytest.mark.parametrize(("path", "other"), [("networks/routers", "networks"), ("networks/resources", "networks")])
def test_a_list_that_lacks_what_another_one_shows_is_not_believed(
    path: str, other: str, canned: Canned, desk: Desk
) -> None:
    """Whoever believed it would make what is there a second time."""
    listed = canned.answers[f"/api/{path}"]
    for left in ([], None, listed[1:]):
        canned.instead = {f"/api/{path}": json_answer(left)}
        message = told(run(desk, "plan"))
        assert message.startswith(f"GET /api/{path} does not show the network r")
        assert f"which GET /api/{other} shows" in message
    networks = [{**network, path.partition("/")[2]: None} for network in canned.answers["/api/networks"]]
    canned.instead = {"/api/networks": json_answer(networks)}
    assert f"which GET /api/{path} shows" in told(run(desk, "plan"))
    canned.instead = {"/api/networks": json_answer([])}
    message = told(run(desk, "plan"))
    assert message.startswith("GET /api/networks does not show the network r")


ODD: dict[str, tuple[str, str, Any, str]] = {
    "a router through a number": ("networks/routers", "peer", 1.5, "peer is a number"),
    "a route through a number": ("routes", "peer", -1, "peer is a number"),
    "a key without a type": ("setup-keys", "type", None, "type is nothing"),
    "nobody knows whether a person": ("users", "is_service_user", None, "is_service_user is neither true nor false"),
}


@pytest.mark.parametrize(("path", "field", "wrong", "flaw"), ODD.values(), ids=ODD)
def test_what_would_make_another_object_of_it_is_an_error(
    path: str, field: str, wrong: Any, flaw: str, canned: Canned, desk: Desk
) -> None:
    listed = [{**one, field: wrong} for one in canned.answers[f"/api/{path}"]]
    canned.instead = {f"/api/{path}": json_answer(listed)}
    assert flaw in told(run(desk, "plan"))


def test_a_word_that_nbsync_does_not_know_is_no_reason_to_make_a_key_anew(canned: Canned, desk: Desk) -> None:
    listed = [{**one, "type": "tri-use"} for one in canned.answers["/api/setup-keys"]]
    canned.instead = {"/api/setup-keys": json_answer(listed)}
    outcome = run(desk, "plan")
    assert (outcome.exit_code, {error.code for error in outcome.errors}) == (3, {"NBS205"})
    assert "it has the type 'tri-use', for which the language has no word" in outcome.errors[0].message


@pytest.mark.parametrize("nothing", [[], None])
def test_no_policies_are_not_believed_where_networks_have_some(nothing: Any, canned: Canned, desk: Desk) -> None:
    """Whoever believed it would make what is there a second time."""
    canned.answers["/api/networks"][0]["policies"] = ["x"]
    canned.instead = {"/api/policies": json_answer(nothing)}
    expected = "GET /api/policies does not show any policy, and GET /api/networks shows one in "
    assert told(run(desk, "plan")).startswith(expected)


@pytest.mark.parametrize("nothing", [[], None])
def test_no_machines_are_not_believed_where_groups_have_some(nothing: Any, canned: Canned, desk: Desk) -> None:
    """Whoever believed it would delete the routes through them."""
    canned.instead = {"/api/peers": json_answer(nothing)}
    expected = "GET /api/peers does not show any peer, and GET /api/groups shows one in "
    assert told(run(desk, "plan")).startswith(expected)


@pytest.mark.parametrize("path", LISTS)
def test_one_id_twice_in_a_list_is_an_error(path: str, canned: Canned, desk: Desk) -> None:
    listed = canned.answers[f"/api/{path}"]
    copy = {**listed[-1], "name": "another", "domain": "another.example", "network_id": "another"}
    canned.instead = {f"/api/{path}": json_answer([*listed, copy])}
    message = told(run(desk, "plan"))
    assert message == f"GET /api/{path} shows two objects with the id {listed[-1]['id']} [GET /api/{path}]"


@pytest.mark.parametrize("path", [*LISTS, *SINGLE])
def test_what_an_update_would_wipe_out_has_to_be_in_the_answer(path: str, canned: Canned, desk: Desk) -> None:
    """An object of which only id and name came through is no basis for a plan."""
    answer = canned.answers[f"/api/{path}"]
    kept = ("id", "name", "domain", "email", "network_id", "is_service_user", "is_current")
    part = [{key: one[key] for key in kept if key in one} for one in (answer if isinstance(answer, list) else [answer])]
    canned.instead = {f"/api/{path}": json_answer(part)}
    message = told(run(desk, "plan"))
    assert message.startswith(f"GET /api/{path} shows the ")
    assert " without " in message


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("body", ["truncated", "with an id that is a number", "without ids", "of texts", "an object"])
def test_lists_of_something_else_are_an_error_with_the_request(
    path: str, body: str, canned: Canned, desk: Desk
) -> None:
    answer = canned.answers[f"/api/{path}"]
    answers = {
        "truncated": raw(truncated(answer)),
        "with an id that is a number": json_answer([{**one, "id": 7} for one in answer]),
        "without ids": json_answer([changed(one, ("id",), GONE) for one in answer]),
        "of texts": json_answer([one["id"] for one in answer]),
        "an object": json_answer({"data": answer}),
    }
    canned.instead = {f"/api/{path}": answers[body]}
    assert f"GET /api/{path}" in told(run(desk, "plan"))


@pytest.mark.parametrize("path", [*LISTS, *SINGLE])
def test_new_fields_change_nothing(path: str, canned: Canned, desk: Desk) -> None:
    new = {"new_field": {"x": [1, None, {"y": "z" * 100_000}]}, "": None}
    answer = canned.answers[f"/api/{path}"]
    extended = [{**one, **new} for one in answer] if isinstance(answer, list) else {**answer, **new}
    canned.instead = {f"/api/{path}": json_answer(extended)}
    assert run(desk, "plan").changes == []


NEW_VALUES = {
    "an action": ("/api/policies", ("rules", 0, "action"), "policy"),
    "a protocol": ("/api/policies", ("rules", 0, "protocol"), "policy"),
    "a sort of key": ("/api/setup-keys", ("type",), "setup_key"),
    "a state of a key": ("/api/setup-keys", ("state",), ""),
    "a role": ("/api/users", ("role",), "service_user user"),
    "a status": ("/api/users", ("status",), ""),
    "an origin of users": ("/api/users", ("issued",), ""),
    "an origin of groups": ("/api/groups", ("issued",), "group"),
    "a sort of resource": ("/api/networks/resources", ("type",), ""),
    "a sort of route": ("/api/routes", ("network_type",), ""),
    "a sort of record": ("/api/dns/zones", ("records", 0, "type"), "dns_record"),
    "a sort of nameserver": ("/api/dns/nameservers", ("nameservers", 0, "ns_type"), ""),
    "an action of a check": ("/api/posture-checks", ("checks", "peer_network_range_check", "action"), "posture_check"),
}


def with_new_value(canned: Canned, path: str, place: Place, *, of_others: bool) -> Any:
    """A list in which objects that are declared, or copies that are not, have a value from the future."""
    answer, number = [], 0
    for one in canned.answers[path]:
        try:
            future = changed(one, place, "from-the-future") if not is_server_owned(one) else one
        except (KeyError, IndexError, TypeError):
            future = one
        if of_others and future is not one:
            number += 1
            answer.append({**future, **anew(future, number)})
        answer.append(one if of_others else future)
    return answer


def anew(one: dict[str, Any], number: int) -> dict[str, Any]:
    """What a copy does not share with its original."""
    name, domain = f"future-{number}", f"f{number}.example"
    records = [{**record, "id": f"{record['id']}-{number}"} for record in one.get("records", ())]
    names = {"name": name, "network_id": name, "domain": domain, "email": f"f@{domain}"}
    return {key: value for key, value in {**names, "records": records, "id": name}.items() if key in one}


def is_server_owned(one: dict[str, Any]) -> bool:
    return one.get("name") in ("All", "Default", "joining") or bool(one.get("is_current")) or one.get("role") == "owner"


@pytest.mark.parametrize(("path", "place", "kind"), NEW_VALUES.values(), ids=NEW_VALUES)
def test_new_values_of_objects_that_nobody_declares_break_no_plan(
    path: str, place: Place, kind: str, canned: Canned, desk: Desk
) -> None:
    document = (desk.folder / "nbsync.yaml").read_text()
    desk.write(document.replace("default: full", "default: no-delete"))
    listed = with_new_value(canned, path, place, of_others=True)
    ids = [one["id"] for one in listed]
    networks = [{**network, "resources": ids} for network in canned.answers["/api/networks"]]
    canned.instead = {path: json_answer(listed)}
    if path == "/api/networks/resources":
        canned.instead["/api/networks"] = json_answer(networks)
    outcome = run(desk, "plan")
    assert (outcome.exit_code, outcome.changes) == (0, []), outcome.stdout
    desk.write(document)
    for command in LOOKS:
        check_told(run(desk, command))
        assert "in a form that nbsync does not know" not in run(desk, command).stdout


@pytest.mark.parametrize(("path", "place", "kind"), NEW_VALUES.values(), ids=NEW_VALUES)
def test_new_values_of_declared_objects_are_kept_or_a_clear_error(
    path: str, place: Place, kind: str, canned: Canned, desk: Desk
) -> None:
    canned.instead = {path: json_answer(with_new_value(canned, path, place, of_others=False))}
    outcome = run(desk, "plan")
    check_told(outcome)
    if not kind:
        assert (outcome.exit_code, outcome.changes) == (0, []), outcome.stdout
    elif outcome.exit_code == 0:
        assert {change["kind"] for change in outcome.document["changes"]} == set(kind.split())
    else:
        assert outcome.exit_code == 3, outcome.stdout
        assert all((finding.address or "").startswith(f"{kind}/") for finding in outcome.errors)


def test_a_long_list_of_strangers_is_read(canned: Canned, desk: Desk) -> None:
    desk.write((desk.folder / "nbsync.yaml").read_text().replace("default: full", "default: no-delete"))
    group = canned.answers["/api/groups"][-1]
    many = [{**group, "id": f"many-{n}", "name": f"{'n' * 1_000}{n}"} for n in range(2_000)]
    canned.instead = {"/api/groups": json_answer([*canned.answers["/api/groups"], *many])}
    assert run(desk, "plan").changes == []


@pytest.mark.parametrize("wrong", [7, "x", {"x": 1}])
@pytest.mark.parametrize(
    ("path", "place", "said"),
    [
        ("/api/policies", ("rules",), "the server shows a policy"),
        ("/api/groups", ("peers",), "the server shows a group"),
        ("/api/dns/nameservers", ("nameservers",), "the server shows a nameserver group"),
        ("/api/networks", ("routers",), "GET /api/networks shows routers"),
    ],
)
def test_the_message_names_object_and_request(
    path: str, place: Place, said: str, wrong: Any, canned: Canned, desk: Desk
) -> None:
    names = ("p", "a", "n")
    listed = [changed(one, place, wrong) if one["name"] in names else one for one in canned.answers[path]]
    canned.instead = {path: json_answer(listed)}
    message = told(run(desk, "plan"))
    assert message.startswith(said)
    assert next(one["id"] for one in listed if one["name"] in names) in message
    assert message.endswith(f"[GET {path}]")
