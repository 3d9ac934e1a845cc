"""Reverse proxy: services, each a domain of a cluster and what it leads to.

A POST is checked in this order: JSON, the rules of `proxy_service_rules`, permission, the cluster that the domain
belongs to (412), a bare cluster domain, values of header logins, the targets, the domain (taken: 409), the port.
A PUT: JSON, rules, permission, existence, targets, a bare cluster domain, terminated, mode, domain, headers, port.
"""

from typing import Any, Final

from reconciler.simulator import durations
from reconciler.simulator.call import Call
from reconciler.simulator.errors import conflict, denied, invalid, not_found, precondition, prefixed
from reconciler.simulator.permissions import CREATE, DELETE, READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import bool_text, quoted
from reconciler.simulator.world import Account, World

from .proxy_clusters import addresses, capability
from .proxy_domains import cluster_of
from .proxy_service_body import SHAPE, requires_login, service_of, shown, stored
from .proxy_service_headers import canonical
from .proxy_service_ports import with_changed_port, with_port
from .proxy_service_rules import check

KIND: Final = "proxy_services"
MODULE: Final = "services"


def list_services(call: Call) -> Any:
    """``GET /reverse-proxies/services``: those that peers have exposed are among them."""
    call.require(MODULE, READ)
    return [shown(call.account, service) for service in call.account.rows(KIND)]


def get_service(call: Call) -> Any:
    """``GET /reverse-proxies/services/{id}``."""
    call.require(MODULE, READ)
    with prefixed("failed to get service: "):
        return shown(call.account, _existing(call))


def create_service(call: Call) -> Any:
    """``POST /reverse-proxies/services``: nothing can be made before a proxy has connected."""
    service = service_of(call.body(SHAPE))
    check(service)
    call.require(MODULE, CREATE)
    service = initialised(call.account, service)
    check_targets(call.account, service)
    _check_domain(call.world, service)
    service = save(call.account, with_port(call.world, service))
    call.audit("service.create", service["id"], **meta(service))
    return shown(call.account, service)


def update_service(call: Call) -> Any:
    """``PUT /reverse-proxies/services/{id}``: it becomes an ordinary one if a peer had exposed it."""
    service = service_of(call.body(SHAPE))
    check(service)
    call.require(MODULE, UPDATE)
    before = _existing(call)
    cluster = before["proxy_cluster"]
    if service["domain"] != before["domain"]:
        cluster = cluster_of(call.account, service["domain"]) or cluster
    check_targets(call.account, service)
    _check_label(call.world, service["domain"], cluster)
    _check_change(call.world, service, before)
    kept = ("id", "created_at", "certificate_issued_at", "status", "terminated")
    service = {
        **service,
        **{key: before[key] for key in kept},
        "auth": {**service["auth"], "header_auths": _with_values(service, before)},
        "proxy_cluster": cluster,
        "port_auto_assigned": False,
        "source": "",
        "source_peer": "",
        "renewed_at": None,
    }
    _check_header_values(service)
    service = save(call.account, with_changed_port(call.world, service, before))
    call.audit("service.update", service["id"], **meta(service))
    return shown(call.account, service)


def delete_service(call: Call) -> Any:
    """``DELETE /reverse-proxies/services/{id}``: nothing holds a service."""
    call.require(MODULE, DELETE)
    service = _existing(call)
    call.account.remove(KIND, service["id"])
    call.audit("service.delete", service["id"], **meta(service))
    return {}


def initialised(account: Account, service: Row) -> Row:
    """A new service with its cluster and everything that the server adds.

    Raises:
        Refusal: 412 if no cluster serves its domain; 422 if the domain is the cluster's own and may not be, or if an
            enabled header login has no value.
    """
    cluster = cluster_of(account, service["domain"])
    if not addresses(account):
        raise precondition(f"could not derive cluster from domain {service['domain']}: no proxy clusters available")
    if cluster is None:
        reason = f"domain {service['domain']} does not match any available proxy cluster"
        raise precondition(f"could not derive cluster from domain {service['domain']}: {reason}")
    _check_label(account.world, service["domain"], cluster)
    _check_header_values(service)
    return {
        "id": account.world.new_id(),
        "source": "",
        "source_peer": "",
        "renewed_at": None,
        **service,
        "proxy_cluster": cluster,
        "port_auto_assigned": False,
        "terminated": False,
        "created_at": account.world.now(),
        "certificate_issued_at": None,
        "status": "pending",
    }


def check_targets(account: Account, service: Row) -> None:
    """Refuse with 422 targets that do not exist, or are not of the type that they are said to be."""
    for target in service["targets"]:
        kind, target_id = target["target_type"], target["target_id"]
        if kind == "peer":
            if account.find("peers", target_id) is None:
                raise invalid(f"peer target {quoted(target_id)} not found in account")
        elif kind == "cluster":
            if not target["options"]["direct_upstream"]:
                raise invalid(f"cluster target {target['host']} has direct upstream disabled")
        else:
            _check_resource(account, target)


