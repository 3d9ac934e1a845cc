"""Nameserver groups (module ``nameservers``): which resolvers the peers of some groups ask for which domains.

The resolvers themselves are read before the permission is asked; everything else is checked after it.
"""

from collections.abc import Sequence
from typing import Any, Final

from reconciler.simulator import domains, netip
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, INT, TEXT, TEXTS, ListOf, Struct
from reconciler.simulator.errors import invalid, not_found
from reconciler.simulator.group_lists import check_filled
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import quoted
from reconciler.simulator.world import Account

KIND: Final = "nameserver_groups"
MAX_NAME: Final = 40
MAX_NAMESERVERS: Final = 3
_NAMESERVER: Final = Struct({"ip": TEXT, "ns_type": TEXT, "port": INT})
_BODY: Final = Struct(
    {
        "name": TEXT,
        "description": TEXT,
        "nameservers": ListOf(_NAMESERVER),
        "enabled": BOOL,
        "groups": TEXTS,
        "primary": BOOL,
        "domains": TEXTS,
        "search_domains_enabled": BOOL,
    }
)


def list_groups(call: Call) -> Any:
    """``GET /dns/nameservers``."""
    call.require("nameservers", READ)
    return [_view(row) for row in call.account.rows(KIND)]


def get_group(call: Call) -> Any:
    """``GET /dns/nameservers/{id}``."""
    call.require("nameservers", READ)
    return _view(_existing(call))


def create_group(call: Call) -> Any:
    """``POST /dns/nameservers``: the answer shows ``[]`` for domains that were not sent."""
    wanted = _read(call)
    call.require("nameservers", CREATE)
    row = _written(call, {**wanted, "id": call.world.new_id()}, "nameserver.group.add")
    return {**_view(row), "domains": row["domains"] or []}


def update_group(call: Call) -> Any:
    """``PUT /dns/nameservers/{id}``: resolvers, permission, existence, the rest."""
    wanted = _read(call)
    call.require("nameservers", UPDATE)
    old = _existing(call)
    return _view(_written(call, {**wanted, "id": old["id"]}, "nameserver.group.update"))


def delete_group(call: Call) -> Any:
    """``DELETE /dns/nameservers/{id}``: nothing holds a nameserver group."""
    call.require("nameservers", DELETE)
    row = _existing(call)
    call.account.remove(KIND, row["id"])
    call.audit("nameserver.group.delete", row["id"], name=row["name"])
    return {}


def _existing(call: Call) -> Row:
    row = call.account.find(KIND, call.path["group_id"])
    if row is None:
        raise not_found(f"nameserver group: {call.path['group_id']} not found")
    return row


def _read(call: Call) -> Row:
    """The body, its resolvers in canonical form; one that cannot be read is refused at once."""
    body: Row = call.body(_BODY)
    try:
        nameservers = [_nameserver(given) for given in body["nameservers"] or ()]
    except ValueError:
        raise invalid("invalid NS servers format") from None
    return {**body, "nameservers": nameservers}


def _nameserver(given: Row) -> Row:
    """One resolver: brackets around an IP address are taken off, the type may be in any case, a port too large.

    Raises:
        ValueError: no IP address, one with a zone, another type than ``udp``, a negative port.
    """
    text = given["ip"]
    address = netip.parse_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    if "%" in text or given["ns_type"].lower() != "udp" or given["port"] < 0:
        raise ValueError(text)
    return {"ip": netip.text(address), "ns_type": "udp", "port": given["port"]}


def _written(call: Call, row: Row, code: str) -> Row:
    _check_purpose(row)
    _check_domains(row["domains"] or ())
    if not 1 <= len(row["nameservers"]) <= MAX_NAMESERVERS:
        raise invalid(f"the list of nameservers should be 1 or 3, got {len(row['nameservers'])}")
    _check_name(call.account, row)
    check_filled(call.account, row["groups"])
    call.account.save(KIND, row)
    call.audit(code, row["id"], name=row["name"])
    return row


def _check_purpose(row: Row) -> None:
    """A group is either for all domains or for some, and only the latter can be searched."""
    status = "nameserver group primary status is"
    if not row["primary"] and not row["domains"]:
        raise invalid(f"{status} false and domains are empty, it should be primary or have at least one domain")
    if row["primary"] and row["domains"]:
        raise invalid(f"{status} true and domains are not empty, you should set either primary or domain")
    if row["primary"] and row["search_domains_enabled"]:
        raise invalid(
            f"{status} true and search domains is enabled, you should not set search domains for primary nameservers"
        )


def _check_domains(names: Sequence[str]) -> None:
    """A dot at the end is allowed, a wildcard is not; names stay as they were sent."""
    for name in names:
        if reason := _flaw(name):
            raise invalid(f"nameserver group got an invalid domain: {name} {quoted(reason)}")


def _flaw(name: str) -> str | None:
    if name.startswith("*."):
        return "wildcards not allowed"
    try:
        domains.from_text(name.removesuffix("."))
    except domains.DomainError as error:
        return f"invalid domain name: {error}"
    return None


def _check_name(account: Account, row: Row) -> None:
    name = row["name"]
    if not 1 <= len(name) <= MAX_NAME:
        raise invalid(f"nameserver group name should be between 1 and {MAX_NAME}")
    if any(other["id"] != row["id"] for other in account.where(KIND, "name", name)):
        raise invalid(f"nameserver group with name {name} already exist")


def _view(row: Row) -> Row:
    return {
        "description": row["description"],
        "domains": row["domains"],
        "enabled": row["enabled"],
        "groups": row["groups"],
        "id": row["id"],
        "name": row["name"],
        "nameservers": row["nameservers"],
        "primary": row["primary"],
        "search_domains_enabled": row["search_domains_enabled"],
    }


def _group_ids(row: Row) -> list[str]:
    return list(row["groups"])


def _holds_group(account: Account, group: Row) -> str | None:
    holders = account.where(KIND, "group", group["id"])
    return f"name server groups: {holders[0]['name']}" if holders else None


AREA = Area(
    routes=(
        Route("GET", "/dns/nameservers", list_groups),
        Route("POST", "/dns/nameservers", create_group),
        Route("GET", "/dns/nameservers/<group_id>", get_group),
        Route("PUT", "/dns/nameservers/<group_id>", update_group),
        Route("DELETE", "/dns/nameservers/<group_id>", delete_group),
    ),
    indexes={KIND: {"group": _group_ids}},
    activities={
        "nameserver.group.add": "Nameserver group created",
        "nameserver.group.update": "Nameserver group updated",
        "nameserver.group.delete": "Nameserver group deleted",
    },
    holds_group=_holds_group,
)
