"""`nbsync schema` writes what editors complete, explain and check files with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest

from schemas import KINDS, in_order
from schemas._core.fields import AsTuple, Name, RefTo, Resource
from schemas._core.jsonschema import language_schema
from schemas._core.kind import Endpoint, Kind
from tests.unit.harness import Account
from tests.unit.schema.judging import SCHEMA, as_written

HOSTILE = 'x"]}\x1b[31m\n${var:y}'


def printed(account: Account, *flags: str) -> Any:
    outcome = account.nbsync("schema", *flags)
    assert outcome.exit_code == 0, outcome.stderr
    schema = json.loads(outcome.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    return schema


def accepts(schema: Any, text: str) -> bool:
    return jsonschema.Draft7Validator(schema).is_valid(as_written(text))


def test_it_prints_a_schema_with_an_id_and_a_title(account: Account) -> None:
    schema = printed(account)
    assert schema == SCHEMA
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert (schema["$id"], schema["title"]) == ("https://nbsync.dev/schema/language-1.json", "nbsync file")
    assert len(account.nbsync("schema").stdout) < 110_000


def test_it_sends_nothing_without_live(account: Account) -> None:
    assert account.nbsync("schema").sent == ()


def test_help_shows_the_line_for_editors_in_one_piece(account: Account) -> None:
    assert "# yaml-language-server: $schema=.nbsync/schema.json\n" in account.nbsync("schema", "--help").stdout


def test_it_writes_to_a_file_whose_folder_need_not_be_there(account: Account) -> None:
    outcome = account.nbsync("schema", "--out", ".nbsync/schema.json")
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert json.loads(Path(".nbsync/schema.json").read_text("utf-8")) == SCHEMA


def test_a_file_that_cannot_be_written_is_an_error(account: Account) -> None:
    outcome = account.nbsync("schema", "--out", ".")
    assert outcome.exit_code == 1
    assert "NBS902" in outcome.stderr


@pytest.mark.parametrize(
    "flags", [("--plan", "--live"), ("--plan", "--overlay"), ("--token-file", "x"), ("--simulate",)]
)
def test_flags_that_do_not_go_together_are_a_usage_error(account: Account, flags: tuple[str, ...]) -> None:
    outcome = account.nbsync("schema", *flags)
    assert (outcome.exit_code, outcome.stdout, outcome.sent) == (64, "", ())


def test_overlays_may_have_objects_in_part_and_remove(account: Account) -> None:
    text = "policies: {p: {enabled: false}}\nremove: [policy/old]\nnetworks: {n: {resources: {r: {address: 10.0.0.9}}}}"
    assert accepts(printed(account, "--overlay"), text)
    assert not accepts(SCHEMA, text)
    assert not accepts(printed(account, "--overlay"), "policies: {p: {enabled: maybe}}")


def test_live_offers_names_of_the_account_and_refuses_no_others(account: Account) -> None:
    account.send("POST", "/groups", {"name": HOSTILE})
    account.send("POST", "/groups", {"name": "devs"})
    account.join("gw-1")
    network = account.send("POST", "/networks", {"name": "dc"})
    resource = {"name": "nas", "address": "10.0.0.9", "enabled": True, "groups": []}
    account.send("POST", f"/networks/{network['id']}/resources", resource)
    outcome = account.nbsync("schema", "--live")
    assert outcome.writes == []
    assert "\x1b" not in outcome.stdout
    definitions = json.loads(outcome.stdout)["definitions"]
    offered = {name: definitions[f"{name}_name"]["anyOf"][0]["enum"] for name in ("group", "peer", "network_resource")}
    assert {"All", "devs", HOSTILE.replace("${", "$${")} <= set(offered["group"])
    assert (offered["peer"], offered["network_resource"]) == (["gw-1"], ["dc/nas"])
    assert accepts(json.loads(outcome.stdout), "policies: {p: {from: devs, to: never-seen, allow: all}}")


def test_names_that_objects_share_are_not_offered(account: Account) -> None:
    account.join("twin", "alone")
    peer = next(one for one in account.read("/peers") if one["name"] == "alone")
    account.store("peers", {**account.row("peers", peer["id"]), "name": "twin"})
    assert "peer_name" not in printed(account, "--live")["definitions"]


def fields(schema: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """All properties of a schema, with the way to each."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and schema.get("additionalProperties") is False:
            for name, field in schema["properties"].items():
                yield f"{where}/{name}", field
        for key, inner in schema.items():
            yield from fields(inner, f"{where}/{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from fields(inner, where)


def described(field: Any) -> bool:
    """Whether an editor has something to show for a field."""
    if field.get("description"):
        return True
    return "$ref" in field and described(SCHEMA["definitions"][field["$ref"].rpartition("/")[2]])


def test_every_field_is_described() -> None:
    found = dict(fields(SCHEMA))
    assert len(found) > 150
    assert [where for where, field in found.items() if not described(field)] == []


class Lamp(Resource):
    """A lamp."""

    rooms: Annotated[tuple[Annotated[Name, RefTo("group")], ...], AsTuple] = ()
    """Where it shines."""


class Bulb(Resource):
    """A bulb of a lamp."""

    watts: int
    """How bright it is."""


def test_a_kind_that_is_added_is_in_the_schema() -> None:
    lamp = Kind(name="lamp", model=Lamp, section=("lamps",), endpoint=Endpoint("/lamps"))
    bulb = Kind(name="bulb", model=Bulb, parent="lamp", section=("bulbs",), endpoint=Endpoint("/lamps/{parent}/bulbs"))
    schema = language_schema(in_order([*KINDS.values(), lamp, bulb]))
    assert accepts(schema, "lamps: {hall: {rooms: [a], bulbs: {one: {watts: 5}}, ignore: [bulbs]}, attic: }")
    assert not accepts(schema, "lamps: {hall: {bulbs: {one: {}}}}")
    assert not accepts(schema, "lamps: {hall: {rooms: a}}")
    assert accepts(schema, "manage: {lamps: full}\nguards: {max_delete_for: {bulb: {count: 1}}}\nunmanaged: [bulb/x]")
    assert "Where it shines." in schema["definitions"]["lamp"]["anyOf"][0]["properties"]["rooms"]["description"]
