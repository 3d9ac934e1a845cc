"""Policies: who may reach whom, over what, and with which machines."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Annotated, Any

from schemas._core.address import Address, encode_part
from schemas._core.codec import labels, lenient, plain, request_body
from schemas._core.conflicts import Conflict, Files, Stated
from schemas._core.effect import Around, Common, Effect, Use
from schemas._core.ends import written_end
from schemas._core.fields import JsonObject, Name, OneOrMany, RefTo, Text, Unordered
from schemas._core.kind import Account, Endpoint, Ids, Kind
from schemas._core.ports import covered, traffic_spans
from schemas._core.references import ref_address, references, referred
from schemas._core.rule import SSH_PORT, Rule, covers, only_rule, rule_request, rule_with, seen_rule, spelled_alike
from schemas._core.rule_joins import overlap, union
from schemas._core.shadows import Denies, Members

TEMPORARY = "Temporary access policy for peer "


class Policy(Rule):
    """One rule of access between two ends. NetBird keeps exactly one rule per policy."""

    posture: Annotated[tuple[Annotated[Name, RefTo("posture_check")], ...], OneOrMany, Unordered] = ()
    """Posture checks that the peers of `from` have to pass: one name, or a list."""

    enabled: bool = True
    """Whether the policy is in force."""

    description: Text = ""
    """What it is for."""


def _decode(model: type[Policy], seen: JsonObject, account: Account) -> Policy:
    """Policy and rule have a switch each, and both must be on."""
    rule = only_rule(seen)
    values = {
        **seen_rule(rule, account),
        "posture": labels("posture_check", seen.get("source_posture_checks"), account),
        "enabled": bool(seen.get("enabled")) and bool(rule.get("enabled")),
        "description": seen.get("description") or "",
    }
    return lenient(model, values)


def _encode(desired: Policy, fields: frozenset[str], base: JsonObject, ids: Ids) -> JsonObject:
    """A new rule gets the policy's description; from then on it keeps its own."""
    rule = rule_with((base.get("rules") or [{"description": desired.description}])[0], desired, fields, ids)
    body = {**base, "rules": [rule]}
    if "enabled" in fields:
        body["enabled"] = rule["enabled"] = desired.enabled
    if "posture" in fields:
        body["source_posture_checks"] = [ids("posture_check", encode_part(name)) for name in desired.posture]
    if "description" in fields:
        body["description"] = desired.description
    return body


def _request(model: type[Policy], seen: JsonObject, computed: frozenset[str], account: Account) -> JsonObject:
    return {**request_body(model, seen, computed, account), "rules": [rule_request(only_rule(seen))]}


def _write(policies: Sequence[Policy], _seen: Sequence[JsonObject]) -> JsonObject:
    policy = policies[0]
    said: JsonObject = {**plain(policy), "from": written_end(policy.from_), "to": written_end(policy.to)}
    if policy.ports == ():
        said["ports"] = "all"
    elif policy.ports == (SSH_PORT,):
        del said["ports"]
    return said


def _named(body: JsonObject, name: str) -> JsonObject:
    """A rule that is called as its policy is renamed with it."""
    rule = body["rules"][0]
    if rule.get("name") == body.get("name"):
        rule = {**rule, "name": name}
    return {**body, "name": name, "rules": [rule]}


def _settle(desired: Policy, live: Policy, _seen: JsonObject, _account: Account) -> Policy:
    return desired.model_copy(update=spelled_alike(desired, live))


def _remarks(
    desired: Policy, _parts: tuple[str, ...], _seen: JsonObject | None, _account: Account
) -> list[tuple[str, str]]:
    found = []
    if desired.ssh is True:
        message = "ssh: true lets every user of the account log in as every local user"
        found.append((message, "name groups and local users: ssh: {ops: [root]}"))
    if isinstance(desired.ssh, dict) and (everybody := [group for group, users in desired.ssh.items() if not users]):
        found.append(
            (
                f"ssh: an empty list lets {', '.join(everybody)} log in as every local user",
                "name the local users: ssh: {ops: [root]}",
            )
        )
    if desired.ssh is not None and desired.ports == ():
        found.append(("ports: all opens every TCP port, not only SSH", "leave ports out for port 22"))
    return found


def _effect(before: Policy | None, after: Policy | None, _around: Around) -> Effect:
    """A policy that allows widens access where it comes or grows; one that denies, where it goes or shrinks."""
    if before is None or not before.enabled:
        return Effect.NEUTRAL if after is None or not after.enabled else Effect.NARROWS if after.deny else Effect.WIDENS
    if after is None or not after.enabled:
        return Effect.WIDENS if before.deny else Effect.NARROWS
    if bool(before.deny) != bool(after.deny):
        return Effect.NARROWS if after.deny else Effect.WIDENS
    grows = not covers(before, after) or not set(before.posture) <= set(after.posture)
    shrinks = not covers(after, before) or not set(after.posture) <= set(before.posture)
    if grows == shrinks:
        return Effect.MIXED if grows else Effect.NEUTRAL
    return Effect.NARROWS if shrinks != bool(after.deny) else Effect.WIDENS


