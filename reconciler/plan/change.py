"""A plan as data: what will change, why, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from reconciler.errors import Diagnostic, Place
from reconciler.state.snapshot import Live
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.fields import Resource
from schemas._core.references import ref_address, references


class Action(StrEnum):
    """What happens to one object."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    REPLACE = "replace"
    DELETE = "delete"


class Origin(StrEnum):
    """Why something differs: the files ask for it, somebody changed the account behind their back, or both."""

    FILES = "files"
    ACCOUNT = "account"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, in the files' words; `path` is dotted (`os_version.linux_kernel`).

    Attributes:
        origin: None unless earlier files were compared.
    """

    path: str
    before: Any
    after: Any
    known_after_apply: bool = False
    sensitive: bool = False
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One object that is not as the files ask.

    Attributes:
        id: of the live object; None for one that is to be made.
        previous_key: key so far, of a rename.
        cause: the line that asks for it: the object's own, or the `manage` line for a delete.
        reason: why it has to be replaced; of one that leaves its object as it is, for what that is shut a while.
        fields: what differs, for people and machines to read.
        desired: the object as declared; None for a delete.
        live: the object that it was planned on; None for a create.
        before, after: the object as it is and as it will be, kept fields included; None where there is none.
        writes: attributes of the model that an update lays over the live object.
        parent: address of the object in which it stands.
        name: by which the API is to know it.
        referred_to_as: the address that references to the live object come to, of a delete; its own unless others share it.
        falls: objects inside it that go with it.
        beside: of a renewal, the live objects that go, in this order, once a new one stands beside them, has been handed over
            and seen to be good.
        origin: None unless earlier files were compared.
    """

    address: Address
    kind: AnyKind
    action: Action
    id: str | None = None
    previous_key: str | None = None
    cause: Place | None = None
    reason: str | None = None
    fields: tuple[FieldChange, ...] = ()
    desired: Resource | None = None
    live: Live | None = None
    before: Resource | None = None
    after: Resource | None = None
    writes: frozenset[str] = frozenset()
    parent: Address | None = None
    name: str = ""
    referred_to_as: Address | None = None
    falls: tuple[tuple[Address, str], ...] = ()
    beside: tuple[Live, ...] = ()
    origin: Origin | None = None

    @property
    def needs_as_they_are(self) -> tuple[Address, ...]:
        """Addresses of what the object stands in, and of what a request names by its id: of an update, what it writes."""
        if self.desired is None:
            return ()
        is_new = self.action in (Action.CREATE, Action.REPLACE)
        named = [
            ref_address(ref, name)
            for attribute, ref, name in references(self.desired)
            if is_new or attribute in self.writes
        ]
        return tuple(dict.fromkeys([*([self.parent] if self.parent else []), *named]))

    @property
    def is_passing(self) -> bool:
        """The object is as it should be, and only shut while others change."""
        return is_passing(self.action, self.fields)

    @property
    def removes(self) -> bool:
        """The live object goes, whether another one takes its place or not."""
        return self.action in (Action.DELETE, Action.REPLACE)


def is_passing(action: Action, fields: Sequence[FieldChange]) -> bool:
    """Tell whether a change leaves its object as it is, but for a while."""
    return action is Action.UPDATE and not fields


WIDER = "NBS305"
"""Code of the warning that more may be possible between two calls than before and afterwards."""
NARROWED = "(narrowed)"
"""Detour of a step that narrows."""


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the work: a change, or a step of it that comes before.

    Attributes:
        detour: name under which the object goes aside to make room for others; of a replacement, which has no use for it, the
            object is deleted. `NARROWED` where access is narrowed before it is widened elsewhere.
        common: the object narrowed to what it gives before and after; None but for such a step.
        needs: changes without which this one cannot be made.
        rank: steps that have the same one, stand next to each other and need nothing of each other could as well stand in another
            order; None where that is not known.
    """

    change: Change
    detour: str = ""
    common: Resource | None = None
    needs: frozenset[Change] = frozenset()
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A guard's no: what it refuses, and the flag that would allow it (or what else to do)."""

    diagnostic: Diagnostic
    allow: str = ""


class Undeclared(NamedTuple):
    """A live object that the files do not say and that stays: its kind is owned in part, and `unmanaged` does not name it.

    People and machines come by themselves, and are none.
    """

    address: Address
    id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an apply would do, in order, and what the guards say.

    Attributes:
        steps: the work; every change has one step, and some before it where it has to make room, or to narrow, first.
        unmanaged: how many live objects of the kinds in the files nothing declares and stay.
        undeclared: those of them that the files do not even name as unmanaged.
        verdicts: reasons to refuse the plan.
        diagnostics: warnings.
        guessed: what some changes do to access was guessed, as kinds that say so were not read; the order depends on that.
    """

    steps: tuple[Step, ...] = ()
    unmanaged: int = 0
    undeclared: tuple[Undeclared, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    guessed: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes in the order of the work."""
        return tuple(step.change for step in self.steps if not step.detour)

    def counts(self) -> Counter[Action]:
        """How many changes there are of each action."""
        return Counter(change.action for change in self.changes)

    def with_changes(self, changes: Mapping[Change, Change]) -> Plan:
        """The same plan with other changes in the place of its own; those that have none are left out."""
        steps = [
            replace(step, change=changes[step.change], needs=frozenset(changes[n] for n in step.needs if n in changes))
            for step in self.steps
            if step.change in changes
        ]
        return replace(self, steps=tuple(steps))

    def lasting(self) -> Plan:
        """The same plan without what leaves its object as it is, and what is to be said of the way."""
        plan = self.with_changes({change: change for change in self.changes if not change.is_passing})
        return replace(plan, diagnostics=tuple(one for one in self.diagnostics if one.code != WIDER))

    def with_verdicts(self, verdicts: list[Verdict]) -> Plan:
        """The same plan with what the guards say."""
        return replace(self, verdicts=tuple(verdicts))
