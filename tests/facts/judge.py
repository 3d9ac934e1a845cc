"""Compares an answer with a recorded one in which values that differ from run to run are placeholders.

A placeholder such as ``<id:3>`` takes the first value that stands in its place, if the value has the right form and no
other placeholder has taken it, and means that value from then on. Lists of objects may come in another order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

NAMED = r"<[a-z0-9_]+:\d+>|[\w-]*<(?:\d+ )?random>"
PLACEHOLDER = re.compile(rf"{NAMED}|<time>|<password>")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FORMS = {
    "id": "[0-9a-v]{20}",
    "uuid": UUID,
    "user": "C[g-j][A-Za-z0-9_-]{40,}",
    "pat": "nbp_[A-Za-z0-9]{36}",
    "key": UUID.replace("a-f", "A-F"),
    "maskedkey": r"[0-9A-F]{5}\*{4,}",
    "ip": r"\d+\.\d+\.\d+\.\d+",
    "ip6": "[0-9a-f:]{3,}",
    "net": r"\d+\.\d+\.0\.0/16",
    "net6": "[0-9a-f:]+/64",
}
PATIENCE = 20_000
"""Tries for the order of one list, before it counts as different."""


class Difference(AssertionError):
    """Where an answer is not the recorded one, and how."""


class Bindings:
    """What placeholders stand for in this run.

    Attributes:
        values: Value by placeholder.
    """

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self.values = dict(values or {})
        self._taken = {value: name for name, value in self.values.items()}

    def copy(self) -> Bindings:
        """The same bindings, to try more on."""
        return Bindings(self.values)

    def adopt(self, other: Bindings) -> None:
        """Keep what a successful try has bound."""
        self.values, self._taken = other.values, other._taken

    def bind(self, name: str, value: str) -> None:
        """Let a placeholder stand for a value; raises Difference if another one does."""
        if self._taken.get(value, name) != name:
            raise Difference(f"{name} would be {value!r}, which is {self._taken[value]}")
        self.values[name], self._taken[value] = value, name

    def forget_names_in(self, text: str) -> None:
        """Free the names with a random tail that a text holds: whatever makes such a name makes a new one each time."""
        for mark in PLACEHOLDER.finditer(text):
            if mark.group().endswith("random>"):
                self._taken.pop(self.values.pop(mark.group(), ""), None)


def compare(want: Any, got: Any, bound: Bindings, where: str = "$") -> None:
    """Raise Difference unless ``got`` is what ``want`` describes; bind what is new."""
    if isinstance(want, str):
        _compare_text(want, got, bound, where)
    elif isinstance(want, dict):
        _compare_object(want, got, bound, where)
    elif isinstance(want, list):
        _compare_list(want, got, bound, where)
    elif type(want) is not type(got) or want != got:
        raise Difference(f"{where}: expected {brief(want)}, got {brief(got)}")


def brief(value: Any, length: int = 300) -> str:
    """The value as JSON, cut off."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else text[:length] + "…"


def _compare_text(want: str, got: Any, bound: Bindings, where: str) -> None:
    if want == got and "<" not in want:
        return
    pattern, names = _pattern(want, bound)
    found = re.fullmatch(pattern, got, re.DOTALL) if isinstance(got, str) else None
    if found is None:
        raise Difference(f"{where}: expected {brief(want)}, got {brief(got)}")
    for group, name in enumerate(names, 1):
        bound.bind(name, found.group(group))


def _pattern(want: str, bound: Bindings) -> tuple[str, list[str]]:
    """A pattern for a recorded text, and the placeholders that its groups bind."""
    pattern, names, last = "", [], 0
    for mark in PLACEHOLDER.finditer(want):
        name = mark.group()
        pattern += re.escape(want[last : mark.start()])
        last = mark.end()
        if name in bound.values:
            pattern += re.escape(bound.values[name])
        elif name in names:
            pattern += rf"\{names.index(name) + 1}"
        elif name in {"<time>", "<password>"}:
            pattern += TIME if name == "<time>" else ".+"
        else:
            pattern += f"({_form(name)})"
            names.append(name)
    return pattern + re.escape(want[last:]), names


def _form(name: str) -> str:
    kind = name.strip("<>").partition(":")[0]
    return re.escape(name.partition("<")[0]) + "[a-z0-9]+" if name.endswith("random>") else FORMS.get(kind, ".+")


def _compare_object(want: dict[str, Any], got: Any, bound: Bindings, where: str) -> None:
    if not isinstance(got, dict):
        raise Difference(f"{where}: expected an object, got {brief(got)}")
    plain = {key: value for key, value in want.items() if not PLACEHOLDER.search(key)}
    odd = [[key, value] for key, value in want.items() if key not in plain]
    rest = {key: value for key, value in got.items() if key not in plain}
    if missing := plain.keys() - got.keys():
        raise Difference(f"{where}: lacks {sorted(missing)}")
    if rest and not odd:
        raise Difference(f"{where}: has {sorted(rest)} as well")
    # lists last: what else is known of an object helps to find the order of its lists
    for key in sorted(plain, key=lambda key: isinstance(plain[key], list)):
        compare(plain[key], got[key], bound, f"{where}.{key}")
    if odd:
        compare(odd, [list(pair) for pair in rest.items()], bound, f"{where}{{}}")


def _compare_list(want: list[Any], got: Any, bound: Bindings, where: str) -> None:
    if not isinstance(got, list):
        raise Difference(f"{where}: expected a list, got {brief(got)}")
    if len(want) != len(got):
        raise Difference(f"{where}: expected {len(want)} elements, got {len(got)}: {brief(got)}")
    try:
        _in_order(want, got, bound, where)
    except Difference:
        if not all(_may_move(item) for item in want):
            raise
        placed = _placed(sorted(want, key=lambda item: -_known(item, bound)), got, bound, iter(range(PATIENCE)))
        if placed is None:
            raise
        bound.adopt(placed)


def _in_order(want: list[Any], got: list[Any], bound: Bindings, where: str) -> None:
    trial = bound.copy()
    for place, (item, value) in enumerate(zip(want, got, strict=True)):
        compare(item, value, trial, f"{where}[{place}]")
    bound.adopt(trial)


def _may_move(item: Any) -> bool:
    return isinstance(item, dict | list) or (isinstance(item, str) and PLACEHOLDER.search(item) is not None)


def _known(item: Any, bound: Bindings) -> int:
    """How many bound placeholders an element has: those with many leave little choice."""
    return sum(mark.group() in bound.values for mark in PLACEHOLDER.finditer(json.dumps(item)))


def _placed(want: list[Any], got: list[Any], bound: Bindings, tries: Iterator[int]) -> Bindings | None:
    """Bindings under which every wanted element is one of those got, None if there are none."""
    if not want:
        return bound
    for place, value in enumerate(got):
        if next(tries, None) is None:
            return None
        trial = bound.copy()
        try:
            compare(want[0], value, trial)
        except Difference:
            continue
        if (done := _placed(want[1:], got[:place] + got[place + 1 :], trial, tries)) is not None:
            return done
    return None