def _uses(policy: Policy) -> Iterator[tuple[Address, Use]]:
    if policy.enabled:
        yield from ((address, Use.CLOSES if policy.deny else Use.OPENS) for address in referred(policy))


def _shut(policy: Policy, others: Collection[Address]) -> Policy:
    """Without the groups in question; switched off, where it has no others or looks at them in another way."""
    ends = {end: _without(getattr(policy, end), others) for end in ("from_", "to")}
    rest = policy.model_copy(update=ends)
    if all(ends.values()) and not any(address in others for address in referred(rest)):
        return rest
    return policy.model_copy(update={"enabled": False})


def _without(end: Any, others: Collection[Address]) -> Any:
    if not isinstance(end, tuple):
        return end
    return tuple(group for group in end if Address.of("group", group) not in others)


def _common(before: Policy, after: Policy, around: Around) -> Common | None:
    """What both allow, or what either of them denies; unless that makes neighbours of those who never are, who get routes."""
    join = union if after.deny else overlap
    said = join(before, after)
    if after.deny and before.from_ != after.from_ and before.to != after.to and around.leads_on:
        return None
    if said is None:
        return None if after.deny else Common(before.model_copy(update={"enabled": False}))
    posture = set(before.posture) & set(after.posture) if after.deny else {*before.posture, *after.posture}
    return Common(before.model_copy(update={**said, "posture": tuple(sorted(posture))}), whole=not after.deny)


def _apart(policy: Policy, around: Around) -> Hashable:
    """Policies that allow add up, unless one of them guards a route to which another one leads."""
    ends = (ref_address(ref, text) for field, ref, text in references(policy) if field == "to")
    return None if policy.deny or any(Use.GUARDS in around.of(address) for address in ends) else "policy"


def _undeclarable(seen: JsonObject) -> str:
    if seen["name"].startswith(TEMPORARY):
        return "NetBird made this policy for temporary access and takes it away with the peer"
    return ""


def _conflicts(files: Files) -> Iterator[Conflict]:
    policies, members = files.of("policy"), Members(files)
    enabled = [policy for policy in policies if policy.model.enabled]
    yield from _said_twice(policies)
    yield from _denied(enabled, members)
    yield from _idle(enabled, members)


def _said_twice(policies: Sequence[Stated]) -> Iterator[Conflict]:
    first: dict[Hashable, Stated] = {}
    for policy in policies:
        other = first.setdefault(_content(policy.model), policy)
        if other is not policy:
            message = f"the policy says the same as {other.address}"
            yield Conflict("NBS325", policy.address, message, "keep one of the two", other=other.address)


def _content(policy: Policy) -> Hashable:
    """All that counts; the same ports are the same however they are written."""
    protocol, spans = traffic_spans(policy.allow or policy.deny or ())
    logins = tuple(sorted(policy.ssh.items())) if isinstance(policy.ssh, dict) else policy.ssh
    traffic = (bool(policy.deny), protocol, covered(spans), logins, policy.ports)
    return policy.from_, policy.to, traffic, policy.bidirectional, policy.posture, policy.enabled


def _denied(policies: Sequence[Stated], members: Members) -> Iterator[Conflict]:
    denies = Denies((policy for policy in policies if policy.model.deny), members)
    for policy in policies:
        if not policy.model.deny and (other := denies.of_all(policy)):
            message = f"the policy allows nothing: all of it is denied by {other.address}"
            advice = "take one of the two out, or narrow the deny"
            yield Conflict("NBS324", policy.address, message, advice, other=other.address)


def _idle(policies: Sequence[Stated], members: Members) -> Iterator[Conflict]:
    for policy in policies:
        for said, end in (("from", policy.model.from_), ("to", policy.model.to)):
            if isinstance(end, tuple) and members.are_empty(end, resources_count=said == "to"):
                groups = ", ".join(f"'{group}'" for group in end)
                message = f"the policy reaches nothing: the files leave {groups} without members"
                advice = "fill the group from peers, keys, users or resources; or leave its peers out: then others may be in it"
                yield Conflict("NBS326", policy.address, message, advice, said)


KIND = Kind(
    name="policy",
    model=Policy,
    section=("policies",),
    endpoint=Endpoint("/policies"),
    always=frozenset({"enabled", "rules", "source_posture_checks"}),
    module="policies",
    server_owned=lambda seen, _account: seen["name"].startswith(TEMPORARY),
    undeclarable=_undeclarable,
    decode=_decode,
    encode=_encode,
    request=_request,
    write=_write,
    named=_named,
    settle=_settle,
    remarks=_remarks,
    conflicts=_conflicts,
    effect=_effect,
    uses=_uses,
    shut=_shut,
    common=_common,
    apart=_apart,
    renames=True,
    shown_by={"network": "policies"},
    # Names need not be unique, and what a policy refers to is only read. While one is being deleted the server may find it without
    # rules, and fails to list all of them for whoever asks: deletes go one by one.
    writes_together=frozenset({"create", "update"}),
    waits_for=("dns_settings",),
)
