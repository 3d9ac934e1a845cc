"""DNS records (module ``dns``): A, AAAA and CNAME records of a zone, stored as they were sent.

A record by itself is checked before the permission is asked; its zone, itself and its neighbours after it.
"""

import ipaddress
from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import INT, TEXT, Struct
from reconciler.simulator.domains import is_name
from reconciler.simulator.errors import conflict, invalid, not_found, prefixed
from reconciler.simulator.netip import parse_address
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import number_text
from reconciler.simulator.world import Account

KIND: Final = "zone_records"
_BODY: Final = Struct({"name": TEXT, "type": TEXT, "content": TEXT, "ttl": INT})
_IDENTITY: Final = ("name", "type", "content")


def list_records(call: Call) -> Any:
    """``GET /dns/zones/{id}/records``: ``[]`` for a zone that does not exist, too."""
    call.require("dns", READ)
    return [view(record) for record in of_zone(call.account, call.path["zone_id"])]


def get_record(call: Call) -> Any:
    """``GET /dns/zones/{id}/records/{id}``."""
    call.require("dns", READ)
    return view(_existing(call))


def create_record(call: Call) -> Any:
    """``POST /dns/zones/{id}/records``: record, permission, zone, neighbours."""
    body = _checked_body(call)
    call.require("dns", CREATE)
    zone = existing_zone(call)
    record = {**body, "id": call.world.new_id(), "zone_id": zone["id"]}
    _check_neighbours(call.account, record, zone)
    return _written(call, record, zone, "dns.zone.record.create")


def update_record(call: Call) -> Any:
    """``PUT /dns/zones/{id}/records/{id}``: record, permission, zone, existence, neighbours unless it stays the same."""
    body = _checked_body(call)
    call.require("dns", UPDATE)
    zone = existing_zone(call)
    old = _existing_to_change(call)
    record = {**body, "id": old["id"], "zone_id": zone["id"]}
    if any(record[key] != old[key] for key in _IDENTITY):
        _check_neighbours(call.account, record, zone)
    return _written(call, record, zone, "dns.zone.record.update")


def delete_record(call: Call) -> Any:
    """``DELETE /dns/zones/{id}/records/{id}``: zone, then record."""
    call.require("dns", DELETE)
    zone = existing_zone(call)
    remove(call, _existing_to_change(call), zone)
    return {}


def remove(call: Call, record: Row, zone: Row) -> None:
    """Take a record out of its zone, with the event of that."""
    call.account.remove(KIND, record["id"])
    call.audit("dns.zone.record.delete", record["id"], **_meta(record, zone))


def of_zone(account: Account, zone_id: str) -> list[Row]:
    """The records of a zone, oldest first."""
    return account.where(KIND, "zone_id", zone_id)


def existing_zone(call: Call) -> Row:
    """The zone of the path, for a write; 404 if the account has none with that id."""
    zone_id = call.path["zone_id"]
    zone = call.account.find("zones", zone_id)
    if zone is None:
        raise not_found(f"failed to get zone: zone: {zone_id} not found")
    return zone


def view(record: Row) -> Row:
    """The record as the API shows it."""
    return {key: record[key] for key in ("content", "id", "name", "ttl", "type")}


def _existing(call: Call) -> Row:
    record = call.account.find(KIND, call.path["record_id"])
    if record is None or record["zone_id"] != call.path["zone_id"]:
        raise not_found(f"DNS record: {call.path['record_id']} not found")
    return record


def _existing_to_change(call: Call) -> Row:
    with prefixed("failed to get record: "):
        return _existing(call)


def _checked_body(call: Call) -> Row:
    body: Row = call.body(_BODY)
    if not body["name"]:
        raise invalid("record name is required")
    if not is_name(body["name"], wildcard=True):
        raise invalid("invalid record name format")
    if not body["type"]:
        raise invalid("record type is required")
    _check_content(body["type"], body["content"])
    if body["ttl"] < 0:
        raise invalid("TTL cannot be negative")
    return body


def _check_content(kind: str, content: str) -> None:
    if kind not in {"A", "AAAA", "CNAME"}:
        raise invalid("invalid record type, must be A, AAAA, or CNAME")
    if kind == "CNAME":
        if not is_name(content):
            raise invalid("invalid CNAME target format")
        return
    if not content:
        raise invalid(f"{kind} record is required")
    if _record_type(content) != kind:
        raise invalid(f"{kind} record must be a valid IPv{4 if kind == 'A' else 6} address")


def _record_type(content: str) -> str | None:
    """The type of record that an address belongs in: IPv4 inside IPv6 in ``A``, one with a zone in none."""
    try:
        address = parse_address(content)
    except ValueError:
        return None
    if "%" in content:
        return None
    is_ipv4 = isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped is not None
    return "A" if is_ipv4 else "AAAA"


def _check_neighbours(account: Account, record: Row, zone: Row) -> None:
    """The name must be in the zone; no two records are the same, and a CNAME is alone at its name."""
    name = record["name"]
    if name != zone["domain"] and not name.endswith("." + zone["domain"]):
        raise invalid("record name does not belong to zone")
    if _others(account, record, *_IDENTITY):
        raise conflict("identical record already exists")
    excluded = ("name",) if record["type"] == "CNAME" else ("name", "type")
    if _others(account, {**record, "type": "CNAME"}, *excluded):
        raise invalid(f"an A, AAAA, or CNAME record with name {name} already exists")


def _others(account: Account, record: Row, *same: str) -> list[Row]:
    """The zone's other records that have the same ``same``: the name; name and type; or all three."""
    return [other for other in account.where(KIND, "fields", _key(record, *same)) if other["id"] != record["id"]]


def _written(call: Call, record: Row, zone: Row, code: str) -> Row:
    call.account.save(KIND, record)
    call.audit(code, record["id"], **_meta(record, zone))
    return view(record)


def _meta(record: Row, zone: Row) -> dict[str, str]:
    return {
        "name": record["name"],
        "type": record["type"],
        "content": record["content"],
        "ttl": number_text(record["ttl"]),
        "zone_id": zone["id"],
        "zone_name": zone["name"],
    }


def _key(record: Row, *fields: str) -> str:
    return " ".join(record[field] for field in ("zone_id", *fields))


def _keys(record: Row) -> list[str]:
    return [_key(record, *_IDENTITY[:length]) for length in range(1, len(_IDENTITY) + 1)]


AREA = Area(
    routes=(
        Route("GET", "/dns/zones/<zone_id>/records", list_records),
        Route("POST", "/dns/zones/<zone_id>/records", create_record),
        Route("GET", "/dns/zones/<zone_id>/records/<record_id>", get_record),
        Route("PUT", "/dns/zones/<zone_id>/records/<record_id>", update_record),
        Route("DELETE", "/dns/zones/<zone_id>/records/<record_id>", delete_record),
    ),
    indexes={KIND: {"fields": _keys}},
    activities={
        "dns.zone.record.create": "DNS zone record created",
        "dns.zone.record.update": "DNS zone record updated",
        "dns.zone.record.delete": "DNS zone record deleted",
    },
)
