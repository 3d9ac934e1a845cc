"""Which failures pass by themselves, and how long to wait before trying again."""

from __future__ import annotations

from typing import Final

from tenacity import RetryCallState, wait_exponential, wait_random

from reconciler.api.problems import Call, ServerFailure, TimedOut, Unreachable, Untrusted

_BACK_OFF = wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.5)
_PASSING: Final = {502, 503, 504}


def may_pass(call: Call, error: BaseException) -> bool:
    """Whether `call` may be sent again after `error`: a read after what passes, a write only if the server never saw it."""
    if isinstance(error, Untrusted):
        return False
    if isinstance(error, Unreachable):
        return call.method == "GET" or error.outcome == "not_processed"
    passing = isinstance(error, TimedOut) or (isinstance(error, ServerFailure) and error.status in _PASSING)
    return passing and call.method == "GET"


def back_off(state: RetryCallState) -> float:
    """Seconds until the next try: longer from one to the next, and not less than the server asks for."""
    error = state.outcome and state.outcome.exception()
    asked = error.retry_after if isinstance(error, ServerFailure) else None
    return max(_BACK_OFF(state), asked or 0.0)
