"""Agent network: who may use which providers (module ``agent_network.policies``).

Providers must exist; groups and guardrails need not. A group that a policy names as a source cannot be deleted.
"""

from collections.abc import Sequence
from typing import Final

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, TEXT, TEXTS, Nullable, Optional, Struct
from reconciler.simulator.errors import invalid
from reconciler.simulator.registry import Area
from reconciler.simulator.store import Row
from reconciler.simulator.text import bool_text
from reconciler.simulator.world import Account

from . import agent_limits
from .agent_objects import Objects

KIND: Final = "agent_policies"

_SHAPE: Final = Struct(
    {
        "name": TEXT,
        "description": Optional(TEXT),
        "enabled": Nullable(BOOL),
        "source_groups": TEXTS,
        "destination_provider_ids": TEXTS,
        "guardrail_ids": TEXTS,
        "limits": Nullable(agent_limits.SHAPE),
    }
)


def _validate(body: Row, is_new: bool) -> None:  # noqa: ARG001 - POST and PUT have the same rules
    if not body["name"].strip():
        raise invalid("name is required")
    if not body["source_groups"]:
        raise invalid("source_groups must contain at least one group id")
    check_entries("source_groups", body["source_groups"])
    if not body["destination_provider_ids"]:
        raise invalid("destination_provider_ids must contain at least one provider id")
    check_entries("destination_provider_ids", body["destination_provider_ids"])
    check_entries("guardrail_ids", body["guardrail_ids"])
    if body["limits"]:
        agent_limits.check(body["limits"])


def check_entries(field: str, entries: Sequence[str] | None) -> None:
    """Refuse a list with a blank text in it."""
    if any(not entry.strip() for entry in entries or ()):
        raise invalid(f"{field} must not contain empty entries")


def _row(body: Row, before: Row | None) -> Row:
    """Not told whether it is enabled, a new policy is, and one that is replaced is not."""
    return {
        **body,
        "enabled": before is None if body["enabled"] is None else body["enabled"],
        "guardrail_ids": body["guardrail_ids"] or [],
        "limits": body["limits"] or agent_limits.SHAPE.zero(),
    }


def _check(call: Call, row: Row) -> None:
    for provider_id in row["destination_provider_ids"]:
        if call.account.find("agent_providers", provider_id) is None:
            raise invalid(f"destination_provider_ids: provider {provider_id} does not exist")


def _holds_group(account: Account, group: Row) -> str | None:
    policy = next(iter(account.where(KIND, "group", group["id"])), None)
    return f"agent network policy: {policy['name']}" if policy else None


_POLICIES: Final = Objects(
    kind=KIND,
    path="policies",
    module="policies",
    code="policy",
    word="agent network policy",
    lookup="failed to get agent network policy: ",
    id_prefix="ainpol_",
    shape=_SHAPE,
    validate=_validate,
    row=_row,
    told=lambda row: {"enabled": bool_text(row["enabled"])},
    check=_check,
)

AREA = Area(
    routes=_POLICIES.routes(),
    indexes={
        KIND: {
            "group": lambda policy: set(policy["source_groups"]),
            "provider": lambda policy: set(policy["destination_provider_ids"]),
        }
    },
    activities=_POLICIES.activities(),
    holds_group=_holds_group,
)
