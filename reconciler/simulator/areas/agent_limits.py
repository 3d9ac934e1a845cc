"""Agent network: limits of tokens and of money, the same in policies and in budget rules.

A limit that is disabled is stored as it comes, whatever its numbers.
"""

from typing import Final

from reconciler.simulator.decoding import BOOL, FLOAT, INT, Struct
from reconciler.simulator.errors import invalid
from reconciler.simulator.store import Row

SHORTEST: Final = 60
"""The shortest window of an enabled limit, in seconds."""

SHAPE: Final = Struct(
    {
        "token_limit": Struct({"enabled": BOOL, "group_cap": INT, "user_cap": INT, "window_seconds": INT}),
        "budget_limit": Struct({"enabled": BOOL, "group_cap_usd": FLOAT, "user_cap_usd": FLOAT, "window_seconds": INT}),
    }
)


def check(limits: Row) -> None:
    """Refuse an enabled limit that limits nothing, with 422; tokens before money."""
    _check("token_limit", limits["token_limit"], "group_cap", "user_cap")
    _check("budget_limit", limits["budget_limit"], "group_cap_usd", "user_cap_usd")


def _check(name: str, limit: Row, *caps: str) -> None:
    if not limit["enabled"]:
        return
    if limit["window_seconds"] < SHORTEST:
        raise invalid(f"limits.{name}.window_seconds must be at least {SHORTEST} (one minute) when enabled")
    for cap in caps:
        if limit[cap] < 0:
            raise invalid(f"limits.{name}.{cap} must not be negative")
    if not any(limit[cap] for cap in caps):
        raise invalid(f"limits.{name} requires {' or '.join(caps)} to be greater than zero when enabled")


def windows(limits: Row) -> list[int]:
    """The different windows, in seconds, that enabled limits count in."""
    enabled = [limit["window_seconds"] for limit in limits.values() if limit["enabled"]]
    return [seconds for seconds in dict.fromkeys(enabled) if seconds > 0]
