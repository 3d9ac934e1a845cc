"""DNS settings of the account: whose peers manage their DNS themselves."""

from __future__ import annotations

from typing import Annotated

from schemas._core.fields import AsTuple, Name, RefTo, Resource, Unordered
from schemas._core.kind import Endpoint, Kind, Layout


class DnsSettings(Resource):
    """Groups whose peers do not get their DNS from NetBird."""

    disabled_management_groups: Annotated[tuple[Annotated[Name, RefTo("group")], ...], AsTuple, Unordered]


KIND = Kind(
    name="dns_settings",
    model=DnsSettings,
    section=("dns", "disabled_management_groups"),
    layout=Layout.FIELD,
    endpoint=Endpoint("/dns/settings", singleton=True, item="/dns/settings"),
    name_field="",
    waits_for=("dns_record",),
)