def _check_resource(account: Account, target: Row) -> None:
    target_id = quoted(target["target_id"])
    resource = account.find("network_resources", target["target_id"])
    if resource is None:
        raise invalid(f"resource target {target_id} not found in account")
    if resource["type"] != target["target_type"]:
        said, real = quoted(target["target_type"]), quoted(resource["type"])
        raise invalid(f"target {target_id} has target_type {said} but resource is of type {real}")


def _check_label(world: World, domain: str, cluster: str) -> None:
    """A cluster may ask that services stand below its address, not at it."""
    if domain == cluster and capability(world, cluster, "require_subdomain"):
        raise invalid(f"domain {domain} requires a subdomain label")


def _check_domain(world: World, service: Row) -> None:
    if any(other["id"] != service["id"] for other in with_domain(world, service["domain"])):
        raise conflict("domain already taken")


def _check_change(world: World, service: Row, before: Row) -> None:
    if before["terminated"]:
        raise denied("service is terminated and cannot be updated")
    if service["mode"] != before["mode"]:
        raise invalid(f"cannot change mode from {quoted(before['mode'])} to {quoted(service['mode'])}")
    if service["domain"] != before["domain"]:
        _check_domain(world, {**service, "id": before["id"]})


def _with_values(service: Row, before: Row) -> list[Row]:
    """Header logins of a PUT: an enabled one without a value keeps that of the same header."""
    old = {canonical(header["header"]): header["value"] for header in before["auth"]["header_auths"] if header["value"]}
    return [
        {**header, "value": header["value"] or (old.get(canonical(header["header"]), "") if header["enabled"] else "")}
        for header in service["auth"]["header_auths"]
    ]


def _check_header_values(service: Row) -> None:
    for place, header in enumerate(service["auth"]["header_auths"]):
        if header["enabled"] and not header["value"]:
            raise invalid(f"header_auths[{place}]: value is required")


def _existing(call: Call) -> Row:
    service = call.account.find(KIND, call.path["service_id"])
    if service is None:
        raise not_found(f"service {call.path['service_id']} not found")
    return service


def save(account: Account, service: Row) -> Row:
    """Store a service; returns it as the answer to its write shows it, which differs in small things from later ones.

    The database fills in ``permanent`` as the source of a new one, which a later deletion then reports.
    """
    is_new = account.find(KIND, service["id"]) is None
    source = service["source"] or ("permanent" if is_new else "")
    account.save(KIND, {**stored(service), "source": source})
    return service


def with_domain(world: World, domain: str) -> list[Row]:
    """The service of this domain, of whatever account, if there is one."""
    return world.store.table(KIND).where("domain", domain)


def target_holder(account: Account, target_id: str) -> str | None:
    """The id of the first service with this peer or network resource as a target; None if there is none."""
    return next((service["id"] for service in account.where(KIND, "target", target_id)), None)


def meta(service: Row) -> dict[str, str]:
    """What the audit log tells about a service: options only of its first target."""
    plain = ("name", "domain", "proxy_cluster", "source", "mode")
    known = {**{key: service[key] for key in plain}, "auth": bool_text(requires_login(service))}
    if service["listen_port"]:
        known["listen_port"] = str(service["listen_port"])
    options = service["targets"][0]["options"]
    if options["proxy_protocol"]:
        known["proxy_protocol"] = "true"
    timeouts = {
        key: durations.render(options[key]) for key in ("request_timeout", "session_idle_timeout") if options[key]
    }
    return {**known, **timeouts}


def _holds_group(account: Account, group: Row) -> str | None:
    service = next(iter(account.where(KIND, "group", group["id"])), None)
    return f"reverse proxy service: {service['domain']}" if service else None


def _holds_peer(account: Account, peer: Row) -> str | None:
    holder = target_holder(account, peer["id"])
    return f"peer {peer['id']} is in use by proxy {holder}" if holder else None


def _group_ids(service: Row) -> set[str]:
    """Groups that cannot be deleted: those of a private service, and those whose members may log in."""
    private = service["access_groups"] if service["private"] else []
    bearer = service["auth"].get("bearer_auth") or {"enabled": False}
    return {*private, *((bearer["distribution_groups"] or []) if bearer["enabled"] else [])}


def _target_ids(service: Row) -> set[str]:
    return {target["target_id"] for target in service["targets"]}


AREA = Area(
    routes=(
        Route("GET", "/reverse-proxies/services", list_services),
        Route("POST", "/reverse-proxies/services", create_service),
        Route("GET", "/reverse-proxies/services/<service_id>", get_service),
        Route("PUT", "/reverse-proxies/services/<service_id>", update_service),
        Route("DELETE", "/reverse-proxies/services/<service_id>", delete_service),
    ),
    indexes={KIND: {"target": _target_ids, "group": _group_ids}},
    activities={
        "service.create": "Service created",
        "service.update": "Service updated",
        "service.delete": "Service deleted",
    },
    holds_group=_holds_group,
    holds_peer=_holds_peer,
)
