"""A plan as a file: what was planned, for which account, on what, and the desired state to plan it again. Pure.

The file is one line of JSON in ASCII. Its last member is a digest of all others, and it is read only if it has, byte for byte,
the form in which it was written: whatever was changed, by accident or by hand, shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from reconciler._version import VERSION
from reconciler.errors import DesiredStateError, Diagnostic, Place
from reconciler.load.archive import Archive
from reconciler.plan.change import Action, Change, FieldChange, Origin, Plan, Step, is_passing
from reconciler.plan.guard import Allowances
from reconciler.plan.match import Book
from reconciler.plan.occupied import in_the_way
from reconciler.plan.stale import State, state_of
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.references import referred

FORMAT = 1
"""Version of the file; another one for whatever an earlier nbsync would misread."""
MARK, DIGEST = "nbsync_plan", "digest"
START = f'{{"{MARK}":'.encode()
"""With which every plan file begins."""
DAMAGED, NEWER = "NBS621", "NBS623"


class Part(BaseModel):
    """A part of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Needed(NamedTuple):
    """An object to which a change refers, or in which its object stands; without id if the plan makes it."""

    address: Address
    id: str | None


class Fallen(NamedTuple):
    """An object that goes with another one."""

    address: Address
    state: State


class SavedChange(Part):
    """One change: what there is to show, and what it was planned on.

    Attributes:
        state: of its object; None for one that is to be made.
        fallen: what goes with it.
        needs: what it refers to.
        beside: ids of the objects beside which the server may refuse it, and that were there.
    """

    address: Address
    action: Action
    id: str | None
    previous_key: str | None
    cause: Place | None
    reason: str | None
    fields: tuple[FieldChange, ...]
    origin: Origin | None
    parent: Address | None
    name: str
    writes: tuple[str, ...]
    state: State | None
    fallen: tuple[Fallen, ...]
    needs: tuple[Needed, ...]
    beside: tuple[str, ...]

    @property
    def is_passing(self) -> bool:
        """It only shuts its object while others change."""
        return is_passing(self.action, self.fields)

    def change(self, registry: Mapping[str, AnyKind]) -> Change:
        """The change as a plan shows it, without the objects."""
        return Change(
            self.address,
            registry[self.address.kind],
            self.action,
            id=self.id,
            previous_key=self.previous_key,
            cause=self.cause,
            reason=self.reason,
            fields=self.fields,
            parent=self.parent,
            name=self.name,
            writes=frozenset(self.writes),
            falls=tuple((address, state.id) for address, state in self.fallen),
            origin=self.origin,
        )


class Target(Part):
    """The account for which a plan was made."""

    url: str
    version: str | None
    account: str


class SavedPlan(Part):
    """The contents of a plan file.

    Attributes:
        made_at: when, in UTC, as ISO 8601.
        since: git revision whose files were compared, if origins are told.
        desired: what the files asked for.
        unmanaged: live objects that nothing declared and that stayed.
    """

    nbsync_version: str
    made_at: str
    target: Target
    since: str | None
    changes: tuple[SavedChange, ...]
    unmanaged: int
    diagnostics: tuple[Diagnostic, ...]
    allowances: Allowances
    desired: Archive

    @property
    def lasting(self) -> tuple[SavedChange, ...]:
        """The changes without those that leave their objects as they are."""
        return tuple(one for one in self.changes if not one.is_passing)

    def plan(self, registry: Mapping[str, AnyKind]) -> Plan:
        """The plan to show."""
        steps = tuple(Step(one.change(registry)) for one in self.changes)
        return Plan(steps, unmanaged=self.unmanaged, diagnostics=self.diagnostics)


def save(
    plan: Plan, book: Book, desired: Archive, target: Target, *, made_at: str, since: str | None, allowances: Allowances
) -> SavedPlan:
    """Take down a plan that no guard refuses, with all that it was made from."""
    return SavedPlan(
        nbsync_version=VERSION,
        made_at=made_at,
        target=target,
        since=since,
        changes=_all_saved(plan.changes, book),
        unmanaged=plan.unmanaged,
        diagnostics=plan.diagnostics,
        allowances=allowances,
        desired=desired,
    )


