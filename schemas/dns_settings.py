"""DNS settings of the account: whose peers manage their DNS themselves."""

from __future__ import annotations

from schemas._core.fields import Resource
from schemas._core.group_names import GroupNames
from schemas._core.kind import Endpoint, Kind, Layout


class DnsSettings(Resource):
    """Groups whose peers do not get their DNS from NetBird."""

    disabled_management_groups: GroupNames
    """Groups whose peers do not get their DNS from NetBird. Left out: kept as it is."""


KIND = Kind(
    name="dns_settings",
    model=DnsSettings,
    section=("dns", "disabled_management_groups"),
    layout=Layout.FIELD,
    endpoint=Endpoint("/dns/settings", singleton=True, item="/dns/settings"),
    always=frozenset({"disabled_management_groups"}),
    module="dns",
    name_field="",
    waits_for=("dns_record",),
)
