"""Reverse proxy: what a proxy says about a service that it serves, which then stands in the service's ``meta``."""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.simulator.registry import Area
from reconciler.simulator.rpc import RpcError, call
from reconciler.simulator.world import World

from .proxy_clusters import account_of, proxy_of
from .proxy_services import KIND

_STATES: Final = (
    "pending",
    "active",
    "tunnel_not_created",
    "certificate_pending",
    "certificate_failed",
    "error",
)


def _reports(world: World, line: Mapping[str, Any]) -> Any:
    account = account_of(proxy_of(world, line), world, line.get("account", ""), line["service"])
    if not line["service"]:
        raise RpcError("InvalidArgument", "service_id and account_id are required")
    service = account.find(KIND, line["service"])
    if service is None:
        raise RpcError("NotFound", f"service {line['service']} not found")
    state = line["status"].lower()
    issued = world.now() if line.get("certificate_issued") else service["certificate_issued_at"]
    known = state if state in _STATES else "pending"
    account.save(KIND, {**service, "status": known, "certificate_issued_at": issued})
    return {"ok": True}


AREA = Area(happenings={"proxy_reports_status": call(_reports)})
