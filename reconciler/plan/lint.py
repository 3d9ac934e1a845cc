"""What is odd about the files by themselves: the rules of every kind about its declared objects, as warnings with places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.errors import Diagnostic, Place, Severity
from reconciler.load.desired import Declared, Desired
from reconciler.plan.resolve import scalars
from schemas._core.address import Address
from schemas._core.conflicts import Conflict, Use
from schemas._core.references import ref_address, references


def lint(desired: Desired) -> list[Diagnostic]:
    """Warn of declared objects that are in conflict with one another, or of no use.

    What is left alone, in whole or in part (`unmanaged`, `ignore`), is not as the files say, so nothing is said of it.
    """
    files = _Files.of_all(desired)
    found = [conflict for kind in desired.registry.values() for conflict in kind.conflicts(files)]
    return [_diagnostic(desired, conflict) for conflict in found if _is_certain(desired, conflict)]


@dataclass(frozen=True, slots=True)
class _Files:
    """The declared objects as the kinds' rules see them."""

    mentioned: set[str]
    by_kind: dict[str, list[Declared]] = field(default_factory=lambda: defaultdict(list))
    by_target: dict[Address, list[Use]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of_all(cls, desired: Desired) -> _Files:
        files = cls(desired.kinds)
        for declared in desired.objects.values():
            files.by_kind[declared.kind.name].append(declared)
            for _, ref, text in references(declared.model):
                files.by_target[ref_address(ref, text)].append(Use(declared.address, ref))
        return files

    def of(self, kind: str) -> Sequence[Declared]:
        return self.by_kind.get(kind, ())

    def mention(self, kind: str) -> bool:
        return kind in self.mentioned

    def uses(self, address: Address) -> Sequence[Use]:
        return self.by_target.get(address, ())


def _is_certain(desired: Desired, conflict: Conflict) -> bool:
    addresses = [conflict.about, *filter(None, [conflict.other])]
    return not any(desired.is_unmanaged(one) or desired.objects[one].model.ignore for one in addresses)


def _diagnostic(desired: Desired, conflict: Conflict) -> Diagnostic:
    declared = desired.objects[conflict.about]
    message = conflict.message
    if conflict.other:
        message += f" ({desired.place(desired.objects[conflict.other].at)})"
    place = _place(desired, declared, conflict)
    return Diagnostic(conflict.code, message, conflict.advice, Severity.WARNING, str(conflict.about), place)


def _place(desired: Desired, declared: Declared, conflict: Conflict) -> Place | None:
    """The text at which a rule points, else its field, else the object."""
    key = conflict.field
    at = declared.body.values_at.get(key, declared.at)
    marks = (mark for mark, value in scalars(declared.body.get(key), at) if value == conflict.value)
    return desired.place(next(marks, at))
