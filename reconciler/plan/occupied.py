"""What only one object can have: a name, a domain, the alias of a name. Who has it, and who needs it.

Each is a token: a text that is the same for all who would meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reconciler.plan.change import Action, Change
from reconciler.plan.footprint import decoded
from reconciler.plan.match import Book
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import decode_part
from schemas._core.kind import Unique

NAME = "name "
"""With which tokens begin that stand for names."""


def released(change: Change) -> set[str]:
    """What an object occupies now and will not occupy afterwards."""
    if change.live is None or change.before is None:
        return set()
    kind = change.kind
    held = {
        *_names(kind, change.live.name),
        *kind.holds(parts_of(change.previous_key or change.address.key), change.before),
    }
    if change.removes or change.after is None:
        return held | {_name_token(address.kind, parts_of(address.key)[-1]) for address, _ in change.falls}
    return held - {
        *_names(kind, kind.name_form(change.name)),
        *kind.holds(parts_of(change.address.key), change.after),
    }


def acquired(change: Change) -> set[str]:
    """What must be free when an object comes, or gets another name."""
    if change.after is None:
        return set()
    kind, name = change.kind, change.kind.name_form(change.name)
    wanted = set(kind.excludes(parts_of(change.address.key), change.after))
    is_named_anew = change.live is None or change.live.name != name
    if is_named_anew and (kind.unique is Unique.ALWAYS or change.action is Action.CREATE):
        wanted |= set(_names(kind, name))
    return wanted


def _names(kind: AnyKind, name: str) -> list[str]:
    return [_name_token(kind.name, name)] if kind.unique is not Unique.NO else []


def _name_token(kind: str, name: str) -> str:
    return f"{NAME}{kind}/{name}"


def parts_of(key: str) -> tuple[str, ...]:
    """Parts of a key, as they are called."""
    return tuple(map(decode_part, key.split("/")))


def needed_alone(change: Change) -> set[str]:
    """What an object is to have for itself, besides its name, and has not yet.

    What gateways share is left to the server, which looks at the peers behind them.
    """
    kind = change.kind
    if change.after is None or change.action is Action.DELETE or kind.successor_first:
        return set()
    before = kind.excludes(parts_of(change.previous_key or change.address.key), change.before) if change.before else ()
    return set(kind.excludes(parts_of(change.address.key), change.after)) - set(before)


def occupied_by(live: Live, book: Book) -> set[str]:
    """What a live object has for itself, besides its name."""
    model = decoded(live.kind, live.seen, book)
    return set() if model is None else set(live.kind.holds(parts_of(book.key_now(live)), model))


def in_the_way(changes: Iterable[Change], book: Book) -> dict[Change, list[Live]]:
    """Live objects that none of the changes is about, by the changes that the server refuses beside them."""
    changes = list(changes)
    needed = {change: tokens for change in changes if (tokens := needed_alone(change))}
    if not needed:
        return {}
    touched = {(change.kind.name, change.id) for change in changes}
    touched |= {(address.kind, identifier) for change in changes for address, identifier in change.falls}
    holders: dict[str, list[Live]] = defaultdict(list)
    for live in book.snapshot:
        if (live.kind.name, live.id) not in touched:
            for token in occupied_by(live, book):
                holders[token].append(live)
    found = {change: [live for token in tokens for live in holders.get(token, ())] for change, tokens in needed.items()}
    return {change: lives for change, lives in found.items() if lives}
