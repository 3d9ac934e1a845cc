"""What a run tells of the one before it, if that was cut off: what was done, what was under way, which secret may be lost."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.apply.effect import Effect, effect_of
from reconciler.apply.past import Call, Run
from reconciler.errors import Diagnostic, Severity
from reconciler.plan.match import Book
from schemas._core.address import Address

CUT_OFF, LOST = "NBS609", "NBS610"


def aftermath(run: Run, book: Book) -> list[Diagnostic]:
    """Tell what a run did that was cut off, as its journal and the account show it. Nothing is asked of the server."""
    begin = run.begin
    said = [f"the last run here, nbsync {begin.command} at {begin.time}, was cut off"]
    said.append(f"{run.made} of {len(begin.changes)} changes were made")
    said += [_under_way(call, book) for call in _open_calls(run)]
    advice = f"nbsync history {run.path} shows its calls; nbsync apply goes on from where the account stands"
    return [Diagnostic(CUT_OFF, "; ".join(said), advice, Severity.WARNING), *_lost_secrets(run, book)]


def _open_calls(run: Run) -> Iterator[Call]:
    """Calls of which the run itself did not come to know whether they took effect."""
    return (call for call in run.calls.values() if call.is_open and call.called.address not in run.settled)


def _under_way(call: Call, book: Book) -> str:
    called = call.called
    return f"{called.method} /api{called.path} for {called.address} was under way: {effect_of(called, book)[0]}"


def _lost_secrets(run: Run, book: Book) -> Iterator[Diagnostic]:
    """Objects that were made, or may have been, and whose secret is not marked as safe."""
    made = {
        call.called.address: call
        for call in run.calls.values()
        if call.called.method == "POST" and (call.is_open or call.has_effect)
    }
    for address, call in made.items():
        if (kind := book.desired.registry.get(call.called.kind)) and kind.reveals and _may_be_lost(run, call, book):
            advice = f"renew it: nbsync rotate {_quoted(address)}" if kind.renewable else _anew(kind.title)
            message = f"the run was cut off before the secret of {address} was safe: it may be lost"
            yield Diagnostic(LOST, message, advice, Severity.WARNING, address=address)


def _anew(title: str) -> str:
    return f"look where secrets go; if it is not there, delete the {title} and run nbsync apply"


def _may_be_lost(run: Run, call: Call, book: Book) -> bool:
    called, answer = call.called, call.answer
    if any(
        address == called.address and (answer is None or identifier == answer.id) for address, identifier in run.safe
    ):
        return False
    if answer is None or answer.id is None:
        return effect_of(called, book)[0] in (Effect.TOOK, Effect.UNSEEN)
    kind = book.desired.registry[called.kind]
    return answer.id in book.snapshot.of(kind.name) or not book.snapshot.shows(kind, answer.parent)


def _quoted(address: str) -> str:
    kind, _, key = address.partition("/")
    return Address(kind, key).quoted
