"""Rows of users, and the passwords of people."""

import hashlib
import string
import unicodedata

from reconciler.simulator.errors import PlainError
from reconciler.simulator.ids import person_id, random_text, uuid4
from reconciler.simulator.store import Row
from reconciler.simulator.text import folded
from reconciler.simulator.world import World

LOCAL = "local"
"""The embedded identity provider's own connector: people with a password."""

PASSWORD_LENGTH = 13
SPECIAL = "!@#$%^&*"
SHORTEST, LONGEST = 8, 72
"""Bytes of a password; a longer one cannot be hashed."""


def user_row(world: World, fields: Row) -> Row:
    """A user with these fields over those of one that nobody has said anything about."""
    blank: Row = {
        "email": "",
        "role": "user",
        "auto_groups": [],
        "is_service_user": False,
        "service_user_name": "",
        "is_blocked": False,
        "pending_approval": False,
        "issued": "api",
        "last_login": None,
        "created_at": world.now(),
        "idp_id": "",
    }
    return {**blank, **fields}


def new_person(world: World, email: str, name: str, password: str) -> Row:
    """The row, not yet saved, of a person who logs in with a password of the embedded identity provider."""
    fields = {"id": person_id(LOCAL), "name": name, "email": email, "idp_id": LOCAL}
    return user_row(world, {**fields, **password_fields(password)})


def require_new_person(world: World, email: str, password: str) -> None:
    """Refuse (500) whom the embedded provider knows, in any account, and a password that is too long to be hashed."""
    known = world.store.table("users").where("mail", folded(email))
    if len(password.encode()) > LONGEST or any("salt" in person for person in known):
        raise PlainError


def password_fields(password: str) -> Row:
    """What is stored of a password."""
    salt = uuid4()
    return {"salt": salt, "password": _digest(salt, password)}


def has_password(user: Row, password: str) -> bool:
    """Whether it is the user's password."""
    return "salt" in user and user["password"] == _digest(user["salt"], password)


def random_password() -> str:
    """A password for an invited person, with one character of each sort that is asked for."""
    return random_text(PASSWORD_LENGTH) + random_text(1, string.digits) + random_text(1, SPECIAL) + "A"


def password_flaw(password: str) -> str | None:
    """What the server finds wrong with a chosen password, or None."""
    if len(password.encode()) < SHORTEST:
        return "password must be at least 8 characters long"
    kinds = {unicodedata.category(character) for character in password}
    sorts = {
        "one digit": "Nd" in kinds,
        "one uppercase letter": "Lu" in kinds,
        "one special character": any(kind[0] != "L" and kind != "Nd" for kind in kinds),
    }
    missing = [sort for sort, found in sorts.items() if not found]
    return f"password must contain at least {', '.join(missing)}" if missing else None


def _digest(salt: str, password: str) -> str:
    return hashlib.sha256((salt + password).encode()).hexdigest()
