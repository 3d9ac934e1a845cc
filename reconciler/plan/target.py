"""`--target`: only some objects, and what must be made for them."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import Diagnostic, UsageError
from reconciler.load.messages import near
from reconciler.plan.change import Action, Change
from reconciler.plan.match import Book
from schemas._core.address import Address
from schemas._core.references import referred


def only(changes: Sequence[Change], targets: Sequence[str], book: Book) -> list[Change]:
    """Changes of the targets, and the creates that these need.

    Raises:
        UsageError: neither the files nor the account know one of the addresses.
    """
    by_address = {change.address: change for change in changes}
    waiting = _known(targets, book)
    wanted: dict[Address, Change] = {}
    while waiting:
        change = by_address.get(waiting.pop())
        if change is None or change.address in wanted:
            continue
        wanted[change.address] = change
        needed = (by_address.get(address) for address in _needs(change))
        waiting += [other.address for other in needed if other and other.action is Action.CREATE]
    return [change for change in changes if change.address in wanted]


def _known(targets: Sequence[str], book: Book) -> list[Address]:
    known = {*book.desired.objects, *book.addresses.values()}
    found, unknown = [], []
    for text in targets:
        address = Address.parse(text)
        if address in known:
            found.append(address)
        else:
            advice = near(text, map(str, known)) or "write KIND/KEY, such as policy/dev-to-erp"
            unknown.append(Diagnostic("NBS901", f"neither the files nor the account know {text}", advice))
    if unknown:
        raise UsageError(unknown)
    return found


def _needs(change: Change) -> list[Address]:
    around = [change.parent] if change.parent else []
    if change.desired is None:
        return around
    return [*around, *referred(change.desired)]
