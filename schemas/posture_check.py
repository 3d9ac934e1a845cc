"""Posture checks: what a peer must be like for a policy to let it in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import model_validator

from schemas._core.checks import CHECKS, Locations, NetworkRanges, OsVersion, Processes, seen_check, wire_check
from schemas._core.codec import lenient
from schemas._core.conflicts import Conflict, Files
from schemas._core.effect import Around, Common, Effect, Use, by_common
from schemas._core.fields import JsonObject, Resource, Text, Version, invalid
from schemas._core.kind import Account, Endpoint, Ids, Kind, Unique
from schemas._core.shapes import at_least_one
from schemas._core.stricter import both_checks


class PostureCheck(Resource):
    """A set of checks, all of which a peer has to pass."""

    description: Text = ""
    """What it is for."""

    netbird_version: Version | None = None
    """The oldest NetBird client that passes. Left out: no such check."""

    os_version: OsVersion | None = None
    """The oldest operating systems that pass; one without an entry does not. Left out: no such check."""

    locations: Locations | None = None
    """Countries and cities from which peers may, or may not, connect. Left out: no such check."""

    network_ranges: NetworkRanges | None = None
    """Networks in which peers may, or may not, be. Left out: no such check."""

    processes: Processes | None = None
    """Programs that must run; their paths by operating system. Left out: no such check."""

    RULES = (at_least_one(*CHECKS),)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(getattr(self, check) is not None for check in CHECKS):
            raise invalid("a posture check needs at least one check", f"add one of {', '.join(CHECKS)}")
        return self


def _decode(model: type[PostureCheck], seen: JsonObject, _account: Account) -> PostureCheck:
    checks = seen.get("checks") or {}
    said = {check: seen_check(check, checks[wire]) for check, wire in CHECKS.items() if checks.get(wire)}
    return lenient(model, {"description": seen.get("description") or "", **said})


def _encode(desired: PostureCheck, fields: frozenset[str], base: JsonObject, _ids: Ids) -> JsonObject:
    checks = dict(base.get("checks") or {})
    for check, wire in CHECKS.items():
        if check in fields:
            wanted = getattr(desired, check)
            old = checks.pop(wire, None) or {}
            if wanted is not None:
                checks[wire] = wire_check(check, wanted, old)
    said = {"description": desired.description} if "description" in fields else {}
    return {**base, **said, "checks": checks}


_CLOSED = {Effect.NARROWS: Effect.WIDENS, Effect.WIDENS: Effect.NARROWS}


def _effect(before: PostureCheck | None, after: PostureCheck | None, around: Around) -> Effect:
    """Stricter checks let fewer in; where they are those of a deny, they let fewer be denied."""
    if before is None or after is None or not around.own:
        return Effect.NEUTRAL
    old, new = ({check: getattr(one, check) for check in CHECKS} for one in (before, after))
    effect = by_common(old, new, both_checks(before, after))
    if around.own == {Use.OPENS} or effect is Effect.NEUTRAL:
        return effect
    return _CLOSED.get(effect, effect) if around.own == {Use.CLOSES} else Effect.MIXED


def _common(before: PostureCheck, after: PostureCheck, around: Around) -> Common | None:
    """What both ask for together; of a deny, what each of them asks for by itself."""
    if around.own == {Use.OPENS}:
        both = both_checks(before, after)
    else:
        same = {check: old for check in CHECKS if (old := getattr(before, check)) == getattr(after, check)}
        both = dict.fromkeys(CHECKS) | same if around.own == {Use.CLOSES} and any(same.values()) else None
    return None if both is None else Common(before.model_copy(update=both), whole=around.own == {Use.OPENS})


def _conflicts(files: Files) -> Iterator[Conflict]:
    if files.mention("policy"):
        for check in files.of("posture_check"):
            if not files.uses(check.address):
                message, advice = (
                    "no policy in the files uses the posture check",
                    "name it under posture, or take it out",
                )
                yield Conflict("NBS328", check.address, message, advice)


KIND = Kind(
    name="posture_check",
    model=PostureCheck,
    section=("posture_checks",),
    endpoint=Endpoint("/posture-checks"),
    always=frozenset({"checks"}),
    module="policies",
    decode=_decode,
    encode=_encode,
    conflicts=_conflicts,
    effect=_effect,
    common=_common,
    unique=Unique.ON_CREATE,
    renames=True,
    # A create looks for its own name alone; nothing else is written.
    writes_together=frozenset({"create", "update", "delete"}),
)
