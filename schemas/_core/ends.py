"""Ends of a policy: groups, or one peer, or one network resource."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag, ValidationInfo, model_validator

from schemas._core.address import decode_part, encode_part
from schemas._core.codec import labels, plain
from schemas._core.fields import JsonObject, Name, OneOrMany, RefTo, Single, Strict, Unordered, invalid, is_live
from schemas._core.kind import Account, Ids
from schemas._core.shapes import SOME, TEMPLATE, Written


class PeerEnd(Single):
    """One peer as an end of a policy."""

    peer: Annotated[Name, RefTo("peer")]
    """Name of the peer."""


_NAME_IN_NETWORK = "[^/]*/[^/]*"


class ByBothNames(Strict):
    """One network resource as a file names it: NETWORK/NAME, or, for names with a slash, in two parts."""

    resource: Annotated[Name, RefTo("network_resource", compound=True)]
    """The resource: `NETWORK/NAME`, or its name alone beside `network`."""

    network: Annotated[Name, RefTo("network")] | None = None
    """The network of the resource, for names with a slash."""

    RULES = (
        {
            "if": {"not": {"required": ["network"]}},
            "then": {"properties": {"resource": {"pattern": f"^{_NAME_IN_NETWORK}$|^{TEMPLATE}$"}}},
        },
    )


class ResourceEnd(Single):
    """One network resource as an end of a policy: `{resource: NET/NAME}`, or with `network` for names with a slash."""

    resource: Annotated[Name, RefTo("network_resource", compound=True)]
    """Key of the resource."""

    @model_validator(mode="before")
    @classmethod
    def _key(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or not isinstance(name := value.get("resource"), str):
            return value
        network = value.get("network", "")
        if not isinstance(network, str):
            raise invalid("network is not the name of a network", "write text, in quotes where it looks like a number")
        if network and name:
            others = {key: item for key, item in value.items() if key != "network"}
            return {**others, "resource": f"{encode_part(network)}/{encode_part(name)}"}
        if is_live(info):
            return value
        if name.count("/") != 1:
            raise invalid(
                f"'{name}' does not name one network and one resource",
                "write {resource: NETWORK/NAME}; for names with a slash {resource: NAME, network: NETWORK}",
            )
        return {**value, "resource": "/".join(map(encode_part, name.split("/")))}


def _end(value: Any) -> str:
    if isinstance(value, PeerEnd) or (isinstance(value, dict) and "peer" in value):
        return "<peer>"
    return "<resource>" if isinstance(value, ResourceEnd) or _names_resource(value) else "<groups>"


def _names_resource(value: Any) -> bool:
    return isinstance(value, dict) and not value.keys().isdisjoint({"resource", "network"})


def _no_mapping(value: Any) -> Any:
    if isinstance(value, dict):
        raise invalid(
            "this is neither a group nor one peer nor one resource",
            "write GROUP, [GROUP, GROUP], {peer: NAME} or {resource: NETWORK/NAME}",
        )
    return value


def _some(groups: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    if not groups and not is_live(info):
        raise invalid("no group is named", "name at least one group, or one {peer: NAME} or {resource: NETWORK/NAME}")
    return groups


Groups = Annotated[
    tuple[Annotated[Name, RefTo("group")], ...],
    OneOrMany,
    BeforeValidator(_no_mapping),
    Unordered,
    AfterValidator(_some),
    SOME,
]
Ends = Annotated[
    Annotated[Groups, Tag("<groups>")]
    | Annotated[PeerEnd, Tag("<peer>")]
    | Annotated[ResourceEnd, Tag("<resource>"), Written(ByBothNames)],
    Discriminator(_end),
]


def seen_end(rule: JsonObject, side: str, account: Account) -> Any:
    """One end of a rule (`source` or `destination`) as an answer shows it, in the files' words."""
    resource = rule.get(f"{side}Resource")
    if not resource:
        return labels("group", rule.get(f"{side}s"), account)
    if resource.get("type") == "peer":
        return {"peer": account.label("peer", resource.get("id", ""))}
    return {"resource": account.label("network_resource", resource.get("id", ""))}


def written_end(end: Any) -> Any:
    """One end as a file would have it."""
    if isinstance(end, ResourceEnd) and "%" in end.resource:
        network, name = map(decode_part, end.resource.split("/", 1))
        return {"resource": name, "network": network}
    return plain(end)


def put_end(rule: JsonObject, side: str, end: Any, ids: Ids) -> None:
    """Set one end of a rule. The server wants exactly one of its two forms, and counts an empty list as one."""
    groups, resource = f"{side}s", f"{side}Resource"
    rule.pop(groups, None)
    rule.pop(resource, None)
    if isinstance(end, PeerEnd):
        rule[resource] = {"id": ids("peer", encode_part(end.peer)), "type": "peer"}
    elif isinstance(end, ResourceEnd):
        seen = ids.raw("network_resource", end.resource)
        rule[resource] = {"id": seen["id"], "type": seen["type"]}
    else:
        rule[groups] = [ids("group", encode_part(name)) for name in end]


def end_within(inner: Any, outer: Any) -> bool:
    """Tell whether all that one end names is named by the other as well."""
    return set(inner) <= set(outer) if isinstance(inner, tuple) and isinstance(outer, tuple) else inner == outer
