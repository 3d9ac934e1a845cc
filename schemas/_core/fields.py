"""What fields are made of: the base model, references, traits, and scalars with one canonical form.

Desired and observed objects pass through the same models, so that equality is enough to tell whether they differ. Every
validator therefore brings its value into the one form in which it is compared, shown and written.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from schemas._core.shapes import (
    ANY_TEXT,
    CIDR4,
    CIDR6,
    COUNTRY,
    DOMAIN,
    DURATION,
    IPV4,
    IPV6,
    VERSION,
    JsonSchema,
    Shape,
)

JsonObject = dict[str, Any]
"""An object of the API, or a part of one."""

LIVE = {"live": True}
"""Validation context of objects that come from the server: what only a file must obey is not asked of them."""


@dataclass(frozen=True, slots=True)
class RefTo:
    """Marks text that names an object of `kind`; it travels as that object's id.

    Attributes:
        compound: the text is a whole key (`dc1/nas`) instead of one name.
        weak: the server lets go of the reference by itself when its object is deleted.
        fills: attribute of that object which the server fills because of this reference (members of a group).
    """

    kind: str
    compound: bool = False
    weak: bool = False
    fills: str = ""


class Trait(Enum):
    """How a field is kept apart from the plain ones."""

    KEPT = "kept"
    """Left out means: not managed. On update the live value stays, on create NetBird's own default holds."""

    IMMUTABLE = "immutable"
    """The server cannot change it: a difference is a replacement."""

    CREATE_ONLY = "create_only"
    """Used when the object is made; never compared afterwards."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How a field travels: its name in the API, and conversions where form differs (to the API, of the API)."""

    name: str | None = None
    to: Callable[[Any], Any] | None = None
    of: Callable[[Any], Any] | None = None


def invalid(message: str, advice: str = "") -> PydanticCustomError:
    """Make the error of a field for a person: what is wrong, and what to do."""
    return PydanticCustomError("nbsync", "{message}", {"message": message, "help": advice})


def is_live(info: ValidationInfo) -> bool:
    """Tell whether the object under validation comes from the server."""
    return bool(info.context and info.context.get("live"))


class Strict(BaseModel):
    """A mapping of the language: no unknown keys, no coercion."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    RULES: ClassVar[tuple[JsonSchema, ...]] = ()
    """What JSON Schema says of several of its fields together; those of the classes above hold as well."""

    INSTEAD_OF: ClassVar[Mapping[str, str]] = {}
    """What to write instead of keys that the language does not have, but NetBird's API has."""


class Single(Strict):
    """A mapping that stands where a list could: shown as a list of one."""


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, dict | tuple) else (value,)


def _unordered(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(values))) if len(values) > 1 else values


def _not_empty(value: str) -> str:
    if not value:
        raise invalid("a name cannot be empty", "write a name, or leave it out")
    return value


def _some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise invalid("the list is empty", "name at least one, or leave the key out")
    return values


Text = Annotated[str, Field(strict=True), Shape("text", f"{ANY_TEXT}*", "write `$${` for a literal `${`")]
Name = Annotated[str, AfterValidator(_not_empty), Shape("name", f"{ANY_TEXT}+", "a name cannot be empty")]
AsTuple = BeforeValidator(
    lambda value: tuple(value) if isinstance(value, list) else value, json_schema_input_type=list[Any]
)
OneOrMany = BeforeValidator(_texts, json_schema_input_type=str | list[str])
Unordered = AfterValidator(_unordered)
"""Order and repetition in this list mean nothing."""

NotEmpty = AfterValidator(_some)


class Resource(Strict):
    """What every declared object may carry beside its own fields.

    Attributes:
        LEADING: fields that are written before all others.
    """

    LEADING: ClassVar[tuple[str, ...]] = ("id",)

    previously: Annotated[tuple[Name, ...], OneOrMany] = ()
    """Earlier names: a live object that has one of them, while none has the present name, is renamed and keeps its id."""

    protect: bool = False
    """A plan that would replace or rename it is refused. Deletion of what is no longer declared: `guards.protect`."""

    ignore: Annotated[tuple[Name, ...], AsTuple] = ()
    """Fields that are never compared and never written on update; what is declared is used on create."""

    id: Name | None = None
    """This very live object, whatever its name; for when several live objects share a name."""

    owner: Text | None = None
    """Whose it is, for people and reports; not sent."""


LIFECYCLE = frozenset(Resource.model_fields)

_DURATION = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_UNITS = (86400, 3600, 60, 1)


def seconds(text: str) -> int:
    """Length of a duration such as `1d12h` in seconds; `never` is 0.

    Raises:
        ValueError: the text is no duration.
    """
    if text == "never":
        return 0
    found = _DURATION.fullmatch(text)
    if not found or not text:
        raise ValueError(text)
    return sum(int(amount or 0) * unit for amount, unit in zip(found.groups(), _UNITS, strict=True))


def lasts_longer(one: str, other: str) -> bool:
    """Tell whether the second of two durations is the longer one; `never` ends last."""
    lengths = [seconds(text) or math.inf for text in (one, other)]
    return lengths[1] > lengths[0]


