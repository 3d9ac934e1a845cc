"""The rule of a policy: between which ends, over what, and in which direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from schemas._core.address import encode_part
from schemas._core.codec import identifiers
from schemas._core.ends import Ends, end_within, put_end, seen_end
from schemas._core.fields import JsonObject, Name, OneOrMany, RefTo, Resource, Unordered, invalid, is_live
from schemas._core.kind import Account, Ids
from schemas._core.ports import (
    PROTOCOLS,
    Ports,
    Span,
    Traffic,
    covered,
    loose_span,
    seen_ports,
    span_text,
    traffic_spans,
    wire_ports,
    within,
)
from schemas._core.reading import CannotExpress
from schemas._core.shapes import Shape, Written, exactly_one, only_with

SSH = "netbird-ssh"
SSH_PORT = 22
ACTIONS = frozenset({"accept", "drop"})
Logins = dict[Annotated[Name, RefTo("group")], Annotated[tuple[Name, ...], OneOrMany, Unordered]]


def _switch(value: Any) -> Any:
    if not isinstance(value, bool):
        raise invalid(
            "ssh is neither a mapping nor true", "write ssh: {GROUP: [LOCAL USER]}, or ssh: true for every user"
        )
    return value


Ssh = Annotated[
    Annotated[bool, BeforeValidator(_switch), Tag("<everybody>"), Written(Literal[True])]
    | Annotated[Logins, Tag("<groups>"), Shape(keywords={"minProperties": 1})],
    Discriminator(lambda value: "<groups>" if isinstance(value, dict) else "<everybody>"),
]


class Rule(Resource):
    """Who may reach whom, over what."""

    from_: Ends = Field(alias="from")
    """Who: a group, a list of groups, one `{peer: NAME}` or one `{resource: NETWORK/NAME}`."""

    to: Ends
    """Whom: a group, a list of groups, one `{peer: NAME}` or one `{resource: NETWORK/NAME}`."""

    allow: Traffic | None = None
    """What is let through: `all`, `icmp`, `tcp`, `udp`, `tcp/443` or a list of ports of one protocol.
    Exactly one of `allow`, `deny` and `ssh` is needed."""

    deny: Traffic | None = None
    """What is dropped, in the forms of `allow`. Exactly one of `allow`, `deny` and `ssh` is needed."""

    ssh: Ssh | None = None
    """NetBird SSH: `{GROUP: [LOCAL USER]}` with every group of `from` as a key, or `true` for every user of the account.
    Exactly one of `allow`, `deny` and `ssh` is needed."""

    ports: Ports | None = None
    """Ports beside `ssh`; `all` opens every TCP port. Left out: `[22]`."""

    bidirectional: bool = False
    """Whether `to` may reach `from` as well."""

    RULES = (exactly_one("allow", "deny", "ssh"), only_with("ports", "ssh"))
    INSTEAD_OF: ClassVar[Mapping[str, str]] = {
        "sources": "write from: GROUP",
        "sourceResource": "write from: {peer: NAME} or from: {resource: NETWORK/NAME}",
        "source_posture_checks": "write posture: NAME",
        "destinations": "write to: GROUP",
        "destinationResource": "write to: {peer: NAME} or to: {resource: NETWORK/NAME}",
        "action": "write allow: or deny:",
        "protocol": "write allow: tcp/443 or deny: tcp/443",
        "port_ranges": "write allow: tcp/8000-8100 or deny: tcp/8000-8100",
        "rules": "write one policy per rule",
        "authorized_groups": "write ssh: {GROUP: [LOCAL USER]}",
    }

    @model_validator(mode="before")
    @classmethod
    def _ssh_port(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("ssh") is not None and "ports" not in value:
            return {**value, "ports": [SSH_PORT]}
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
        if self.ssh == {}:
            raise invalid("ssh names nobody", "write ssh: {GROUP: [LOCAL USER]}, or ssh: true for every user")
        if isinstance(self.ssh, dict) and isinstance(self.from_, tuple):
            left_out = [group for group in self.from_ if group not in self.ssh]
            if left_out:
                raise invalid(
                    f"ssh says nothing about the source group {', '.join(left_out)}",
                    "every group in from must be a key of ssh, with the local users it may log in as",
                )


def only_rule(seen: JsonObject) -> JsonObject:
    """The rule of a live policy.

    Raises:
        CannotExpress: there is not exactly one, it drops NetBird SSH, or it does what is newer than this language.
    """
    rules = seen.get("rules") or []
    if len(rules) != 1:
        raise CannotExpress(
            f"the live policy has {len(rules)} rules; the language has one rule per policy",
            "declare one policy per rule under new names and delete this one, or list its address under unmanaged",
            is_more=len(rules) > 1,
        )
    rule: JsonObject = rules[0]
    for field, known in (("action", ACTIONS), ("protocol", (*PROTOCOLS, SSH))):
        if rule.get(field) not in known:
            raise CannotExpress(
                f"the live policy has the {field} '{rule.get(field)}', for which the language has no word",
                "update nbsync, or list its address under unmanaged",
            )
    if rule.get("protocol") == SSH and rule.get("action") == "drop":
        raise CannotExpress(
            "the live policy drops NetBird SSH, which the language cannot say",
            "delete it in the dashboard, or list its address under unmanaged",
        )
    return rule


def seen_rule(rule: JsonObject, account: Account) -> JsonObject:
    """A rule as an answer shows it, in the files' words."""
    return {
        "from": seen_end(rule, "source", account),
        "to": seen_end(rule, "destination", account),
        "bidirectional": bool(rule.get("bidirectional")),
        **_seen_action(rule, account),
    }


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


