"""Who is whose neighbour: what ``GET /peers/{id}/accessible-peers`` shows.

A policy makes the peers on its two ends neighbours, whatever its action; one that names a network resource makes its
sources and the network's routers neighbours.
"""

from collections.abc import Iterator

from . import posture
from .store import Row
from .world import Account


def neighbours(account: Account, peer: Row) -> list[Row]:
    """The peers that this one sees, in the order in which they joined."""
    own = peer["id"]
    found: dict[str, None] = {}
    for policy, rule in _active(account):
        sources = _sources(account, policy, rule)
        destinations = _end(account, rule, "destination")
        if own in sources:
            found.update(destinations)
        if own in destinations:
            found.update(sources)
    for routers, clients in _resources(account):
        if own in routers:
            found.update(clients)
        elif own in clients:
            found.update(routers)
    found.pop(own, None)
    peers = [row for peer_id in found if (row := account.find("peers", peer_id)) is not None]
    return sorted(peers, key=lambda row: account.world.store.table("peers").place(row["id"]))


def _active(account: Account) -> Iterator[tuple[Row, Row]]:
    for policy in account.rows("policies"):
        for rule in policy["rules"]:
            if policy["enabled"] and rule["enabled"]:
                yield policy, rule


def _end(account: Account, rule: Row, end: str) -> dict[str, None]:
    """Peers on one end of a rule: the single one, or the members of its groups."""
    resource = rule[f"{end}Resource"]
    if resource and resource["type"] == "peer":
        return {resource["id"]: None}
    return {peer_id: None for group_id in rule[f"{end}s"] for peer_id in _members(account, group_id)}


def _sources(account: Account, policy: Row, rule: Row, *, check_single: bool = False) -> dict[str, None]:
    """Sources of a rule that pass the policy's posture checks; a single peer is only checked towards resources."""
    found = _end(account, rule, "source")
    is_single = bool(rule["sourceResource"] and rule["sourceResource"]["type"] == "peer")
    return found if is_single and not check_single else {peer: None for peer in found if _passes(account, policy, peer)}


def _passes(account: Account, policy: Row, peer_id: str) -> bool:
    peer = account.find("peers", peer_id)
    checks = [account.find("posture_checks", check_id) for check_id in policy["source_posture_checks"] or []]
    return peer is not None and all(posture.passes(peer, check["checks"]) for check in checks if check)


def _resources(account: Account) -> Iterator[tuple[dict[str, None], dict[str, None]]]:
    """For each enabled network resource: the peers that route to it and those that policies let use it."""
    aims = _by_aim(account)
    for resource in account.rows("network_resources"):
        if not resource["enabled"]:
            continue
        entries = account.where("group_resources", "resource", resource["id"])
        clients: dict[str, None] = {}
        for aim in (("resource", resource["id"]), *(("group", entry["group"]) for entry in entries)):
            for policy, rule in aims.get(aim, ()):
                clients.update(_sources(account, policy, rule, check_single=True))
        yield _routers(account, resource["network_id"]), clients


def _by_aim(account: Account) -> dict[tuple[str, str], list[tuple[Row, Row]]]:
    """Active rules by each ``group`` and single ``resource`` that is a destination of theirs."""
    aims: dict[tuple[str, str], list[tuple[Row, Row]]] = {}
    for policy, rule in _active(account):
        single = [("resource", rule["destinationResource"]["id"])] if rule["destinationResource"] else []
        for aim in (*(("group", group_id) for group_id in rule["destinations"]), *single):
            aims.setdefault(aim, []).append((policy, rule))
    return aims


def _routers(account: Account, network_id: str) -> dict[str, None]:
    found: dict[str, None] = {}
    for router in account.where("network_routers", "network_id", network_id):
        if not router["enabled"]:
            continue
        if router["peer"]:
            found[router["peer"]] = None
        for group_id in router["peer_groups"] or []:
            found.update(dict.fromkeys(_members(account, group_id)))
    return found


def _members(account: Account, group_id: str) -> list[str]:
    return [membership["peer"] for membership in account.where("memberships", "group", group_id)]
