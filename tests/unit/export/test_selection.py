"""Parts of an account, by kind and by address."""

from __future__ import annotations

import pytest

from reconciler.errors import UsageError
from reconciler.export import wish
from schemas import KINDS
from tests.unit.export.accounts import Simulated, assert_in_step, section


@pytest.fixture
def company(account: Simulated) -> Simulated:
    """Two groups, two policies between them, a network and a zone."""
    groups = [account.group("ops")], [account.group("web")]
    account.policy("dev-a", *groups)
    account.policy("dev-b", *groups)
    for name in ("dc1", "dc2"):
        network = account.make("/networks", {"name": name})
        nas = {"name": f"nas-{name}", "address": "10.0.0.1", "groups": [], "enabled": True}
        account.make(f"/networks/{network}/resources", nas)
        account.make(f"/networks/{network}/resources", {**nas, "name": f"erp-{name}"})
        router = {"peer_groups": groups[0], "metric": 100, "masquerade": True, "enabled": True}
        account.make(f"/networks/{network}/routers", router)
    account.make("/dns/zones", {"name": "z", "domain": "z.example", "distribution_groups": groups[0], "enabled": True})
    return account


def root_keys(text: str) -> list[str]:
    """The root keys of the kinds in a document."""
    keys = [line.split(":")[0] for line in text.splitlines() if line[:1].isalpha()]
    return [key for key in keys if key not in ("version", "manage", "unmanaged")]


@pytest.mark.parametrize(
    ("kinds", "keys"),
    [
        (("policy",), ["policies"]),
        (("policies",), ["policies"]),
        (("policy", "group"), ["groups", "policies"]),
        (("dns",), ["dns"]),
        (("network",), ["networks"]),
    ],
)
def test_kind_is_named_as_in_addresses_or_as_its_root_key(company, kinds, keys):
    """A plan of a part is empty, too, also where that part is owned."""
    text = company.text(*kinds)
    assert root_keys(text) == keys
    assert_in_step(company, text)


def test_kind_comes_with_what_stands_inside(company):
    """Networks with their routers and resources."""
    found = section(company.text("network"), "networks")
    assert (found.count("peer_groups:"), found.count("address:")) == (2, 4)


def test_kind_inside_of_another_comes_with_all_that_it_stands_in(company):
    """Without what else stands there: a network that declares no routers keeps them."""
    text = company.text("network_resource")
    assert_in_step(company, text)
    assert "resources:" in text
    assert "routers:" not in text
    assert section(text, "networks").count("address: 10.0.0.1") == 4


def test_pattern_takes_what_it_matches(company):
    """The head says that there is more."""
    text = company.text(only=("policy/dev-*",))
    assert section(text, "policies").splitlines() == [
        "dev-a: {from: ops, to: web, allow: all}",
        "dev-b: {from: ops, to: web, allow: all}",
    ]
    assert root_keys(text) == ["policies"]
    assert "# These files hold only a part of the account" in text
    assert not company.plan(text).changes


def test_pattern_inside_of_another_object_brings_that_one(company):
    """As far as it is needed to stand in."""
    text = company.text(only=("network_resource/*/erp-dc1",))
    assert section(text, "networks") == "dc1:\n  resources:\n    erp-dc1: {address: 10.0.0.1}\n"


def test_address_of_what_others_stand_in_brings_these(company):
    """A network comes with its routers and resources."""
    found = section(company.text(only=("network/dc2",)), "networks")
    assert found.startswith("dc2:\n")
    assert found.count("address:") == 2
    assert "peer_groups: [ops]" in found


def test_kinds_and_patterns_go_together(company):
    """Both have to fit."""
    assert root_keys(company.text("group", only=("*/*",))) == ["groups"]


def reads(account: Simulated, *kinds: str) -> int:
    """How many requests an export takes."""
    before = account.api.reads
    account.text(*kinds)
    return account.api.reads - before


def test_reading_takes_as_many_requests_as_there_are_lists(company):
    """Whatever the number of objects; fewer for a part."""
    requests = reads(company)
    for number in range(20):
        company.group(f"group-{number}")
    assert reads(company) == requests
    assert reads(company, "policy") < requests


@pytest.mark.parametrize(
    ("kinds", "patterns", "message", "advice"),
    [
        (("polcy",), (), "no kind is called 'polcy'", "did you mean 'policy' or 'policies'?"),
        (("xyz",), (), "no kind is called 'xyz'", "possible: "),
        ((), ("polcy/*",), "'polcy/*' is no address of any kind", "did you mean 'policy'?"),
        ((), ("dev-a",), "'dev-a' is no address of any kind", "possible: "),
    ],
)
def test_what_is_not_known_is_named(kinds, patterns, message, advice):
    """With the nearest things that are."""
    with pytest.raises(UsageError) as caught:
        wish(KINDS, kinds, patterns)
    (found,) = caught.value.diagnostics
    assert found.message == message
    assert found.help.startswith(advice)


def test_pattern_that_nothing_matches_is_an_error(company):
    """An empty file would say that all is well."""
    with pytest.raises(UsageError, match="the account has nothing that is policy/x"):
        company.export(only=("policy/x",))
