"""What a change stands in or refers to: by the name in the files it has to be the object that it was planned on."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.apply.fresh import Fresh
from reconciler.plan.change import Change
from reconciler.plan.match import Book
from reconciler.state.observe import paths_of
from reconciler.state.snapshot import Live
from schemas._core.reading import CannotExpress


def key_now(book: Book, live: Live) -> str:
    """Key of an object by what it is called now; empty if it is not such as the files have words for."""
    try:
        return book.key_now(live)
    except (CannotExpress, LookupError, TypeError, ValueError, AttributeError):
        return ""


class Around:
    """Looks at objects that were there when the plan was made, and that this run has not written.

    Requests name them by id: if two of them have swapped their names since, a change would give access to the wrong one.
    """

    def __init__(self, fresh: Fresh, book: Book) -> None:
        self._fresh = fresh
        self._book = book

    def paths(self, change: Change) -> list[str]:
        """Lists that show them."""
        registry = self._book.desired.registry
        return [path for live in self._of(change) for path in paths_of(live.kind, registry, live.parent)]

    def differences(self, change: Change) -> Iterator[str]:
        """Why they are not those that were meant, each with its name.

        Raises:
            AccountError: they cannot be read.
        """
        for then in self._of(change):
            now = self._fresh.around(then.kind, then.parent).objects.get(then.id)
            address = self._book.addresses[then.kind.name, then.id]
            if now is None:
                yield f"{address}, which it needs, is gone"
            elif (now.name, now.parent) != (then.name, then.parent):
                was, by_now = (key_now(self._book, live) for live in (then, now))
                yield f"{address}, which it needs, was {was} when planned, is {by_now} now"

    def _of(self, change: Change) -> Iterator[Live]:
        for address in change.needs_as_they_are:
            live = self._book.meant(address)
            if live is not None and not self._fresh.is_own(live.kind, live.id):
                yield live
