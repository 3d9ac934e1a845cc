"""What one rule takes from another: which ends lie within others, and which traffic, as far as the files prove it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from schemas._core.address import Address
from schemas._core.conflicts import EVERYBODY, Files, Stated
from schemas._core.ends import PeerEnd, ResourceEnd
from schemas._core.ports import Span, loose_span, traffic_spans, within
from schemas._core.rule import SSH_PORT, Rule

SSH_DAEMON_PORT = 22022
"""NetBird opens it beside port 22 (access: ports)."""


class Members:
    """Who is in which group, as the files say; others may be in it, too."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._groups = {group.address: group for group in files.of("group")}
        self._groups_of: dict[Address, set[str]] = defaultdict(set)
        for group in self._groups.values():
            for peer in _peers(group):
                self._groups_of[Address.of("peer", peer)].add(group.parts[0])
        for resource in files.of("network_resource"):
            self._groups_of[resource.address].update(resource.model.groups)

    def groups_of(self, end: PeerEnd | ResourceEnd) -> frozenset[str]:
        """Groups in which one peer or resource is for certain."""
        if isinstance(end, PeerEnd):
            return frozenset({EVERYBODY, *self._groups_of.get(Address.of("peer", end.peer), ())})
        return frozenset(self._groups_of.get(Address("network_resource", end.resource), ()))

    def lack_resources(self, groups: tuple[str, ...]) -> bool:
        """Tell whether no resource is in these groups; unknown, and so no, where the files declare no resources at all."""
        uses = (use for group in groups for use in self._files.uses(Address.of("group", group)))
        return self._files.mention("network_resource") and not any(use.by.kind == "network_resource" for use in uses)

    def are_empty(self, groups: tuple[str, ...], *, resources_count: bool) -> bool:
        """Tell whether the files leave all these groups without a member."""
        return all(self._is_empty(Address.of("group", group), resources_count=resources_count) for group in groups)

    def _is_empty(self, group: Address, *, resources_count: bool) -> bool:
        declared = self._groups.get(group)
        if declared is None or declared.model.peers != () or declared.model.ignore:
            return False
        uses = self._files.uses(group)
        # Of a route that is guarded by policies the group is a mere label, empty or not (access: routes).
        others = {"network_resource", "route"} if resources_count else set()
        return not any(use.ref.fills or use.by.kind in others for use in uses)


def _peers(group: Stated) -> tuple[str, ...]:
    said = group.model.peers or ()
    return getattr(said, "at_least", said)


class Denies:
    """Policies that deny, found by what they deny."""

    def __init__(self, policies: Iterable[Stated], members: Members) -> None:
        self._policies = list(policies)
        self._members = members
        rules = [policy.model for policy in self._policies]
        self._by_from = _by_name(_names(rule.from_) for rule in rules)
        self._by_to = _by_name(_names(rule.to) for rule in rules)
        self._by_traffic = _by_name(_denied_names(*traffic_spans(rule.deny)) for rule in rules)

    def of_all(self, policy: Stated) -> Stated | None:
        """Find the first one that denies all that a policy allows."""
        rule = policy.model
        protocol, spans = _traffic(rule)
        numbers = {
            number
            for traffic in ("all", protocol, (protocol, spans[0][0] if spans else None))
            for source in _around(rule.from_, self._members)
            for target in _around(rule.to, self._members)
            for number in _at(self._by_traffic, traffic) & _at(self._by_from, source) & _at(self._by_to, target)
        }
        denies = (self._policies[number] for number in sorted(numbers))
        return next((deny for deny in denies if _denies_all_of(deny.model, rule, self._members)), None)


_Numbers = dict[Any, set[int]]


def _by_name(names: Iterable[Iterable[Any]]) -> _Numbers:
    """Which of many have a name, by their numbers."""
    found: _Numbers = defaultdict(set)
    for number, those in enumerate(names):
        for name in those:
            found[name].add(number)
    return found


def _at(numbers: _Numbers, name: Any) -> set[int]:
    return numbers.get(name, _NONE)


_NONE: set[int] = set()
FEW_PORTS = 64
"""A denied range of so many ports is found by each of them, a wider one by its protocol."""


def _names(end: Any) -> Iterable[Any]:
    return end if isinstance(end, tuple) else (end,)


def _denied_names(protocol: str, spans: list[Span]) -> Iterator[Any]:
    if not spans or any(last - first >= FEW_PORTS for first, last in spans):
        yield protocol
    else:
        yield from ((protocol, port) for first, last in spans for port in range(first, last + 1))


def _around(end: Any, members: Members) -> set[Any]:
    return {end[0], EVERYBODY} if isinstance(end, tuple) else {end, *members.groups_of(end)}


def _denies_all_of(deny: Any, allow: Any, members: Members) -> bool:
    """Tell whether one policy denies all that another allows; drop beats accept, whatever the order (access: clients)."""
    return (
        _ends_within(allow, deny, members)
        and _peers_within(allow, deny)
        and _traffic_within(allow, deny)
        and (deny.bidirectional or not allow.bidirectional)
    )


def _ends_within(inner: Rule, outer: Rule, members: Members) -> bool:
    return _end_within(inner.from_, outer.from_, members, covered_by_all=True) and _end_within(
        inner.to, outer.to, members, covered_by_all=isinstance(inner.to, tuple) and members.lack_resources(inner.to)
    )


def _end_within(inner: Any, outer: Any, members: Members, *, covered_by_all: bool) -> bool:
    if not isinstance(outer, tuple):
        return bool(inner == outer)
    if not isinstance(inner, tuple):
        return not members.groups_of(inner).isdisjoint(outer)
    return set(inner) <= set(outer) or (covered_by_all and EVERYBODY in outer)


def _peers_within(allow: Any, deny: Any) -> bool:
    """A deny with posture checks meets only who passes them; to reach peers, one single peer need not pass any (access: posture)."""
    unchecked = isinstance(allow.from_, PeerEnd) and not isinstance(deny.from_, PeerEnd)
    return not deny.posture or (not unchecked and set(deny.posture) <= set(allow.posture))


def _traffic_within(allow: Rule, deny: Rule) -> bool:
    (protocol, spans), (denied, denied_spans) = _traffic(allow), traffic_spans(deny.deny or ())
    return denied == "all" or (protocol == denied and within(spans, denied_spans))


def _traffic(rule: Rule) -> tuple[str, list[Span]]:
    if rule.ssh is None:
        return traffic_spans(rule.allow or ())
    spans = [loose_span(str(ports)) for ports in rule.ports or ()]
    opened = any(first <= SSH_PORT <= last for first, last in spans)
    return "tcp", [*spans, (SSH_DAEMON_PORT, SSH_DAEMON_PORT)] if opened else spans
