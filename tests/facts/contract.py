"""The vendor's API description, held against answers. Where the server itself contradicts it, that is listed by name and reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from ruamel.yaml import YAML

DESCRIPTION = Path(__file__).parents[3] / "shared" / "netbird-openapi-0.77.1.yml"
METHODS = ("get", "post", "put", "delete", "patch")


@dataclass(frozen=True)
class Contradiction:
    """A place where the server answers otherwise than it is described.

    Attributes:
        paths: pattern of the path's template.
        at: pattern of the place in the answer, `*` for any element of a list.
        says: pattern of the complaint.
        recorded: some recording shows it; the rest is known from the server's source.
    """

    reason: str
    paths: str
    at: str
    says: str
    recorded: bool = True

    def covers(self, template: str, at: str, complaint: str) -> bool:
        """Tell whether a complaint is this known one."""
        return all(re.search(p, text) for p, text in ((self.paths, template), (self.at, at), (self.says, complaint)))


NULL = r"^null is not of type"
CONTRADICTIONS = {
    "empty lists of groups are null": Contradiction(
        "Go's nil slices", r"^/api/groups", r"(^|/)(peers|resources)$", NULL
    ),
    "empty ends of rules are null": Contradiction(
        "Go's nil slices", r"^/api/policies", r"(sources|destinations)$", NULL
    ),
    "posture checks of a policy are null until some were sent": Contradiction(
        "Go's nil slices", r"^/api/policies", r"source_posture_checks$", NULL
    ),
    "group lists of the settings are null until some were sent": Contradiction(
        "Go's nil slices", r"^/api/accounts", r"(_groups|logs_groups)$", NULL
    ),
    "domains of a network route are null": Contradiction("there are none", r"^/api/routes", r"domains$", NULL),
    "domains of nameservers are null until some were sent": Contradiction(
        "Go's nil slices", r"^/api/dns/nameservers", r"domains$", NULL
    ),
    "networks show null for no routers and resources": Contradiction(
        "Go's nil slices", r"^/api/networks", r"(routers|resources)$", NULL
    ),
    "resources and peers in no group show null": Contradiction(
        "Go's nil slices", r"^/api/(networks|peers)", r"groups$", NULL
    ),
    "routers by peer show null for their groups": Contradiction(
        "Go's nil slices", r"^/api/networks", r"peer_groups$", NULL
    ),
    "a list of no tokens or resources is null": Contradiction("Go's nil slices", r"(tokens|resources)$", r"^$", NULL),
    "the groups of a sign-on are null if none are named": Contradiction(
        "Go's nil slices", r"^/api/reverse-proxies/services", r"distribution_groups$", NULL
    ),
    "temporary access without rules shows null": Contradiction(
        "Go's nil slices", r"temporary-access$", r"rules$", NULL
    ),
    "a job's result and a duration of 0 are shown whatever the job": Contradiction(
        "the answer repeats the request", r"/jobs", r"workload$", r"not valid under any"
    ),
    "resource ids and types of groups and ends are not checked": Contradiction(
        "anything is stored and shown; `peer` is a type as well", r"^/api/(groups|policies)", r"type$", r"is not one of"
    ),
    "metrics of routers are not checked": Contradiction(
        "1 to 9999 is only described", r"/routers", r"metric$", r"less than|greater than"
    ),
    "bulk lists of resources and routers are not described": Contradiction(
        "they are taken for one network", r"^/api/networks/\{networkId\}$", r"^$", r"is not of type"
    ),
    "services show an auth object and no meta in part": Contradiction(
        "answers to POST lack what is only known later", r"^/api/reverse-proxies", r"", r"is a required property"
    ),
    "ports and protocols of service targets are not checked": Contradiction(
        "0 is the scheme's default, the protocol any text", r"^/api/reverse-proxies", r"(port|protocol)$", r""
    ),
    "windows of limits that are off are 0": Contradiction(
        "only enabled limits are checked", r"^/api/agent-network", r"window_seconds$", r"less than"
    ),
    "agent settings and rates are not checked": Contradiction(
        "negative values are kept", r"^/api/agent-network", r"(days|_cap|_usd|per_1k)$", r"less than"
    ),
    "identity providers of undescribed types": Contradiction(
        "authentik and keycloak", r"^/api/identity-providers", r"type$", r"is not one of"
    ),
    "domains of routes may be longer than described": Contradiction(
        "32 is the limit of how many there are", r"^/api/routes", r"domains/\*$", r"longer", recorded=False
    ),
    "countries and cities have shapes of their own": Contradiction(
        "objects where text is described, a list where one object is", r"^/api/locations", r"", r""
    ),
    "there are more audit codes than are described": Contradiction(
        "the set is open", r"^/api/events", r"activity_code$", r"is not one of"
    ),
    "record contents and names are only checked by type": Contradiction(
        "no limit of 255", r"^/api/dns/zones", r"(content|name)$", r"longer|shorter"
    ),
}


@dataclass(frozen=True)
class Operation:
    """One described operation: its path's template and its answers by status."""

    template: str
    answers: dict[str, Any]


