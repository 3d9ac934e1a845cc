"""Reverse proxy: the ports on which a cluster listens for services that are not HTTP.

tcp and udp services have a port of their own, which the server picks if the cluster cannot have chosen ones; tls
services share theirs, as their names tell them apart.
"""

from typing import Final

from reconciler.simulator.errors import conflict, invalid, precondition
from reconciler.simulator.store import Row
from reconciler.simulator.text import quoted
from reconciler.simulator.world import World

from .proxy_clusters import capability
from .proxy_service_rules import L4_MODES, PORT_MODES

LOWEST: Final = 10000
HIGHEST: Final = 49151
"""The range that ports are picked from, unless ``NB_PROXY_PORT_MIN`` and ``NB_PROXY_PORT_MAX`` say otherwise."""

_UINT16: Final = 0xFFFF


def with_port(world: World, service: Row) -> Row:
    """A new service with the port that it gets.

    Raises:
        Refusal: 422 for a port of one's own on a cluster without custom ports; 409 if it is taken; 412 if none is left.
    """
    if service["mode"] not in L4_MODES:
        return service
    if service["mode"] in PORT_MODES and service["listen_port"] and not _is_custom(world, service):
        if service["source"] != "ephemeral":
            raise invalid(f"custom ports not supported on cluster {service['proxy_cluster']}")
        service = {**service, "listen_port": 0}
    return _settled(world, service)


def with_changed_port(world: World, service: Row, before: Row) -> Row:
    """A changed service with its port: without one it keeps the old one, and whether the server had picked it.

    Raises:
        Refusal: as `with_port`.
    """
    if not service["listen_port"] and before["listen_port"]:
        kept = ("listen_port", "port_auto_assigned")
        service = {**service, **{key: before[key] for key in kept}}
    if service["mode"] not in L4_MODES:
        return service
    changed = service["listen_port"] not in {0, before["listen_port"]}
    if service["mode"] in PORT_MODES and changed and not _is_custom(world, service):
        raise invalid(f"custom ports not supported on target cluster {service['proxy_cluster']}")
    return _settled(world, service)


def _is_custom(world: World, service: Row) -> bool:
    return bool(capability(world, service["proxy_cluster"], "supports_custom_ports"))


def _settled(world: World, service: Row) -> Row:
    """With a picked port if there is none yet, and none that another service has."""
    neighbours = world.store.table("proxy_services").where("proxy_cluster", service["proxy_cluster"])
    if not service["listen_port"]:
        picked = _pick(world, service["proxy_cluster"], {other["listen_port"] for other in neighbours})
        service = {**service, "listen_port": picked, "port_auto_assigned": True}
    for other in neighbours:
        if other["id"] != service["id"] and _collide(service, other):
            port = f"{service['mode']} port {service['listen_port']}"
            where = f"service {quoted(other['name'])} on cluster {service['proxy_cluster']}"
            raise conflict(f"{port} is already in use by {where}")
    return service


def _collide(service: Row, other: Row) -> bool:
    if (service["mode"], service["listen_port"]) != (other["mode"], other["listen_port"]):
        return False
    return service["mode"] in PORT_MODES or service["domain"] == other["domain"]


def _pick(world: World, cluster: str, taken: set[int]) -> int:
    lowest, highest = _range(world)
    free = [port for port in range(lowest, highest + 1) if port not in taken]
    if not free:
        raise precondition(f"no available ports on cluster {cluster}")
    return world.random.choice(free)


def _range(world: World) -> tuple[int, int]:
    """The server's range; bounds that are no ports, or in the wrong order, count as unset."""
    lowest = _port(world.environment.get("NB_PROXY_PORT_MIN", ""), LOWEST)
    highest = _port(world.environment.get("NB_PROXY_PORT_MAX", ""), HIGHEST)
    return (lowest, highest) if lowest <= highest else (LOWEST, HIGHEST)


def _port(text: str, fallback: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and int(text) <= _UINT16 else fallback
