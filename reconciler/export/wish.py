"""What somebody wants to have exported: kinds, and addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import Diagnostic, UsageError
from reconciler.load.desired import matches
from reconciler.load.messages import near
from reconciler.load.ownership import root_key
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.codec import field_specs
from schemas._core.references import kinds_referred_to

Registry = Mapping[str, AnyKind]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which objects are to be written.

    Attributes:
        registry: the kinds that there are.
        kinds: whose objects are written: those that were named, what stands inside of them, and around them.
        named: those that were named; of them all is written that can be, also what is as on a new object.
        patterns: addresses and glob patterns; none means everything.
    """

    registry: Registry
    kinds: frozenset[str]
    named: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    def wants(self, address: Address) -> bool:
        """Tell whether an object is asked for, by itself or by the object in which it stands."""
        return not self.patterns or matches(self.patterns, address, self.registry[address.kind].parent)

    def to_read(self) -> Registry:
        """The kinds that have to be known: those to be written, what they refer to, and who fills them."""
        kinds = [kind for kind in self.registry.values() if kind.name in self.kinds or _fills(kind, self.kinds)]
        names = {name for kind in kinds for name in (kind.name, *kinds_referred_to(kind.model))}
        names |= {self.registry[name].parent for name in names}
        return {name: kind for name, kind in self.registry.items() if name in names}

    def needed(self) -> frozenset[str]:
        """The kinds without which an export makes no sense: a server that knows none of them is none of NetBird's."""
        return self.named or frozenset(
            name for kind in self.registry.values() for name in kinds_referred_to(kind.model)
        )


def wish(registry: Registry, names: Sequence[str] = (), patterns: Sequence[str] = ()) -> Wish:
    """Make sense of what a person asks for.

    Args:
        registry: the kinds that there are.
        names: of kinds (`policy`), or root keys (`policies`, `dns`); none means all.
        patterns: addresses and glob patterns, such as `policy/dev-*`; none means everything.

    Raises:
        UsageError: a name or the kind of a pattern is not known.
    """
    named = frozenset(kind for name in names for kind in _kinds_called(name, registry))
    for pattern in patterns:
        _check_pattern(pattern, registry)
    return Wish(registry, _with_relatives(named, registry) or frozenset(registry), named, tuple(patterns))


def _kinds_called(name: str, registry: Registry) -> list[str]:
    found = [name] if name in registry else [k.name for k in registry.values() if not k.parent and k.section[0] == name]
    if not found:
        known = [*registry, *dict.fromkeys(root_key(kind, registry) for kind in registry.values())]
        raise _unknown(f"no kind is called '{name}'", name, known)
    return found


def _check_pattern(pattern: str, registry: Registry) -> None:
    """A pattern whose kind is spelt out must name one that there is."""
    kind = pattern.partition("/")[0]
    if kind not in registry and not set(kind) & set("*?["):
        raise _unknown(f"'{pattern}' is no address of any kind", kind, list(registry))


def _unknown(message: str, name: str, known: list[str]) -> UsageError:
    return UsageError(Diagnostic("NBS901", message, near(name, known) or f"possible: {', '.join(known)}"))


def _with_relatives(named: Iterable[str], registry: Registry) -> frozenset[str]:
    """The kinds, what stands inside of them, and what they stand in."""
    kinds = set(named)
    kinds |= {kind.name for kind in registry.values() if kind.parent in kinds}
    return frozenset(kinds | {registry[name].parent for name in kinds if registry[name].parent})


def _fills(kind: AnyKind, kinds: frozenset[str]) -> bool:
    return any(spec.ref and spec.ref.fills and spec.ref.kind in kinds for spec in field_specs(kind.model))
