"""Interpolation: `${var:…}`, `${env:…}` and `${file:…}` in scalar values, once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from reconciler.load.files import Unreadable, read_text
from reconciler.load.findings import MAX_DEPTH, Budget, Findings, weight
from reconciler.load.messages import near
from reconciler.load.scalars import Text, plain
from reconciler.load.templates import Malformed, Reference, pieces
from reconciler.load.tree import Map, Seq
from reconciler.load.variables import order

MAX_FILE_VALUE = 1_000_000
MAX_NEAR = 300
MAX_SHOWN = 10
_LAST_NEWLINE = re.compile(r"\r?\n\Z")


@dataclass
class _Value:
    """What a reference stands for: its value, and the same as text (None: not known yet, or no scalar)."""

    value: Any
    text: str | None = None
    at: int = 0


class _Failed(Exception):
    """A scalar that cannot be interpolated; it is reported."""


class _Stop(Exception):
    """The limits are reached."""


def interpolate(
    root: Map, variables: Mapping[str, str], environ: Mapping[str, str], budget: Budget, findings: Findings
) -> Map:
    """Return a copy of `root` with all interpolations done and without `vars`.

    What fails is reported and stays as it is written.

    Args:
        root: the merged tree; it is not changed.
        variables: values that override `vars`, typed like plain scalars.
        environ: what `${env:…}` reads.
        budget: how much may be added.
        findings: where errors go.
    """
    declared = root.get("vars")
    result = root.copy()
    result.drop("vars")
    work = _Interpolation(environ, budget, findings)
    work.values.update({name: _Value(_typed(text), text) for name, text in variables.items()})
    try:
        if isinstance(declared, Map):
            work.resolve(declared)
        elif declared is not None:
            findings.error("NBS006", "vars is not a mapping", "write `vars: {name: value}`", root.values_at["vars"])
        expanded = work.expand_map(result)
    except _Stop:
        return result
    return expanded


def _typed(text: str) -> Any:
    """Return what `text` is as a plain scalar; empty text stays text."""
    return plain(text) if text else text


class _Interpolation:
    def __init__(self, environ: Mapping[str, str], budget: Budget, findings: Findings) -> None:
        self.environ = environ
        self.budget = budget
        self.findings = findings
        self.values: dict[str, _Value | None] = {}
        self.files: dict[Path, str] = {}
        self.reported: set[int] = set()

    def resolve(self, declared: Map) -> None:
        """Work out the variables; one that fails has None as its value."""
        open_ = {name: value for name, value in declared.items() if name not in self.values}
        names, circles = order(open_)
        self.values.update(dict.fromkeys(open_))
        for circle in circles:
            shown = circle if len(circle) < MAX_SHOWN else [*circle[: MAX_SHOWN - 1], "…"]
            message = f"variables go in a circle: {' uses '.join(shown)}"
            self.report("NBS104", message, "give one of them a value", declared.values_at[circle[0]])
        for name in names:
            with suppress(_Failed):
                self.values[name] = self.variable(declared[name], declared.values_at[name])

    def variable(self, value: Any, at: int) -> _Value:
        """Return what one variable stands for."""
        if isinstance(value, str):
            return self.scalar(value, at)
        return _Value(self.expand(value, at), at=at)

    def expand(self, value: Any, at: int) -> Any:
        """Return `value`, which stands at `at`, with interpolations done; what has none is returned as it is."""
        if isinstance(value, str):
            return self.expand_text(value, at) if "${" in value else value
        if isinstance(value, Map):
            return self.expand_map(value)
        return self.expand_seq(value) if isinstance(value, Seq) else value

    def expand_map(self, found: Map) -> Map:
        """Return `found`, or a copy with its interpolations done."""
        result = found
        for key, value in found.items():
            new = self.expand(value, found.values_at[key])
            if new is not value:
                result = found.copy() if result is found else result
                result[key] = new
        return result

    def expand_seq(self, found: Seq) -> Seq:
        """Return `found`, or a copy with its interpolations done."""
        result = found
        for index, value in enumerate(found):
            new = self.expand(value, found.items_at[index])
            if new is not value:
                result = found.copy() if result is found else result
                result[index] = new
        return result

    def expand_text(self, text: str, at: int) -> Any:
        """Return what a scalar stands for, or the scalar itself where that fails."""
        try:
            value = self.scalar(text, at).value
        except _Failed:
            return text
        self.spend_all(value, at)
        return value

    def scalar(self, text: str, at: int) -> _Value:
        """Return what a scalar stands for: the value of its one reference, or text."""
        try:
            parts = pieces(text)
        except Malformed as error:
            self.fail("NBS102", str(error), "write `$${` for a literal `${`", at)
        if len(parts) == 1 and isinstance(parts[0], Reference) and not isinstance(text, Text):
            return self.look_up(parts[0], at)
        texts = [part if isinstance(part, str) else self.text(part, at) for part in parts]
        self.spend(sum(map(weight, texts)), at)
        joined = "".join(texts)
        return _Value(joined, joined)

    def text(self, reference: Reference, at: int) -> str:
        """Return what a reference stands for as a part of a text."""
        found = self.look_up(reference, at)
        if isinstance(found.value, (Map, Seq)):
            self.fail(
                "NBS102",
                f"${{var:{reference.name}}} is a list or a mapping and cannot stand inside of text",
                "let it stand alone",
                at,
            )
        if found.text is None:
            found.text = self.findings.sources.text_at(found.at)
        return found.text

    def look_up(self, reference: Reference, at: int) -> _Value:
        """Return what a reference stands for."""
        if reference.source == "var":
            return self.look_up_variable(reference.name, at)
        text = self.environment(reference, at) if reference.source == "env" else self.file(reference.name, at)
        return _Value(_typed(text), text)

    def look_up_variable(self, name: str, at: int) -> _Value:
        if name not in self.values:
            advice = near(name, islice(self.values, MAX_NEAR)) or "declare it under `vars`, or pass --var"
            self.fail("NBS103", f"no variable is called {name}", advice, at)
        found = self.values[name]
        if found is None:
            raise _Failed
        return found

    def environment(self, reference: Reference, at: int) -> str:
        """Return a variable of the environment; like a shell, an empty one counts as unset where there is a default."""
        text = self.environ.get(reference.name)
        if reference.default is not None:
            return text or reference.default
        if text is None:
            advice = f"set it, or write ${{env:{reference.name}:-DEFAULT}}"
            self.fail("NBS103", f"the environment variable {reference.name} is not set", advice, at)
        return text

    def file(self, name: str, at: int) -> str:
        """Return the text of a file, without the newline at its end."""
        path = self.findings.sources.path(at).parent / name
        if path not in self.files:
            try:
                self.files[path] = read_text(path, MAX_FILE_VALUE)
            except Unreadable as error:
                self.fail("NBS102", str(error), "the path is relative to the file it stands in", at)
        return _LAST_NEWLINE.sub("", self.files[path])

    def spend_all(self, value: Any, at: int, depth: int = 0) -> None:
        """Count a value that is put into a place, with all that is in it."""
        self.spend(weight(value) if isinstance(value, str) else 1, at, depth)
        for child in value.values() if isinstance(value, Map) else value if isinstance(value, Seq) else ():
            self.spend_all(child, at, depth + 1)

    def spend(self, nodes: int, at: int, depth: int = 0) -> None:
        """Count what is made."""
        self.budget.nodes -= nodes
        if self.budget.nodes < 0 or depth > MAX_DEPTH:
            message = "variables grow to more than nbsync reads"
            self.report("NBS004", message, "use fewer variables within variables", at)
            raise _Stop

    def report(self, code: str, message: str, advice: str, at: int) -> None:
        """Add an error, once for a place: what has aliases is seen more often."""
        if at not in self.reported:
            self.reported.add(at)
            self.findings.error(code, message, advice, at)

    def fail(self, code: str, message: str, advice: str, at: int) -> NoReturn:
        self.report(code, message, advice, at)
        raise _Failed
