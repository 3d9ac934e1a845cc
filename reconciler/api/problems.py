"""What a call can end in other than its answer.

reconciler.errors.AccountError
├─ OutOfTime           the time of the run is over, nothing was sent; a Throttled, too
└─ CallFailed          the call, what the server said, and whether a write may have taken effect
   ├─ Unreachable      no connection: name, port, certificate, proxy; or it broke
   ├─ Missing          404 of NetBird itself: no such object
   ├─ NoSuchEndpoint   any other 404: the server is too old, or it is not NetBird's address
   ├─ Rejected         400, 422 and other 4xx
   ├─ InConflict       409, 412
   ├─ ServerFailure    5xx
   ├─ BadAnswer        a redirect, a web page, JSON that is none
   ├─ TokenRefused     401 and the 404 of an unknown token; a NotAuthorized, too
   ├─ NotPermitted     403; a NotAuthorized, too
   ├─ RateLimited      429 and no time left to wait; a Throttled, too
   └─ TimedOut         no answer in time; a Throttled, too
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from reconciler.errors import AccountError, Diagnostic, ExitCode, NbsyncError, NotAuthorized, Throttled

if TYPE_CHECKING:
    from reconciler.api.answers import Answer

Outcome = Literal["not_processed", "unknown", "refused"]
"""Whether a write took effect: surely not and it may be sent again, possibly, or surely not because the server said no."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `server` is the URL without a path, `path` begins with `/api`."""

    server: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class CallFailed(AccountError):
    """A call without a usable answer.

    Attributes:
        method, path: The request; `path` begins with `/api`.
        status: The HTTP status, or None where there was no answer.
        text: What the server said, clean and cut; "" where it said nothing.
        outcome: Whether a write may have taken effect. For a read it says no more than that.
        retry_after: Seconds that the server asks to wait, if it does.
    """

    code: ClassVar[str]
    verb: ClassVar[str]
    advice: ClassVar[str] = ""
    usual_outcome: ClassVar[Outcome] = "refused"

    def __init__(
        self, call: Call, detail: str, *, answer: Answer | None = None, advice: str = "", outcome: Outcome | None = None
    ) -> None:
        self.method, self.path = call.method, call.path
        self.status = answer.status if answer else None
        self.text = answer.said if answer else ""
        self.retry_after = answer.retry_after if answer else None
        self.outcome: Outcome = outcome or self.usual_outcome
        status = f" ({self.status})" if self.status else ""
        message = f"{call} {self.verb}{status}" + (f": {detail}" if detail else "")
        super().__init__(Diagnostic(self.code, message, help=advice or self.advice, request=str(call)))


class Unreachable(CallFailed):
    """No connection, or one that broke before the answer was whole."""

    code = "NBS501"
    verb = "did not reach the server"
    usual_outcome = "not_processed"


class Untrusted(Unreachable):
    """The server's certificate is not accepted; trying again would not change that."""

    advice = "for a certificate of your own authority set SSL_CERT_FILE to a file with that authority's certificate"


class TokenRefused(CallFailed, NotAuthorized):
    """401, or the 404 with which NetBird answers a well-formed token that it does not know."""

    code = "NBS502"
    verb = "was not authenticated"


class NotPermitted(CallFailed, NotAuthorized):
    """403: the token is good, its user's role is not enough, or the user is blocked."""

    code = "NBS503"
    verb = "is not permitted"


class Missing(CallFailed):
    """404 in NetBird's own JSON: the object does not exist."""

    code = "NBS504"
    verb = "found no such object"
    advice = "it was deleted in the meantime; plan again"


class NoSuchEndpoint(CallFailed):
    """404 of the router, or of something that is not NetBird: no such path or method."""

    code = "NBS505"
    verb = "has no endpoint on this server"
    advice = "Is it the address of the management server, and is the server new enough to have this kind of object?"


class Rejected(CallFailed):
    """400, 422 or another 4xx: the server does not accept what it was sent."""

    code = "NBS506"
    verb = "was refused"
    advice = "the server says what it does not take: change that in the files"


class InConflict(CallFailed):
    """409 or 412: taken, linked, or something that it needs is missing."""

    code = "NBS507"
    verb = "is in conflict with the account"
    advice = "something in the account is in the way, or missing: plan again, or look in the dashboard"


class ServerFailure(CallFailed):
    """5xx: of NetBird, or of what stands before it."""

    code = "NBS508"
    verb = "failed in the server"
    advice = "try again later; NetBird's own log says more"
    usual_outcome = "unknown"


class BadAnswer(CallFailed):
    """An answer that NetBird's API does not give."""

    code = "NBS509"
    verb = "got an answer that is not of NetBird's API"
    advice = "Is it the address of the management server, without a login page or another service before it?"
    usual_outcome = "unknown"


class RateLimited(CallFailed, Throttled):
    """429, and no time left to wait."""

    code = "NBS510"
    verb = "was held back by the server's rate limit"
    advice = (
        "Every token has a limit of its own, by default 500 requests and then 6 a minute: wait some minutes, or have the operator "
        "raise NB_API_RATE_LIMITING_RPM."
    )
    usual_outcome = "not_processed"


class TimedOut(CallFailed, Throttled):
    """No whole answer in time."""

    code = "NBS511"
    verb = "timed out"
    advice = "the server, or a proxy before it, is slow or stuck; try again later"
    usual_outcome = "unknown"


class OutOfTime(Throttled):
    """The time of the run is over, or would be over after the wait that comes next: the request was not sent.

    Args:
        seconds: How long the run was to last.
        wait: What the server's rate limit would have had the request wait.
    """

    def __init__(self, seconds: float, wait: float = 0.0) -> None:
        when = "end before the server lets the next request through" if wait > 0 else "are over"
        advice = "run it again, with more time or without --timeout: it goes on from where the account stands"
        super().__init__(Diagnostic("NBS513", f"the {seconds:g} s of this run (--timeout) {when}", help=advice))


class Stopped(NbsyncError):
    """The client was stopped while it waited: the request that would have come next was not sent."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self) -> None:
        message = "stopped while waiting for the server; no request was under way"
        super().__init__(Diagnostic("NBS512", message, help="run it again; the server's limit may need some minutes"))
