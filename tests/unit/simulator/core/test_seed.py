"""Accounts to start with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.simulate import account_of
from reconciler.errors import UsageError
from reconciler.simulator import Simulator
from reconciler.simulator.example import example_account
from reconciler.simulator.seed import SeedError, seed
from tests.unit.simulator.core.conftest import Caller


def test_the_example_is_a_small_company(simulator: Simulator, admin: Caller) -> None:
    seed(simulator, example_account())

    peers = {peer["name"]: [group["name"] for group in peer["groups"]] for peer in admin.get("/peers")}
    assert len(peers) == 9
    assert peers["laptop-ana"] == ["All", "ops"]
    assert admin.get("/setup-keys")[0]["name"] == "runners"
    assert admin.get("/networks")[0]["routing_peers_count"] == 2
    assert admin.get("/dns/zones")[0]["records"]


def test_a_document_may_hold_anything_in_the_apis_own_shapes(simulator: Simulator, admin: Caller) -> None:
    """References stand for ids, in paths, bodies and keys."""
    document = {
        "peers": [{"hostname": "web", "groups": ["web"], "meta": {"version": "0.60.0"}}],
        "users": [{"name": "bot", "role": "auditor", "service": True, "groups": ["web"]}],
        "groups": ["empty"],
        "api": [
            {"path": "/api/networks", "body": {"name": "dc"}, "as": "dc"},
            {"path": "/api/networks/@dc/routers", "body": {"peer": "@peer:web"}},
            {
                "method": "PUT",
                "path": "/api/users/@user:bot",
                "body": {"role": "user", "auto_groups": ["@group:empty"]},
            },
        ],
    }

    seed(simulator, document)

    peer = admin.get("/peers")[0]
    assert (peer["version"], [group["name"] for group in peer["groups"]]) == ("0.60.0", ["All", "web"])
    assert admin.get("/networks/routers")[0]["peer"] == peer["id"]
    names = {group["id"]: group["name"] for group in admin.get("/groups")}
    bot = next(user for user in admin.get("/users") if user["name"] == "bot")
    assert (bot["role"], [names[group] for group in bot["auto_groups"]]) == ("user", ["empty"])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "an account file has users, peers, groups and api"),
        ({"hosts": []}, "not hosts"),
        ({"peers": {"web": {}}}, "peers is a list of mappings"),
        ({"api": [{"path": "/api/groups", "body": {"name": ""}}]}, "422 .*group name shouldn't be empty"),
        ({"api": [{"path": "/api/networks/@dc/routers"}]}, "nothing is called @dc; known are @group:All"),
        ({"peers": [{"hostname": "x", "user": "nobody@acme.test"}]}, "peer x: .*no peer auth method"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(
    simulator: Simulator, admin: Caller, document: Any, message: str
) -> None:
    with pytest.raises(SeedError, match=message):
        seed(simulator, document)


def test_bootstrap_can_be_repeated(simulator: Simulator) -> None:
    """Each time it gives another token of the same service user."""
    first, second = simulator.bootstrap(), simulator.bootstrap()

    users = Caller(simulator, f"Token {first}").get("/users")
    assert first != second
    assert sorted(user["name"] for user in users) == ["Owner", "nbsync"]


def test_an_account_file_is_yaml(tmp_path: Path) -> None:
    (tmp_path / "account.yaml").write_text("groups: [a]\n")
    (tmp_path / "broken.yaml").write_text("groups: [a\n")

    assert account_of(str(tmp_path / "account.yaml")) == {"groups": ["a"]}
    for name in ("broken.yaml", "missing.yaml"):
        with pytest.raises(UsageError, match=name):
            account_of(str(tmp_path / name))
