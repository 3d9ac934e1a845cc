"""Reverse proxy: domains, the free ones that follow from the clusters and the account's own.

A custom domain is neither checked nor normalised; it must be new to the whole server and its cluster must be alive.
"""

from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXT, Struct
from reconciler.simulator.errors import PlainError, internal, not_found, prefixed
from reconciler.simulator.permissions import CREATE, DELETE, READ
from reconciler.simulator.registry import Answer, Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.text import bool_text
from reconciler.simulator.world import Account

from .proxy_clusters import addresses, capabilities

KIND: Final = "proxy_domains"
_BODY: Final = Struct({"domain": TEXT, "target_cluster": TEXT})
_CUSTOM: Final = {
    "supports_custom_ports": "supports_custom_ports",
    "supports_crowdsec": "supports_crowdsec",
    "private": "supports_private",
}
_FREE: Final = {**_CUSTOM, "require_subdomain": "require_subdomain"}


def cluster_of(account: Account, domain: str) -> str | None:
    """The cluster that serves a service's domain: one whose address it ends with, else that of a custom domain.

    Of the account's own domains the longest that fits counts, validated or not. Without any cluster there is none.
    """
    available = addresses(account)
    for address in available:
        if _is_below(domain, address):
            return address
    fitting = [row for row in account.rows(KIND) if _is_below(domain, row["domain"])]
    best = max(fitting, key=lambda row: len(row["domain"].encode()), default=None)
    return best["target_cluster"] if best and available else None


def _is_below(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith("." + parent)


def _list(call: Call) -> Any:
    call.require("services", READ)
    free = [
        {"id": "", "domain": address, "type": "free", "validated": True, **capabilities(call.world, address, _FREE)}
        for address in addresses(call.account)
    ]
    own = [
        {**_shown(row), **capabilities(call.world, row["target_cluster"], _CUSTOM)} for row in call.account.rows(KIND)
    ]
    return free + own


def _create(call: Call) -> Any:
    body = call.body(_BODY)
    call.require("services", CREATE)
    if body["target_cluster"] not in addresses(call.account):
        raise PlainError
    if call.world.store.table(KIND).count("domain", body["domain"]):
        raise internal("create domain in store: failed to create reverse proxy custom domain to store")
    row = call.account.save(KIND, {"id": call.world.new_id(), **body, "validated": False})
    call.audit("domain.add", row["id"], **_meta(row))
    return _shown(row)


def _delete(call: Call) -> Any:
    call.require("services", DELETE)
    domain_id = call.path["domain_id"]
    with prefixed("get domain from store: "):
        row = call.account.find(KIND, domain_id)
        if row is None:
            raise not_found(f"custom domain {domain_id} not found")
    call.account.remove(KIND, domain_id)
    call.audit("domain.delete", domain_id, **_meta(row))
    return Answer(status=204)


def _validate(call: Call) -> Any:  # noqa: ARG001 - who asks and for what does not matter
    """Answered at once, whoever asks and for whatever id; the look-up of the CNAME behind it finds nothing here."""
    return Answer(status=202)


def _shown(row: Row) -> Row:
    return {
        "id": row["id"],
        "domain": row["domain"],
        "target_cluster": row["target_cluster"],
        "type": "custom",
        "validated": row["validated"],
    }


def _meta(row: Row) -> dict[str, str]:
    return {
        "domain": row["domain"],
        "target_cluster": row["target_cluster"],
        "validated": bool_text(row["validated"]),
    }


AREA = Area(
    routes=(
        Route("GET", "/reverse-proxies/domains", _list),
        Route("POST", "/reverse-proxies/domains", _create),
        Route("DELETE", "/reverse-proxies/domains/<domain_id>", _delete),
        Route("GET", "/reverse-proxies/domains/<domain_id>/validate", _validate),
    ),
    activities={
        "domain.add": "Domain added",
        "domain.delete": "Domain deleted",
    },
)
