"""Network resources: hosts, subnets and domains inside a network."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from schemas._core.address import Address
from schemas._core.effect import Around, Common, Effect, Use, moved, narrowest
from schemas._core.fields import IS_DOMAIN, Resource, Text, host_or_network, invalid
from schemas._core.group_names import GroupNames
from schemas._core.kind import Endpoint, Kind, Unique
from schemas._core.shapes import BITS4, BITS6, IPV4, IPV6, LABEL, Shape


def _address(value: str) -> str:
    if "%" not in value:
        try:
            return host_or_network(value)
        except ValueError:
            pass
    domain = value.removeprefix("*.")
    if re.fullmatch(r"[0-9.:/-]+", value) or domain.rpartition(".")[2].isdigit() or not IS_DOMAIN.fullmatch(domain):
        raise invalid(
            f"'{value}' is neither an IP address, a CIDR nor a domain",
            "write 10.20.5.10, 10.20.0.0/16, nas.example.com or *.example.com",
        )
    return value


_ADDRESS = Shape(
    "address",
    rf"{IPV4}(?:/{BITS4})?|{IPV6}(?:/{BITS6})?|(?![0-9.:/-]+$)(?:\*\.)?(?:{LABEL}\.)*(?![0-9]+$){LABEL}",
    "write 10.20.5.10, 10.20.0.0/16, nas.example.com or *.example.com",
)


class NetworkResource(Resource):
    """Something that peers reach through a network; its `groups` are the only owner of its memberships."""

    address: Annotated[str, AfterValidator(_address), _ADDRESS]
    """An IP address, a CIDR, a domain or `*.domain`."""

    groups: GroupNames = ()
    """Groups to which the resource belongs, so that policies can name it."""

    enabled: bool = True
    """Whether it can be reached."""

    description: Text = ""
    """What it is."""


def _effect(before: NetworkResource | None, after: NetworkResource | None, around: Around) -> Effect:
    opened, closed = after is not None and after.enabled, before is not None and before.enabled
    if before is None or after is None or not (opened and closed):
        return Effect.WIDENS if opened else Effect.NARROWS if closed else Effect.NEUTRAL
    if before.address != after.address or around.moved:
        return Effect.MIXED
    gone, new, uses = _groups_between(before, after, around)
    return moved((uses[name] for name in gone), (uses[name] for name in new))


def _groups_between(
    before: NetworkResource, after: NetworkResource, around: Around
) -> tuple[set[str], set[str], dict[str, frozenset[Use]]]:
    old, new = set(before.groups), set(after.groups)
    return old - new, new - old, {name: around.of(Address.of("group", name)) for name in old ^ new}


def _off(resource: NetworkResource) -> NetworkResource:
    return resource.model_copy(update={"enabled": False})


def _common(before: NetworkResource, after: NetworkResource, around: Around) -> Common:
    """A resource that is switched off gives nothing, whatever its groups are for."""
    off = _off(before)
    if before.address != after.address or around.moved:
        return Common(off)
    gone, new, uses = _groups_between(before, after, around)
    groups = narrowest(gone, new, set(before.groups) & set(after.groups), uses)
    return Common(off, whole=False) if groups is None else Common(before.model_copy(update={"groups": groups}))


KIND = Kind(
    name="network_resource",
    model=NetworkResource,
    parent="network",
    section=("resources",),
    endpoint=Endpoint("/networks/resources", members="resources", collection="/networks/{parent}/resources"),
    always=frozenset({"address", "enabled", "groups", "type"}),
    module="networks",
    since="0.35.0",
    fields_since={"enabled": "0.36.0"},
    computed=frozenset({"id", "type"}),
    effect=_effect,
    off=_off,
    common=_common,
    apart=lambda _after, _around: "network_resource",
    unique=Unique.ALWAYS,
    renames=True,
    stirs={"group": frozenset({"resources"})},
    moves=True,
)
