"""Groups: named sets of peers, which policies, routes and DNS refer to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Discriminator, Tag

from schemas._core.codec import decoded_values, encode_fields, lenient
from schemas._core.conflicts import Conflict, Files, Use
from schemas._core.effect import Around, Common, Effect, moved, narrowest
from schemas._core.fields import AsTuple, JsonObject, Name, RefTo, Resource, Strict, Trait, Unordered
from schemas._core.kind import Account, Endpoint, Ids, Kind, Unique

Peers = Annotated[tuple[Annotated[Name, RefTo("peer", weak=True)], ...], AsTuple, Unordered]


class AtLeast(Strict):
    """These peers and whoever else is a member."""

    at_least: Peers
    """Peers that are members; others may be, too."""


def _form(value: Any) -> str:
    return "<at least>" if isinstance(value, dict | AtLeast) else "<exactly>"


Members = Annotated[Annotated[Peers, Tag("<exactly>")] | Annotated[AtLeast, Tag("<at least>")], Discriminator(_form)]


class Group(Resource):
    """A named set of peers. Its resources belong to the `groups` of network resources and are echoed on every update."""

    peers: Annotated[Members, Trait.KEPT] | None = None
    """Members: `[PEER, PEER]` means exactly these, `{at_least: [PEER]}` these and whoever else."""


def _decode(model: type[Group], seen: JsonObject, account: Account) -> Group:
    return lenient(model, {"peers": [], **decoded_values(model, seen, account)})


def _encode(desired: Group, fields: frozenset[str], base: JsonObject, ids: Ids) -> JsonObject:
    if isinstance(desired.peers, AtLeast):
        desired = desired.model_copy(update={"peers": desired.peers.at_least})
    return encode_fields(desired, fields, base, ids)


def _settle(desired: Group, live: Group, _seen: JsonObject, _account: Account) -> Group:
    if not isinstance(desired.peers, AtLeast):
        return desired
    members = tuple(sorted({*_members(live), *desired.peers.at_least}))
    return desired.model_copy(update={"peers": members})


def _without(desired: Group, absent: frozenset[str]) -> Group:
    present = tuple(name for name in _members(desired) if name not in absent)
    peers = AtLeast(at_least=present) if isinstance(desired.peers, AtLeast) else present
    return desired.model_copy(update={"peers": peers})


def _members(group: Group) -> tuple[str, ...]:
    return group.peers.at_least if isinstance(group.peers, AtLeast) else group.peers or ()


def _effect(before: Group | None, after: Group | None, around: Around) -> Effect:
    if before is None or after is None or after.peers is None:
        return Effect.NEUTRAL
    gone, new = set(_members(before)) - set(_members(after)), set(_members(after)) - set(_members(before))
    return moved([around.own] if gone else (), [around.own] if new else ())


def _common(before: Group, after: Group, around: Around) -> Common | None:
    old, new = set(_members(before)), set(_members(after))
    members = narrowest(old - new, new - old, old & new, dict.fromkeys(old ^ new, around.own))
    return None if members is None else Common(before.model_copy(update={"peers": members}))


def _undeclarable(seen: JsonObject) -> str:
    if seen.get("issued", "api") != "api":
        return f"the identity provider keeps this group (issued: {seen['issued']}); it can be referred to, not declared"
    return ""


def _conflicts(files: Files) -> Iterator[Conflict]:
    """Groups are there for policies above all: where no file has any, other policies may use them."""
    if not files.mention("policy"):
        return
    for group in files.of("group"):
        uses = files.uses(group.address)
        if all(_only_fills(use) for use in uses):
            is_filled = bool(uses or _members(group.model))
            message = (
                "the group is filled, and nothing in the files uses it"
                if is_filled
                else "nothing in the files uses the group"
            )
            advice = "name it in a policy, route, router or DNS section, or take it out; what only the dashboard uses can stay there"
            yield Conflict("NBS327", group.address, message, advice)


def _only_fills(use: Use) -> bool:
    return bool(use.ref.fills) or use.by.kind == "network_resource"


KIND = Kind(
    name="group",
    model=Group,
    section=("groups",),
    endpoint=Endpoint("/groups"),
    always=frozenset({"peers", "resources"}),
    lacks=lambda listed: (
        "" if any(seen.get("name") == "All" for seen in listed) else "the group All, which is in every account"
    ),
    module="groups",
    computed=frozenset({"id", "issued", "peers_count", "resources_count"}),
    server_owned=lambda seen, _account: seen["name"] == "All" or seen.get("issued", "api") != "api",
    undeclarable=_undeclarable,
    reserved={"All": "All is NetBird's group of all peers: it can be used, not declared"},
    decode=_decode,
    encode=_encode,
    settle=_settle,
    without=_without,
    conflicts=_conflicts,
    effect=_effect,
    common=_common,
    unique=Unique.ON_CREATE,
    renames=True,
    echoes=frozenset({"resources"}),
    volatile=True,
    # Each is a row of its own, and memberships are rows of one group. An update could give IPv6 addresses anew to peers that
    # two of them share, so updates go one by one.
    writes_together=frozenset({"create", "delete"}),
    waits_for=("posture_check",),
)
