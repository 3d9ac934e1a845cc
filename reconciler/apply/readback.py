"""What was written is read again in bulk and compared with what was meant: an answer may show more than was kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconciler.apply.fresh import Fresh, Place
from reconciler.apply.intent import Comparison, NotKept, Written, changed_since, compare, is_wider, not_kept, odd_answer
from reconciler.apply.neighbours import Unwatched
from reconciler.apply.undo import Undo
from reconciler.errors import Diagnostic, NbsyncError
from reconciler.plan.change import Change
from reconciler.plan.match import Book
from reconciler.state.observe import paths_of
from reconciler.state.snapshot import Live

GONE, UNREAD = "NBS604", "NBS633"
Finding = tuple[Change, NbsyncError]
"""A change that was not kept, and how."""


@dataclass(slots=True)
class ReadBack:
    """Remembers what was written until it has been read again."""

    book: Book
    fresh: Fresh
    undo: Undo
    watch: Unwatched
    written: dict[Place, tuple[Written, Live]] = field(default_factory=dict)
    deleted: dict[Place, tuple[Change, Live]] = field(default_factory=dict)

    def answered(self, written: Written, live: Live) -> None:
        """Compare the answer to a write with what was meant, and remember to read the object again.

        Raises:
            NotKept: the answer shows something else; more access than meant is taken back by then.
        """
        place, earlier = _place(live), self.written.get(_place(live))
        if earlier:
            first = earlier[0]
            written = replace(written, base=first.base, writes=written.writes | first.writes)
        self.written[place] = (written, live)
        if failure := self._judge(written, live):
            del self.written[place]
            raise failure

    def widened(self, written: Written, live: Live) -> NbsyncError | None:
        """Take back what an object gives more than meant; the finding, if it did."""
        found = compare(self.book, written, live, whole=False)
        if is_wider(live.kind, found.meant, found.there):
            return self.undo.undo(written, live, found)
        return None

    def gone(self, change: Change, live: Live) -> None:
        """Remember to look whether a deleted object is gone."""
        self.written.pop(_place(live), None)
        self.deleted[_place(live)] = (change, live)

    def paths(self) -> list[str]:
        """Lists to read to see all that was written."""
        lives = [live for _, live in (*self.written.values(), *self.deleted.values())]
        registry = self.book.desired.registry
        return list(dict.fromkeys(path for live in lives for path in paths_of(live.kind, registry, live.parent)))

    def forget(self) -> int:
        """Give up reading it again, and tell of how many changes that is so."""
        count = len(self.written) + len(self.deleted)
        self.written.clear()
        self.deleted.clear()
        return count

    def verify(self) -> list[Finding]:
        """Compare all that was written with what the lists show.

        Raises:
            AccountError: a list cannot be read.
        """
        views = {
            place: self.fresh.since_written(live.kind, live.id, live.parent)
            for place, (_, live) in {**self.written, **self.deleted}.items()
        }
        found: list[Finding] = []
        for place, (change, live) in self.deleted.items():
            if live.id in views[place].objects:
                found.append((change, _still_there(change)))
        for place, (one, live) in self.written.items():
            view = views[place]
            if failure := self._verdict(one, view.objects.get(live.id), view.until):
                found.append((one.planned, failure))
        self.forget()
        return found

    def _verdict(self, written: Written, now: Live | None, read_by: float) -> NbsyncError | None:
        if now is None:
            return not_kept(written.change, ("it is not there when it is read again",))
        try:
            failure = self._judge(written, now, read_by)
        except NbsyncError as error:
            return error
        if failure is None:
            self.fresh.confirm(now)
            self.book.learn(written.change.address, now)
        return failure

    def _judge(self, written: Written, live: Live, read_by: float | None = None) -> NbsyncError | None:
        """Judge an answer to a write, or what a list shows that had been read by a time."""
        found = compare(self.book, written, live, whole=read_by is not None)
        if not found.said:
            return None
        if found.there is None and read_by is None:
            return self._beyond_words(written, live)
        if read_by is not None and (deed := self.watch.by_others(live, read_by)):
            return changed_since(written.change, found.said, deed)
        return self._act_upon(written, live, found)

    def _act_upon(self, written: Written, live: Live, found: Comparison) -> NbsyncError:
        """What gives more than meant is taken back."""
        if found.has_more or (found.there is not None and is_wider(live.kind, found.meant, found.there)):
            return self.undo.undo(written, live, found)
        return not_kept(written.change, found.said)

    def _beyond_words(self, written: Written, live: Live) -> NbsyncError:
        """An answer that the files have no words for is no reason to take the object back, unless the list shows it so, too."""
        now = self.fresh.renewed(live.kind, live.parent, overtime=True).objects.get(live.id)
        found = compare(self.book, written, now, whole=True) if now else None
        if now is None or found is None or found.there is not None:
            return odd_answer(written.change)
        return self._act_upon(written, now, found)


def _place(live: Live) -> Place:
    return live.kind.name, live.id


def _still_there(change: Change) -> NotKept:
    message = f"the server took the delete of {change.address}, and it is still there"
    advice = "run plan to see where the account stands"
    return NotKept(Diagnostic(GONE, message, advice, address=str(change.address), place=change.cause))
