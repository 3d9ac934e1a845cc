"""Posture checks (module ``policies``): a name that is new at creation, and at least one check."""

from collections.abc import Callable
from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXT, TEXTS, ListOf, Nullable, Struct
from reconciler.simulator.errors import ConnectionDropped, invalid, not_found, precondition
from reconciler.simulator.netip import parse_prefix
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.versions import parse

from .locations import MISSING_WITH_HINT, has_database

VERSION = Nullable(Struct({"min_version": TEXT}))
KERNEL = Nullable(Struct({"min_kernel_version": TEXT}))
SYSTEMS = {"android": VERSION, "ios": VERSION, "darwin": VERSION, "linux": KERNEL, "windows": KERNEL}
PATHS = ("linux_path", "mac_path", "windows_path")
CHECKS = Struct(
    {
        "nb_version_check": VERSION,
        "os_version_check": Nullable(Struct(SYSTEMS)),
        "geo_location_check": Nullable(
            Struct({"action": TEXT, "locations": ListOf(Struct({"country_code": TEXT, "city_name": Nullable(TEXT)}))})
        ),
        "peer_network_range_check": Nullable(Struct({"action": TEXT, "ranges": TEXTS})),
        "process_check": Nullable(Struct({"processes": ListOf(Struct(dict.fromkeys(PATHS, Nullable(TEXT))))})),
    }
)
BODY = Struct({"name": TEXT, "description": TEXT, "checks": Nullable(CHECKS)})
ACTIONS = ("allow", "deny")
COUNTRY_CODE_LENGTH = 2

OS_TEXTS = {
    "android": "OSVersionCheck android version",
    "ios": "OSVersionCheck ios version",
    "darwin": "OSVersionCheck  darwin version",
    "linux": "OSVersionCheck  linux kernel version",
    "windows": "OSVersionCheck  windows kernel version",
}
"""How refusals name the systems, in the order of the checks; the double spaces are the server's."""


def list_checks(call: Call) -> Any:
    """``GET /posture-checks``."""
    call.require("policies", READ)
    return [view(check) for check in call.account.rows("posture_checks")]


def get_check(call: Call) -> Any:
    """``GET /posture-checks/{id}``."""
    call.require("policies", READ)
    return view(_existing(call))


def create_check(call: Call) -> Any:
    """``POST /posture-checks``."""
    body = _body(call)
    call.require("policies", CREATE)
    _validate(body)
    if call.account.where("posture_checks", "name", body["name"]):
        raise invalid(f"posture checks with name {body['name']} already exists")
    check = call.account.save("posture_checks", {"id": call.world.new_id(), **body})
    call.audit("posture.check.create", check["id"], name=check["name"])
    return view(check)


def update_check(call: Call) -> Any:
    """``PUT /posture-checks/{id}``: replaces all; existence comes before the body."""
    call.require("policies", READ)
    old = _existing(call)
    body = _body(call)
    call.require("policies", UPDATE)
    _validate(body)
    check = call.account.save("posture_checks", {"id": old["id"], **body})
    call.audit("posture.check.update", check["id"], name=check["name"])
    return view(check)


def delete_check(call: Call) -> Any:
    """``DELETE /posture-checks/{id}``: held by any policy that lists it, enabled or not."""
    call.require("policies", DELETE)
    check = _existing(call)
    for policy in call.account.where("policies", "check", check["id"]):
        raise precondition(f"posture checks have been linked to policy: {policy['name']}")
    call.account.remove("posture_checks", check["id"])
    call.audit("posture.check.delete", check["id"], name=check["name"])
    return {}


def view(check: Row) -> Row:
    """The check as the API shows it."""
    return {name: check[name] for name in ("id", "name", "description", "checks")}


def _body(call: Call) -> Row:
    """The body as it is stored, after what the server looks at before the permission."""
    body = call.body(BODY, null_panics=True)
    if body["checks"] is None:
        raise ConnectionDropped
    checks = {name: check for name, check in body["checks"].items() if check is not None}
    if "geo_location_check" in checks and not has_database(call.world):
        raise precondition(MISSING_WITH_HINT)
    stored = {name: STORED[name](check) for name, check in checks.items()}
    return {"name": body["name"], "description": body["description"], "checks": stored}


