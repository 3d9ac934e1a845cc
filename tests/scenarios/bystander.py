"""Somebody else at the account: changes things behind nbsync's back, and looks at what is really there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.api.client import ReadApi
from reconciler.load.desired import Desired
from reconciler.load.tree import Sources
from reconciler.plan.match import Book
from reconciler.state.observe import observe
from schemas import KINDS
from tests.scenarios.account import Account, Dashboard

REFERENCE = re.compile(r"<([^<>]+)>")
METHODS = ("put", "post", "delete")


class Bystander:
    """Knows objects by their addresses, under the names that the last document gives them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._dashboard = Dashboard(account)
        self._marks: dict[str, str] = {}

    def close(self) -> None:
        """Close the connection."""
        self._dashboard.close()

    def book(self, desired: Desired | None) -> Book:
        """Everything in the account."""
        everything = replace(desired or Desired(Sources(), KINDS), kinds=set(KINDS), ownership={})
        with ReadApi(self._account.settings, self._account.transport) as api:
            return Book(everything, observe(api, everything))

    def happen(self, happening: Mapping[str, Any], desired: Desired | None) -> None:
        """Let one thing happen."""
        told = self.resolved(dict(happening), desired)
        mark = told.pop("as", "")
        if told.get("event") == "peer_joins" and "setup_key" not in told and "user" not in told:
            self._dashboard.join(told["hostname"], told.get("auto_groups", []))
        elif "event" in told:
            self._account.event(told)
        else:
            method, path = next((method, told[method]) for method in METHODS if method in told)
            answer = self._dashboard.send(method.upper(), path, told.get("body"))
            self._marks[mark] = answer["id"] if mark else ""

    def look(self, expected: Mapping[str, Any], desired: Desired | None) -> None:
        """See that objects are as expected, as far as the expectation says."""
        if not expected:
            return
        book, wanted = self.book(desired), self.resolved(dict(expected), desired)
        seen = {str(book.addresses[live.kind.name, live.id]): live.seen for live in book.snapshot}
        for address, fields in wanted.items():
            shown = seen.get(address)
            assert is_like(fields, shown), f"{address} is {shown}"

    def resolved(self, value: Any, desired: Desired | None) -> Any:
        """The value with ids in place of `<address>` and `<name>`."""
        texts = set(_references(value))
        ids: dict[str, list[str]] = defaultdict(list)
        if texts - self._marks.keys():
            for (_, identifier), address in self.book(desired).addresses.items():
                ids[str(address)].append(identifier)
        return _replaced(value, {**ids, **{mark: [identifier] for mark, identifier in self._marks.items()}})


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for pair in value.items() for part in pair for found in _references(part)]
    if isinstance(value, list | tuple):
        return [found for item in value for found in _references(item)]
    return REFERENCE.findall(value) if isinstance(value, str) else []


def _replaced(value: Any, ids: Mapping[str, list[str]]) -> Any:
    if isinstance(value, dict):
        return {_replaced(key, ids): _replaced(item, ids) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(item, ids) for item in value]
    return REFERENCE.sub(lambda found: _only(found[1], ids), value) if isinstance(value, str) else value


def _only(text: str, ids: Mapping[str, list[str]]) -> str:
    found = ids.get(text, [])
    assert len(found) == 1, f"<{text}> stands for {len(found)} objects"
    return found[0]


def is_like(expected: Any, shown: Any) -> bool:
    """Tell whether a value has all that is expected: fields of objects, items of lists in any order; nothing is null or empty."""
    if expected in (None, []):
        return not shown
    if isinstance(expected, dict):
        return isinstance(shown, dict) and all(is_like(value, shown.get(key)) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(shown, list) and len(shown) == len(expected) and _are_like(expected, list(shown))
    return bool(expected == shown)


def _are_like(expected: list[Any], shown: list[Any]) -> bool:
    for item in expected:
        found = next((index for index, other in enumerate(shown) if is_like(item, other)), None)
        if found is None:
            return False
        del shown[found]
    return True
