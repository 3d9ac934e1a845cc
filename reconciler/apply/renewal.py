"""A new secret beside the old one: made, handed over, seen to be good; only then the old one goes."""

from __future__ import annotations

from dataclasses import replace

from reconciler.api.client import ReadApi, path
from reconciler.api.problems import Missing, NotPermitted, Stopped, TokenRefused
from reconciler.apply.calls import Calls
from reconciler.apply.intent import NotKept, Written, compare, not_kept
from reconciler.apply.outputs import Revealed, Sink, SinkFailed
from reconciler.apply.readback import Finding
from reconciler.apply.wire import Wire
from reconciler.errors import AccountError, Diagnostic, NbsyncError
from reconciler.plan.change import Action, Change
from reconciler.plan.match import Book
from reconciler.state.caller import identify
from reconciler.state.snapshot import Live

WITHDRAWN, TWO_LEFT = "NBS651", "NBS652"


class Withdrawn(NbsyncError):
    """The new object was not good and is gone again: the account is as it was."""


class TwoLeft(NbsyncError):
    """The new object and an old one are both there."""


class _Unfit(Exception):
    """The new object is not what it should be; the text says why."""


class Witness:
    """A sink that remembers the last secret until it has been tried."""

    def __init__(self, sink: Sink | None) -> None:
        self._sink = sink
        self.last: Revealed | None = None

    def put(self, revealed: Revealed) -> None:
        """Hand a secret on; raises as the sink behind."""
        if self._sink is not None:
            self._sink.put(revealed)
        self.last = revealed

    def close(self) -> None:
        """Leave the sink behind to its owner."""


class Renewal:
    """Makes the changes that are renewals.

    Args:
        wire: the way for all calls but one.
        api: opens another way, with the new secret.
        book: what is live.
        calls: makes and deletes the objects.
        witness: has seen the secrets that `calls` has handed over.
    """

    def __init__(self, wire: Wire, api: ReadApi, book: Book, calls: Calls, witness: Witness) -> None:
        self._wire = wire
        self._api = api
        self._book = book
        self._calls = calls
        self._witness = witness

    def make(self, change: Change) -> None:
        """Renew one object. At every moment, one whose secret was handed over is live.

        Raises:
            Withdrawn: the new one could not be handed over, or is not good; it was deleted, and the old one is as it was.
            TwoLeft: the new one was handed over, and the old one is there as well.
            StalePlan: somebody has changed an old one since; nothing was sent.
            NbsyncError: as `Calls.make`; nothing but perhaps a new one that nobody has was made.
        """
        for old in change.beside:
            self._calls.meanwhile.still_there(_deletion(change, old))
        try:
            self._calls.make(replace(change, action=Action.CREATE, id=None, live=None, before=None))
            new = self._book.pairs[change.address]
            self._see(change, new)
        except SinkFailed as error:
            self._withdraw(change, str(error))
            if error.kept:
                error.kept.unlink(missing_ok=True)
            raise self._withdrawn(change, error.why) from error
        except (NotKept, _Unfit) as error:
            self._withdraw(change, str(error))
            raise self._withdrawn(change, str(error)) from error
        except Stopped:
            raise
        except NbsyncError as error:
            if self._new(change) is None:
                raise
            raise self._two_left(change, f"it could not be tried: {error}") from error
        self._remove(change)

    def _new(self, change: Change) -> Live | None:
        """The object that this run made, if it got to know it."""
        live = self._book.pairs.get(change.address)
        return live if live and live.id not in {old.id for old in change.beside} else None

    def _see(self, change: Change, new: Live) -> None:
        """See whether the new object is as it should be, and whether one can work with it.

        Raises:
            NotKept: it is not as declared.
            _Unfit: it cannot be used.
            AccountError: nothing could be seen.
        """
        kind, desired = change.kind, change.desired
        try:
            seen = self._wire.get(new.where)
        except Missing:
            raise _Unfit("the server does not have it") from None
        if desired is None or not isinstance(seen, dict):
            raise _Unfit("the server shows no such object")
        meant = Written(change, change, desired, change.writes)
        if said := compare(self._book, meant, replace(new, seen=seen), whole=False).said:
            raise not_kept(change, said)
        declared = self._book.desired.objects[change.address]
        for message, _ in kind.remarks(desired, declared.parts, seen, self._book):
            raise _Unfit(message)
        if kind.credential is not None:
            self._try(new)

    def _try(self, new: Live) -> None:
        """Ask the server who asks, with the new secret."""
        secret = self._witness.last
        if secret is None or secret.id != new.id:
            raise _Unfit("the server showed no secret")
        try:
            with self._api.reading_as(secret.secret) as api:
                caller = identify(api)
        except NotPermitted:
            return  # known, and of a user who may not even read that
        except TokenRefused as error:
            raise _Unfit(str(error)) from error
        if caller.seen.get("id") != new.parent:
            raise _Unfit("it speaks for somebody else")

    def _withdraw(self, change: Change, why: str) -> None:
        new = self._new(change)
        if new is None:
            return
        try:
            self._calls.make(_deletion(change, new))
        except NbsyncError as error:
            raise self._two_left(change, f"{why}; it could not be deleted again: {error}") from error
        if found := self._look_back(change):
            raise self._two_left(change, "; ".join((why, *(str(failure) for _, failure in found))))

    def _remove(self, change: Change) -> None:
        """Delete the old ones, each whatever becomes of the others, and see that they are gone."""
        failed = []
        for old in change.beside:
            try:
                self._calls.make(_deletion(change, old))
            except Stopped:
                raise
            except NbsyncError as error:
                if not self._ended_itself(change):
                    failed.append(f"{old.id} could not be deleted: {error}")
        found = self._look_back(change)
        failed += [f"{one.id}: {failure}" for one, failure in found if one.action is Action.DELETE]
        others = [failure for one, failure in found if one.action is not Action.DELETE]
        if failed:
            raise self._two_left(change, "; ".join((*failed, *map(str, others))))
        for failure in others:
            raise failure

    def _look_back(self, change: Change) -> list[Finding]:
        """What the account shows otherwise than the server has answered; where nothing can be seen, the run looks again at its end."""
        readback = self._calls.readback
        try:
            return readback.verify()
        except NbsyncError as error:
            if isinstance(error, TokenRefused) and change.kind.credential is not None:
                readback.forget()  # it has just been deleted: nobody can see more with it
            return []

    def _ended_itself(self, change: Change) -> bool:
        """The caller's own credential is gone: no answer can tell it but that one."""
        if change.kind.credential is None:
            return False
        try:
            self._wire.get(path(change.kind.endpoint.path, parent=change.beside[-1].parent))
        except TokenRefused:
            return True
        except AccountError:
            return False
        return False

    def _withdrawn(self, change: Change, why: str) -> Withdrawn:
        message = f"{change.address} was not renewed: {why}; the new one was deleted again, the old one is as it was"
        advice = "a secret that was handed over by this run is of no use; mend that and run rotate again"
        return Withdrawn(Diagnostic(WITHDRAWN, message, advice, address=str(change.address), place=change.cause))

    def _two_left(self, change: Change, why: str) -> TwoLeft:
        new = self._new(change)
        message = f"{change.address} was made anew{f' ({new.id})' if new else ''}, and the old one is there, too: {why}"
        advice = f"make another and remove all of these: nbsync rotate {change.address.quoted}"
        return TwoLeft(Diagnostic(TWO_LEFT, message, advice, address=str(change.address), place=change.cause))


def _deletion(change: Change, live: Live) -> Change:
    return replace(change, action=Action.DELETE, id=live.id, live=live, desired=None)
