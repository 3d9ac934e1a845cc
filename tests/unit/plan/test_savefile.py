"""A plan file holds what was written, byte for byte, or nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from reconciler.errors import DesiredStateError
from reconciler.plan.savefile import SavedPlan, decode, encode
from schemas import KINDS
from tests.unit.harness import Account

FILES = """
manage: {groups: full}
groups: {a: {peers: [m1, absent]}, new: {previously: c}, "odd\\e[2J": }
policies: {p: {from: a, to: new, allow: [tcp/80, tcp/8000-8100], description: "é"}}
setup_keys: {k: {type: one-off, auto_groups: [a]}}
networks: {n: {description: new, resources: {r: {address: 10.0.0.1}}}}
"""


@pytest.fixture
def data(account: Account) -> bytes:
    """A plan with something of everything."""
    account.join("m1")
    account.applied("groups: {b: {peers: [m1]}, c: }\nnetworks: {n: }")
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    assert account.plan(FILES, "--save", "plan.json").exit_code == 0
    return (account.folder / "plan.json").read_bytes()


def refused(data: bytes) -> str:
    with pytest.raises(DesiredStateError) as caught:
        decode(data, "plan.json", KINDS)
    (found,) = caught.value.diagnostics
    assert found.message.startswith("plan.json ")
    assert found.help
    return found.code


def sealed(document: Any) -> bytes:
    """The document with a digest that is right, as an attacker would do it."""
    document = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(document, separators=(",", ":")) + "\n"
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return (json.dumps({**document, "digest": digest}, separators=(",", ":")) + "\n").encode()


def test_what_was_written_is_read(data: bytes) -> None:
    saved = decode(data, "plan.json", KINDS)
    assert encode(saved).encode() == data
    assert sorted(f"{change.action} {change.address}" for change in saved.plan(KINDS).changes) == [
        "create group/a",
        "create group/odd\x1b[2J",
        "create network_resource/n/r",
        "create policy/p",
        "delete group/b",
        "rename group/new",
        "replace setup_key/k",
        "update network/n",
    ]


def test_every_changed_byte_is_refused(data: bytes) -> None:
    random = Random(6)
    for place in [*range(60), *range(len(data) - 90, len(data)), *random.sample(range(len(data)), 400)]:
        for byte in {data[place] ^ 1 << random.randrange(8), ord(" "), ord("0"), 0xFF} - {data[place]}:
            changed = data[:place] + bytes([byte]) + data[place + 1 :]
            assert refused(changed) in ("NBS621", "NBS623"), (place, byte)


def test_every_missing_or_added_byte_is_refused(data: bytes) -> None:
    random = Random(7)
    for place in [0, 1, 2, len(data) - 1, *random.sample(range(len(data)), 200)]:
        assert refused(data[:place]) == "NBS621"
        assert refused(data[:place] + data[place + 1 :]) in ("NBS621", "NBS623")
        assert refused(data[:place] + b" " + data[place:]) in ("NBS621", "NBS623")
    assert refused(data + data) == "NBS621"
    assert refused(data + b"\n") == "NBS621"


@pytest.mark.parametrize(
    "rewritten",
    [
        json.dumps,
        lambda document: json.dumps(document, indent=2),
        lambda document: json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n",
        lambda document: json.dumps({**document, "unmanaged": 0}, separators=(",", ":")) + "\n",
        lambda document: json.dumps({**document, "digest": ""}, separators=(",", ":")) + "\n",
        lambda document: json.dumps({**document, "digest": None}, separators=(",", ":")) + "\n",
    ],
)
def test_a_file_that_another_tool_has_written_again_is_refused(data: bytes, rewritten: Callable[[Any], str]) -> None:
    assert refused(rewritten(json.loads(data)).encode()) == "NBS621"


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{}", b"[]", b"null", b"version: 1\n", b"\xff\xfe", b'{"nbsync_plan":'),
        *(b'{"nbsync_plan":true}', b'{"nbsync_plan":0}', b'{"nbsync_plan":"1"}', b'{"nbsync_plan":1.0}'),
        b'{"nbsync_plan":' + b"[" * 100_000,
        b'{"nbsync_plan":' + b"9" * 10_000 + b"}",
        b"[" * 100_000,
    ],
    ids=range(14),
)
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    assert refused(data) == "NBS621"


def test_a_newer_format_is_refused_with_the_version_that_wrote_it() -> None:
    with pytest.raises(DesiredStateError, match=r"plan\.json was written by nbsync 7\.1 as a plan of format 2"):
        decode(b'{"nbsync_plan":2,"nbsync_version":"7.1"}', "plan.json", KINDS)
    assert refused(b'{"nbsync_plan":2,"nbsync_version":["x"]}') == "NBS623"


def _without(key: str) -> Callable[[Any], Any]:
    return lambda document: document.pop(key)


@pytest.mark.parametrize(
    "spoil",
    [
        *map(_without, SavedPlan.model_fields),
        lambda document: document.update(more=1),
        lambda document: document.update(changes="none"),
        lambda document: document["changes"][0].update(address=["nothing", "x"]),
        lambda document: document["changes"][0].update(address="group/x"),
        lambda document: document["changes"][0].update(action="burn"),
        lambda document: document["changes"][0].update(fields=[[]]),
        lambda document: document["changes"][0].update(state={}),
        lambda document: document["desired"].update(tree=[]),
        lambda document: document["desired"].update(marks=["x"]),
    ],
)
def test_a_file_with_a_right_digest_and_wrong_contents_is_refused(data: bytes, spoil: Callable[[Any], Any]) -> None:
    document = json.loads(data)
    spoil(document)
    assert refused(sealed(document)) == "NBS621"
