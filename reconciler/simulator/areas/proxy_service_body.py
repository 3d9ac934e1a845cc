"""Reverse proxy: what a service looks like in a request, in its row, and in an answer.

Secrets are write-only and nobody logs in here, so passwords and pins are not kept; of a header it matters only whether
it has a value. ``link_auth`` is accepted and dropped.
"""

from typing import Any, Final

from reconciler.simulator import durations
from reconciler.simulator.clock import rfc3339
from reconciler.simulator.decoding import BOOL, INT, TEXT, TEXTS, ListOf, MapOf, Nullable, Struct
from reconciler.simulator.errors import invalid
from reconciler.simulator.store import Row
from reconciler.simulator.text import quoted
from reconciler.simulator.world import Account

LISTS: Final = ("allowed_cidrs", "blocked_cidrs", "allowed_countries", "blocked_countries")
UNKNOWN_HOST: Final = "unknown"
_CROWDSEC_MODES: Final = ("off", "enforce", "observe")
_TIMEOUTS: Final = ("request_timeout", "session_idle_timeout")
_UINT16: Final = 0xFFFF

_OPTIONS: Final = Struct(
    {
        "skip_tls_verify": BOOL,
        "request_timeout": Nullable(TEXT),
        "session_idle_timeout": Nullable(TEXT),
        "path_rewrite": TEXT,
        "custom_headers": MapOf(TEXT),
        "proxy_protocol": BOOL,
        "direct_upstream": BOOL,
    }
)
_TARGET: Final = Struct(
    {
        "target_id": TEXT,
        "target_type": TEXT,
        "protocol": TEXT,
        "host": TEXT,
        "port": INT,
        "path": Nullable(TEXT),
        "enabled": BOOL,
        "options": Nullable(_OPTIONS),
    }
)
_AUTH: Final = Struct(
    {
        "password_auth": Nullable(Struct({"enabled": BOOL, "password": TEXT})),
        "pin_auth": Nullable(Struct({"enabled": BOOL, "pin": TEXT})),
        "bearer_auth": Nullable(Struct({"enabled": BOOL, "distribution_groups": TEXTS})),
        "header_auths": ListOf(Struct({"enabled": BOOL, "header": TEXT, "value": TEXT})),
        "link_auth": Nullable(Struct({"enabled": BOOL})),
    }
)
SHAPE: Final = Struct(
    {
        "name": TEXT,
        "domain": TEXT,
        "mode": TEXT,
        "listen_port": INT,
        "enabled": BOOL,
        "pass_host_header": BOOL,
        "rewrite_redirects": BOOL,
        "private": BOOL,
        "access_groups": TEXTS,
        "targets": ListOf(_TARGET),
        "auth": Nullable(_AUTH),
        "access_restrictions": Nullable(Struct({**dict.fromkeys(LISTS, TEXTS), "crowdsec_mode": Nullable(TEXT)})),
    }
)


def service_of(body: Row) -> Row:
    """The writable part of a service's row.

    Raises:
        Refusal: 422 for a timeout that is no duration or an unknown CrowdSec mode; the rest is checked later.
    """
    plain = ("name", "domain", "enabled", "pass_host_header", "rewrite_redirects", "private")
    targets = [_target_of(place, target) for place, target in enumerate(body["targets"] or [])]
    return {
        **{key: body[key] for key in plain},
        "mode": body["mode"] or "http",
        "listen_port": body["listen_port"] & _UINT16,
        "access_groups": body["access_groups"] or [],
        "targets": targets,
        "auth": _auth_of(body["auth"] or _AUTH.zero()),
        "access_restrictions": _restrictions_of(body["access_restrictions"]),
    }


def _target_of(place: int, target: Row) -> Row:
    options = target["options"] or _OPTIONS.zero()
    timeouts = {key: _nanoseconds(place, key, options[key]) for key in _TIMEOUTS}
    return {
        **target,
        "port": target["port"] & _UINT16,
        "options": {**options, **timeouts, "custom_headers": options["custom_headers"] or {}},
    }


