"""DNS records: the names inside a zone."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas._core.address import encode_part
from schemas._core.fields import (
    LIFECYCLE,
    Domain,
    Ipv4,
    Ipv6,
    JsonObject,
    Name,
    NotEmpty,
    Resource,
    Strict,
    domain_name,
    invalid,
)
from schemas._core.kind import Account, Endpoint, Kind
from schemas._core.shapes import DOMAIN, Shape, Written, at_least_one

Ttl = Annotated[int, Field(ge=0, le=2**63 - 1)]


class ARecord(Strict):
    """An IPv4 address with its own time to live, in seconds."""

    value: Ipv4
    """The address."""

    ttl: Ttl | None = None
    """How long it may be cached, in seconds. Left out: as for the label."""


def _not_mapped(value: str) -> str:
    """The server takes ::ffff:1.2.3.4 for an IPv4 address, and refuses it here."""
    if mapped := ipaddress.IPv6Address(value).ipv4_mapped:
        raise invalid(f"'{value}' is an IPv4 address in the form of IPv6", f"write it under A: {mapped}")
    return value


class AaaaRecord(Strict):
    """An IPv6 address with its own time to live, in seconds."""

    value: Annotated[Ipv6, AfterValidator(_not_mapped)]
    """The address."""

    ttl: Ttl | None = None
    """How long it may be cached, in seconds. Left out: as for the label."""


def _once(records: tuple[Any, ...]) -> tuple[Any, ...]:
    for value, times in Counter(record.value for record in records).items():
        if times > 1:
            raise invalid(f"{value} stands there {times} times", "write every address once")
    return records


_ALL_DIFFERENT = Shape(keywords={"minItems": 1, "uniqueItems": True})
_A = Ipv4 | ARecord | Annotated[tuple[Ipv4 | ARecord, ...], _ALL_DIFFERENT]
_AAAA = Ipv6 | AaaaRecord | Annotated[tuple[Ipv6 | AaaaRecord, ...], _ALL_DIFFERENT]


class RecordSet(Resource):
    """All records of one label, as the files write them."""

    A: Annotated[tuple[ARecord, ...], NotEmpty, AfterValidator(_once), Written(_A)] | None = None
    """IPv4 addresses: one, or a list; each may be `{value: IP, ttl: SECONDS}`."""

    AAAA: Annotated[tuple[AaaaRecord, ...], NotEmpty, AfterValidator(_once), Written(_AAAA)] | None = None
    """IPv6 addresses: one, or a list; each may be `{value: IP, ttl: SECONDS}`."""

    CNAME: Domain | None = None
    """The name for which this one stands; it excludes addresses."""

    ttl: Ttl = 300
    """How long records may be cached, in seconds."""

    RULES = (
        at_least_one("A", "AAAA", "CNAME"),
        {"if": {"required": ["CNAME"]}, "then": {"not": {"anyOf": [{"required": ["A"]}, {"required": ["AAAA"]}]}}},
    )

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: _addresses(item) if key in ("A", "AAAA") else item for key, item in value.items()}

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.A or self.AAAA or self.CNAME):
            raise invalid("the label has no record", "give it A, AAAA or CNAME")
        if self.CNAME and (self.A or self.AAAA):
            raise invalid("a label with a CNAME has no other records", "keep either the CNAME or the addresses")
        return self


def _addresses(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    return tuple(item if isinstance(item, dict) else {"value": item} for item in items)


class DnsRecord(Resource):
    """One record. All but its time to live (seconds) is its identity."""

    name: Name
    type: Literal["A", "AAAA", "CNAME"]
    content: Name
    ttl: Ttl


def _expand(written: RecordSet, label: str, parents: tuple[str, ...]) -> Iterator[DnsRecord]:
    name = parents[-1] if label == "@" else f"{label}.{parents[-1]}"
    lifecycle = {key: getattr(written, key) for key in LIFECYCLE & written.model_fields_set}
    for kind in ("A", "AAAA"):
        for address in getattr(written, kind) or ():
            ttl = written.ttl if address.ttl is None else address.ttl
            yield DnsRecord(name=name, type=kind, content=address.value, ttl=ttl, **lifecycle)
    if written.CNAME:
        yield DnsRecord(name=name, type="CNAME", content=written.CNAME, ttl=written.ttl, **lifecycle)


def _write(records: Sequence[DnsRecord], _seen: Sequence[JsonObject]) -> JsonObject:
    """All records of one label; the time to live that most of them have is the label's."""
    ttl = Counter(record.ttl for record in records).most_common(1)[0][0]
    said: JsonObject = {}
    for record in records:
        content = record.content if record.ttl == ttl else {"value": record.content, "ttl": record.ttl}
        said.setdefault(record.type, []).append(content)
    return {**{kind: values[0] if len(values) == 1 else values for kind, values in said.items()}, "ttl": ttl}


def _suffix(record: DnsRecord, parents: tuple[str, ...]) -> tuple[str, ...]:
    zone = parents[-1]
    label = "@" if record.name == zone else record.name.removesuffix(f".{zone}")
    return tuple(encode_part(part) for part in (label, record.type, _canonical(record)))


def _canonical(record: DnsRecord) -> str:
    """The server keeps addresses as they were sent; they are compared in one spelling."""
    try:
        return record.content if record.type == "CNAME" else str(ipaddress.ip_address(record.content))
    except ValueError:
        return record.content


def _label(label: str) -> str:
    if label not in ("@", "*"):
        domain_name(label.removeprefix("*."))
    return label


def _holds(parts: tuple[str, ...], record: DnsRecord) -> Iterator[str]:
    yield f"{'alias' if record.type == 'CNAME' else 'addresses'} of {record.name} in {parts[0]}"


def _excludes(parts: tuple[str, ...], record: DnsRecord) -> Iterator[str]:
    """A name with a CNAME has nothing else in its zone."""
    yield f"alias of {record.name} in {parts[0]}"
    if record.type == "CNAME":
        yield f"addresses of {record.name} in {parts[0]}"


def _remarks(
    _desired: DnsRecord, parts: tuple[str, ...], _seen: JsonObject | None, _account: Account
) -> list[tuple[str, str]]:
    if parts[1] != parts[1].lower():
        return [
            (f"the label '{parts[1]}' has upper-case letters, and NetBird compares them", "write labels in lower case")
        ]
    return []


def _settle(desired: DnsRecord, live: DnsRecord, _seen: JsonObject, _account: Account) -> DnsRecord:
    return desired.model_copy(update={"content": live.content})


KIND = Kind(
    name="dns_record",
    model=DnsRecord,
    parent="dns_zone",
    section=("records",),
    written_as=RecordSet,
    expand=_expand,
    write=_write,
    check_name=_label,
    name_shape=Shape(pattern=rf"@|\*|(?:\*\.)?{DOMAIN}", hint="write a name inside the zone: erp, *.erp, *, @"),
    endpoint=Endpoint("", members="records", collection="/dns/zones/{parent}/records"),
    always=frozenset({"content", "name", "ttl", "type"}),
    module="dns",
    since="0.63.0",
    name_field="",
    suffix=_suffix,
    settle=_settle,
    remarks=_remarks,
    holds=_holds,
    excludes=_excludes,
)
