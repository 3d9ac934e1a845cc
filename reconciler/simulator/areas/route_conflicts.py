"""Which routes collide (409): those to the same prefix or the same domains, in the same order, through a shared peer.

Only existing routes by peer groups count, disabled ones too; beside one by a single peer everything is accepted.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from reconciler.simulator import domains, membership
from reconciler.simulator.errors import Refusal, conflict, invalid
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

KIND: Final = "routes"


class Taken(NamedTuple):
    """What the routes to a destination go through.

    Attributes:
        groups: Their peer groups.
        peers: The members of those.
    """

    groups: frozenset[str]
    peers: frozenset[str]


def check(account: Account, route: Row) -> None:
    """Refuse a route whose peer or peer groups another route to the same destination has.

    Raises:
        Refusal: 409; 422 for a peer that the account does not have.
    """
    if not route["peer"] and not route["peer_groups"]:
        return
    taken = _taken(account, route)
    if route["peer"]:
        _peer_name(account, route["peer"])
        if route["peer"] in taken.peers:
            raise _collision(route, f"peer {route['peer']}")
    for group_id in route["peer_groups"] or ():
        _check_group(account, route, group_id, taken)


def destinations(route: Row) -> Iterable[str]:
    """What a route is filed under: its domains, else its network."""
    return (route["network"] if route["domains"] is None else _joined(route["domains"]),)


def _check_group(account: Account, route: Row, group_id: str, taken: Taken) -> None:
    group = account.find("groups", group_id)
    assert group is not None, group_id
    if group_id in taken.groups:
        raise _collision(route, f"peer group {group['name']}")
    for peer_id in sorted(membership.member_ids(account, group_id)):
        if peer_id in taken.peers:
            raise _collision(route, f"peer {_peer_name(account, peer_id)} from the group {group['name']}")


def _taken(account: Account, route: Row) -> Taken:
    """A route to domains has a network too, a placeholder, and collides with routes to that network as well."""
    wanted = dict.fromkeys([*destinations(route), route["network"]])
    others = [
        other
        for destination in wanted
        for other in account.where(KIND, "destination", destination)
        if other["id"] != route["id"]
    ]
    group_ids = frozenset(group_id for other in others for group_id in other["peer_groups"] or ())
    peer_ids = frozenset(peer_id for group_id in group_ids for peer_id in membership.member_ids(account, group_id))
    return Taken(group_ids, peer_ids)


def _peer_name(account: Account, peer_id: str) -> str:
    peer = account.find("peers", peer_id)
    if peer is None:
        raise invalid(f"peer with ID {peer_id} not found")
    name: str = peer["name"]
    return name


def _collision(route: Row, who: str) -> Refusal:
    shown = f"prefix {route['network']}"
    if route["domains"] is not None:
        shown = f"domains [{', '.join(domains.to_unicode(name) for name in route['domains'])}]"
    return conflict(f"failed to add route with {shown} - {who} already has this route")


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)