def _all_saved(changes: Sequence[Change], book: Book) -> tuple[SavedChange, ...]:
    beside = in_the_way(changes, book)
    return tuple(_saved(change, book, [live.id for live in beside.get(change, ())]) for change in changes)


def _saved(change: Change, book: Book, beside: Iterable[str]) -> SavedChange:
    return SavedChange(
        address=change.address,
        action=change.action,
        id=change.id,
        previous_key=change.previous_key,
        cause=change.cause,
        reason=change.reason,
        fields=change.fields,
        origin=change.origin,
        parent=change.parent,
        name=change.name,
        writes=tuple(sorted(change.writes)),
        state=state_of(book, change.live, change) if change.live else None,
        fallen=tuple(
            Fallen(address, state_of(book, book.snapshot.of(address.kind)[identifier]))
            for address, identifier in change.falls
        ),
        needs=tuple(Needed(address, ids_of(book, address)) for address in needed_by(change)),
        beside=tuple(sorted(beside)),
    )


def needed_by(change: Change) -> Iterable[Address]:
    """Addresses of what a change refers to, and of what its object stands in; each once."""
    around = [change.parent] if change.parent else []
    return dict.fromkeys([*around, *(referred(change.desired) if change.desired else ())])


def ids_of(book: Book, address: Address) -> str | None:
    """Id of the live object that an address means now; several, if it could be any of them; None if there is none."""
    if pair := book.pairs.get(address):
        return pair.id
    return " or ".join(sorted(live.id for live in book.found(address))) or None


def encode(saved: SavedPlan) -> str:
    """The text of the file."""
    document = {MARK: FORMAT, **saved.model_dump(mode="json")}
    return _text({**document, DIGEST: _digest(document)})


def digest(saved: SavedPlan) -> str:
    """What tells a plan file from all others: the digest that stands in it."""
    return _digest({MARK: FORMAT, **saved.model_dump(mode="json")})


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":")) + "\n"


def _digest(document: Mapping[str, Any]) -> str:
    return f"sha256:{hashlib.sha256(_text(document).encode()).hexdigest()}"


def decode(data: bytes, file: str, registry: Mapping[str, AnyKind]) -> SavedPlan:
    """Read the contents of a file.

    Args:
        data: all of it.
        file: its name, for messages.
        registry: the kinds that there are.

    Raises:
        DesiredStateError: it is no plan file, is damaged, was changed, or was written by a newer nbsync.
    """
    document = _document(data, file)
    _check_format(document.pop(MARK), document, file)
    said = document.pop(DIGEST, None)
    whole = {MARK: FORMAT, **document}
    if said != _digest(whole) or data != _text({**whole, DIGEST: said}).encode():
        raise damaged(file, "it is not as nbsync wrote it")
    try:
        saved = SavedPlan.model_validate(document)
    except (ValidationError, RecursionError):
        raise damaged(file, "parts of it are missing, or are something else than they should be") from None
    addresses = {address for one in saved.changes for address in (one.address, *(gone.address for gone in one.fallen))}
    if not {address.kind for address in addresses} <= registry.keys():
        raise damaged(file, "it speaks of what is not there")
    return saved


def _document(data: bytes, file: str) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and MARK in document:
        return document
    if data.startswith(START):
        raise damaged(file, "it is not as nbsync wrote it")
    raise damaged(file, "it is no plan that nbsync has saved")


def _check_format(number: Any, document: Mapping[str, Any], file: str) -> None:
    if type(number) is not int or number < 1:
        raise damaged(file, "it is not as nbsync wrote it")
    if number > FORMAT:
        version = document.get("nbsync_version")
        by = f"nbsync {version}" if isinstance(version, str) else "a newer nbsync"
        message = f"{file} was written by {by} as a plan of format {number}; nbsync {VERSION} reads format {FORMAT}"
        raise DesiredStateError(Diagnostic(NEWER, message, "use that version, or plan again with this one"))


def damaged(file: str, why: str) -> DesiredStateError:
    """The file cannot be trusted."""
    return DesiredStateError(
        Diagnostic(DAMAGED, f"{file} cannot be used: {why}", "make the plan anew: nbsync plan --save FILE")
    )
