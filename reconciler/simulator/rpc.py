"""How calls other than HTTP fail: peers and proxies talk gRPC to the server, and events tell what they were answered."""

from collections.abc import Mapping
from functools import wraps
from typing import Any

from .registry import Happening
from .world import World


class RpcError(Exception):
    """A call that the server refuses.

    Args:
        code: gRPC's code by name, ``PermissionDenied``.
        description: The text that goes with it.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"rpc error: code = {code} desc = {description}")


def call(happening: Happening) -> Happening:
    """An event that is such a call: where it is refused its result is ``{"error": ...}``."""

    @wraps(happening)
    def answered(world: World, line: Mapping[str, Any]) -> Any:
        try:
            return happening(world, line)
        except RpcError as error:
            return {"error": str(error)}

    return answered
