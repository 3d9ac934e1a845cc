"""A kind that NetBird does not have, described here alone, works in every command: what a new kind costs is its description."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from werkzeug.wrappers import Request, Response

# Imported before the fixture looks for them: what is imported later would keep the kinds of one test for all others.
import reconciler.cli.export
import reconciler.cli.saved
import reconciler.cli.session
import reconciler.cli.show
import reconciler.render.view  # noqa: F401
from schemas import KINDS, in_order
from schemas._core.fields import AsTuple, JsonObject, Name, RefTo, Resource, Text, Trait, Unordered, Wire
from schemas._core.kind import Account as LiveAccount
from schemas._core.kind import Effect, Endpoint, Kind, Unique, Veto
from tests.unit.harness import Account, Between, json_answer


class Printer(Resource):
    """A printer, for the peers of some groups."""

    model: Annotated[Text, Trait.IMMUTABLE]
    groups: Annotated[tuple[Annotated[Name, RefTo("group")], ...], AsTuple, Unordered, Wire("allowed_groups")] = ()
    duplex: bool = False
    location: Annotated[Text, Trait.KEPT] | None = None


class Tray(Resource):
    """A tray of a printer."""

    paper: Literal["a3", "a4"] = "a4"


def _in_use(seen: JsonObject, after: Printer | None, _changed: frozenset[str], _account: LiveAccount) -> list[Veto]:
    return [Veto("it is printing", "wait")] if after is None and seen.get("busy") else []


PRINTER = Kind(
    name="printer",
    model=Printer,
    section=("printers",),
    endpoint=Endpoint("/printers"),
    computed=frozenset({"id", "pages"}),
    vetoes=_in_use,
    effect=lambda before, after, _around: (
        Effect.WIDENS if before is None else Effect.NARROWS if after is None else Effect.NEUTRAL
    ),
    unique=Unique.ALWAYS,
    renames=True,
    reveals="pin",
)
TRAY = Kind(
    name="tray",
    model=Tray,
    parent="printer",
    section=("trays",),
    endpoint=Endpoint("/printers/{parent}/trays"),
)


class Printers:
    """The part of the API that NetBird does not have: printers, and their trays."""

    def __init__(self) -> None:
        self.printers: dict[str, JsonObject] = {}
        self.trays: dict[str, dict[str, JsonObject]] = {}
        self.made = 0
        self.losing = 0

    def answer(self, request: Request) -> Response | None:
        """Answer what is about printers; as many creates as `losing` says are done, and their answers lost."""
        response = self._answer(request)
        if response is None or request.method != "POST" or not self.losing:
            return response
        self.losing -= 1
        return Response("<title>Bad gateway</title>", 502)

    def _answer(self, request: Request) -> Response | None:
        match request.path.removeprefix("/api/").split("/"):
            case ["printers"]:
                return self._collection(request, self.printers, {"pages": 0, "colour": "black", "location": "hall"})
            case ["printers", identifier]:
                return self._object(request, self.printers, identifier)
            case ["printers", identifier, "trays"]:
                return self._collection(request, self.trays.setdefault(identifier, {}), {})
            case ["printers", parent, "trays", identifier]:
                return self._object(request, self.trays[parent], identifier)
        return None

    def _collection(self, request: Request, there: dict[str, JsonObject], defaults: JsonObject) -> Response:
        if request.method == "GET":
            return json_answer(list(there.values()))
        self.made += 1
        made = {**defaults, **json.loads(request.get_data()), "id": f"x{self.made}"}
        there[made["id"]] = made
        return json_answer({**made, "pin": "0815"})

    def _object(self, request: Request, there: dict[str, JsonObject], identifier: str) -> Response:
        if request.method == "DELETE":
            del there[identifier]
            return json_answer({})
        there[identifier] = {**json.loads(request.get_data()), "id": identifier, "pages": 0}
        return json_answer(there[identifier])


@pytest.fixture
def printers(account: Account, connect: Callable[[Any, str], None], monkeypatch: pytest.MonkeyPatch) -> Printers:
    """A server that has printers, and an nbsync that knows them."""
    registry = in_order([*KINDS.values(), PRINTER, TRAY])
    for module in [
        module for name, module in sys.modules.items() if name.partition(".")[0] in ("reconciler", "schemas")
    ]:
        if getattr(module, "KINDS", None) is KINDS:
            monkeypatch.setattr(module, "KINDS", registry)
    found = Printers()
    between = Between(account.simulator)
    between.before = found.answer
    connect(between, account.token)
    return found


FIRST = """
manage: {printers: full}
groups: {office: }
printers:
  hall: {model: Laser 1, groups: [office], trays: {top: {paper: a3}, bottom: }}
  attic: {model: Laser 2, location: upstairs}
