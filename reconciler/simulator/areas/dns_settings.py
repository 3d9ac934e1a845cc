"""DNS settings (module ``dns``): the groups whose peers keep their own DNS, one list for each account."""

from typing import Any, Final

from reconciler.simulator.call import Call
from reconciler.simulator.decoding import TEXTS, Struct
from reconciler.simulator.errors import not_found
from reconciler.simulator.group_lists import check_ids
from reconciler.simulator.permissions import READ, UPDATE
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.store import Row
from reconciler.simulator.world import Account

KIND: Final = "dns_settings"
_FIELD: Final = "disabled_management_groups"
_BODY: Final = Struct({_FIELD: TEXTS})


def get_settings(call: Call) -> Any:
    """``GET /dns/settings``: ``[]`` in a new account."""
    call.require("dns", READ)
    return {_FIELD: disabled_group_ids(call.account)}


def update_settings(call: Call) -> Any:
    """``PUT /dns/settings``: without a list nothing is written, and the server takes that for a missing account."""
    wanted = call.body(_BODY)[_FIELD]
    call.require("dns", UPDATE)
    check_ids(call.account, wanted)
    if wanted is None:
        raise not_found(f"account not found: {call.account.id}")
    before = disabled_group_ids(call.account)
    call.account.save(KIND, {"id": call.account.id, _FIELD: wanted})
    _audit(call, "add", wanted, before)
    _audit(call, "delete", before, wanted)
    return {_FIELD: wanted}


def disabled_group_ids(account: Account) -> list[str]:
    """The groups without DNS management, as they were sent."""
    row = account.find(KIND, account.id)
    return row[_FIELD] if row else []


def _audit(call: Call, verb: str, ids: list[str], others: list[str]) -> None:
    """One event for each of ``ids`` that is not among ``others``, repeated ones repeatedly."""
    for group_id in ids:
        if group_id not in others:
            group = call.account.find("groups", group_id)
            assert group is not None, group_id
            code = f"dns.setting.disabled.management.group.{verb}"
            call.audit(code, call.account.id, group=group["name"], group_id=group_id)


def _holds_group(account: Account, group: Row) -> str | None:
    if group["id"] in disabled_group_ids(account):
        return f"disabled DNS management groups: {group['name']}"
    return None


AREA = Area(
    routes=(Route("GET", "/dns/settings", get_settings), Route("PUT", "/dns/settings", update_settings)),
    activities={
        "dns.setting.disabled.management.group.add": "Group added to disabled management DNS setting",
        "dns.setting.disabled.management.group.delete": "Group removed from disabled management DNS setting",
    },
    holds_group=_holds_group,
)
