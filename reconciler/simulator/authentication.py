"""The Authorization header: who asks, or why nobody does.

A PAT is checked in this order: rate limit, form, known (404 if not), not expired, then marked as used.
"""

from .areas import logins
from .call import Call
from .errors import Refusal, not_found, prefixed
from .ids import PAT_PREFIX, hashed, secret_flaw
from .queries import positive
from .store import Row
from .world import World

INVALID = Refusal(401, "token invalid")
DEFAULT_PER_MINUTE = 6
DEFAULT_BURST = 500
PARTS = 2


def authenticate(call: Call) -> None:
    """Fill in the call's user and account.

    Raises:
        Refusal: 401, 404 (a well-formed token that the server does not know) or 429.
    """
    user = _user(call)
    call.user = user
    call.account = call.world.account(user["account_id"])


def _user(call: Call) -> Row:
    header = call.request.headers.get("Authorization", "").strip(" \t")
    parts = header.split(" ")
    scheme = parts[0].lower()
    if scheme not in {"token", "bearer"}:
        raise Refusal(401, "no valid authentication provided")
    if len(parts) != PARTS:
        raise INVALID
    if scheme == "bearer" and not parts[1].startswith(PAT_PREFIX):
        return _person(call.world, parts[1])
    return _holder(call, parts[1])


def _person(world: World, token: str) -> Row:
    try:
        user = logins.user_of(world, token)
    except Refusal:
        user = None
    if user is None:
        raise INVALID
    return user


def _holder(call: Call, secret: str) -> Row:
    """The user whose PAT this is."""
    world = call.world
    if _is_limited(call, secret):
        raise Refusal(429, "too many requests")
    if secret_flaw(PAT_PREFIX, secret):
        raise INVALID
    digest = hashed(secret)
    tokens = world.store.table("tokens")
    token = next(iter(tokens.where("hash", digest)), None)
    with prefixed("invalid token: "):
        if token is None:
            raise not_found(f"pat: {digest} not found")
        user = world.store.table("users").get(token["user_id"])
        if user is None:
            raise not_found(f"pat: {token['id']} not found")
    if token["expiration_date"] < world.now():
        raise INVALID
    tokens.put({**token, "last_used": world.now()})
    return user


def _is_limited(call: Call, secret: str) -> bool:
    environment = call.world.environment
    if environment.get("NB_API_RATE_LIMITING_ENABLED") != "true":
        return False
    if "terraform" in call.request.headers.get("User-Agent", "").lower():
        return False
    per_minute = positive(environment.get("NB_API_RATE_LIMITING_RPM", "")) or DEFAULT_PER_MINUTE
    burst = positive(environment.get("NB_API_RATE_LIMITING_BURST", "")) or DEFAULT_BURST
    return not call.world.buckets("api", per_minute, burst).take(secret)