def _nanoseconds(place: int, key: str, given: str | None) -> int:
    if given is None:
        return 0
    try:
        return durations.parse(given)
    except durations.DurationError as error:
        raise invalid(f"target {place}: parse {key} {quoted(given)}: {error}") from None


def _auth_of(auth: Row) -> Row:
    methods = {key: {"enabled": auth[key]["enabled"]} for key in ("password_auth", "pin_auth") if auth[key]}
    bearer = {"bearer_auth": auth["bearer_auth"]} if auth["bearer_auth"] else {}
    return {**methods, **bearer, "header_auths": auth["header_auths"] or []}


def _restrictions_of(given: Row | None) -> Row:
    if given is None:
        return {}
    mode = given["crowdsec_mode"]
    if mode is not None and mode not in _CROWDSEC_MODES:
        raise invalid(f"invalid crowdsec_mode {quoted(mode)}")
    return {key: value for key, value in given.items() if value}


def stored(service: Row) -> Row:
    """The service as a later read finds it: an empty list of distribution groups has become none."""
    auth = service["auth"]
    if "bearer_auth" in auth:
        groups = auth["bearer_auth"]["distribution_groups"] or None
        auth = {**auth, "bearer_auth": {**auth["bearer_auth"], "distribution_groups": groups}}
    headers = [{**header, "value": "set" if header["value"] else ""} for header in auth["header_auths"]]
    return {**service, "auth": {**auth, "header_auths": headers}}


def requires_login(service: Row) -> bool:
    """Whether any method of authentication is enabled."""
    auth = service["auth"]
    methods = [value for key, value in auth.items() if key != "header_auths"] + auth["header_auths"]
    return any(method["enabled"] for method in methods)


def shown(account: Account, service: Row) -> Row:
    """The service as the API answers it; empty options are left out, but for those that it always shows."""
    optional = ("access_groups", "access_restrictions", "proxy_cluster")
    meta = {"created_at": rfc3339(service["created_at"]), "status": service["status"]}
    if service["certificate_issued_at"] is not None:
        meta["certificate_issued_at"] = rfc3339(service["certificate_issued_at"])
    always = ("id", "name", "domain", "mode", "listen_port", "port_auto_assigned", "pass_host_header", "private")
    return {
        **{key: service[key] for key in always},
        **{key: service[key] for key in optional if service[key]},
        "enabled": service["enabled"] and not service["terminated"],
        "rewrite_redirects": service["rewrite_redirects"],
        "terminated": service["terminated"],
        "auth": _auth_shown(service["auth"]),
        "targets": [_target_shown(account, target, service["terminated"]) for target in service["targets"]],
        "meta": meta,
    }


def _auth_shown(auth: Row) -> Row:
    blank = {"password_auth": {"password": ""}, "pin_auth": {"pin": ""}}
    methods = {key: {**value, **blank.get(key, {})} for key, value in auth.items() if key != "header_auths"}
    headers = [{**header, "value": ""} for header in auth["header_auths"]]
    return {**methods, "header_auths": headers} if headers else methods


def _target_shown(account: Account, target: Row, terminated: bool) -> Row:
    always = ("target_id", "target_type", "protocol", "port")
    options = {key: value for key, value in target["options"].items() if value}
    for key in _TIMEOUTS:
        if key in options:
            options[key] = durations.render(options[key])
    return {
        **{key: target[key] for key in always},
        **({} if target["path"] is None else {"path": target["path"]}),
        "host": _host(account, target),
        "enabled": target["enabled"] and not terminated,
        "options": options,
    }


def _host(account: Account, target: Row) -> Any:
    """Where the target is now: whatever was sent as ``host`` of a peer or a resource is replaced."""
    if target["target_type"] == "peer":
        peer = account.find("peers", target["target_id"])
        return peer["ip"] if peer else UNKNOWN_HOST
    if target["target_type"] not in {"host", "domain"}:
        return target["host"]
    resource = account.find("network_resources", target["target_id"])
    if resource is None:
        return UNKNOWN_HOST
    if target["target_type"] == "domain":
        return resource["address"] if resource["type"] == "domain" else ""
    return "invalid IP" if resource["type"] == "domain" else resource["address"].partition("/")[0]
