"""Setup keys: secrets with which machines join the account."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas._core.address import Address
from schemas._core.codec import plain
from schemas._core.fields import (
    DurationOrNever,
    JsonObject,
    Resource,
    Trait,
    Wire,
    duration,
    invalid,
    lasts_longer,
    seconds,
)
from schemas._core.group_names import AutoGroups
from schemas._core.kind import Account, Endpoint, Kind
from schemas._core.shapes import Shape, where

MINUTE = 60
_XID = re.compile(r"[0-9a-v]{20}")
_FIRST = datetime(2020, 1, 1, tzinfo=UTC)
"""No key is older than the server."""
LONGEST = 2**63 // 10**9
"""Seconds that the server can count: it counts nanoseconds."""


def _limit(value: int) -> int:
    if value < 0:
        raise invalid(f"usage_limit {value} is negative", "0 is no limit")
    return value


def _lasting(value: str) -> str:
    if seconds(value) > LONGEST:
        raise invalid(f"'{value}' is longer than a setup key can last", "write never, or at most 106751d")
    return value


LARGEST = 2**63 - 1
"""Whole numbers of the API have 64 bits."""


_NOT_NEGATIVE = Shape(keywords={"minimum": 0})


class SetupKey(Resource):
    """A key that lets machines join. All but its groups and its revocation is fixed when it is made."""

    type: Annotated[Literal["reusable", "one-off"], Trait.IMMUTABLE]
    """Whether several machines can join with it, or one."""

    expires_in: Annotated[DurationOrNever, AfterValidator(_lasting), Trait.CREATE_ONLY, Wire(to=seconds)] = "never"
    """How long it can be used: `90d`, `12h`, at most `106751d`, or `never`."""

    usage_limit: Annotated[int, Field(le=LARGEST), AfterValidator(_limit), _NOT_NEGATIVE, Trait.IMMUTABLE] = 0
    """How many machines can join with it; 0 is no limit."""

    ephemeral: Annotated[bool, Trait.IMMUTABLE] = False
    """Whether machines that join with it are removed when they have been away for a while."""

    allow_extra_dns_labels: Annotated[bool, Trait.IMMUTABLE] = False
    """Whether machines that join with it may ask for more DNS names."""

    auto_groups: AutoGroups = ()
    """Groups to which machines that join with it belong."""

    revoked: bool = False
    """`true` revokes it; the server cannot take that back."""

    RULES = (where("type", "one-off", {"properties": {"usage_limit": {"maximum": 1}}}),)

    @model_validator(mode="after")
    def _one_use(self) -> Self:
        if self.type == "one-off" and self.usage_limit > 1:
            raise invalid("a one-off key is used once", "leave usage_limit out, or make the key reusable")
        return self


def _grants(one: SetupKey, other: SetupKey) -> bool:
    """More machines can join with it, into more groups, with more names, or for longer."""
    limits = [key.usage_limit or LARGEST for key in (one, other)]
    return (
        limits[1] > limits[0]
        or (one.type, other.type) == ("one-off", "reusable")
        or one.revoked > other.revoked
        or other.allow_extra_dns_labels > one.allow_extra_dns_labels
        or lasts_longer(one.expires_in, other.expires_in)
        or not set(other.auto_groups) <= set(one.auto_groups)
    )


def _settle(desired: SetupKey, live: SetupKey, _seen: JsonObject, _account: Account) -> SetupKey:
    """A revoked key stays revoked: the server cannot take that back. A one-off key has a limit of 1, whatever was sent."""
    limit = live.usage_limit if desired.type == live.type == "one-off" else desired.usage_limit
    return desired.model_copy(update={"revoked": desired.revoked or live.revoked, "usage_limit": limit})


def _write(keys: Sequence[SetupKey], seen: Sequence[JsonObject]) -> JsonObject:
    said: JsonObject = {**plain(keys[0]), "expires_in": _lifetime(seen[0])}
    if keys[0].type == "one-off":
        del said["usage_limit"]
    return said


def _lifetime(seen: JsonObject) -> str:
    """How long a key was to last when it was made, to the minute if it is close to one."""
    ends = datetime.fromisoformat(seen["expires"])
    length = int((ends - _made(seen)).total_seconds())
    minutes = round(length / MINUTE) * MINUTE
    return "never" if length <= 0 else duration(minutes if minutes and abs(minutes - length) <= 1 else length)


def _made(seen: JsonObject) -> datetime:
    """The answer does not say when a key was made, but its id begins with that second if it is an xid; a new one was just made."""
    changed = datetime.fromisoformat(seen["updated_at"])
    if not _XID.fullmatch(seen["id"]):
        return changed
    made = datetime.fromtimestamp(int(seen["id"], 32) >> 68, UTC)
    return made if _FIRST < made < changed + timedelta(seconds=MINUTE) else changed


def _remarks(
    desired: SetupKey, parts: tuple[str, ...], seen: JsonObject | None, _account: Account
) -> list[tuple[str, str]]:
    said = {"expired": "has expired", "overused": "is used up", "revoked": "is revoked"}
    state = said.get((seen or {}).get("state", ""), "")
    if not state or desired.revoked:
        return []
    address = Address.of("setup_key", *parts)
    return [(f"this setup key {state}; no machine can join with it", f"renew it: nbsync rotate {address.quoted}")]


KIND = Kind(
    name="setup_key",
    model=SetupKey,
    section=("setup_keys",),
    endpoint=Endpoint("/setup-keys"),
    always=frozenset({"auto_groups", "ephemeral", "expires", "revoked", "type", "usage_limit"}),
    module="setup_keys",
    computed=frozenset({"id", "key", "expires", "valid", "used_times", "last_used", "state", "updated_at"}),
    write=_write,
    settle=_settle,
    remarks=_remarks,
    renewable=True,
    reveals="key",
    grants=_grants,
    expires="expires",
    lifetime=_lifetime,
    waits_for=("policy",),
)
