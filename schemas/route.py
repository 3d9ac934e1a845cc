"""Routes: network routes in the older form, several of one identifier for high availability."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, ValidationInfo, model_validator

from schemas._core.codec import decoded_values, lenient, plain, request_body
from schemas._core.conflicts import Claims, Conflict, Files, Stated
from schemas._core.fields import IS_DOMAIN, AsTuple, JsonObject, Network, Text, Unordered, invalid, is_live
from schemas._core.group_names import GroupNames
from schemas._core.kind import Account, Endpoint, Kind, Layout
from schemas._core.shapes import LABEL, SOME, Shape, exactly_one
from schemas._core.via import Routed, route_uses, routing_common, routing_effect, routing_shut, via

MOST_DOMAINS = 32
LONGEST_NAME = 40
_ANY_LABEL = rf"(?:{LABEL}|[^.$]*[^\x00-\x7F][^.$]*)"


def _as_stored(label: str) -> str:
    """A label as the server gives it back: to Punycode, lower-cased, and to Unicode again."""
    if not label.isascii():
        label = "xn--" + label.lower().encode("punycode").decode()
    label = label.lower()
    return label[4:].encode().decode("punycode") if label.startswith("xn--") else label


def _domain(value: str) -> str:
    try:
        stored = ".".join(map(_as_stored, value.split(".")))
    except UnicodeError:
        raise invalid(f"'{value}' is not a domain name", "its Punycode cannot be read") from None
    ascii_form = ".".join(label if label.isascii() else "xn--x" for label in stored.removeprefix("*.").split("."))
    if not IS_DOMAIN.fullmatch(ascii_form):
        raise invalid(f"'{value}' is not a domain name", "write it as corp.example.com, without dot at the end")
    return stored


def _few(domains: tuple[str, ...]) -> tuple[str, ...]:
    if len(domains) > MOST_DOMAINS:
        raise invalid(
            f"{len(domains)} domains are too many for one route", f"a route takes {MOST_DOMAINS}; make several"
        )
    return domains


_DOMAIN = Shape(
    "route_domain",
    rf"(?:\*\.)?(?:{_ANY_LABEL}\.)*{_ANY_LABEL}",
    "write a domain as corp.example.com or *.example.com, without dot at the end",
)
_ONE_DOMAIN = Annotated[str, AfterValidator(_domain), _DOMAIN]
_AS_MANY = Shape(keywords={"maxItems": MOST_DOMAINS})
Domains = Annotated[tuple[_ONE_DOMAIN, ...], AsTuple, Unordered, AfterValidator(_few), _AS_MANY]


class Route(Routed):
    """A way to a network or to domains, through a peer or the peers of groups, for the peers of `groups`."""

    LEADING: ClassVar[tuple[str, ...]] = ("id", "network", "domains")

    network: Network | None = None
    """The network to which it leads, as CIDR. Exactly one of `network` and `domains` is needed."""

    domains: Domains | None = None
    """Domains to whose addresses it leads. Exactly one of `network` and `domains` is needed."""

    groups: Annotated[GroupNames, SOME]
    """Groups whose peers get the route."""

    access_control_groups: GroupNames = ()
    """Groups by which policies allow traffic over the route."""

    keep_route: bool = False
    """Whether the route to an address stays after its domain has another one."""

    skip_auto_apply: bool = False
    """Whether an exit node waits until a person picks it."""

    description: Text = ""
    """What it is for."""

    RULES = (exactly_one("network", "domains"),)

    @model_validator(mode="after")
    def _one_target(self, info: ValidationInfo) -> Self:
        if is_live(info):
            return self
        if bool(self.network) == bool(self.domains):
            raise invalid("exactly one of network and domains is needed", "write network: CIDR or domains: [NAME]")
        if not self.groups:
            raise invalid("groups is empty", "name at least one group whose peers get the route, or All")
        return self


def _decode_shape(seen: JsonObject) -> JsonObject:
    """An answer shows both of each pair; only one of them means something."""
    shape = dict(seen)
    if seen.get("domains"):
        shape["network"] = None
    if not seen.get("peer"):
        shape["peer"] = None
    return shape


def _decode(model: type[Route], seen: JsonObject, account: Account) -> Route:
    return lenient(model, {"groups": [], **decoded_values(model, _decode_shape(seen), account)})


def _request(model: type[Route], seen: JsonObject, computed: frozenset[str], account: Account) -> JsonObject:
    return request_body(model, _decode_shape(seen), computed, account)


def _write(routes: Sequence[Route], _seen: Sequence[JsonObject]) -> JsonObject:
    said: JsonObject = plain(routes[0])
    target: JsonObject = {key: said.pop(key) for key in Route.LEADING if key in said}
    return {**target, **said}


def _name(network_id: str) -> str:
    if not 1 <= len(network_id) <= LONGEST_NAME:
        raise invalid(f"'{network_id}' is too long for a route", f"an identifier has 1 to {LONGEST_NAME} characters")
    return network_id


def _excludes(_parts: tuple[str, ...], route: Route) -> Iterator[str]:
    yield f"routing peers of {route.network or ','.join(route.domains or ())}"


def _holds(parts: tuple[str, ...], route: Route) -> Iterator[str]:
    """The server refuses a second route of one range by groups that share a peer; it does not count single peers."""
    if route.peer_groups:
        yield from _excludes(parts, route)


def _claims(_parts: tuple[str, ...], route: Route) -> Iterator[str]:
    """The same peers cannot be the routers of one range twice, whatever the identifiers."""
    target = route.network or ", ".join(route.domains or ())
    return (f"routing to {target} through the group '{group}'" for group in route.peer_groups or ())


def _conflicts(files: Files) -> Iterator[Conflict]:
    """Routes of one identifier stand in for one another; those of several do not know of each other."""
    enabled = [one for one in files.of("route") if one.model.enabled]
    claims = Claims()
    for one in enabled:
        yield from _same(one, claims)
    lengths = sorted({_span(one.model.network)[1] for one in enabled if one.model.network}, reverse=True)
    for one in enabled:
        if one.model.network:
            yield from _wider(one, claims, lengths)


def _same(one: Stated, claims: Claims) -> Iterator[Conflict]:
    route = one.model
    if _is_choice(route):
        return
    field = "network" if route.network else "domains"
    for said in [route.network] if route.network else route.domains:
        target = _span(said) if route.network else said
        if met := claims.met(target, route.groups, one.parts[0]):
            message = f"the group '{met[0]}' gets {said} under another identifier as well, as {met[1].address}"
            advice = "write both under one identifier: then one stands in for the other; or give them to other groups"
            yield Conflict("NBS320", one.address, message, advice, field, said, met[1].address)
        claims.enter(target, route.groups, one, one.parts[0])


def _is_choice(route: Route) -> bool:
    """An exit node that a person picks: there may be many, and one is in use (access: clients)."""
    return route.skip_auto_apply and bool(route.network) and _span(route.network)[1] == 0


def _wider(one: Stated, claims: Claims, lengths: list[int]) -> Iterator[Conflict]:
    """The narrowest network around this one; an exit node is around all, and meant to be."""
    route = one.model
    family, length, bits = _span(route.network)
    for wider in (other for other in lengths if 0 < other < length):
        if met := claims.met((family, wider, bits >> (length - wider)), route.groups):
            message = f"the group '{met[0]}' gets {route.network} as part of {met[1].model.network} as well, by {met[1].address}"
            advice = "the narrower network wins where both are there; is it meant to go another way?"
            yield Conflict("NBS321", one.address, message, advice, "network", route.network, met[1].address)
            return


@cache
def _span(network: str) -> tuple[int, int, int]:
    """Family, length and leading bits of a network."""
    found = ipaddress.ip_network(network)
    return found.version, found.prefixlen, int(found.network_address) >> (found.max_prefixlen - found.prefixlen)


KIND = Kind(
    name="route",
    model=Route,
    section=("routes",),
    layout=Layout.NAMED_LISTS,
    endpoint=Endpoint("/routes"),
    always=frozenset({"enabled", "groups", "masquerade", "metric", "peer"}),
    module="routes",
    fields_since={
        "peer_groups": "0.23.6",
        "domains": "0.28.0",
        "keep_route": "0.28.0",
        "access_control_groups": "0.30.0",
        "skip_auto_apply": "0.55.0",
    },
    name_field="network_id",
    check_name=_name,
    name_shape=Shape(keywords={"maxLength": LONGEST_NAME}),
    suffix=via,
    computed=frozenset({"id", "network_type"}),
    write=_write,
    decode=_decode,
    request=_request,
    conflicts=_conflicts,
    effect=routing_effect,
    uses=route_uses,
    common=routing_common,
    shut=routing_shut,
    apart=lambda _after, _around: "route",
    claims=_claims,
    holds=_holds,
    excludes=_excludes,
    renames=True,
    successor_first=True,
    waits_for=("network_router",),
)
