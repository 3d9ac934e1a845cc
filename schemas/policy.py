"""Policies: who may reach whom, over what."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from schemas._core.address import encode_part
from schemas._core.codec import identifiers, labels, lenient, request_body
from schemas._core.fields import JsonObject, Name, OneOrMany, RefTo, Resource, Single, Text, Unordered, invalid, is_live
from schemas._core.kind import Account, CannotExpress, Effect, Endpoint, Ids, Kind
from schemas._core.ports import (
    Span,
    covered,
    loose_span,
    seen_ports,
    span,
    span_text,
    traffic,
    traffic_spans,
    wire_ports,
    within,
)

SSH = "netbird-ssh"
TEMPORARY = "Temporary access policy for peer "


class PeerEnd(Single):
    """One peer as an end of a policy."""

    peer: Annotated[Name, RefTo("peer")]


class ResourceEnd(Single):
    """One network resource as an end of a policy: `{resource: NET/NAME}`, or with `network` for names with a slash."""

    resource: Annotated[Name, RefTo("network_resource", compound=True)]

    @model_validator(mode="before")
    @classmethod
    def _key(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(name := value.get("resource"), str):
            return value
        network = value.get("network")
        if isinstance(network, str):
            others = {key: item for key, item in value.items() if key != "network"}
            return {**others, "resource": f"{encode_part(network)}/{encode_part(name)}"}
        if name.count("/") != 1:
            raise invalid(
                f"'{name}' does not name one network and one resource",
                "write {resource: NETWORK/NAME}; for names with a slash {resource: NAME, network: NETWORK}",
            )
        return value


def _end(value: Any) -> str:
    if isinstance(value, PeerEnd) or (isinstance(value, dict) and "peer" in value):
        return "peer"
    return "resource" if isinstance(value, dict | ResourceEnd) else "groups"


def _some(groups: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    if not groups and not is_live(info):
        raise invalid("no group is named", "name at least one group, or one {peer: NAME} or {resource: NETWORK/NAME}")
    return groups


Groups = Annotated[tuple[Annotated[Name, RefTo("group")], ...], OneOrMany, Unordered, AfterValidator(_some)]
Ends = Annotated[
    Annotated[Groups, Tag("groups")] | Annotated[PeerEnd, Tag("peer")] | Annotated[ResourceEnd, Tag("resource")],
    Discriminator(_end),
]
Traffic = Annotated[tuple[Text, ...], OneOrMany, AfterValidator(traffic)]


def _ports(value: Any) -> Any:
    if value == "all":
        return ()
    if not isinstance(value, list | tuple) or not value:
        raise invalid("ports is not a list of ports", "write ports: [22], or ports: all")
    spans = sorted({span(port) for port in value if _is_port(port)})
    return tuple(first if first == last else f"{first}-{last}" for first, last in spans)


def _is_port(value: Any) -> bool:
    if not isinstance(value, str | int):
        raise invalid(f"{value!r} is not a port", "write a port or a range: 443, 8000-8100")
    return True


Ports = Annotated[tuple[int | str, ...], BeforeValidator(_ports, json_schema_input_type=str | list[int | str])]
Logins = dict[Annotated[Name, RefTo("group")], Annotated[tuple[Name, ...], OneOrMany, Unordered]]


class Policy(Resource):
    """One rule of access between two ends. NetBird keeps exactly one rule per policy."""

    from_: Ends = Field(alias="from")
    to: Ends
    allow: Traffic | None = None
    deny: Traffic | None = None
    ssh: bool | Logins | None = None
    ports: Ports | None = None
    bidirectional: bool = False
    posture: Annotated[tuple[Annotated[Name, RefTo("posture_check")], ...], OneOrMany, Unordered] = ()
    enabled: bool = True
    description: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _ssh_port(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("ssh") is not None and "ports" not in value:
            return {**value, "ports": [22]}
        return value

    @model_validator(mode="after")
    def _one_action(self, info: ValidationInfo) -> Self:
        if not is_live(info):
            self._check_action()
            self._check_logins()
        return self

    def _check_action(self) -> None:
        given = [action for action in ("allow", "deny", "ssh") if getattr(self, action) is not None]
        if len(given) != 1:
            raise invalid(
                f"exactly one of allow, deny and ssh is needed, here {'are ' + ' and '.join(given) if given else 'is none'}",
                "say what the policy does: allow: tcp/443, deny: all, or ssh: {GROUP: [USER]}",
            )
        if self.ports is not None and self.ssh is None:
            raise invalid("ports goes only with ssh", f"write the ports behind the protocol: {given[0]}: tcp/443")
        if self.ssh is False:
            raise invalid("ssh: false says nothing", "leave it out, or write ssh: true")

    def _check_logins(self) -> None:
        if isinstance(self.ssh, dict) and isinstance(self.from_, tuple):
            left_out = [group for group in self.from_ if group not in self.ssh]
            if left_out:
                raise invalid(
                    f"ssh says nothing about the source group {', '.join(left_out)}",
                    "every group in from must be a key of ssh, with the local users it may log in as",
                )
        if self.ssh == {}:
            raise invalid("ssh names nobody", "write ssh: {GROUP: [LOCAL USER]}, or ssh: true for every user")


def _rule(seen: JsonObject) -> JsonObject:
    rules = seen.get("rules") or []
    if len(rules) != 1:
        raise CannotExpress(
            f"the live policy has {len(rules)} rules; the language has one rule per policy",
            "declare one policy per rule under new names and delete this one, or list its address under unmanaged",
        )
    rule: JsonObject = rules[0]
    if rule.get("protocol") == SSH and rule.get("action") == "drop":
        raise CannotExpress(
            "the live policy drops NetBird SSH, which the language cannot say",
            "delete it in the dashboard, or list its address under unmanaged",
        )
    return rule


def _decode(model: type[Policy], seen: JsonObject, account: Account) -> Policy:
    rule = _rule(seen)
    values = {
        "from": _seen_end(rule, "source", account),
        "to": _seen_end(rule, "destination", account),
        "bidirectional": bool(rule.get("bidirectional")),
        "posture": labels("posture_check", seen.get("source_posture_checks"), account),
        "enabled": bool(seen.get("enabled")) and bool(rule.get("enabled")),
        "description": seen.get("description") or "",
        **_seen_action(rule, account),
    }
    return lenient(model, values)


def _seen_end(rule: JsonObject, side: str, account: Account) -> Any:
    resource = rule.get(f"{side}Resource")
    if not resource:
        return labels("group", rule.get(f"{side}s"), account)
    if resource.get("type") == "peer":
        return {"peer": account.label("peer", resource.get("id", ""))}
    return {"resource": account.label("network_resource", resource.get("id", ""))}


def _seen_action(rule: JsonObject, account: Account) -> JsonObject:
    spans = [span_text(ports) for ports in sorted(set(seen_ports(rule)))]
    protocol = rule.get("protocol", "")
    if protocol == SSH:
        logins = {
            account.label("group", group): users or [] for group, users in (rule.get("authorized_groups") or {}).items()
        }
        return {"ssh": logins or True, "ports": spans or "all"}
    said = [f"{protocol}/{ports}" for ports in spans] or [protocol]
    return {"allow" if rule.get("action") == "accept" else "deny": said}


def _encode(desired: Policy, fields: frozenset[str], base: JsonObject, ids: Ids) -> JsonObject:
    rule = dict((base.get("rules") or [{"description": desired.description}])[0])
    if "from_" in fields:
        _put_end(rule, "source", desired.from_, ids)
    if "to" in fields:
        _put_end(rule, "destination", desired.to, ids)
    if fields & {"allow", "deny", "ssh", "ports"}:
        _put_action(rule, desired, ids)
    if "bidirectional" in fields:
        rule["bidirectional"] = desired.bidirectional
    body = {**base, "rules": [rule]}
    if "enabled" in fields:
        body["enabled"] = rule["enabled"] = desired.enabled
    if "posture" in fields:
        body["source_posture_checks"] = [ids("posture_check", encode_part(name)) for name in desired.posture]
    if "description" in fields:
        body["description"] = desired.description
    return body


def _put_end(rule: JsonObject, side: str, end: Any, ids: Ids) -> None:
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


def _put_action(rule: JsonObject, desired: Policy, ids: Ids) -> None:
    for key in ("ports", "port_ranges", "authorized_groups"):
        rule.pop(key, None)
    if desired.ssh is None:
        protocol, spans = traffic_spans(desired.allow or desired.deny or ())
        rule |= {"action": "accept" if desired.allow else "drop", "protocol": protocol, **wire_ports(spans)}
        return
    rule |= {"action": "accept", "protocol": SSH, **wire_ports(_spans(desired))}
    if isinstance(desired.ssh, dict):
        rule["authorized_groups"] = {
            ids("group", encode_part(name)): list(users) for name, users in desired.ssh.items()
        }


def _request(model: type[Policy], seen: JsonObject, computed: frozenset[str], account: Account) -> JsonObject:
    rule = {key: value for key, value in _rule(seen).items() if value is not None}
    for ends in ("sources", "destinations"):
        if ends in rule:
            rule[ends] = identifiers(rule[ends])
        elif f"{ends[:-1]}Resource" not in rule:
            rule[ends] = []
    return {**request_body(model, seen, computed, account), "rules": [rule]}


def _named(body: JsonObject, name: str) -> JsonObject:
    rules = body["rules"]
    if rules[0].get("name") == body.get("name"):
        rules = [{**rules[0], "name": name}]
    return {**body, "name": name, "rules": rules}


def _settle(desired: Policy, live: Policy, _seen: JsonObject, _account: Account) -> Policy:
    """Equal sets of ports are equal however written: what is live is not rewritten for its spelling."""
    for action in ("allow", "deny"):
        wanted, there = getattr(desired, action), getattr(live, action)
        if wanted and there and wanted != there and _same_traffic(wanted, there):
            return desired.model_copy(update={action: there})
    if desired.ports and live.ports and covered(_spans(desired)) == covered(_spans(live)):
        return desired.model_copy(update={"ports": live.ports})
    return desired


def _spans(policy: Policy) -> list[Span]:
    return [loose_span(str(ports)) for ports in policy.ports or ()]


def _same_traffic(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    (protocol, spans), (other_protocol, other_spans) = traffic_spans(one), traffic_spans(other)
    return protocol == other_protocol and covered(spans) == covered(other_spans)


def _remarks(
    desired: Policy, _parts: tuple[str, ...], _seen: JsonObject | None, _account: Account
) -> list[tuple[str, str]]:
    found = []
    if desired.ssh is True:
        found.append(
            (
                "ssh: true lets every user of the account log in as every local user",
                "name groups and local users: ssh: {ops: [root]}",
            )
        )
    if desired.ssh is not None and desired.ports == ():
        found.append(("ports: all opens every TCP port, not only SSH", "leave ports out for port 22"))
    return found


def _effect(before: Policy | None, after: Policy | None) -> Effect:
    if before is None or not before.enabled:
        return Effect.NEUTRAL if after is None or not after.enabled else Effect.NARROWS if after.deny else Effect.WIDENS
    if after is None or not after.enabled:
        return Effect.WIDENS if before.deny else Effect.NARROWS
    if bool(before.deny) != bool(after.deny):
        return Effect.NARROWS if after.deny else Effect.WIDENS
    grows, shrinks = not _covers(before, after), not _covers(after, before)
    if grows and shrinks:
        return Effect.MIXED
    if not (grows or shrinks):
        return Effect.NEUTRAL
    return Effect.NARROWS if shrinks != bool(after.deny) else Effect.WIDENS


def _covers(wide: Policy, narrow: Policy) -> bool:
    """Tell whether all that one policy speaks of is spoken of by the other as well."""
    return (
        _end_within(narrow.from_, wide.from_)
        and _end_within(narrow.to, wide.to)
        and _traffic_within(narrow, wide)
        and (wide.bidirectional or not narrow.bidirectional)
        and set(wide.posture) <= set(narrow.posture)
    )


def _end_within(inner: Any, outer: Any) -> bool:
    return set(inner) <= set(outer) if isinstance(inner, tuple) and isinstance(outer, tuple) else inner == outer


def _traffic_within(narrow: Policy, wide: Policy) -> bool:
    if narrow.ssh is not None or wide.ssh is not None:
        return (narrow.ssh, narrow.ports) == (wide.ssh, wide.ports)
    (protocol, spans), (wide_protocol, wide_spans) = (traffic_spans(p.allow or p.deny or ()) for p in (narrow, wide))
    return wide_protocol == "all" or (protocol == wide_protocol and within(spans, wide_spans))


def _undeclarable(seen: JsonObject) -> str:
    if seen["name"].startswith(TEMPORARY):
        return "NetBird made this policy for temporary access and takes it away with the peer"
    return ""


KIND = Kind(
    name="policy",
    model=Policy,
    section=("policies",),
    endpoint=Endpoint("/policies"),
    server_owned=lambda seen, _account: seen["name"].startswith(TEMPORARY),
    undeclarable=_undeclarable,
    decode=_decode,
    encode=_encode,
    request=_request,
    named=_named,
    settle=_settle,
    remarks=_remarks,
    effect=_effect,
    renames=True,
    waits_for=("dns_settings",),
)
