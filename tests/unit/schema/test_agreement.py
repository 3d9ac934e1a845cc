"""The schema and the loader accept and refuse the same documents; where they do not, it is listed here."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.scenarios import walk as walks
from tests.unit.apply.drawn import Draw
from tests.unit.schema.documents import EVERYTHING, Json, at, mutants, places, replaced
from tests.unit.schema.judging import as_written, by_loader, by_schema

ROOT = Path(__file__).parents[3]

SCHEMA_ACCEPTS: dict[str, Json] = {
    "the lower port of a range first": {"policies": {"p": {"from": "a", "to": "b", "allow": "tcp/2-1"}}},
    "every source group is a key of ssh": {"policies": {"p": {"from": ["a", "b"], "to": "b", "ssh": {"a": ["x"]}}}},
    "a whole number has no decimal point": {"setup_keys": {"k": {"type": "reusable", "usage_limit": 1.0}}},
    "sums of durations out of range": {
        "service_users": {"u": {"role": "user", "tokens": {"t": {"expires_in": "25h"}}}}
    },
    "a login expiration of less than an hour": {"account": {"peer_login_expiration": "59m"}},
    "a setup key that lasts for centuries": {"setup_keys": {"k": {"type": "reusable", "expires_in": "106752d"}}},
    "one address in two spellings": {
        "dns": {"zones": {"x.y": {"groups": ["a"], "records": {"w": {"AAAA": ["fd00::1", "fd00:0::1"]}}}}}
    },
    "an IPv4 address in the form of IPv6": {
        "dns": {"zones": {"x.y": {"groups": ["a"], "records": {"w": {"AAAA": "::ffff:1.2.3.4"}}}}}
    },
    "one id for several records": {
        "dns": {"zones": {"x.y": {"groups": ["a"], "records": {"w": {"A": ["1.1.1.1", "2.2.2.2"], "id": "x"}}}}}
    },
    "a zone's name of 255 bytes": {"dns": {"zones": {"x.y": {"groups": ["a"], "name": "\u00e4" * 200}}}},
    "Punycode that cannot be read": {"routes": {"r": {"domains": ["xn--99999999"], "peer": "m", "groups": ["a"]}}},
    "one address declared twice": {"networks": {"n": {"routers": [{"peer": "m"}, {"peer": "m", "metric": 1}]}}},
    "e-mails that differ in case": {"users": {"a@b.example": None, "A@b.example": None}},
    "what only one object can have": {
        "account": {"dns_domain": "x.example"},
        "dns": {"zones": {"x.example": {"groups": ["a"]}}},
    },
    "a pattern that is open before its kind": {"unmanaged": ["zebra*"]},
    "references to what is not there": {"groups": {"a": {"owner": "${var:none}"}}},
}
"""What the loader refuses and the schema cannot say."""

SCHEMA_REFUSES: dict[str, Json] = {
    "one domain written 33 times": {"routes": {"r": {"domains": ["x.y"] * 33, "peer": "m", "groups": ["a"]}}},
}
"""What the loader takes and nobody writes."""

KNOWN = re.compile(r"ssh says nothing about the source group|is declared twice|can be declared once only")
"""Messages of the loader about gaps that mutants run into."""


@pytest.mark.parametrize("gap", SCHEMA_ACCEPTS)
def test_each_gap_in_which_the_schema_accepts_is_one(gap: str, tmp_path: Path) -> None:
    document = {"version": 1, **SCHEMA_ACCEPTS[gap]}
    assert by_schema(document) == []
    assert by_loader(document, tmp_path)


@pytest.mark.parametrize("gap", SCHEMA_REFUSES)
def test_each_gap_in_which_the_schema_refuses_is_one(gap: str, tmp_path: Path) -> None:
    document = {"version": 1, **SCHEMA_REFUSES[gap]}
    assert by_schema(document)
    assert by_loader(document, tmp_path) == []


def test_both_accept_a_document_with_every_field(tmp_path: Path) -> None:
    assert by_schema(EVERYTHING) == by_loader(EVERYTHING, tmp_path) == []


@pytest.mark.parametrize("seed", range(8))
def test_both_judge_alike_of_documents_that_differ_in_one_place(seed: int, tmp_path: Path) -> None:
    for document in mutants(EVERYTHING, Random(seed), 250):
        against, loaders = by_schema(document), by_loader(document, tmp_path)
        unsaid = [message for message in loaders if not KNOWN.search(message)]
        assert bool(against) == bool(unsaid if not against else loaders), (document, against, loaders)


@pytest.mark.parametrize("seed", range(40))
def test_the_schema_accepts_documents_by_chance_that_apply(seed: int) -> None:
    assert by_schema(Draw(Random(seed)).document()) == []


def interpolable(document: Json) -> list[tuple[Any, ...]]:
    """Places whose value a variable can stand for."""
    return [path for path in places(document) if path[0] != "vars" and at(document, path) is not None]


@pytest.mark.parametrize("path", interpolable(EVERYTHING), ids=lambda path: ".".join(map(str, path)))
def test_both_accept_a_variable_in_the_place_of_any_value(path: tuple[Any, ...], tmp_path: Path) -> None:
    document = replaced(EVERYTHING, path, "${var:it}")
    document["vars"] = {"it": deepcopy(at(EVERYTHING, path))}
    assert by_schema(document) == by_loader(document, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("${var:x}", True),
        ("a${env:X:-b}c", True),
        ("${file:x y/z}", True),
        ("$${", True),
        ("$$${var:x}", True),
        ("$", True),
        ("a$b", True),
        ("${", False),
        ("${x}", False),
        ("${var:}", False),
        ("${env:1}", False),
        ("${var:a${b}", False),
        ("$${${var:x}", True),
    ],
)
def test_text_is_interpolated_as_the_loader_does(text: str, *, taken: bool, tmp_path: Path) -> None:
    (tmp_path / "x y").mkdir()
    (tmp_path / "x y" / "z").write_text("it")
    document = {"version": 1, "vars": {"x": "1x"}, "groups": {"a": {"owner": text}}}
    assert (by_schema(document) == [], by_loader(document, tmp_path) == []) == (taken, taken)


def test_an_escaped_interpolation_is_text_and_no_value(tmp_path: Path) -> None:
    document = {"version": 1, "account": {"peer_login_expiration": "$${var:x}"}}
    assert by_schema(document)
    assert by_loader(document, tmp_path)


EXAMPLES = sorted((ROOT / "examples").glob("*/*.yaml"))
EXAMPLES = [path for path in EXAMPLES if path.parent.name != "demo"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_schema_accepts_every_example(path: Path) -> None:
    assert by_schema(as_written(path.read_text("utf-8"))) == []


BLOCKS = re.findall(
    r"^ *```yaml\n(# [^.\s]\S*\.yaml\n.*?)^ *```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_the_schema_accepts_what_readme_shows(block: str) -> None:
    assert by_schema(as_written(block)) == []


@pytest.mark.parametrize("name", walks.names())
def test_the_schema_accepts_what_scenarios_plan(name: str, tmp_path: Path) -> None:
    for step in walks.load(name).steps:
        document: Any = step.desired
        if isinstance(document, dict) and not by_loader(document, tmp_path):
            assert by_schema(document) == []
