"""Ids of objects by address: live ones, and those made earlier in this run."""

from __future__ import annotations

from reconciler.errors import Diagnostic, NbsyncError
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas._core.address import Address
from schemas._core.fields import JsonObject


class Bindings:
    """What encoding looks up."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __call__(self, kind: str, key: str) -> str:
        """Id of the object with this key.

        Raises:
            NbsyncError: there is none; the object that should have been made first was not.
        """
        return self._live(kind, key).id

    def raw(self, kind: str, key: str) -> JsonObject:
        """Answer that last showed the object with this key."""
        return self._live(kind, key).seen

    def _live(self, kind: str, key: str) -> Live:
        address = Address(kind, key)
        live = self._book.meant(address)
        if live is None:
            raise NbsyncError(Diagnostic("NBS603", f"{address} does not exist", "run plan again", address=str(address)))
        return live
