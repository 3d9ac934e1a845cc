"""DNS zones: domains that NetBird itself answers for. Their records are a kind of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import ValidationInfo, model_validator

from schemas._core.codec import plain
from schemas._core.fields import DOMAIN_SHAPE, JsonObject, Name, Resource, Wire, domain_name, invalid, is_live
from schemas._core.group_names import GroupNames
from schemas._core.kind import Account, Endpoint, Kind, Unique
from schemas._core.shapes import SOME, Shape

LONGEST_NAME = 255


class DnsZone(Resource):
    """A domain whose records are given to the peers of `groups`; its key is the domain."""

    name: Annotated[Name, Shape(keywords={"maxLength": LONGEST_NAME})] | None = None
    """What to call it. Left out: the domain."""

    groups: Annotated[GroupNames, Wire("distribution_groups"), SOME]
    """Groups whose peers get the zone."""

    enable_search_domain: bool = False
    """Whether names without a dot are looked up in it."""

    enabled: bool = True
    """Whether it is in use."""

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        if is_live(info):
            return self
        if not self.groups:
            raise invalid("groups is empty", "name at least one group whose peers get the zone, or All")
        if self.name and len(self.name.encode()) > LONGEST_NAME:
            raise invalid("the zone's name is too long", f"a name has at most {LONGEST_NAME} bytes")
        return self


def _write(zones: Sequence[DnsZone], seen: Sequence[JsonObject]) -> JsonObject:
    said: JsonObject = plain(zones[0])
    if zones[0].name == seen[0].get("domain"):
        del said["name"]
    return said


def _remarks(
    _desired: DnsZone, parts: tuple[str, ...], _seen: JsonObject | None, _account: Account
) -> list[tuple[str, str]]:
    if parts[0] != parts[0].lower():
        return [
            (f"the zone '{parts[0]}' has upper-case letters, and NetBird compares them", "write domains in lower case")
        ]
    return []


def _occupied(parts: tuple[str, ...], _zone: DnsZone) -> list[str]:
    """The domain of the account's peers cannot be a zone's."""
    return [f"the domain {parts[0]}"]


KIND = Kind(
    name="dns_zone",
    model=DnsZone,
    section=("dns", "zones"),
    endpoint=Endpoint("/dns/zones"),
    always=frozenset({"distribution_groups", "enabled", "enable_search_domain", "name", "records"}),
    module="dns",
    since="0.63.0",
    name_field="domain",
    check_name=domain_name,
    name_shape=DOMAIN_SHAPE,
    write=_write,
    complete=lambda zone, parts: zone if zone.name else zone.model_copy(update={"name": parts[-1]}),
    computed=frozenset({"id", "records"}),
    remarks=_remarks,
    claims=_occupied,
    holds=_occupied,
    excludes=_occupied,
    unique=Unique.ON_CREATE,
    waits_for=("nameserver_group",),
)