def _stored_geo(check: Row) -> Row:
    places = [{key: text for key, text in place.items() if text} for place in check["locations"] or []]
    return {"action": check["action"], "locations": [{"country_code": "", **place} for place in places]}


def _stored_ranges(check: Row) -> Row:
    """Prefixes in canonical text, host bits kept."""
    try:
        ranges = [str(parse_prefix(text)) for text in check["ranges"] or []]
    except ValueError:
        raise invalid("invalid network prefix") from None
    return {"action": check["action"], "ranges": ranges}


def _stored_processes(check: Row) -> Row:
    return {"processes": [{path: process[path] or "" for path in PATHS} for process in check["processes"] or []]}


def _stored_systems(check: Row) -> Row:
    return {system: wanted for system, wanted in check.items() if wanted is not None}


STORED: dict[str, Callable[[Row], Row]] = {
    "nb_version_check": dict,
    "os_version_check": _stored_systems,
    "geo_location_check": _stored_geo,
    "peer_network_range_check": _stored_ranges,
    "process_check": _stored_processes,
}
"""What is stored of each check."""


def _validate(body: Row) -> None:
    if not body["name"]:
        raise invalid("posture checks name shouldn't be empty")
    if not body["checks"]:
        raise invalid("posture checks shouldn't be empty")
    for name, validate in VALIDATORS.items():
        if name in body["checks"]:
            validate(body["checks"][name])


def _validate_version(check: Row) -> None:
    if not check["min_version"]:
        raise invalid("NBVersionCheck minimum version shouldn't be empty")
    if parse(check["min_version"]) is None:
        raise invalid(f"NBVersionCheck version: {check['min_version']} is not valid")


def _validate_systems(check: Row) -> None:
    if not check:
        raise invalid("OSVersionCheck at least one OS version check is required")
    for system, text in OS_TEXTS.items():
        for version in check.get(system, {}).values():
            if parse(version) is None:
                raise invalid(f"{text}: {version} is not valid")


def _validate_geo(check: Row) -> None:
    if not check["action"]:
        raise invalid("GeoLocationCheck action shouldn't be empty")
    if check["action"] not in ACTIONS:
        raise invalid("GeoLocationCheck action is not valid")
    if not check["locations"]:
        raise invalid("GeoLocationCheck locations shouldn't be empty")
    for place in check["locations"]:
        code = place["country_code"]
        if not code:
            raise invalid("GeoLocationCheck country code shouldn't be empty")
        if len(code) != COUNTRY_CODE_LENGTH or not (code.isascii() and code.isalpha()):
            raise invalid("GeoLocationCheck country code must be 2 letters (ISO 3166-1 alpha-2 format)")


def _validate_ranges(check: Row) -> None:
    if not check["action"]:
        raise invalid("action for peer network range check shouldn't be empty")
    if check["action"] not in ACTIONS:
        raise invalid("PeerNetworkRangeCheck action is not valid")
    if not check["ranges"]:
        raise invalid("PeerNetworkRangeCheck network ranges shouldn't be empty")


def _validate_processes(check: Row) -> None:
    if not check["processes"]:
        raise invalid("ProcessCheck processes shouldn't be empty")
    if not all(any(process.values()) for process in check["processes"]):
        raise invalid("ProcessCheck path shouldn't be empty")


VALIDATORS = {
    "nb_version_check": _validate_version,
    "os_version_check": _validate_systems,
    "geo_location_check": _validate_geo,
    "peer_network_range_check": _validate_ranges,
    "process_check": _validate_processes,
}
"""What the server looks at after the permission, in its order."""


def _existing(call: Call) -> Row:
    check = call.account.find("posture_checks", call.path["check_id"])
    if check is None:
        raise not_found(f"posture checks: {call.path['check_id']} not found")
    return check


AREA = Area(
    routes=(
        Route("GET", "/posture-checks", list_checks),
        Route("POST", "/posture-checks", create_check),
        Route("GET", "/posture-checks/<check_id>", get_check),
        Route("PUT", "/posture-checks/<check_id>", update_check),
        Route("DELETE", "/posture-checks/<check_id>", delete_check),
    ),
    activities={
        "posture.check.create": "Posture check created",
        "posture.check.update": "Posture check updated",
        "posture.check.delete": "Posture check deleted",
    },
)
