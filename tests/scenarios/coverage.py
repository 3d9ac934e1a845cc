"""What the walks cover: which fields of the models they change and leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from reconciler.cli.options import collect
from reconciler.cli.session import Session
from reconciler.errors import ExitCode
from reconciler.load.desired import Declared
from schemas import KINDS
from schemas._core.codec import field_specs
from schemas._core.fields import Trait
from tests.scenarios.walk import Step, Walk, text_of

IDENTITY = {
    "network_router": ("peer", "peer_groups"),
    "route": ("peer", "peer_groups"),
    "dns_record": ("A", "AAAA", "CNAME"),
}
"""Fields that are part of what an object is: a change of theirs is another object."""

UNKEPT = frozenset(
    {
        ("account", "network_traffic_logs_enabled"),
        ("account", "network_traffic_logs_groups"),
        ("account", "network_traffic_packet_counter_enabled"),
        ("peer", "approval_required"),
    }
)
"""Fields that a self-hosted server does not keep: they are no change there."""

FINAL = frozenset({("setup_key", "revoked")})
"""Fields of which the server takes nothing back: leaving them out is no change."""

Said = dict[tuple[str, tuple[str, ...]], list[Declared]]
FieldPath = tuple[str, str]


@dataclass(frozen=True)
class Facts:
    """One field of a kind; `path` is dotted where it stands inside another one."""

    kind: str
    path: str
    required: bool
    traits: frozenset[Trait]

    @property
    def is_identity(self) -> bool:
        """The field is part of what the object is."""
        return self.path.split(".")[0] in IDENTITY.get(self.kind, ()) and not self.path.endswith(".ttl")

    @property
    def shows(self) -> bool:
        """A difference in it is a change."""
        return Trait.CREATE_ONLY not in self.traits and (self.kind, self.path) not in UNKEPT


@dataclass
class Covered:
    """Fields that some walk changes, and fields that some walk leaves out after they were there."""

    changed: set[FieldPath] = field(default_factory=set)
    left_out: set[FieldPath] = field(default_factory=set)


@cache
def fields_of(name: str) -> tuple[Facts, ...]:
    """All fields that a file can give to objects of a kind."""
    kind = KINDS[name]
    model = kind.written_as or kind.model
    traits = {spec.said: spec.traits for spec in field_specs(model)}
    return tuple(
        Facts(kind.name, path, required, traits[path.split(".")[0]]) for path, required in _paths(model, set(traits))
    )


def _paths(model: type[BaseModel], own: set[str]) -> Iterator[tuple[str, bool]]:
    for name, info in model.model_fields.items():
        said = info.alias or name
        if said in own:
            yield said, info.is_required()
            for inner in _models(info.annotation):
                fields = {one.alias or key for key, one in inner.model_fields.items()}
                yield from ((f"{said}.{path}", required) for path, required in _paths(inner, fields))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def cover(walk: Walk, folder: Path) -> Covered:
    """What one walk covers; steps that end in an error do not count."""
    covered = Covered()
    before: Said = {}
    for step, document in walk.documents():
        if step.exit == ExitCode.DONE:
            (folder / "walk.yaml").write_text(text_of(document), "utf-8")
            after = _said(Session("validate", collect({"paths": [folder / "walk.yaml"]})).desired().objects.values())
            for facts in (facts for kind in KINDS for facts in fields_of(kind)):
                _compare(facts, before, after, step, covered)
            before = after
    return covered


def _said(objects: Any) -> Said:
    """Declared objects by kind and key; records of one label stand in one mapping."""
    said: Said = {}
    for one in objects:
        said.setdefault((one.kind.name, one.parts[:2] if one.kind.written_as else one.parts), []).append(one)
    return said


def _compare(facts: Facts, before: Said, after: Said, step: Step, covered: Covered) -> None:
    where = (facts.kind, facts.path)
    if facts.is_identity:
        if _all(facts, before) != _all(facts, after) and {"+", "-"} <= _signs(facts.kind, step):
            covered.changed.add(where)
        return
    for place in before.keys() & after.keys():
        old, new = (_values(said[place][0].body, facts.path.split(".")) for said in (before, after))
        if place[0] != facts.kind or old == new:
            continue
        is_told = any(_tells(one, facts.path, step) for one in after[place])
        if is_told == facts.shows:
            covered.changed.add(where)
        if old and not new and is_told == (facts.shows and Trait.KEPT not in facts.traits and where not in FINAL):
            covered.left_out.add(where)


def _all(facts: Facts, said: Said) -> list[Any]:
    found = (_values(one[0].body, facts.path.split(".")) for place, one in said.items() if place[0] == facts.kind)
    return sorted(map(repr, found))


def _values(node: Any, path: list[str]) -> list[Any]:
    """All values at a path, through lists."""
    if isinstance(node, list):
        return [value for item in node for value in _values(item, path)]
    if not path:
        return [node]
    return _values(node[path[0]], path[1:]) if isinstance(node, dict) and path[0] in node else []


def _signs(kind: str, step: Step) -> set[str]:
    return {line[0] for line in step.plan if line[2:].startswith(f"{kind}/")}


def _tells(one: Declared, path: str, step: Step) -> bool:
    """The plan of a step has a change of this field in it, itself, around it or inside it."""
    for line in step.plan:
        found = re.fullmatch(r"[~>±] (\S+) \((.*)\)", line)
        if found and found[1] == str(one.address):
            told = found[2].split(", ")
            around = {path, path.partition(".")[0], path.rpartition(".")[2]} & set(told)
            if around or any(each.startswith(f"{path}.") for each in told):
                return True
    return False
