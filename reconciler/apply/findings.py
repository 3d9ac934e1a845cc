"""What there is to say of a change that was not made, or of which it is not known."""

from __future__ import annotations

from dataclasses import replace

from reconciler.api.problems import CallFailed
from reconciler.apply.readback import UNREAD
from reconciler.apply.report import Status
from reconciler.errors import Diagnostic, NbsyncError
from reconciler.plan.change import Change

SKIPPED = "NBS606"


def may_have_effect(error: NbsyncError) -> bool:
    """A write failed that may have been done all the same."""
    return isinstance(error, CallFailed) and error.method != "GET" and error.outcome == "unknown"


def status_of(error: NbsyncError) -> Status:
    """How a change ended that failed so."""
    return Status.UNKNOWN if may_have_effect(error) else Status.FAILED


def mistake(error: Exception) -> Diagnostic:
    """A mistake of nbsync's own."""
    advice = "run plan to see what is there, and report what NBSYNC_DEBUG=1 prints"
    return Diagnostic("NBS999", f"nbsync failed: {type(error).__name__}", advice)


def unread(count: int, reason: str) -> Diagnostic:
    """What was written could not be read again."""
    some = "one change was" if count == 1 else f"{count} changes were"
    message = f"{some} answered as meant, and could not be read again to see that they were kept: {reason}"
    return Diagnostic(UNREAD, message, "run plan to see where the account stands")


def about(change: Change, diagnostic: Diagnostic) -> Diagnostic:
    """The same finding with the object and the line that it is about."""
    return replace(
        diagnostic, address=diagnostic.address or str(change.address), place=diagnostic.place or change.cause
    )


def after_a_step(change: Change, diagnostic: Diagnostic) -> Diagnostic:
    """The same finding of a change of which a first step was made."""
    begun = "it was shut before that, and stays so" if change.is_passing else "a first step of it was made before that"
    return replace(
        diagnostic, message=f"{diagnostic.message}; {begun}", help="run plan to see what is left to do, and apply again"
    )


def halfway(change: Change, reason: str) -> Diagnostic:
    """A change of several calls was ended between them."""
    begun = "shut and not opened again" if change.is_passing else "begun and not ended"
    message = f"{change.address} was {begun}: {reason}"
    return Diagnostic(SKIPPED, message, "run it again", address=str(change.address), place=change.cause)


def skipped(change: Change, reason: str, *, is_mistake: bool) -> Diagnostic:
    """A change was not tried; `is_mistake` if something is to be mended first."""
    message = f"{change.address} was not tried: {reason}"
    advice = "mend that and run it again" if is_mistake else "run it again"
    return Diagnostic(SKIPPED, message, advice, address=str(change.address), place=change.cause)
