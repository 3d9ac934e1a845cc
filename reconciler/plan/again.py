"""A saved plan on the account as it is now: the very same changes, or a refusal that names what has changed since. Pure.

The account is planned on anew with the desired state of that day. Of that plan only the saved changes are taken, and only if
each comes out as it did: what else could be done by now is left undone, and does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from reconciler.errors import Diagnostic, Severity, StalePlan
from reconciler.load.desired import Desired
from reconciler.plan.change import Action, Change, Plan, Step
from reconciler.plan.diff import Difference, diff
from reconciler.plan.guard import guard
from reconciler.plan.match import Book
from reconciler.plan.occupied import in_the_way
from reconciler.plan.order import order
from reconciler.plan.resolve import Resolved, resolve
from reconciler.plan.savefile import Fallen, Needed, SavedChange, SavedPlan, ids_of
from reconciler.plan.stale import differences, state_of
from reconciler.state.snapshot import Live, Snapshot
from schemas._core.address import Address

STALE = "NBS620"
ADVICE = "nothing was written; plan again, and look at what the plan says now"
Key = tuple[str, str]


def plan_again(saved: SavedPlan, desired: Desired, snapshot: Snapshot) -> tuple[Plan, Book]:
    """Find the saved changes on the account as it is now.

    Args:
        saved: the plan as it was made.
        desired: what the files asked for when it was made.
        snapshot: the account now.

    Returns:
        A plan of the saved changes, in their order, with the guards' verdicts of today, and the book of what is what.

    Raises:
        StalePlan: something that the plan touches, or refers to, has changed since; all of it is named.
    """
    book = Book(desired, snapshot)
    resolved = resolve(book)
    found = diff(book, resolved)
    comparison = _Comparison(book, resolved, found, saved)
    for one in saved.changes:
        comparison.compare(one)
    comparison.compare_neighbours()
    comparison.refuse()
    stay = [one.address for one in saved.changes if one.is_passing]
    steps, wider, guessed = order([comparison.now[_key(one)] for one in saved.lasting], book, stay)
    warnings = [*desired.diagnostics, *resolved.diagnostics, *found.diagnostics, *wider]
    comparison.require_alike(steps)
    plan = Plan(
        steps,
        unmanaged=found.unmanaged,
        diagnostics=tuple(one for one in warnings if one.severity is not Severity.ERROR),
        guessed=guessed,
    )
    return guard(book, plan, saved.allowances), book


def _key(change: Change | SavedChange) -> Key:
    """What tells a change from all others, whatever its object is called by now."""
    return change.address.kind, change.id or f"/{change.address.key}"


@dataclass(slots=True)
class _Comparison:
    book: Book
    resolved: Resolved
    found: Difference
    saved: SavedPlan
    now: dict[Key, Change] = field(init=False)
    """The changes that would be made now, the saved ones and others."""
    planned: set[Address] = field(init=False)
    reasons: dict[Address, list[str]] = field(default_factory=dict)
    causes: dict[Address, SavedChange] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = {_key(change): change for change in self.found.changes}
        self.planned = {one.address for one in self.saved.lasting}

    def refuse(self) -> None:
        """Name everything that has changed since.

        Raises:
            StalePlan: there is something.
        """
        if self.reasons:
            raise StalePlan(self._diagnostic(address, reasons) for address, reasons in self.reasons.items())

    def _diagnostic(self, address: Address, reasons: list[str]) -> Diagnostic:
        message = f"{address} has changed since the plan was made: {'; '.join(dict.fromkeys(reasons))}"
        return Diagnostic(STALE, message, ADVICE, address=str(address), place=self.causes[address].cause)

    def _note(self, address: Address, one: SavedChange, reason: str) -> None:
        self.reasons.setdefault(address, []).append(reason)
        self.causes.setdefault(address, one)

    def compare(self, one: SavedChange) -> None:
        """Compare what a change was planned on with what is there now."""
        for reason in self._made(one) if one.id is None else self._own(one, one.id):
            self._note(one.address, one, reason)
        for needed in one.needs:
            if needed.address not in self.planned and (reason := self._needed(needed)):
                self._note(needed.address, one, f"{reason} ({one.address} needs it)")
        self._compare_fallen(one)
        if _key(one) not in self.now and not self.reasons and not one.is_passing:
            said = [found.message for found in self.found.diagnostics if found.address == str(one.address)]
            self._note(one.address, one, f"it would not be changed any more{': ' + said[0] if said else ''}")

    def compare_neighbours(self) -> None:
        """See that nothing has come beside which the server would refuse what is to come."""
        changes = {self.now[_key(one)]: one for one in self.saved.lasting if _key(one) in self.now}
        for change, others in in_the_way(changes, self.book).items():
            one = changes[change]
            for live in others:
                if live.id not in one.beside:
                    other = self.book.addresses[live.kind.name, live.id]
                    self._note(one.address, one, f"{other} is there now, which excludes it")

    def _compare_fallen(self, one: SavedChange) -> None:
        for fallen in one.fallen:
            for reason in self._fallen(fallen):
                self._note(fallen.address, one, reason)
        for address in self._falls_now(one):
            self._note(address, one, f"it was not there when planned, and would go with {one.address} now")

    def _made(self, one: SavedChange) -> Iterator[str]:
        """Why an object that was to be made cannot be."""
        live = self.book.pairs.get(one.address)
        if live is not None:
            yield f"it was not there when planned, is there now with the id {live.id}"
        yield from self._ambiguous(one.address)

    def _own(self, one: SavedChange, identifier: str) -> Iterator[str]:
        """How the object of a change has changed."""
        live = self.book.snapshot.of(one.address.kind).get(identifier)
        pair = self.book.pairs.get(one.address) if one.action is not Action.DELETE else live
        if live is None:
            yield f"it was made anew: its id was {one.id} when planned, is {pair.id} now" if pair else "it is gone"
        else:
            yield from self._differences(one, live)
            if pair is not None and pair is not live:
                yield f"there is another object of that name now, with the id {pair.id}"
        if one.action is not Action.DELETE:
            yield from self._ambiguous(one.address)

    def _differences(self, one: SavedChange, live: Live) -> list[str]:
        change = replace(one.change(self.book.desired.registry), desired=self.resolved.models.get(one.address))
        return differences(one.state, state_of(self.book, live, change)) if one.state else []

    def _ambiguous(self, address: Address) -> Iterator[str]:
        if address in self.book.refused:
            yield from (problem.message for problem in self.book.problems if problem.address == str(address))

    def _needed(self, needed: Needed) -> str:
        """How an object that a change refers to has changed: it can be no other one."""
        now = ids_of(self.book, needed.address)
        if now == needed.id:
            return ""
        if needed.id is None:
            return f"it was not there when planned, is there now with the id {now}"
        if now is not None:
            return f"it had the id {needed.id} when planned, has {now} now"
        live = self.book.snapshot.of(needed.address.kind).get(needed.id)
        return f"it was {needed.address.key} when planned, is {self.book.key_now(live)} now" if live else "it is gone"

    def _fallen(self, fallen: Fallen) -> list[str]:
        live = self.book.snapshot.of(fallen.address.kind).get(fallen.state.id)
        return differences(fallen.state, state_of(self.book, live)) if live else ["it is gone"]

    def _falls_now(self, one: SavedChange) -> list[Address]:
        """What would go with an object by now, and would not have when the plan was made."""
        now = self.now.get(_key(one))
        known = {gone.state.id for gone in one.fallen}
        return [address for address, identifier in now.falls if identifier not in known] if now else []

    def require_alike(self, steps: tuple[Step, ...]) -> None:
        """See that all changes come out as they were planned; their order is that of the account as it is now.

        Raises:
            StalePlan: one does not, although nothing that it touches has changed.
        """
        changes = {_key(step.change): step.change for step in steps}
        for one in self.saved.lasting:
            if _is_unlike(one, changes[_key(one)]):
                self._note(one.address, one, f"the plan would {changes[_key(one)].action} it in another way now")
        self.refuse()


def _is_unlike(one: SavedChange, change: Change) -> bool:
    """Tell whether another change comes out although its object is the same; members that come by themselves do not count."""
    if (change.action, change.name, change.writes) != (one.action, one.name, frozenset(one.writes)):
        return True
    then, now = ([(shown.path, shown.after) for shown in fields] for fields in (one.fields, change.fields))
    return not change.kind.volatile and then != now
