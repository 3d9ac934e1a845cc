"""Identifiers and secrets in the server's own forms."""

import base64
import hashlib
import itertools
import secrets
import string
import uuid
import zlib

from .clock import SECOND, Nanoseconds

BASE32HEX = "0123456789abcdefghijklmnopqrstuv"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
PAT_PREFIX = "nbp_"
SECRET_LENGTH = 30
CHECKSUM_LENGTH = 6

_machine = secrets.token_bytes(5)
_counter = itertools.count(secrets.randbelow(1 << 22))


def xid(now: Nanoseconds) -> str:
    """Twenty characters ``[0-9a-v]``: seconds, machine, counter. Later ones sort after earlier ones."""
    raw = (now // SECOND).to_bytes(4, "big") + _machine + (next(_counter) & 0xFFFFFF).to_bytes(3, "big")
    number = int.from_bytes(raw, "big") << 4
    return "".join(BASE32HEX[(number >> shift) & 31] for shift in range(95, -1, -5))


def uuid4() -> str:
    """A random UUID: ids of service users and jobs; upper-cased, the secret of a setup key."""
    return str(uuid.uuid4())


def person_id(connector: str, subject: str | None = None) -> str:
    """The id of a person known to the embedded identity provider.

    Unpadded base64 of the protobuf message (1: subject, 2: connector); people of the ``local`` connector have a
    random UUID as their subject.
    """
    parts = [(b"\x0a", (subject or uuid4()).encode()), (b"\x12", connector.encode())]
    message = b"".join(tag + bytes([len(value)]) + value for tag, value in parts)
    return base64.urlsafe_b64encode(message).decode().rstrip("=")


def base62(number: int) -> str:
    """``number`` in base 62, digits before upper-case before lower-case letters."""
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = BASE62[digit] + text
    return text or "0"


def random_text(length: int, alphabet: str = BASE62) -> str:
    """``length`` random characters of ``alphabet``."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def new_secret(prefix: str) -> str:
    """A token: the prefix, 30 random characters, and their CRC-32 in base 62."""
    secret = random_text(SECRET_LENGTH)
    return prefix + secret + _checksum(secret)


def secret_flaw(prefix: str, token: str) -> str | None:
    """What is wrong with the form of ``token``, or None: length first, then prefix, then checksum."""
    if len(token) != len(prefix) + SECRET_LENGTH + CHECKSUM_LENGTH:
        return "invalid token length"
    if not token.startswith(prefix):
        return "invalid token prefix"
    secret = token[len(prefix) : -CHECKSUM_LENGTH]
    return None if token.endswith(_checksum(secret)) else "checksum does not match"


def hashed(token: str) -> str:
    """How the server stores a token: padded base64 of its SHA-256."""
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def _checksum(secret: str) -> str:
    return base62(zlib.crc32(secret.encode())).rjust(CHECKSUM_LENGTH, "0")
