"""Two rules as one: what both of them speak of, or what either does."""

from __future__ import annotations

from typing import Any

from schemas._core.conflicts import EVERYBODY
from schemas._core.ports import Span, covered, span_text, traffic_spans
from schemas._core.rule import Rule

Said = dict[str, Any]
"""Values of a rule's fields."""


def overlap(one: Rule, other: Rule) -> Said | None:
    """What both of two rules that allow speak of; None where that is nothing, or cannot be said."""
    ends = _both_ends(one, other)
    traffic = _action(one, other, _in_both)
    if ends is None or traffic is None:
        return None
    return {**ends, **traffic, "bidirectional": one.bidirectional and other.bidirectional}


def union(one: Rule, other: Rule) -> Said | None:
    """What one of two rules that deny speaks of, and at the least that; None where it cannot be said."""
    ends = {name: _in_either_end(getattr(one, name), getattr(other, name)) for name in ("from_", "to")}
    if None in ends.values():
        return None
    return {
        **ends,
        **(_action(one, other, _in_either) or {}),
        "bidirectional": one.bidirectional or other.bidirectional,
    }


def _both_ends(one: Rule, other: Rule) -> Said | None:
    """All peers are in All; of resources, which only the far end has, that is not said."""
    ends = {
        "from_": _in_both_ends(one.from_, other.from_, everybody=EVERYBODY),
        "to": _in_both_ends(one.to, other.to),
    }
    return ends if all(ends.values()) else None


def _in_both_ends(one: Any, other: Any, everybody: str = "") -> Any:
    if not (isinstance(one, tuple) and isinstance(other, tuple)):
        return one if one == other else None
    found = set(one) & set(other)
    found |= set(one) if everybody in other else set()
    found |= set(other) if everybody in one else set()
    return tuple(sorted(found))


def _in_either_end(one: Any, other: Any) -> Any:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return tuple(sorted({*one, *other}))
    return one if one == other else None


def _action(one: Rule, other: Rule, join: Any) -> Said | None:
    if one.ssh is not None or other.ssh is not None:
        return {} if (one.ssh, one.ports) == (other.ssh, other.ports) else None
    name = "deny" if one.deny else "allow"
    said = join(*(traffic_spans(rule.allow or rule.deny or ()) for rule in (one, other)))
    return None if said is None else {name: _written(*said)}


def _written(protocol: str, spans: list[Span]) -> tuple[str, ...]:
    return tuple(f"{protocol}/{span_text(ports)}" for ports in spans) or (protocol,)


Traffic = tuple[str, list[Span]]
"""Protocol and ports; no ports are all of them."""


def _in_both(one: Traffic, other: Traffic) -> Traffic | None:
    (protocol, spans), (other_protocol, other_spans) = one, other
    if "all" in (protocol, other_protocol):
        return other if protocol == "all" else one
    if protocol != other_protocol:
        return None
    if not (spans and other_spans):
        return protocol, spans or other_spans
    pairs = ((max(a, c), min(b, d)) for a, b in covered(spans) for c, d in covered(other_spans))
    found = [(first, last) for first, last in pairs if first <= last]
    return (protocol, found) if found else None


def _in_either(one: Traffic, other: Traffic) -> Traffic:
    (protocol, spans), (other_protocol, other_spans) = one, other
    if protocol != other_protocol:
        return "all", []
    return protocol, list(covered([*spans, *other_spans])) if spans and other_spans else []
