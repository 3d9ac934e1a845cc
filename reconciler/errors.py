"""What can go wrong, as data and as exceptions.

A `Diagnostic` is one finding for a person: where, what, what to do. Every output (text, JSON, annotations) is made from the
same diagnostics. An `NbsyncError` carries all of them that belong to one failure, and the exit code:

    NbsyncError                    1   network, server, internal
    ├─ UsageError                 64   flags, environment
    ├─ DesiredStateError           3   files invalid, by themselves or against the account
    ├─ PlanRefused                 5   a guard says no
    ├─ StalePlan                   6   what a plan touches has changed since
    ├─ Stopped                   130   a signal while a client waited; see `reconciler.api.problems`
    └─ AccountError                1   the server or the way to it; see `reconciler.api.problems` for its family
        ├─ NotAuthorized           8   401, 403, an unknown token
        └─ Throttled               9   429 or out of time
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


def reason(error: Exception) -> str:
    """Why the operating system refused something, as part of a message: `permission denied`."""
    return (getattr(error, "strerror", None) or str(error)).lower()


class ExitCode(IntEnum):
    """The exit codes of the command line, the same in every output mode.

    4 is reserved: access tests are to give it.
    """

    DONE = 0
    ERROR = 1
    CHANGES = 2
    INVALID = 3
    TEST_FAILED = 4
    REFUSED = 5
    STALE = 6
    PARTIAL = 7
    NOT_AUTHORIZED = 8
    THROTTLED = 9
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


class Severity(StrEnum):
    """How much a diagnostic weighs; only errors stop a command."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Place(NamedTuple):
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: `code` is stable and documented, `message` says what, `help` what to do."""

    code: str
    message: str
    help: str = ""
    severity: Severity = Severity.ERROR
    address: str | None = None
    place: Place | None = None
    request: str | None = None


class NbsyncError(Exception):
    """A failure that a person can act on; printed once, by the command line, without a traceback."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, diagnostics: Iterable[Diagnostic] | Diagnostic) -> None:
        self.diagnostics = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        super().__init__("\n".join(d.message for d in self.diagnostics))


class UsageError(NbsyncError):
    """Flags or environment that do not fit."""

    exit_code = ExitCode.USAGE


class DesiredStateError(NbsyncError):
    """The files are invalid, by themselves or against this account."""

    exit_code = ExitCode.INVALID


class PlanRefused(NbsyncError):
    """A guard refuses the plan, or a secret would have no sink."""

    exit_code = ExitCode.REFUSED


class StalePlan(NbsyncError):
    """What a plan touches has changed since it was made; nothing of it was done."""

    exit_code = ExitCode.STALE


class AccountError(NbsyncError):
    """The server refused, failed, or could not be reached."""


class NotAuthorized(AccountError):
    """The token is missing, unknown, expired, or may not do this."""

    exit_code = ExitCode.NOT_AUTHORIZED


class Throttled(AccountError):
    """The server's rate limit, or a timeout, and no time left to wait."""

    exit_code = ExitCode.THROTTLED
