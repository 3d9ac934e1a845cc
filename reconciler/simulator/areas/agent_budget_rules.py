"""Agent network: budgets of the whole account, of groups and of users (module ``agent_network.budgets``).

Neither groups nor users need exist, and a rule does not hold them.
"""

from typing import Final

from reconciler.simulator.decoding import BOOL, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import invalid
from reconciler.simulator.registry import Area
from reconciler.simulator.store import Row
from reconciler.simulator.text import bool_text

from . import agent_limits
from .agent_objects import Objects
from .agent_policies import check_entries

KIND: Final = "agent_budget_rules"

_SHAPE: Final = Struct(
    {
        "name": TEXT,
        "enabled": Nullable(BOOL),
        "target_groups": TEXTS,
        "target_users": TEXTS,
        "limits": agent_limits.SHAPE,
    }
)


def _validate(body: Row, is_new: bool) -> None:  # noqa: ARG001 - POST and PUT have the same rules
    if not body["name"].strip():
        raise invalid("name is required")
    check_entries("target_groups", body["target_groups"])
    check_entries("target_users", body["target_users"])
    agent_limits.check(body["limits"])


def _row(body: Row, before: Row | None) -> Row:
    """Not told whether it is enabled, a new rule is, and one that is replaced is not."""
    return {
        **body,
        "enabled": before is None if body["enabled"] is None else body["enabled"],
        "target_groups": body["target_groups"] or [],
        "target_users": body["target_users"] or [],
    }


_RULES: Final = Objects(
    kind=KIND,
    path="budget-rules",
    module="budgets",
    code="budget_rule",
    word="agent network budget rule",
    lookup="get agent network budget rule: ",
    id_prefix="ainbud_",
    shape=_SHAPE,
    validate=_validate,
    row=_row,
    told=lambda row: {"enabled": bool_text(row["enabled"])},
)

AREA = Area(routes=_RULES.routes(), activities=_RULES.activities())
