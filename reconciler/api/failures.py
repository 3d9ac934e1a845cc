"""From what httpx raises to the problem that it means."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx

from reconciler.api.problems import BadAnswer, Call, CallFailed, TimedOut, Unreachable, Untrusted
from reconciler.redact import clean, mask

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def problem(call: Call, error: httpx.HTTPError, timeout: float, secret: str = "") -> CallFailed:
    """Say what `error` means for `call`, and whether the server may have processed it; a secret in its text is masked.

    Only while there is no connection, TLS included, is it sure that the server did not see the request.
    """
    if isinstance(error, httpx.DecodingError):
        return BadAnswer(call, "a compressed body that cannot be unpacked")
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, _NEVER_SENT):
        return TimedOut(call, f"no whole answer from {call.server} within {round(timeout, 1):g} s")
    detail = f"{call.server}, {mask(_cause(error), secret)}"
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _chain(error)):
        return Untrusted(call, detail)
    if isinstance(error, _NEVER_SENT):
        return Unreachable(call, detail, advice=_advice(error))
    return Unreachable(call, detail, advice="the connection broke; try again", outcome="unknown")


def _advice(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ProxyError):
        return "check HTTPS_PROXY, or name the server in NO_PROXY"
    return "check NB_MANAGEMENT_URL, and that the server is up and can be reached from here"


def _cause(error: httpx.HTTPError) -> str:
    timeout = "no connection in time" if isinstance(error, httpx.TimeoutException) else ""
    return clean(timeout or str(error) or type(error).__name__)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
