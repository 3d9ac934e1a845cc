"""Policies (module ``policies``): effectively one rule each, whose id is the policy's.

Unknown groups and posture checks are dropped without a word; single resources are not looked at.
"""

from typing import Any

from reconciler.simulator import membership
from reconciler.simulator.call import Call
from reconciler.simulator.errors import internal, invalid, not_found
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

from .policy_body import SSH, checked_body


def list_policies(call: Call) -> Any:
    """``GET /policies``: one without rules makes the whole list fail."""
    call.require("policies", READ)
    return [view(call.account, policy) for policy in call.account.rows("policies")]


def get_policy(call: Call) -> Any:
    """``GET /policies/{id}``."""
    call.require("policies", READ)
    return view(call.account, _existing(call))


def create_policy(call: Call) -> Any:
    """``POST /policies``: all rules get the policy's id, of which only the first is kept; the answer shows all."""
    body = checked_body(call)
    call.require("policies", CREATE)
    policy_id = call.world.new_id()
    rules = [_rule(call.account, rule, policy_id) for rule in body["rules"]]
    policy = {**_head(call.account, body), "id": policy_id, "rules": rules}
    call.account.save("policies", {**policy, "rules": rules[:1]})
    call.audit("policy.add", policy_id, name=policy["name"])
    return view(call.account, policy)


def update_policy(call: Call) -> Any:
    """``PUT /policies/{id}``: nothing is written if only the order of lists differs, yet the answer shows it."""
    call.require("policies", READ)
    old = _existing(call)
    body = checked_body(call)
    call.require("policies", UPDATE)
    rules = [_rule(call.account, rule, _rule_id(rule, old)) for rule in body["rules"]]
    policy = {**_head(call.account, body), "id": old["id"], "rules": rules}
    if not _is_same(policy, old):
        call.account.save("policies", {**policy, "rules": _merged(old["rules"], rules)})
        call.audit("policy.update", policy["id"], name=policy["name"])
    return view(call.account, policy)


def delete_policy(call: Call) -> Any:
    """``DELETE /policies/{id}``: nothing holds a policy, not even the Default one."""
    call.require("policies", DELETE)
    policy = _existing(call)
    call.account.remove("policies", policy["id"])
    call.audit("policy.delete", policy["id"], name=policy["name"])
    return {}


def view(account: Account, policy: Row) -> Row:
    """The policy as the API shows it; raises Refusal (500) if it has no rule."""
    if not policy["rules"]:
        raise internal("no rules in the policy")
    shown: dict[str, Row] = {}
    plain = ("id", "name", "description", "enabled", "source_posture_checks")
    return {
        **{name: policy[name] for name in plain},
        "rules": [_shown(account, rule, shown) for rule in policy["rules"]],
    }


def _shown(account: Account, rule: Row, shown: dict[str, Row]) -> Row:
    """One rule; ``shown`` are the groups that this policy has shown before, which a later ``sources`` leaves out.

    Sources never count their resources, nor does a destination that was a source before.
    """
    plain = ("id", "name", "description", "enabled", "action", "bidirectional", "protocol")
    optional = ("ports", "port_ranges", "authorized_groups", "sourceResource", "destinationResource")
    sources, destinations = [], []
    for group_id in rule["sources"]:
        group = account.find("groups", group_id)
        if group is not None and group_id not in shown:
            shown[group_id] = {**membership.minimum(account, group), "resources_count": 0}
            sources.append(shown[group_id])
    for group_id in rule["destinations"]:
        group = account.find("groups", group_id)
        if group is not None:
            destinations.append(shown.setdefault(group_id, membership.minimum(account, group)))
    return {
        **{name: rule[name] for name in plain},
        **{name: rule[name] for name in optional if rule[name]},
        "sources": sources or None,
        "destinations": destinations or None,
    }


def _head(account: Account, body: Row) -> Row:
    checks = body["source_posture_checks"]
    known = None if checks is None else [check for check in checks if account.find("posture_checks", check)]
    head = {"name": body["name"], "description": body["description"] or "", "enabled": body["enabled"]}
    return {**head, "source_posture_checks": known}


