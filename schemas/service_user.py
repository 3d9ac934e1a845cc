"""Service users: accounts of programs. Their tokens are a kind of their own."""

from __future__ import annotations

from typing import Annotated, Literal

from schemas._core.codec import encode_fields
from schemas._core.fields import JsonObject, Resource, Wire
from schemas._core.group_names import AutoGroups
from schemas._core.kind import Endpoint, Ids, Kind
from schemas._core.people import ANSWER_ONLY, grants, is_service_user, lacks_caller, vetoes


class ServiceUser(Resource):
    """A program's account and what it may do."""

    role: Literal["admin", "user", "auditor", "network_admin", "billing_admin"]
    """What it may do."""

    auto_groups: AutoGroups = ()
    """Groups to which its machines belong."""

    blocked: Annotated[bool, Wire("is_blocked")] = False
    """Whether its tokens are refused."""


def _encode(desired: ServiceUser, fields: frozenset[str], base: JsonObject, ids: Ids) -> JsonObject:
    return {**encode_fields(desired, fields, base, ids), "is_service_user": True}


KIND = Kind(
    name="service_user",
    model=ServiceUser,
    section=("service_users",),
    endpoint=Endpoint("/users", shows_one=False),
    always=frozenset({"auto_groups", "is_blocked", "role", "is_service_user"}),
    lacks=lacks_caller,
    module="users",
    computed=ANSWER_ONLY,
    selects=is_service_user,
    server_owned=lambda seen, _account: bool(seen.get("is_current")),
    encode=_encode,
    vetoes=vetoes,
    grants=grants,
    waits_for=("setup_key",),
)
