"""What an account can hold only once is declared once, whatever the kinds."""

from __future__ import annotations

import pytest

from tests.unit.language.conftest import Check

TWICE = {
    "two routes of one network through one group": (
        """
        routes:
          a: {network: 10.0.0.0/8, peer_groups: [g], groups: [All]}
          ▸b: {network: 10.0.0.1/8, peer_groups: [g, h], groups: [All]}
        """,
        "routing to 10.0.0.0/8 through the group 'g' can be declared once only, and is already by route/a/groups:g",
    ),
    "two routes of the same domains through one group": (
        """
        routes:
          a: {domains: [x.example, y.example], peer_groups: [g], groups: [All]}
          ▸b: {domains: [y.example, X.example], peer_groups: [g], groups: [h]}
        """,
        "routing to x.example, y.example through the group 'g' can be declared once only",
    ),
    "a zone of the domain of the account's peers": (
        """
        dns: {zones: {corp.example: {groups: [All]}}}
        ▸account: {dns_domain: corp.example}
        """,
        "the domain corp.example can be declared once only, and is already by dns_zone/corp.example",
    ),
}


@pytest.mark.parametrize(("text", "message"), TWICE.values(), ids=TWICE)
def test_it_is_an_error_that_names_both(refused: Check, text: str, message: str) -> None:
    found = refused(text.replace("\n        ", "\n"))
    assert message in found[0].message


def test_single_peers_may_route_one_network_together(taken: Check) -> None:
    assert (
        taken(
            "routes: {a: [{network: 10.0.0.0/8, peer: p, groups: [All]}, {network: 10.0.0.0/8, peer: q, groups: [All]}]}"
        )
        == []
    )
