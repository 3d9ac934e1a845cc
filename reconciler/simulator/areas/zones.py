"""DNS zones (module ``dns``): a domain that the peers of some groups resolve from records kept here.

The domain is unique in the account, case-sensitive, and cannot change. Groups are not held by a zone.
"""

from typing import Any, Final

from reconciler.simulator.addresses import DEFAULT_DOMAIN
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, TEXT, TEXTS, Nullable, Struct
from reconciler.simulator.domains import is_name
from reconciler.simulator.errors import conflict, invalid, not_found
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

from . import records

KIND: Final = "zones"
MAX_NAME_BYTES: Final = 255

_BODY: Final = Struct(
    {
        "name": TEXT,
        "domain": TEXT,
        "enabled": Nullable(BOOL),
        "enable_search_domain": BOOL,
        "distribution_groups": TEXTS,
    }
)


def list_zones(call: Call) -> Any:
    """``GET /dns/zones``, each with its records."""
    call.require("dns", READ)
    return [_view(call.account, zone) for zone in call.account.rows(KIND)]


def get_zone(call: Call) -> Any:
    """``GET /dns/zones/{id}``."""
    call.require("dns", READ)
    return _view(call.account, _existing(call))


def create_zone(call: Call) -> Any:
    """``POST /dns/zones``: the body by itself, permission, the peers' domain, other zones, groups."""
    body = _checked_body(call)
    call.require("dns", CREATE)
    domain = body["domain"]
    if domain in {DEFAULT_DOMAIN, call.account.settings["dns_domain"]}:
        raise invalid(f"zone domain {domain} conflicts with peer DNS domain")
    if call.account.where(KIND, "domain", domain):
        raise conflict(f"zone with domain {domain} already exists")
    return _written(call, {**body, "id": call.world.new_id()}, "dns.zone.create")


def update_zone(call: Call) -> Any:
    """``PUT /dns/zones/{id}``: the body by itself, permission, existence, domain, groups."""
    body = _checked_body(call)
    call.require("dns", UPDATE)
    zone = records.existing_zone(call)
    if body["domain"] != zone["domain"]:
        raise invalid("zone domain cannot be updated")
    return _written(call, {**body, "id": zone["id"]}, "dns.zone.update")


def delete_zone(call: Call) -> Any:
    """``DELETE /dns/zones/{id}``: the records go with it."""
    call.require("dns", DELETE)
    zone = records.existing_zone(call)
    for record in records.of_zone(call.account, zone["id"]):
        records.remove(call, record, zone)
    call.account.remove(KIND, zone["id"])
    call.audit("dns.zone.delete", zone["id"], name=zone["name"], domain=zone["domain"])
    return {}


def _existing(call: Call) -> Row:
    zone = call.account.find(KIND, call.path["zone_id"])
    if zone is None:
        raise not_found(f"zone: {call.path['zone_id']} not found")
    return zone


def _checked_body(call: Call) -> Row:
    body: Row = call.body(_BODY)
    if not body["name"]:
        raise invalid("zone name is required")
    if len(body["name"].encode()) > MAX_NAME_BYTES:
        raise invalid(f"zone name exceeds maximum length of {MAX_NAME_BYTES} characters")
    if not is_name(body["domain"]):
        raise invalid("invalid zone domain format")
    if not body["distribution_groups"]:
        raise invalid("at least one distribution group is required")
    return {**body, "enabled": body["enabled"] is not False}


def _written(call: Call, zone: Row, code: str) -> Row:
    for group_id in zone["distribution_groups"]:
        if call.account.find("groups", group_id) is None:
            raise invalid(f"group: {group_id} not found")
    call.account.save(KIND, zone)
    call.audit(code, zone["id"], name=zone["name"], domain=zone["domain"])
    return _view(call.account, zone)


def _view(account: Account, zone: Row) -> Row:
    return {
        "distribution_groups": zone["distribution_groups"],
        "domain": zone["domain"],
        "enable_search_domain": zone["enable_search_domain"],
        "enabled": zone["enabled"],
        "id": zone["id"],
        "name": zone["name"],
        "records": [records.view(record) for record in records.of_zone(account, zone["id"])],
    }


AREA = Area(
    routes=(
        Route("GET", "/dns/zones", list_zones),
        Route("POST", "/dns/zones", create_zone),
        Route("GET", "/dns/zones/<zone_id>", get_zone),
        Route("PUT", "/dns/zones/<zone_id>", update_zone),
        Route("DELETE", "/dns/zones/<zone_id>", delete_zone),
    ),
    activities={
        "dns.zone.create": "DNS zone created",
        "dns.zone.update": "DNS zone updated",
        "dns.zone.delete": "DNS zone deleted",
    },
)
