"""Agent network: AI providers that requests are sent on to (module ``agent_network.providers``).

The key is write-only. A provider that a policy leads to cannot be deleted, which is a 422 here.
"""

from typing import Any, Final

from reconciler.simulator import urls
from reconciler.simulator.call import Call
from reconciler.simulator.decoding import BOOL, FLOAT, TEXT, ListOf, MapOf, Nullable, Optional, Struct
from reconciler.simulator.errors import invalid
from reconciler.simulator.registry import Area
from reconciler.simulator.store import Row
from reconciler.simulator.text import quoted

from .agent_catalog import is_known
from .agent_objects import Objects

KIND: Final = "agent_providers"

_RATES: Final = ("input_per_1k", "output_per_1k")
_CACHE_RATES: Final = ("cached_input_per_1k", "cache_read_per_1k", "cache_creation_per_1k")
_MODEL: Final = Struct({"id": TEXT, **dict.fromkeys(_RATES, FLOAT), **dict.fromkeys(_CACHE_RATES, Nullable(FLOAT))})
_SHAPE: Final = Struct(
    {
        "provider_id": TEXT,
        "name": TEXT,
        "upstream_url": TEXT,
        "models": ListOf(_MODEL),
        "extra_values": MapOf(TEXT),
        **dict.fromkeys(("api_key", "identity_header_user_id", "identity_header_groups"), Optional(TEXT)),
        **dict.fromkeys(("enabled", "skip_tls_verification", "metadata_disabled"), Optional(BOOL)),
    }
)


def _validate(body: Row, is_new: bool) -> None:
    if not body["provider_id"].strip():
        raise invalid("provider_id is required")
    if not is_known(body["provider_id"]):
        raise invalid(f"provider_id {quoted(body['provider_id'])} is not a known catalog provider")
    if not body["name"].strip():
        raise invalid("name is required")
    _check_url(body["upstream_url"].strip())
    if is_new and not body["api_key"].strip():
        raise invalid("api_key is required")
    for place, model in enumerate(body["models"] or []):
        _check_model(place, model)


def _check_url(given: str) -> None:
    if not given:
        raise invalid("upstream_url is required")
    try:
        url = urls.parse(given)
    except urls.UrlError:
        url = urls.Url("", "")
    if not url.host or url.scheme not in {"http", "https"}:
        raise invalid("upstream_url must be a full http(s) URL")


def _check_model(place: int, model: Row) -> None:
    if not model["id"].strip():
        raise invalid(f"models[{place}]: id is required")
    for field in (*_RATES, *_CACHE_RATES):
        if (model[field] or 0) < 0:
            raise invalid(f"models[{place}] ({model['id']}): {field} must be a finite, non-negative USD rate")


def _row(body: Row, before: Row | None) -> Row:
    """Blanks around headers and extra values go, those around the name stay; a blank key keeps the old one."""
    key = body["api_key"] if body["api_key"].strip() else (before or {}).get("api_key", "")
    extra = {name: value.strip() for name, value in (body["extra_values"] or {}).items()}
    headers = ("identity_header_user_id", "identity_header_groups")
    return {
        **body,
        **{header: body[header].strip() for header in headers},
        "api_key": key,
        "extra_values": {name: value for name, value in extra.items() if value},
        "models": [_without_unset(model) for model in body["models"] or []],
    }


def _without_unset(model: Row) -> Row:
    return {key: value for key, value in model.items() if value is not None}


def _may_go(call: Call, row: Row) -> None:
    names = [policy["name"] for policy in call.account.where("agent_policies", "provider", row["id"])]
    if names:
        policies = "policy" if len(names) == 1 else "policies"
        in_use = f"provider is in use by {len(names)} {policies} ({', '.join(names)})"
        raise invalid(f"{in_use}; detach it before deleting")


class _Providers(Objects):
    """Providers leave out extra values when there are none."""

    def shown(self, row: Row) -> Any:
        shown = super().shown(row)
        return {key: value for key, value in shown.items() if key != "extra_values" or value}


_PROVIDERS: Final = _Providers(
    kind=KIND,
    path="providers",
    module="providers",
    code="provider",
    word="agent network provider",
    lookup="failed to get agent network provider: ",
    id_prefix="",
    shape=_SHAPE,
    validate=_validate,
    row=_row,
    told=lambda row: {"provider_id": row["provider_id"]},
    may_go=_may_go,
    hidden=("api_key",),
)

AREA = Area(routes=_PROVIDERS.routes(), activities=_PROVIDERS.activities())
