"""Answers that do not show what they should: said with the request, so that a person can look at the same answer."""

from __future__ import annotations

from reconciler.errors import AccountError, Diagnostic
from reconciler.redact import clean
from schemas._core.reading import Unreadable

CODE = "NBS509"
ADVICE = "check NB_MANAGEMENT_URL: is this NetBird's management server, and a version that nbsync knows?"


def odd_list(where: str, flaw: str, advice: str = ADVICE) -> AccountError:
    """A list of the server that cannot be what it should be; `flaw` goes on after `GET /api/groups `."""
    request = f"GET /api{where}"
    return AccountError(Diagnostic(CODE, f"{request} {clean(flaw)}", advice, request=request))


def account_error(error: Unreadable) -> AccountError:
    """The server shows an object in a form that nbsync does not know."""
    kind = error.kind.replace("_", " ")
    which = f" with the id {error.id}" if error.id else ""
    flaw = f": {error.flaw}" if error.flaw else ""
    request = f"GET /api{error.path}" if error.path else None
    message = clean(f"the server shows a {kind}{which} in a form that nbsync does not know{flaw}")
    return AccountError(Diagnostic(CODE, message, ADVICE, request=request))
