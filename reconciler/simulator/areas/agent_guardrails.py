"""Agent network: guardrails, which policies name (module ``agent_network.guardrails``). Nothing holds them."""

from typing import Final

from reconciler.simulator.decoding import BOOL, TEXT, TEXTS, Optional, Struct
from reconciler.simulator.errors import invalid
from reconciler.simulator.registry import Area
from reconciler.simulator.store import Row

from .agent_objects import Objects
from .agent_policies import check_entries

_SHAPE: Final = Struct(
    {
        "name": TEXT,
        "description": Optional(TEXT),
        "checks": Struct(
            {
                "model_allowlist": Struct({"enabled": BOOL, "models": TEXTS}),
                "prompt_capture": Struct({"enabled": BOOL, "redact_pii": BOOL}),
            }
        ),
    }
)


def _validate(body: Row, is_new: bool) -> None:  # noqa: ARG001 - POST and PUT have the same rules
    if not body["name"].strip():
        raise invalid("name is required")
    allowlist = body["checks"]["model_allowlist"]
    if allowlist["enabled"]:
        check_entries("model_allowlist.models", allowlist["models"])


def _row(body: Row, before: Row | None) -> Row:  # noqa: ARG001 - nothing is kept
    checks = body["checks"]
    allowlist = {**checks["model_allowlist"], "models": checks["model_allowlist"]["models"] or []}
    return {**body, "checks": {**checks, "model_allowlist": allowlist}}


_GUARDRAILS: Final = Objects(
    kind="agent_guardrails",
    path="guardrails",
    module="guardrails",
    code="guardrail",
    word="agent network guardrail",
    lookup="failed to get agent network guardrail: ",
    id_prefix="ainguard_",
    shape=_SHAPE,
    validate=_validate,
    row=_row,
    told=lambda row: {},  # noqa: ARG005 - the name is all
)

AREA = Area(routes=_GUARDRAILS.routes(), activities=_GUARDRAILS.activities())