"""
SECRETS = ("--secrets-out", "secrets")


def test_it_is_created_in_the_order_of_references_and_the_next_plan_is_empty(
    account: Account, printers: Printers
) -> None:
    outcome = account.applied(FIRST, *SECRETS)
    assert outcome.changes[0] == "+ group/office"
    assert sorted(outcome.changes[1:]) == ["+ printer/attic", "+ printer/hall", "+ tray/hall/bottom", "+ tray/hall/top"]
    hall = next(one for one in printers.printers.values() if one["name"] == "hall")
    assert hall["allowed_groups"] == [account.named("/groups", "office")["id"]]
    assert (hall["location"], hall["duplex"]) == ("hall", False)
    assert [tray["paper"] for tray in printers.trays[hall["id"]].values()] == ["a4", "a3"]
    assert account.plan(FIRST).changes == []


def test_its_fields_are_compared_its_kept_ones_and_unknown_ones_survive(account: Account, printers: Printers) -> None:
    account.applied(FIRST, *SECRETS)
    for one in printers.printers.values():
        one["colour"] = "green"
    changed = FIRST.replace("groups: [office]", "groups: [], duplex: true").replace("a3", "a4")
    outcome = account.applied(changed)
    assert sorted(outcome.changes) == ["~ printer/hall (groups, duplex)", "~ tray/hall/top (paper)"]
    hall = next(one for one in printers.printers.values() if one["name"] == "hall")
    assert (hall["allowed_groups"], hall["duplex"], hall["colour"], hall["location"]) == ([], True, "green", "hall")


def test_it_is_renamed_replaced_and_deleted(account: Account, printers: Printers) -> None:
    account.applied(FIRST, *SECRETS)
    changed = FIRST.replace("attic: {model: Laser 2, location: upstairs}", "loft: {model: Laser 2, previously: attic}")
    assert account.applied(changed).changes == ["> printer/loft (was attic)"]
    replaced = account.applied(changed.replace("Laser 2", "Laser 3"), *SECRETS)
    assert replaced.changes == ["! printer/loft (model)"]
    assert replaced.change("printer/loft")["reason"] == "NetBird cannot change model of a printer"
    gone = account.applied("manage: {printers: full}\ngroups: {office: }\nprinters: {loft: {model: Laser 3}}")
    assert gone.changes == ["- printer/hall"]
    assert [one["name"] for one in printers.printers.values()] == ["loft"]


def test_its_errors_have_places_and_ways_out(account: Account, printers: Printers) -> None:
    outcome = account.plan("printers: {▸p: {modle: x}, q: {model: ▸1.50}, r: {model: x, trays: {t: {paper: ▸letter}}}}")
    assert outcome.exit_code == 3
    assert sorted(error.message for error in outcome.errors) == [
        "'letter' is not possible here",
        "'model' is missing",
        "text is meant here, and 1.50 is a number",
        "unknown key 'modle'",
    ]
    unknown = account.plan("groups: {office: }\nprinters: {p: {model: x, groups: [▸ofice]}}")
    assert (unknown.error.place, unknown.error.help) == ("nbsync.yaml:3:35", "did you mean 'office'?")


def test_guards_hold_for_it(account: Account, printers: Printers) -> None:
    assert account.apply(FIRST).exit_code == 5
    account.applied(FIRST, *SECRETS)
    needed = account.plan("manage: {default: full}\ngroups: {other: }")
    assert "group/office would be deleted, but printer/hall still needs it" in {
        error.message for error in needed.errors
    }
    for one in printers.printers.values():
        one["busy"] = True
    refused = account.plan(
        "manage: {printers: full}\nguards: {max_delete_for: {tray: {count: 1}}}\nprinters: {attic: {model: Laser 2}}"
    )
    assert sorted(error.message for error in refused.errors) == [
        "2 objects of the kind tray would be deleted, the limit is 1",
        "printer/hall: it is printing",
    ]


def test_its_lost_answers_are_made_good(account: Account, printers: Printers) -> None:
    printers.losing = 1
    account.applied(FIRST, *SECRETS)
    assert printers.losing == 0
    assert sorted(one["name"] for one in printers.printers.values()) == ["attic", "hall"]


def test_it_is_shown_as_text_and_exported(account: Account, printers: Printers) -> None:
    account.applied(FIRST, *SECRETS)
    exported = account.nbsync("export", "--kind", "printer").stdout
    assert (
        "printers:\n  attic: {model: Laser 2, location: upstairs}\n  hall:\n    model: Laser 1\n    groups: [office]\n"
        in exported
    )
    assert "      top: {paper: a3}\n" in exported
    account.write(exported)
    assert account.nbsync("plan", "-o", "json").changes == []
    account.write("version: 1\nprinters: {new: {model: x, duplex: true}}")
    text = account.nbsync("plan").stdout
    assert "printers (1)" in text
    assert "+ printer/new" in text


def test_its_plans_are_saved_shown_and_applied_or_refused(account: Account, printers: Printers) -> None:
    account.applied(FIRST, *SECRETS)
    changed = FIRST.replace("groups: [office]", "groups: [], duplex: true").replace("Laser 2", "Laser 3")
    planned = account.plan(changed, "--save", "plan.json")
    assert account.nbsync("show", "plan.json", "-o", "json").document["changes"] == planned.document["changes"]
    hall = next(one for one in printers.printers.values() if one["name"] == "hall")
    hall["colour"], hall["pages"] = "green", 7
    stale = account.nbsync("apply", "-o", "json", "--plan", "plan.json", *SECRETS)
    assert (stale.exit_code, stale.error.address) == (6, "printer/hall")
    assert stale.error.message.endswith(
        "colour, for which the files have no word, is another one now than when planned"
    )
    hall["colour"] = "black"
    applied = account.nbsync("apply", "-o", "json", "--plan", "plan.json", *SECRETS)
    assert (applied.exit_code, applied.changes) == (0, planned.changes)