def duration(length: int) -> str:
    """Shortest text of a duration in seconds, `1d12h`; 0 is `0s`."""
    parts = []
    for letter, unit in zip("dhms", _UNITS, strict=True):
        amount, length = divmod(length, unit)
        if amount:
            parts.append(f"{amount}{letter}")
    return "".join(parts) or "0s"


def _duration(value: str) -> str:
    try:
        length = seconds(value)
    except ValueError:
        raise invalid(
            f"'{value}' is not a duration", "write days, hours, minutes, seconds: 90d, 12h, 10m, 30s, 1d12h"
        ) from None
    if not length:
        raise invalid(f"'{value}' is no time at all", "write how long it lasts: 90d, 12h, 10m, 30s, 1d12h")
    return duration(length)


def _duration_or_never(value: str) -> str:
    return value if value == "never" else _duration(value)


_LENGTHS = ("90d", "12h", "10m", "1d12h")
Duration = Annotated[
    str,
    AfterValidator(_duration),
    Wire(to=seconds, of=duration),
    Shape("duration", DURATION, "write days, hours, minutes, seconds: 90d, 12h, 10m, 30s, 1d12h", _LENGTHS),
]
DurationOrNever = Annotated[
    str,
    AfterValidator(_duration_or_never),
    Shape("duration_or_never", f"never|{DURATION}", "write never, or 90d, 12h, 10m, 30s, 1d12h", ("never", *_LENGTHS)),
]


_PREFIX = re.compile(r"[^/%]+(?:/(?:0|[1-9][0-9]*))?")


def _interface(value: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    """An address with the length of its network, in digits: what else Python takes (masks, zones) the server does not."""
    return ipaddress.ip_interface(value if _PREFIX.fullmatch(value) else "")


def host_or_network(value: str) -> str:
    """Canonical text of an IP address or CIDR, host bits kept; a network of one address is that address.

    Raises:
        ValueError: neither of the two.
    """
    interface = _interface(value)
    whole = interface.network.prefixlen == interface.max_prefixlen
    return str(interface.ip) if whole else str(interface)


def _network(value: str) -> str:
    return str(ipaddress.ip_network(_range(value), strict=False))


def _range(value: str) -> str:
    try:
        interface = _interface(value if "/" in value else "")
    except ValueError:
        raise invalid(f"'{value}' is not a network", "write it as CIDR: 10.20.0.0/16 or fd00::/64") from None
    return str(interface)


_CIDR = Shape("cidr", f"{CIDR4}|{CIDR6}", "write a network as CIDR: 10.20.0.0/16 or fd00::/64")
Network = Annotated[str, AfterValidator(_network), _CIDR]
"""A CIDR whose host bits the server drops."""


def _ipv4(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise invalid(f"'{value}' is not an IPv4 address", "write one address, such as 10.20.0.9") from None


def _ipv6(value: str) -> str:
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        address = None
    if address is None or address.scope_id:
        raise invalid(f"'{value}' is not an IPv6 address", "write one address, such as fd00::9")
    return str(address)


Ipv4 = Annotated[str, AfterValidator(_ipv4), Shape("ipv4", IPV4, "write one IPv4 address, such as 10.20.0.9")]
Ipv6 = Annotated[str, AfterValidator(_ipv6), Shape("ipv6", IPV6, "write one IPv6 address, such as fd00::9")]

AddressRange = Annotated[str, AfterValidator(_range), _CIDR]
"""A CIDR whose host bits the server keeps."""

IS_DOMAIN = re.compile(DOMAIN)


def domain_name(value: str) -> str:
    """Check a domain in ASCII, without wildcard and trailing dot; case is kept, as the server compares it."""
    if not IS_DOMAIN.fullmatch(value):
        raise invalid(f"'{value}' is not a domain name", "write it as corp.example.com, without dot at the end")
    return value


DOMAIN_SHAPE = Shape("domain", DOMAIN, "write a domain as corp.example.com, without dot at the end")
Domain = Annotated[str, AfterValidator(domain_name), DOMAIN_SHAPE]

_VERSION = re.compile(VERSION)


def _version(value: str) -> str:
    if not _VERSION.fullmatch(value):
        raise invalid(f"'{value}' is not a version", 'write numbers with dots, quoted: "14.0"')
    return value


Version = Annotated[
    str, AfterValidator(_version), Shape("version", VERSION, 'write numbers with dots, quoted: "14.0"', ("14.0",))
]


def _metric(value: int, info: ValidationInfo) -> int:
    if not is_live(info) and not 1 <= value <= 9999:  # noqa: PLR2004 - NetBird's own bounds
        raise invalid(f"metric {value} is out of range", "a metric is 1 to 9999; the lowest wins")
    return value


Metric = Annotated[int, AfterValidator(_metric), Shape(keywords={"minimum": 1, "maximum": 9999})]


def country_code(value: str) -> str:
    """Check an ISO 3166-1 code of two upper-case letters, as the server compares them."""
    if not re.fullmatch(COUNTRY, value):
        raise invalid(f"'{value}' is not a country code", "a country is two upper-case letters: DE, AT, NO")
    return value
