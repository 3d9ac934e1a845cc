"""What a run tells of the one before it: if that was cut off, what was done and what was under way; which secret may be lost."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from reconciler.apply.effect import Effect, effect_of
from reconciler.apply.past import Call, Outcome, Run
from reconciler.errors import Diagnostic, Severity
from reconciler.plan.match import Book
from schemas import AnyKind
from schemas._core.address import Address

CUT_OFF, LOST = "NBS609", "NBS610"


def aftermath(runs: Sequence[Run], book: Book) -> list[Diagnostic]:
    """Tell what runs did that were cut off, as their journals and the account show it. Nothing is asked of the server.

    Args:
        runs: newest first; at least one. Of all of them it is told which secrets may be lost: nobody else may have.
        book: what is there now.
    """
    return [*_cut_off(runs[0], book), *_lost_secrets(runs, book)]


def _cut_off(run: Run, book: Book) -> Iterator[Diagnostic]:
    if run.outcome is not Outcome.CUT_OFF:
        return
    begin = run.begin
    said = [f"the last run here, nbsync {begin.command} at {begin.time}, was cut off"]
    said.append(f"{run.made} of {len(begin.changes)} changes were made")
    said += [_under_way(call, book) for call in _open_calls(run)]
    advice = f"nbsync history {run.path} shows its calls; {_going_on(run)}"
    yield Diagnostic(CUT_OFF, "; ".join(said), advice, Severity.WARNING)


def _going_on(run: Run) -> str:
    begin = run.begin
    if begin.command == "rotate" and begin.changes:
        return f"nbsync rotate {Address.parse(begin.changes[0].address).quoted} makes another and removes the rest"
    if begin.takes_back:
        return f"nbsync rollback {shlex.quote(begin.takes_back.path)} goes on with it"
    if begin.plan:
        return (
            "its plan is made in part and cannot be gone on with: plan anew, that goes on from where the account stands"
        )
    return "nbsync apply goes on from where the account stands"


def _open_calls(run: Run) -> Iterator[Call]:
    """Calls of which the run itself did not come to know whether they took effect."""
    return (call for call in run.calls.values() if call.is_open and call.called.address not in run.settled)


def _under_way(call: Call, book: Book) -> str:
    called = call.called
    return f"{called.method} /api{called.path} for {called.address} was under way: {effect_of(called, book)[0]}"


def _lost_secrets(runs: Sequence[Run], book: Book) -> Iterator[Diagnostic]:
    """Objects that were made, or may have been, and whose secret is not marked as safe, by that run or a later one."""
    known: set[str] = set()
    for run in runs:
        for address, call in _made(run).items():
            if address not in known and _may_be_lost(run, call, book):
                yield _lost(run, address, book.desired.registry[call.called.kind])
        known |= {*_made(run), *(address for address, _ in run.safe)}


def _made(run: Run) -> dict[str, Call]:
    """Calls that have made something, or may have, by address; the last one of each."""
    return {
        call.called.address: call
        for call in run.calls.values()
        if call.called.method == "POST" and (call.is_open or call.has_effect)
    }


def _lost(run: Run, address: str, kind: AnyKind) -> Diagnostic:
    advice = f"renew it: nbsync rotate {Address.parse(address).quoted}" if kind.renewable else _anew(kind.title)
    how = "was cut off" if run.outcome is Outcome.CUT_OFF else "ended"
    message = f"a run {how} before the secret of {address} was safe: it may be lost"
    return Diagnostic(LOST, message, advice, Severity.WARNING, address=address)


def _anew(title: str) -> str:
    return f"look where secrets go; if it is not there, delete the {title} and run nbsync apply"


def _may_be_lost(run: Run, call: Call, book: Book) -> bool:
    called, answer = call.called, call.answer
    kind = book.desired.registry.get(called.kind)
    if kind is None or not kind.reveals or (run.end and not call.is_open):
        return False  # a run that came to its end has said itself what became of answers that arrived
    if any(
        address == called.address and (answer is None or identifier == answer.id) for address, identifier in run.safe
    ):
        return False
    if answer is None or answer.id is None:
        effect = effect_of(called, book)[0]
        return effect is Effect.TOOK or (effect is Effect.UNSEEN and run.end is None)
    return answer.id in book.snapshot.of(kind.name) or not book.snapshot.shows(kind, answer.parent)
