"""Ports and protocols as the language writes them: `tcp/443`, `tcp/8000-8100`, `icmp`, `all`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from schemas._core.fields import OneOrMany, Text, invalid
from schemas._core.shapes import PORTS, SOME, Shape, Written

Span = tuple[int, int]
_SPAN = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
LAST = 65535
PROTOCOLS = ("all", "icmp", "tcp", "udp")


def span(value: str | int) -> Span:
    """First and last port of `443` or `8000-8100`."""
    found = _SPAN.fullmatch(str(value))
    if not found or isinstance(value, bool):
        raise invalid(f"'{value}' is not a port", "write a port or a range: 443, 8000-8100")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last <= LAST:
        raise invalid(f"'{value}' is not a port", "ports are 1 to 65535, the lower one of a range first")
    return first, last


def span_text(ports: Span) -> str:
    """Shortest text of a port or range."""
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"


def traffic(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Canonical form of what an `allow` or `deny` says: one protocol; ports in order, each once."""
    if not entries:
        raise invalid("the list is empty", "name what is meant, such as tcp/443, or all")
    pairs = [_pair(entry) for entry in entries]
    protocols = sorted({protocol for protocol, _ in pairs})
    if len(protocols) > 1:
        raise invalid(
            f"one policy has one protocol, here are {' and '.join(protocols)}",
            "NetBird keeps one rule per policy: write one policy per protocol",
        )
    spans = {ports for _, ports in pairs if ports}
    if spans and len(spans) < len(set(pairs)):
        raise invalid(
            f"{protocols[0]} alone already means every port", "leave out either the ports or the bare protocol"
        )
    return tuple(f"{protocols[0]}/{span_text(ports)}" for ports in sorted(spans)) or (protocols[0],)


def _pair(entry: str) -> tuple[str, Span | None]:
    protocol, slash, ports = entry.partition("/")
    if protocol not in PROTOCOLS or (slash and not ports):
        raise invalid(f"'{entry}' is not traffic", "write all, icmp, tcp, udp, tcp/443 or udp/8000-8100")
    if ports and protocol in ("all", "icmp"):
        raise invalid(f"'{entry}': {protocol} has no ports", f"write {protocol} alone, or tcp or udp with ports")
    return protocol, span(ports) if ports else None


def traffic_spans(entries: tuple[str, ...]) -> tuple[str, list[Span]]:
    """Protocol and ports of traffic, also of what the server keeps although it makes no sense (`tcp/0`, `tcp/90-80`)."""
    pairs = [entry.partition("/")[::2] for entry in entries]
    return pairs[0][0] if pairs else "", [loose_span(ports) for _, ports in pairs if ports]


def loose_span(ports: str) -> Span:
    """First and last port, unchecked."""
    first, _, last = ports.partition("-")
    return int(first), int(last or first)


def covered(spans: list[Span]) -> tuple[Span, ...]:
    """The same ports in the fewest spans, so that equal sets are equal however written."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def within(inner: list[Span], outer: list[Span]) -> bool:
    """Tell whether every port of `inner` is among `outer`; no spans at all are all ports."""
    if not outer:
        return True
    return bool(inner) and covered([*inner, *outer]) == covered(outer)


def wire_ports(spans: list[Span]) -> dict[str, Any]:
    """Ports as the API takes them: single ones as `ports`; as soon as one is a range, all as `port_ranges`."""
    if not spans:
        return {}
    if all(first == last for first, last in spans):
        return {"ports": [str(first) for first, _ in spans]}
    return {"port_ranges": [{"start": first, "end": last} for first, last in spans]}


def seen_ports(rule: dict[str, Any]) -> list[Span]:
    """Ports of a rule as the API shows them."""
    singles = [(int(port), int(port)) for port in rule.get("ports") or ()]
    return singles + [(ports["start"], ports["end"]) for ports in rule.get("port_ranges") or ()]


def _ports(value: Any) -> Any:
    if value == "all":
        return ()
    if not isinstance(value, list | tuple) or not value:
        raise invalid("ports is not a list of ports", "write ports: [22], or ports: all")
    spans = sorted({span(port) for port in value if _is_port(port)})
    return tuple(first if first == last else f"{first}-{last}" for first, last in spans)


def _is_port(value: Any) -> bool:
    if not isinstance(value, str | int):
        raise invalid(f"{value!r} is not a port", "write a port or a range: 443, 8000-8100")
    return True


_ENTRY = Shape(
    "traffic",
    f"all|icmp|(?:tcp|udp)(?:/{PORTS})?",
    "write all, icmp, tcp, udp, tcp/443 or udp/8000-8100",
    (*PROTOCOLS, "tcp/443", "tcp/8000-8100"),
)
_ONE_PROTOCOL = Shape(
    keywords={
        "minItems": 1,
        "anyOf": [
            {
                "items": {
                    "pattern": rf"^{said}|\$\{{",
                    "patternErrorMessage": "one policy has one protocol, or every port of it",
                }
            }
            for said in (*(f"{protocol}$" for protocol in PROTOCOLS), "tcp/", "udp/")
        ],
    }
)
Traffic = Annotated[tuple[Annotated[Text, _ENTRY], ...], OneOrMany, AfterValidator(traffic), _ONE_PROTOCOL]
"""What `allow` and `deny` say."""

_PORT_NUMBER = Annotated[int, Shape(keywords={"minimum": 1, "maximum": LAST})]
_PORT_TEXT = Annotated[str, Shape("ports", PORTS, "write a port or a range: 443, 8000-8100", ("8000-8100",))]
_WRITTEN = Written(Literal["all"] | Annotated[tuple[_PORT_NUMBER | _PORT_TEXT, ...], SOME])
Ports = Annotated[tuple[int | str, ...], BeforeValidator(_ports), _WRITTEN]
"""Ports by themselves; none at all are all of them."""