def _rule(account: Account, body: Row, rule_id: str) -> Row:
    """The rule as it is stored: known groups only, ranges cut to 16 bits, users only for SSH."""
    spans = [{end: span[end] & 0xFFFF for end in ("start", "end")} for span in body["port_ranges"] or []]
    users = {group: names or [] for group, names in (body["authorized_groups"] or {}).items()}
    plain = ("name", "enabled", "action", "bidirectional", "protocol")
    return {
        **{name: body[name] for name in plain},
        "id": rule_id,
        "description": body["description"] or "",
        "ports": body["ports"] or [],
        "port_ranges": spans,
        "authorized_groups": users if body["protocol"] == SSH else {},
        **{
            end: [group for group in body[end] or [] if account.find("groups", group)]
            for end in ("sources", "destinations")
        },
        **{end: _resource(body[end]) for end in ("sourceResource", "destinationResource")},
    }


def _resource(given: Row | None) -> Row | None:
    """A single resource; ``{}`` stores nothing."""
    return given if given and (given["id"] or given["type"]) else None


def _rule_id(rule: Row, policy: Row) -> str:
    """The id that a rule of a PUT gets; one that is given must be a rule's of this policy."""
    if not rule["id"]:
        own: str = policy["id"]
        return own
    given: str = rule["id"]
    if given not in {known["id"] for known in policy["rules"]}:
        raise invalid(f"invalid rule ID: {given}")
    return given


def _merged(old: list[Row], new: list[Row]) -> list[Row]:
    """What is stored after a PUT: of several rules with one id the first, and old rules that were not sent."""
    merged = {rule["id"]: rule for rule in old}
    merged.update({rule["id"]: rule for rule in reversed(new)})
    return list(merged.values())


def _is_same(new: Row, old: Row) -> bool:
    """Whether nothing but the order of lists differs."""
    return _canonical(new) == _canonical(old)


def _canonical(policy: Row) -> Row:
    rules = [
        {
            **rule,
            **{name: sorted(rule[name]) for name in ("sources", "destinations", "ports")},
            "port_ranges": sorted((span["start"], span["end"]) for span in rule["port_ranges"]),
        }
        for rule in sorted(policy["rules"], key=lambda rule: rule["id"])
    ]
    head = {name: policy[name] for name in ("name", "description", "enabled")}
    return {**head, "source_posture_checks": sorted(policy["source_posture_checks"] or []), "rules": rules}


def _existing(call: Call) -> Row:
    policy = call.account.find("policies", call.path["policy_id"])
    if policy is None:
        raise not_found(f"policy: {call.path['policy_id']} not found")
    return policy


def _ends(policy: Row) -> list[str]:
    """Ids that the policy's rules name as a single source or destination."""
    resources = [rule[end] for rule in policy["rules"] for end in ("sourceResource", "destinationResource")]
    return [resource["id"] for resource in resources if resource]


def _groups(policy: Row) -> list[str]:
    return [group for rule in policy["rules"] for group in (*rule["sources"], *rule["destinations"])]


def _checks(policy: Row) -> list[str]:
    return policy["source_posture_checks"] or []


def _holds_group(account: Account, group: Row) -> str | None:
    holders = account.where("policies", "group", group["id"])
    return f"policy: {holders[0]['name']}" if holders else None


AREA = Area(
    routes=(
        Route("GET", "/policies", list_policies),
        Route("POST", "/policies", create_policy),
        Route("GET", "/policies/<policy_id>", get_policy),
        Route("PUT", "/policies/<policy_id>", update_policy),
        Route("DELETE", "/policies/<policy_id>", delete_policy),
    ),
    indexes={"policies": {"end": _ends, "group": _groups, "check": _checks}},
    activities={
        "policy.add": "Policy added",
        "policy.update": "Policy updated",
        "policy.delete": "Policy deleted",
    },
    holds_group=_holds_group,
)
