"""Lists of group ids, as routes, nameserver groups and DNS settings check them."""

from collections.abc import Sequence

from .errors import invalid
from .world import Account


def check_ids(account: Account, group_ids: Sequence[str] | None) -> None:
    """Refuse, at the first of them, an id that is empty or that no group of the account has."""
    for group_id in group_ids or ():
        if not group_id:
            raise invalid("group ID should not be empty string")
        if account.find("groups", group_id) is None:
            raise invalid(f"group id {group_id} not found")


def check_filled(account: Account, group_ids: Sequence[str] | None) -> None:
    """The same for a list that must name at least one group."""
    if not group_ids:
        raise invalid("the list of group IDs should not be empty")
    check_ids(account, group_ids)
