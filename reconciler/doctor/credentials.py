"""The token by itself: its kind and form, as far as they show without a server."""

from __future__ import annotations

import base64
import json
import string
import zlib
from datetime import UTC, datetime
from typing import Final

from reconciler.errors import Diagnostic, NotAuthorized

PREFIX: Final = "nbp_"
LENGTH: Final = 40
CHECKSUM: Final = 6
BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase


def inspect(token: str, scheme: str) -> str:
    """Say what kind of token this is; nothing of the token itself is in any message.

    Raises:
        NotAuthorized: It is no token, or has expired.
    """
    if token.startswith(PREFIX):
        _check_personal(token)
        return "a personal access token; length and checksum are right"
    if scheme == "Bearer":
        return _access_token(token)
    advice = "a personal access token begins with nbp_; an OAuth2 access token belongs into NB_ACCESS_TOKEN"
    raise NotAuthorized(Diagnostic("NBS842", "this is no personal access token", advice))


def ends(token: str) -> datetime | None:
    """When an access token ends, as it says itself; None if it does not, or is none."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (IndexError, ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
        return None


def _check_personal(token: str) -> None:
    """Refuse what the server would refuse (token: nbp_, 30 characters, and their CRC-32 in base 62 with six digits)."""
    advice = "copy the whole token again, or make a new one: Team > Service Users in the dashboard"
    if len(token) != LENGTH:
        message = f"the token has {len(token)} characters, and a personal access token has {LENGTH}"
        raise NotAuthorized(Diagnostic("NBS842", message, advice))
    secret = token[len(PREFIX) : -CHECKSUM]
    if not token.endswith(_checksum(secret)):
        raise NotAuthorized(Diagnostic("NBS842", "the token is mistyped: its checksum is wrong", advice))


def _checksum(secret: str) -> str:
    number, digits = zlib.crc32(secret.encode()), ""
    while number:
        number, digit = divmod(number, len(BASE62))
        digits = BASE62[digit] + digits
    return digits.rjust(CHECKSUM, "0")


def _access_token(token: str) -> str:
    until = ends(token)
    if until is None:
        return "an OAuth2 access token, which does not say when it ends"
    if until <= datetime.now(UTC):
        message = f"the access token expired on {until:%Y-%m-%d %H:%M} UTC"
        raise NotAuthorized(Diagnostic("NBS843", message, "sign in again, or use a service user's token in NB_PAT"))
    return f"an OAuth2 access token, good until {until:%Y-%m-%d %H:%M} UTC"
