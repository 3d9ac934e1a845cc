"""Bodies of policies: what they hold, and what is refused of them before the role and the account are looked at."""

import re

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, INT, TEXT, TEXTS, ListOf, MapOf, Nullable, Struct
from reconciler.simulator.errors import invalid
from reconciler.simulator.store import Row

RESOURCE = Nullable(Struct({"id": TEXT, "type": TEXT}))
RULE = Struct(
    {
        "id": Nullable(TEXT),
        "name": TEXT,
        "description": Nullable(TEXT),
        "enabled": BOOL,
        "action": TEXT,
        "bidirectional": BOOL,
        "protocol": TEXT,
        "ports": TEXTS,
        "port_ranges": ListOf(Struct({"start": INT, "end": INT})),
        "sources": TEXTS,
        "destinations": TEXTS,
        "sourceResource": RESOURCE,
        "destinationResource": RESOURCE,
        "authorized_groups": MapOf(TEXTS),
    }
)
BODY = Struct(
    {
        "name": TEXT,
        "description": Nullable(TEXT),
        "enabled": BOOL,
        "source_posture_checks": TEXTS,
        "rules": ListOf(RULE),
    }
)
SSH = "netbird-ssh"
PROTOCOLS = ("all", "tcp", "udp", "icmp", SSH)
WITHOUT_PORTS = ("all", "icmp")
MAX_PORT = 65_535
NUMBER = re.compile(r"[+-]?[0-9]+")
PORT_RANGE = "valid port value is in 1..65535 range"


def checked_body(call: Call) -> Row:
    """The body of a POST or PUT."""
    body: Row = call.body(BODY)
    if not body["name"]:
        raise invalid("policy name shouldn't be empty")
    if not body["rules"]:
        raise invalid("policy rules shouldn't be empty")
    for rule in body["rules"]:
        _check_ends(rule)
        _check_traffic(rule)
    return body


def _check_ends(rule: Row) -> None:
    """A list counts as given when it is empty, a resource when it is ``{}``."""
    for kind in ("source", "destination"):
        if rule[f"{kind}s"] is not None and rule[f"{kind}Resource"] is not None:
            raise invalid(f"specify either {kind}s or  {kind} resources, not both")
    for kind in ("source", "destination"):
        if rule[f"{kind}s"] is None and rule[f"{kind}Resource"] is None:
            raise invalid("specify either sources or source resources and destinations or destination resources")


def _check_traffic(rule: Row) -> None:
    """Action, protocol, both sorts of ports, each port, ports of protocols without any, users of SSH."""
    if rule["action"] not in {"accept", "drop"}:
        raise invalid("unknown action type")
    if rule["protocol"] not in PROTOCOLS:
        raise invalid(f"unknown protocol type: {rule['protocol']}")
    if rule["ports"] and rule["port_ranges"]:
        raise invalid("specify either individual ports or port ranges, not both")
    if not all(_is_port(port) for port in rule["ports"] or []):
        raise invalid(PORT_RANGE)
    if any(span["start"] < 1 or span["end"] > MAX_PORT for span in rule["port_ranges"] or []):
        raise invalid(PORT_RANGE)
    if rule["protocol"] in WITHOUT_PORTS and (rule["ports"] or rule["port_ranges"]):
        raise invalid("for ALL or ICMP protocol ports is not allowed")
    allowed = rule["authorized_groups"]
    if rule["protocol"] == SSH and allowed and not set(rule["sources"] or []) <= allowed.keys():
        raise invalid("authorized group for netbird-ssh protocol should be specified for each source group")


def _is_port(text: str) -> bool:
    """Whether Go's Atoi reads a number from 1 to 65535 in it: ``080`` and ``+80`` are ones."""
    return NUMBER.fullmatch(text) is not None and 1 <= int(text) <= MAX_PORT