def rule_with(rule: JsonObject, desired: Rule, fields: frozenset[str], ids: Ids) -> JsonObject:
    """Lay the given fields over a rule; its id and what nbsync does not know stay."""
    rule = dict(rule)
    if "from_" in fields:
        put_end(rule, "source", desired.from_, ids)
    if "to" in fields:
        put_end(rule, "destination", desired.to, ids)
    if fields & {"allow", "deny", "ssh", "ports"}:
        _put_action(rule, desired, ids)
    if "bidirectional" in fields:
        rule["bidirectional"] = desired.bidirectional
    return rule


def _put_action(rule: JsonObject, desired: Rule, ids: Ids) -> None:
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


def rule_request(seen: JsonObject) -> JsonObject:
    """A rule of an answer in the form of a request: ends as ids, exactly one form of each."""
    rule = {key: value for key, value in seen.items() if value is not None}
    for ends in ("sources", "destinations"):
        if ends in rule:
            rule[ends] = identifiers(rule[ends])
        elif f"{ends[:-1]}Resource" not in rule:
            rule[ends] = []
    return rule


def spelled_alike(desired: Rule, live: Rule) -> dict[str, Any]:
    """Equal sets of ports are equal however written: fields of the live rule that say the same as the desired one."""
    alike: dict[str, Any] = {}
    for action in ("allow", "deny"):
        wanted, there = getattr(desired, action), getattr(live, action)
        if wanted and there and _same_traffic(wanted, there):
            alike[action] = there
    if desired.ports and live.ports and covered(_spans(desired)) == covered(_spans(live)):
        alike["ports"] = live.ports
    return alike


def _spans(rule: Rule) -> list[Span]:
    return [loose_span(str(ports)) for ports in rule.ports or ()]


def _same_traffic(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    (protocol, spans), (other_protocol, other_spans) = traffic_spans(one), traffic_spans(other)
    return protocol == other_protocol and covered(spans) == covered(other_spans)


def covers(wide: Rule, narrow: Rule) -> bool:
    """Tell whether all that one rule speaks of is spoken of by the other as well."""
    return (
        end_within(narrow.from_, wide.from_)
        and end_within(narrow.to, wide.to)
        and _traffic_within(narrow, wide)
        and (wide.bidirectional or not narrow.bidirectional)
    )


def _traffic_within(narrow: Rule, wide: Rule) -> bool:
    if narrow.ssh is not None or wide.ssh is not None:
        return (narrow.ssh, narrow.ports) == (wide.ssh, wide.ports)
    (protocol, spans), (wide_protocol, wide_spans) = (traffic_spans(p.allow or p.deny or ()) for p in (narrow, wide))
    return wide_protocol == "all" or (protocol == wide_protocol and within(spans, wide_spans))
