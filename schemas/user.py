"""Users: the people of the account, by e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import model_validator

from schemas._core.address import Address
from schemas._core.codec import decoded_values, encode_fields, lenient, plain
from schemas._core.effect import Around, Common, Effect, Use, moved, narrowest
from schemas._core.fields import JsonObject, Name, Resource, Trait, Wire, invalid
from schemas._core.group_names import AutoGroups
from schemas._core.kind import Account, Endpoint, Ids, Kind
from schemas._core.people import ADMINISTRATORS, ANSWER_ONLY, grants, is_service_user, lacks_caller, vetoes
from schemas._core.reading import CannotExpress
from schemas._core.shapes import Shape, where

Role = Literal["owner", "admin", "user", "auditor", "network_admin", "billing_admin"]


class User(Resource):
    """A person. Who has not signed in yet can be invited; else a missing person is a warning."""

    role: Annotated[Role, Trait.KEPT] | None = None
    """What the person may do; `owner` only of who is the owner already."""

    auto_groups: Annotated[AutoGroups, Trait.KEPT] | None = None
    """Groups to which the person's machines belong."""

    blocked: Annotated[bool, Wire("is_blocked"), Trait.KEPT] | None = None
    """Whether the person is locked out."""

    invite: Annotated[bool, Trait.CREATE_ONLY] = False
    """Whether to invite a person who is not in the account; it needs `name`."""

    name: Annotated[Name, Trait.CREATE_ONLY] | None = None
    """First and last name of an invited person."""

    RULES = (where("invite", value=True, then={"required": ["name"]}),)

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.invite and not self.name:
            raise invalid("an invited person needs a name", "add name: FIRST LAST beside invite: true")
        return self


def _write(users: Sequence[User], seen: Sequence[JsonObject]) -> JsonObject:
    """Who is not blocked is not said to be so, nor who waits for approval to be: both would undo a click in the dashboard."""
    blocked = users[0].blocked and not seen[0].get("pending_approval")
    said: JsonObject = plain(users[0].model_copy(update={"blocked": blocked or None, "name": None}))
    return said


def _email(value: str) -> str:
    local, at, domain = value.partition("@")
    if not (local and at and domain) or any(character.isspace() for character in value):
        raise invalid(f"'{value}' is not an e-mail address", "people are declared by their e-mail")
    return value


def _decode(model: type[User], seen: JsonObject, account: Account) -> User:
    return lenient(model, {"auto_groups": [], **decoded_values(model, seen, account)})


def _encode(desired: User, fields: frozenset[str], base: JsonObject, ids: Ids) -> JsonObject:
    if base:
        return encode_fields(desired, fields, base, ids)
    invited = {"role": "user", "auto_groups": [], "is_service_user": False, "name": desired.name}
    return encode_fields(desired, fields - {"invite", "name", "blocked"}, invited, ids)


def _settle(desired: User, live: User, seen: JsonObject, account: Account) -> User:
    if desired.role == "owner" and live.role != "owner":
        raise CannotExpress("nobody becomes owner by a file", "hand the account over in the dashboard")
    if desired.auto_groups is None:
        return desired
    by_login = [group for group in seen.get("auto_groups") or () if _by_login(group, account)]
    kept = [account.label("group", group) for group in by_login]
    return desired.model_copy(update={"auto_groups": tuple(sorted({*desired.auto_groups, *kept}))})


def _by_login(group: str, account: Account) -> bool:
    return bool((account.raw("group", group) or {}).get("issued", "api") != "api")


def _missing(desired: User) -> str:
    if desired.role == "owner":
        raise CannotExpress("nobody becomes owner by a file", "hand the account over in the dashboard")
    if desired.invite:
        return ""
    return "has not signed in yet; nothing is done until then (or invite: true with name)"


def _effect(before: User | None, after: User | None, around: Around) -> Effect:
    """Machines of a person are in the person's groups; those of who is blocked are shut out."""
    if before is None or after is None:
        return Effect.NARROWS if after is None else Effect.NEUTRAL
    gone, new, uses = _groups_between(before, after, around)
    groups = moved((uses[name] for name in gone), (uses[name] for name in new))
    if after.blocked in (None, before.blocked):
        return groups
    return Effect.NARROWS if after.blocked else Effect.WIDENS


def _groups_between(before: User, after: User, around: Around) -> tuple[set[str], set[str], dict[str, frozenset[Use]]]:
    old, new = set(before.auto_groups or ()), set(after.auto_groups or ())
    return old - new, new - old, {name: around.of(Address.of("group", name)) for name in old ^ new}


def _common(before: User, after: User, around: Around) -> Common | None:
    gone, new, uses = _groups_between(before, after, around)
    stays = set(before.auto_groups or ()) & set(after.auto_groups or ())
    groups = narrowest(gone, new, stays, uses)
    return None if groups is None else Common(before.model_copy(update={"auto_groups": groups}))


def _administers(seen: JsonObject, after: User | None) -> bool:
    role = (after and after.role) or seen.get("role")
    blocked = seen.get("is_blocked") if after is None or after.blocked is None else after.blocked
    return role in ADMINISTRATORS and not blocked


KIND = Kind(
    name="user",
    model=User,
    section=("users",),
    endpoint=Endpoint("/users", shows_one=False),
    always=frozenset({"auto_groups", "is_blocked", "role", "is_service_user"}),
    lacks=lacks_caller,
    module="users",
    name_field="email",
    check_name=_email,
    name_shape=Shape(pattern=r"[^@\s\x1c-\x1f\x85]+@[^\s\x1c-\x1f\x85]+", hint="people are declared by their e-mail"),
    name_form=str.lower,
    computed=ANSWER_ONLY,
    selects=lambda seen: not is_service_user(seen),
    server_owned=lambda seen, _account: bool(
        seen.get("role") == "owner" or seen.get("is_current") or seen.get("issued") == "integration"
    ),
    write=_write,
    decode=_decode,
    encode=_encode,
    settle=_settle,
    missing=_missing,
    vetoes=vetoes,
    grants=grants,
    effect=_effect,
    common=_common,
    reveals="password",
    deleted_only_by_name=True,
    administers=_administers,
    takes_along={"peer": "user_id"},
    stirs={"group": frozenset({"peers"})},
    waits_for=("token",),
)
