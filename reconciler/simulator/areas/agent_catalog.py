"""Agent network: the catalog of AI providers that the server knows, as it serves it. The data are in a file beside this.

Anybody who is logged in may read it.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row


@cache
def entries() -> list[Row]:
    """Every provider with its models and their prices in US dollars for 1,000 tokens."""
    data: list[Row] = json.loads(files(__package__).joinpath("agent_catalog.json").read_text("utf-8"))
    return data


def is_known(provider_id: str) -> bool:
    """Whether the catalog has this provider; case counts."""
    return any(entry["id"] == provider_id for entry in entries())


def _list(call: Call) -> Any:  # noqa: ARG001 - the same for all
    return entries()


AREA = Area(routes=(Route("GET", "/agent-network/catalog/providers", _list),))