@cache
def described() -> dict[str, Any]:
    """The description as JSON: dates in it are text."""
    loaded: dict[str, Any] = json.loads(json.dumps(YAML(typ="safe").load(DESCRIPTION), default=str))
    return loaded


@cache
def _operations() -> list[tuple[str, re.Pattern[str], Operation]]:
    found = []
    for template, item in sorted(described()["paths"].items(), key=lambda pair: pair[0].count("{")):
        pattern = re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", template) + "$")
        found += [
            (name.upper(), pattern, Operation(template, item[name]["responses"])) for name in METHODS if name in item
        ]
    return found


def operation(method: str, path: str) -> Operation | None:
    """The operation that a request calls, if it is described; a literal path goes before one with parameters."""
    bare = path.partition("?")[0]
    return next((found for verb, pattern, found in _operations() if verb == method and pattern.match(bare)), None)


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = described()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


@cache
def _validator(template: str, method: str, status: str) -> Any:
    answers = next(found.answers for verb, _, found in _operations() if verb == method and found.template == template)
    content = _resolved(answers.get(status, {})).get("content", {}).get("application/json", {})
    schema = content.get("schema")
    return schema and jsonschema_rs.validator_for({**schema, "components": described()["components"]})


def exchanges(folder: Path) -> Iterator[dict[str, Any]]:
    """All recorded exchanges below a folder whose answers are there as the server gave them."""
    for path in sorted(folder.rglob("*.jsonl")):
        first, *steps = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
        if first.get("replay", True):
            yield from (step for step in steps if "method" in step and not step.get("shortened"))


def contradicted(method: str, path: str, status: int, answer: Any) -> set[str]:
    """Names of the known contradictions that an answer shows."""
    return {
        name
        for template, at, message in _errors(method, path, status, answer)
        for name, known in CONTRADICTIONS.items()
        if known.covers(template, at, message)
    }


def complaints(method: str, path: str, status: int, answer: Any) -> Iterator[str]:
    """What an answer shows that the description does not, apart from the known contradictions."""
    for template, at, message in _errors(method, path, status, answer):
        if not any(known.covers(template, at, message) for known in CONTRADICTIONS.values()):
            yield f"{method} {path} ({status}) at {at or 'the top'}: {message[:300]}"


def _errors(method: str, path: str, status: int, answer: Any) -> Iterator[tuple[str, str, str]]:
    called = operation(method, path)
    validator = _validator(called.template, method, str(status)) if called and 200 <= status < 300 else None
    for error in validator.iter_errors(answer) if validator else ():
        at = "/".join("*" if isinstance(step, int) else str(step) for step in error.instance_path)
        yield called.template if called else "", at, error.message
