"""Tokens: the secrets with which service users call the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator

from schemas._core.address import Address
from schemas._core.fields import Duration, JsonObject, Resource, Trait, Wire, invalid, lasts_longer, seconds
from schemas._core.kind import Account, Endpoint, Kind, Veto
from schemas._core.reading import WrongType
from schemas._core.shapes import DURATION, Shape

DAY = 86400
MOST_DAYS = 365
IN_USE = timedelta(minutes=1)


def _days(value: str) -> str:
    days, rest = divmod(seconds(value), DAY)
    if rest or not 1 <= days <= MOST_DAYS:
        raise invalid(f"'{value}' is not a lifetime of a token", "a token lives for whole days, 1d to 365d")
    return value


_LIFETIME = Shape(
    "token_lifetime",
    rf"0*(?:36[0-5]|3[0-5][0-9]|[12][0-9]{{2}}|[1-9][0-9]?)d|(?=.*[hms]){DURATION}",
    "a token lives for whole days, 1d to 365d",
    ("90d", "365d"),
)


class Token(Resource):
    """A personal access token: made and deleted, never changed."""

    expires_in: Annotated[
        Duration,
        AfterValidator(_days),
        Trait.CREATE_ONLY,
        Wire(to=lambda text: seconds(text) // DAY, of=str),
        _LIFETIME,
    ]
    """How long it lives: whole days, `1d` to `365d`."""


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _lifetime(seen: JsonObject) -> str:
    days = round((_instant(seen["expiration_date"]) - _instant(seen["created_at"])) / timedelta(days=1))
    if days < 1:
        raise WrongType("it ends before it was made")
    return f"{days}d"


def _write(_tokens: Sequence[Token], seen: Sequence[JsonObject]) -> JsonObject:
    return {"expires_in": _lifetime(seen[0])}


def _used_last(tokens: Sequence[JsonObject]) -> list[JsonObject]:
    """Every request is noted at its token, so the one in use is among the caller's that were used last."""
    used = [token for token in tokens if token.get("last_used")]
    latest = max((_instant(token["last_used"]) for token in used), default=datetime.min.replace(tzinfo=UTC))
    return [token for token in used if latest - _instant(token["last_used"]) < IN_USE]


def _in_use(seen: JsonObject, account: Account) -> bool:
    owner = account.parent("token", seen["id"])
    if not (account.raw("service_user", owner) or {}).get("is_current"):
        return False
    return any(token["id"] == seen["id"] for token in _used_last(account.children("token", owner)))


def _vetoes(seen: JsonObject, after: Token | None, _changed: frozenset[str], account: Account) -> list[Veto]:
    if after is None and _in_use(seen, account):
        return [Veto("this token is in use: nbsync works with it", "declare it, or run nbsync with another token")]
    return []


def _remarks(
    _desired: Token, parts: tuple[str, ...], seen: JsonObject | None, _account: Account
) -> list[tuple[str, str]]:
    if seen and _instant(seen["expiration_date"]) < datetime.now(UTC):
        return [("this token has expired", f"renew it: nbsync rotate {Address.of('token', *parts).quoted}")]
    return []


KIND = Kind(
    name="token",
    model=Token,
    parent="service_user",
    section=("tokens",),
    write=_write,
    endpoint=Endpoint("/users/{parent}/tokens", updates=False),
    always=frozenset({"created_at", "expiration_date"}),
    # Tokens of others are made only by who may write users.
    module="users",
    module_of_own="pats",
    credential=_used_last,
    computed=frozenset({"id", "created_at", "created_by", "expiration_date", "last_used"}),
    server_owned=_in_use,
    vetoes=_vetoes,
    remarks=_remarks,
    renewable=True,
    reveals="plain_token",
    revealed_in="personal_access_token",
    expires="expiration_date",
    lifetime=_lifetime,
    grants=lambda one, other: lasts_longer(one.expires_in, other.expires_in),
)
