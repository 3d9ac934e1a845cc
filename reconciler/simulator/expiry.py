"""Logins that run out: of peers that people have added."""

from .clock import SECOND
from .store import Row
from .world import Account


def has_expired(account: Account, peer: Row) -> bool:
    """Whether a peer's login counts as expired: marked so, too old, or the peer too long away.

    Peers that joined with a setup key never expire.
    """
    if not peer["user_id"]:
        return False
    return bool(peer["login_expired"]) or _is_old(account, peer) or _is_away(account, peer)


def _is_old(account: Account, peer: Row) -> bool:
    settings = account.settings
    if not (settings["peer_login_expiration_enabled"] and peer["login_expiration_enabled"]):
        return False
    return bool(peer["last_login"] + settings["peer_login_expiration"] * SECOND <= account.world.now())


def _is_away(account: Account, peer: Row) -> bool:
    settings = account.settings
    if not (settings["peer_inactivity_expiration_enabled"] and peer["inactivity_expiration_enabled"]):
        return False
    active = max(peer["last_seen"], peer["last_login"])
    gone = active + settings["peer_inactivity_expiration"] * SECOND <= account.world.now()
    return bool(gone and not peer["connected"])
