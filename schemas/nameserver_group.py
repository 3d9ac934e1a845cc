"""Nameserver groups: which DNS servers resolve which domains, and for whom."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, ValidationInfo, model_validator

from schemas._core.codec import decoded_values, encode_fields, kept_items, lenient
from schemas._core.conflicts import Claims, Conflict, Files, Stated
from schemas._core.fields import AsTuple, Domain, JsonObject, Resource, Text, Unordered, invalid, is_live
from schemas._core.group_names import GroupNames
from schemas._core.kind import Account, Endpoint, Ids, Kind, Unique
from schemas._core.shapes import IPV4, IPV6, PORT, SOME, Shape, where

MOST_SERVERS = 3
LONGEST_NAME = 40
DNS_PORT = 53
LAST_PORT = 65535
_SERVER = re.compile(r"(?:\[(?P<v6>[^\]]*:[^\]]*)\]|(?P<v4>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")


def _split(server: str) -> tuple[str, int]:
    """Address and port of `IP`, `IP:PORT` or `[IPv6]:PORT`."""
    found = _SERVER.fullmatch(server)
    if not found:
        return server, DNS_PORT
    return found["v6"] or found["v4"], int(found["port"] or DNS_PORT)


def _joined(address: str, port: int) -> str:
    if port == DNS_PORT:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _server(value: str) -> str:
    try:
        address, port = _split(value)
        known = "%" not in address and 1 <= port <= LAST_PORT and str(ipaddress.ip_address(address))
    except ValueError:
        known = False
    if not known:
        raise invalid(f"'{value}' is not a nameserver", "write 10.20.0.53, 10.20.0.53:5353 or [fd00::53]:5353")
    return _joined(known, port)


_SERVER_SHAPE = Shape(
    "nameserver",
    rf"{IPV4}(?::{PORT})?|(?=\[[^\]]*\]|[^\[\]]*$)\[?{IPV6}(?:\](?::{PORT})?)?",
    "write 10.20.0.53, 10.20.0.53:5353 or [fd00::53]:5353",
)
_FEW = Shape(keywords={"minItems": 1, "maxItems": MOST_SERVERS})


class NameserverGroup(Resource):
    """One to three DNS servers, asked in order, for some domains or (`primary`) for all."""

    servers: Annotated[tuple[Annotated[str, AfterValidator(_server), _SERVER_SHAPE], ...], AsTuple, _FEW]
    """One to three servers, asked in this order: `IP` or `IP:PORT`, `[IPv6]:PORT`."""

    groups: Annotated[GroupNames, SOME]
    """Groups whose peers ask these servers."""

    domains: Annotated[tuple[Domain, ...], AsTuple, Unordered] = ()
    """Domains that they are asked for. Exactly one of `primary: true` and `domains` is needed."""

    primary: bool = False
    """Whether they are asked for every domain. Exactly one of `primary: true` and `domains` is needed."""

    search_domains_enabled: bool = False
    """Whether names without a dot are looked up in the domains."""

    enabled: bool = True
    """Whether they are in use."""

    description: Text = ""
    """What they are for."""

    RULES = (
        where("primary", value=True, then={"properties": {"domains": {"maxItems": 0}}}),
        where("primary", value=True, then={"properties": {"search_domains_enabled": {"enum": [False]}}}),
        {
            "anyOf": [
                {"required": ["primary"], "properties": {"primary": {"not": {"const": False}}}},
                {"required": ["domains"], "properties": {"domains": {"minItems": 1}}},
            ]
        },
    )

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        if is_live(info):
            return self
        if not 1 <= len(self.servers) <= MOST_SERVERS:
            raise invalid(
                f"{len(self.servers)} servers are given", f"a nameserver group has 1 to {MOST_SERVERS} servers"
            )
        if not self.groups:
            raise invalid("groups is empty", "name at least one group whose peers ask these servers, or All")
        if self.primary == bool(self.domains):
            raise invalid("exactly one of primary: true and domains is needed", "primary servers resolve every domain")
        if self.primary and self.search_domains_enabled:
            raise invalid("a primary nameserver group has no search domains", "leave search_domains_enabled out")
        return self


def _decode(model: type[NameserverGroup], seen: JsonObject, account: Account) -> NameserverGroup:
    servers = [_joined(server["ip"], server["port"]) for server in seen.get("nameservers") or ()]
    return lenient(model, {"groups": [], **decoded_values(model, seen, account), "servers": servers})


def _encode(desired: NameserverGroup, fields: frozenset[str], base: JsonObject, ids: Ids) -> JsonObject:
    body = encode_fields(desired, fields - {"servers"}, base, ids)
    if "servers" in fields:
        servers = [{"ip": address, "ns_type": "udp", "port": port} for address, port in map(_split, desired.servers)]
        body["nameservers"] = kept_items(servers, base.get("nameservers"))
    return body


def _name(name: str) -> str:
    if not 1 <= len(name) <= LONGEST_NAME:
        raise invalid(f"'{name}' is too long for a nameserver group", f"a name has 1 to {LONGEST_NAME} characters")
    return name


def _remarks(
    desired: NameserverGroup, _parts: tuple[str, ...], _seen: JsonObject | None, _account: Account
) -> list[tuple[str, str]]:
    return [
        (f"the domain '{domain}' has upper-case letters, and NetBird compares them", "write domains in lower case")
        for domain in desired.domains
        if domain != domain.lower()
    ]


def _conflicts(files: Files) -> Iterator[Conflict]:
    """Whom a peer asks that gets two answers to one question is not said anywhere."""
    claims = Claims()
    for one in files.of("nameserver_group"):
        if one.model.enabled:
            for domain in ("",) if one.model.primary else one.model.domains:
                if met := claims.met(domain.lower(), one.model.groups, one.parts[0]):
                    yield _conflict(one, domain, *met)
                claims.enter(domain.lower(), one.model.groups, one, one.parts[0])


def _conflict(one: Stated, domain: str, group: str, other: Stated) -> Conflict:
    if not domain:
        message = f"the group '{group}' has other primary nameservers as well, those of {other.address}"
        advice = "keep one primary nameserver group for each group; it may have three servers"
        return Conflict("NBS323", one.address, message, advice, "primary", other=other.address)
    message = f"the group '{group}' asks other nameservers for '{domain}' as well, those of {other.address}"
    advice = "keep one nameserver group for a domain and group; it may have three servers"
    return Conflict("NBS322", one.address, message, advice, "domains", domain, other.address)


KIND = Kind(
    name="nameserver_group",
    model=NameserverGroup,
    section=("dns", "nameservers"),
    endpoint=Endpoint("/dns/nameservers"),
    always=frozenset({"domains", "enabled", "groups", "nameservers", "primary"}),
    module="nameservers",
    fields_since={"search_domains_enabled": "0.24.0"},
    check_name=_name,
    name_shape=Shape(keywords={"maxLength": LONGEST_NAME}),
    decode=_decode,
    encode=_encode,
    remarks=_remarks,
    conflicts=_conflicts,
    unique=Unique.ALWAYS,
    renames=True,
    waits_for=("route",),
)
