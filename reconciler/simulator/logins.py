"""People who log in at an identity provider and come with its token."""

from .store import Row
from .world import World


def user_of(world: World, token: str) -> Row | None:
    """The user that a login's token stands for; None if no login gave it or it has expired."""
    session = world.store.table("sessions").get(token)
    if session is None or session["expires"] < world.now():
        return None
    return world.store.table("users").get(session["user_id"])
