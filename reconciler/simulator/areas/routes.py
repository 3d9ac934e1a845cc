"""Routes, the older way to reach networks (module ``routes``): to a prefix or to domains, by a peer or groups of peers.

What a body has too much or too little of is told before the permission is asked; metric, groups and peers after it.
"""

from typing import Any, Final

from reconciler.simulator import domains, netip
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, INT, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.errors import invalid, not_found, prefixed
from reconciler.simulator.group_lists import check_filled, check_ids
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import list_text
from reconciler.simulator.world import Account

from . import route_conflicts

KIND: Final = route_conflicts.KIND
MAX_IDENTIFIER: Final = 40
MAX_METRIC: Final = 9999
PLACEHOLDER: Final = "192.0.2.0/32"
"""The network that a route to domains has."""

_BODY: Final = Struct(
    {
        "network_id": TEXT,
        "description": TEXT,
        "network": Nullable(TEXT),
        "domains": Nullable(TEXTS),
        "peer": Nullable(TEXT),
        "peer_groups": Nullable(TEXTS),
        "metric": INT,
        "masquerade": BOOL,
        "enabled": BOOL,
        "groups": TEXTS,
        "keep_route": BOOL,
        "access_control_groups": Nullable(TEXTS),
        "skip_auto_apply": Nullable(BOOL),
    }
)


def list_routes(call: Call) -> Any:
    """``GET /routes``."""
    call.require("routes", READ)
    return [_view(route) for route in call.account.rows(KIND)]


def get_route(call: Call) -> Any:
    """``GET /routes/{id}``."""
    call.require("routes", READ)
    return _view(_existing(call))


def create_route(call: Call) -> Any:
    """``POST /routes``."""
    wanted = _checked_body(call)
    call.require("routes", CREATE)
    return _written(call, {**wanted, "id": call.world.new_id()}, "route.add")


def update_route(call: Call) -> Any:
    """``PUT /routes/{id}``: whether it exists comes first, even before the body."""
    call.require("routes", READ)
    old = _existing(call)
    wanted = _checked_body(call)
    call.require("routes", UPDATE)
    return _written(call, {**wanted, "id": old["id"]}, "route.update")


def delete_route(call: Call) -> Any:
    """``DELETE /routes/{id}``: nothing holds a route."""
    call.require("routes", DELETE)
    with prefixed(f"failed to delete route {call.path['route_id']}: "):
        route = _existing(call)
    call.account.remove(KIND, route["id"])
    call.audit("route.delete", route["id"], **_meta(route))
    return {}


def _existing(call: Call) -> Row:
    route = call.account.find(KIND, call.path["route_id"])
    if route is None:
        raise not_found(f"route: {call.path['route_id']} not found")
    return route


def _checked_body(call: Call) -> Row:
    """The route that the body describes, as far as a look at the body alone can tell."""
    body: Row = call.body(_BODY)
    _check_presence(body)
    if not 1 <= len(body["network_id"]) <= MAX_IDENTIFIER:
        raise invalid(f"identifier should be between 1 and {MAX_IDENTIFIER} characters")
    return {**body, **_destination(body), "peer": body["peer"] or "", "skip_auto_apply": bool(body["skip_auto_apply"])}


def _check_presence(body: Row) -> None:
    """Exactly one of each pair; an empty list or text counts as given."""
    if body["network"] is not None and body["domains"] is not None:
        raise invalid("only one of 'network' or 'domains' should be provided")
    if body["network"] is None and body["domains"] is None:
        raise invalid("either 'network' or 'domains' should be provided")
    if body["peer"] is None and body["peer_groups"] is None:
        raise invalid("either 'peer' or 'peer_groups' should be provided")
    if body["peer"] is not None and body["peer_groups"] is not None:
        raise invalid("only one of 'peer' or 'peer_groups' should be provided")


def _destination(body: Row) -> Row:
    """Network, domains and type as they are stored: prefixes without host bits, domains in punycode."""
    if body["domains"] is not None:
        try:
            names = domains.from_list(body["domains"])
        except domains.DomainError as error:
            raise invalid(f"invalid domains: {error}") from None
        return {"network": PLACEHOLDER, "domains": names, "network_type": "Domain"}
    try:
        prefix = netip.parse_prefix(body["network"]).masked()
    except ValueError:
        raise invalid(f"invalid network {body['network']}") from None
    return {"network": str(prefix), "domains": None, "network_type": f"IPv{prefix.address.version}"}


def _written(call: Call, route: Row, code: str) -> Row:
    """Check the route against the rest of the account, store it and answer with it."""
    if not 1 <= route["metric"] <= MAX_METRIC:
        raise invalid(f"metric should be between 1 and {MAX_METRIC}")
    check_ids(call.account, route["peer_groups"])
    check_ids(call.account, route["access_control_groups"])
    check_filled(call.account, route["groups"])
    route_conflicts.check(call.account, route)
    call.account.save(KIND, route)
    call.audit(code, route["id"], **_meta(route))
    return _view(route)


def _meta(route: Row) -> dict[str, str]:
    return {
        "name": route["network_id"],
        "network_range": route["network"],
        "domains": ", ".join(_shown_domains(route) or ()),
        "peer_id": route["peer"],
        "peer_groups": list_text(route["peer_groups"]),
    }


def _shown_domains(route: Row) -> list[str] | None:
    return None if route["domains"] is None else [domains.to_unicode(name) for name in route["domains"]]


def _view(route: Row) -> Row:
    """The route as the API shows it; empty lists of peer groups and access control groups are left out."""
    lists = {key: route[key] for key in ("peer_groups", "access_control_groups") if route[key]}
    return {
        "description": route["description"],
        "domains": _shown_domains(route),
        "enabled": route["enabled"],
        "groups": route["groups"],
        "id": route["id"],
        "keep_route": route["keep_route"],
        "masquerade": route["masquerade"],
        "metric": route["metric"],
        "network": route["network"],
        "network_id": route["network_id"],
        "network_type": route["network_type"],
        "peer": route["peer"],
        "skip_auto_apply": route["skip_auto_apply"],
        **lists,
    }


def _group_ids(route: Row) -> list[str]:
    return [*route["groups"], *(route["peer_groups"] or ()), *(route["access_control_groups"] or ())]


def _holds_group(account: Account, group: Row) -> str | None:
    holders = account.where(KIND, "group", group["id"])
    return f"route: {holders[0]['network_id']}" if holders else None


AREA = Area(
    routes=(
        Route("GET", "/routes", list_routes),
        Route("POST", "/routes", create_route),
        Route("GET", "/routes/<route_id>", get_route),
        Route("PUT", "/routes/<route_id>", update_route),
        Route("DELETE", "/routes/<route_id>", delete_route),
    ),
    indexes={KIND: {"group": _group_ids, "destination": route_conflicts.destinations}},
    activities={"route.add": "Route created", "route.update": "Route updated", "route.delete": "Route deleted"},
    holds_group=_holds_group,
)
