"""Descriptors: all that nbsync has to know of one kind of NetBird object.

A file in `schemas/` holds a model (what may be desired) and a `KIND` (where it lives in the files and in the API, and where
it departs from the ordinary). Loading, planning, applying and rendering are driven by these descriptors alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from schemas._core.address import Address
from schemas._core.codec import decode_fields, encode_fields, plain, request_body
from schemas._core.conflicts import Conflict, Files
from schemas._core.effect import Around, Common, Effect, Use
from schemas._core.fields import JsonObject, Resource
from schemas._core.reading import READERS, guarded
from schemas._core.shapes import Shape

M = TypeVar("M", bound=Resource)


class Ids(Protocol):
    """What encoding may look up: objects that are live, or were made earlier in this very run."""

    def __call__(self, kind: str, key: str) -> str:
        """Id of the object with this key."""

    def raw(self, kind: str, key: str) -> JsonObject:
        """Give the object with this key as the server showed it."""


class Account(Protocol):
    """What a kind may look up about the live account around one of its objects."""

    self_hosted: bool
    """The server is not NetBird Cloud."""

    def label(self, kind: str, identifier: str) -> str:
        """Key by which the files would name this object; tells a dangling id or a shared name apart."""

    def raw(self, kind: str, identifier: str) -> JsonObject | None:
        """Give the object as the server showed it, if there is one."""

    def parent(self, kind: str, identifier: str) -> str:
        """Id of the object in which this one stands; empty if there is none."""

    def children(self, kind: str, parent: str) -> Sequence[JsonObject]:
        """All objects of `kind` below one parent, as the server showed them."""


class Layout(Enum):
    """How the objects of a kind stand in the files, below their section."""

    NAMED = "named"
    """A mapping: name to object."""

    LISTED = "listed"
    """A list of objects without names."""

    NAMED_LISTS = "named_lists"
    """A mapping: name to one object or to a list of them."""

    SINGLE = "single"
    """The section is the object."""

    FIELD = "field"
    """The section is the only field of the object."""


class Unique(Enum):
    """Where the server refuses a second object of one name."""

    NO = "no"
    ON_CREATE = "on_create"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a kind lives in the API, relative to `/api`.

    Attributes:
        path: what is read. With `{parent}` in it, it is read once per parent. Empty: the objects come inside their parent's.
        members: field of the parent's answer that holds the ids (or, with an empty path, the objects) of its children.
        collection: where new objects are posted, if that is not `path`.
        singleton: there is exactly one object; `path` shows it, or a list of one.
        item: template of the path of one object, if that is not where new ones are posted and `/{id}`.
        creates, updates, deletes: the API has POST, PUT, DELETE for them.
        shows_one: the API has GET for one of them.
    """

    path: str
    members: str = ""
    collection: str = ""
    singleton: bool = False
    item: str = ""
    creates: bool = True
    updates: bool = True
    deletes: bool = True
    shows_one: bool = True

    @property
    def create_path(self) -> str:
        """Template of the path of POST."""
        return self.collection or self.path

    @property
    def item_path(self) -> str:
        """Template of the path of PUT and DELETE."""
        return self.item or self.create_path + "/{id}"


@dataclass(frozen=True, slots=True)
class Veto:
    """A reason not to do something to an object; `allow` is the word after `--allow` that lifts it, if one does."""

    message: str
    advice: str
    allow: str = ""


def _never(_seen: JsonObject, _account: Account) -> bool:
    return False


def _nothing(*_: Any) -> tuple[Any, ...]:
    return ()


def _unchanged(desired: M, _live: M, _seen: JsonObject, _account: Account) -> M:
    return desired


def _complete(desired: M, _parts: tuple[str, ...]) -> M:
    return desired


def _without(_desired: M, _absent: frozenset[str]) -> M | None:
    return None


def _plainly(models: Sequence[M], _seen: Sequence[JsonObject]) -> JsonObject:
    said: JsonObject = plain(models[0])
    return said


def _neutral(_before: Any, _after: Any, _around: Around) -> Effect:
    return Effect.NEUTRAL


def _no_common(_before: M, _after: M, _around: Around) -> Common | None:
    return None


def _no_off(_model: M) -> M | None:
    return None


def _alone(_after: M, _around: Around) -> Hashable:
    return None


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[M]):
    """One kind of NetBird object, as data with a few functions where data is not enough.

    Attributes:
        name: as in addresses, `network_resource`.
        model: what one object looks like.
        endpoint: where its objects are in the API.
        module: what the server calls the area whose permissions writing needs; empty if that is not known.
        module_of_own: likewise for objects that stand in the caller itself, where that is another area.
        since: the first release of the server that answers for this kind, `0.63.0`; empty if every one does.
        fields_since: likewise for fields that older servers take and drop; in their words of the model.
        credential: of one caller's objects of this kind, as the server shows them, those with which the caller may be asking
            right now; nothing for kinds with which nobody can ask.
        section: where its objects stand: from the root of the document, or inside the parent's object.
        parent: the kind in whose objects these stand.
        layout: how they stand there.
        written_as: the model of what the file says, where that is not `model` itself.
        expand: the objects that one such mapping stands for, given its key and the parts of the parent's key.
        write: the mapping of a file that stands for live objects (one, or all that `expand` would make of it), as decoded and as
            the server showed them, its keys in the order of a careful person, with what is used at creation only as far as it
            can be known. Defaults may be in it.
        decided_at_creation: fields of the API that a new object has as the server decides, whatever is asked for.
        starts_shut: the request that makes an object, changed so that it opens nothing, where that is meant and the server puts
            every new one to use; given the desired object, the request and the id of the parent.
        is_begun: whether a live object, in a parent with this id, was so made and has not got the rest.
        initial: kept fields that a new object has by itself, in the files' words, given the object as the server shows it.
        complete: fills in what depends on the parts of the key.
        name_field: where the API has the name; empty if objects have none.
        check_name: refuses a name that the server would refuse; raises like a validator.
        name_shape: what JSON Schema says of names, as `check_name` does.
        name_form: the form in which names are compared.
        named: lays a name over the body of a request.
        suffix: parts of the key that are not a name, already encoded, given the parts of the parent's key.
        computed: fields of the answer that the server makes; they are not sent back.
        always: fields that every answer has, on whatever server; what an update would wipe out, and what decides about an object.
        lacks: what a list of the server always has and this one has not, or nothing.
        selects: whether an element of the list is of this kind, where two kinds share a list.
        server_owned: objects that the server or somebody else keeps: never pruned, never counted.
        undeclarable: why an object may not be declared, or nothing.
        reserved: names that no file may declare, with the reason.
        decode: the object that an answer shows, in the files' words. Raises `CannotExpress`.
        encode: the body of a request: a base (the observed object, or nothing) with the given fields laid over it.
        request: the observed object in the form of a request.
        settle: the desired object in view of the live one, where the two together decide what is wanted.
        without: the object without the things that have not arrived yet; nothing, if it cannot be without them.
        arrives: objects come by themselves, not through nbsync: one that is not there yet is a warning.
        missing: why an object that is not live cannot be made now (a warning), or nothing.
        remarks: warnings (message, help) about a declared object, given the parts of its key and what is live (or None).
        conflicts: what is odd about the declared objects of this kind together, as far as the files prove it.
        vetoes: why the plan may not turn this live object into that one (None: delete it).
        effect: what a change does to access.
        grants: whether the second of two states of an object lets somebody do more than the first, besides reaching machines.
        uses: what an object makes of those that it refers to, as far as access goes.
        off: an object that is there and gives nothing yet, or nothing any more; nothing where there is no such thing.
        shut: an object that opens nothing by means of some others; None: this kind cannot say so.
        common: an object narrowed to what it gives before and after a change; nothing where that cannot be said.
        apart: where changes of two objects give the same answer, no connection depends on both of them; nothing: on this and
            any other one.
        unique: where the server wants names to be unique.
        claims: what only one object of the account can have, given the parts of its key; each as `the domain x.example`.
        holds: what an object occupies besides its name, given the parts of its key.
        excludes: what must not be occupied by another object when this one comes.
        renames: the server can change the name.
        moves: the server can move an object to another parent; its name is unique in the account.
        volatile: others write to it all the time, so it is read again just before an update.
        reveals: field of the answer to a create that holds a secret, shown once.
        renewable: the secret can be renewed by making the object anew.
        revealed_in: field of the answer that holds the object itself, where it is not the answer.
        expires: field of the object that says when the secret ends.
        lifetime: how long the object was to last when it was made (`expires_in`), as the server shows it.
        deleted_only_by_name: `manage.default` does not reach this kind.
        administers: whether an object stands for a person who can administer the account.
        successor_first: a new object of one parent (or name) is made before an old one goes, so that there is always one.
        takes_along: kinds of objects that the server deletes with one of this kind: the field that names it, by kind.
        shown_by: kinds whose objects show some of this one, and the field that does, by kind: then this list cannot be empty.
        waits_for: kinds that come before this one although it refers to none of them.
        writes_together: what may be done to several objects at the same time (`create`, `update`, `delete`): the server writes to
            each of them alone, and what it decides by is not written meanwhile.
        stirs: fields of the API that a write of this kind changes in objects of others, by kind.
        echoes: fields of the API beyond the model that an update has to send as they are: what it leaves out is lost.
    """

    name: str
    model: type[M]
    endpoint: Endpoint
    section: tuple[str, ...]
    module: str = ""
    module_of_own: str = ""
    since: str = ""
    fields_since: Mapping[str, str] = field(default_factory=dict)
    credential: Callable[[Sequence[JsonObject]], Sequence[JsonObject]] | None = None
    parent: str = ""
    layout: Layout = Layout.NAMED
    written_as: type[BaseModel] | None = None
    expand: Callable[[Any, str, tuple[str, ...]], Iterable[M]] | None = None
    write: Callable[[Sequence[M], Sequence[JsonObject]], JsonObject] = _plainly
    decided_at_creation: frozenset[str] = frozenset()
    starts_shut: Callable[[M, JsonObject, str], JsonObject] = lambda _desired, request, _parent: request
    is_begun: Callable[[JsonObject, str], bool] = lambda _seen, _parent: False
    initial: Callable[[JsonObject], JsonObject] = lambda _seen: {}
    complete: Callable[[M, tuple[str, ...]], M] = _complete
    name_field: str = "name"
    suffix: Callable[[M, tuple[str, ...]], tuple[str, ...]] | None = None
    check_name: Callable[[str], str] = str
    name_shape: Shape = field(default_factory=Shape)
    name_form: Callable[[str], str] = str
    named: Callable[[JsonObject, str], JsonObject] | None = None
    computed: frozenset[str] = frozenset({"id"})
    always: frozenset[str] = frozenset()
    lacks: Callable[[Sequence[JsonObject]], str] = lambda _listed: ""
    selects: Callable[[JsonObject], bool] = lambda _seen: True
    server_owned: Callable[[JsonObject, Account], bool] = _never
    undeclarable: Callable[[JsonObject], str] = lambda _seen: ""
    reserved: Mapping[str, str] = field(default_factory=dict)
    decode: Callable[[type[M], JsonObject, Account], M] = decode_fields
    encode: Callable[[M, frozenset[str], JsonObject, Ids], JsonObject] = encode_fields
    request: Callable[[type[M], JsonObject, frozenset[str], Account], JsonObject] = request_body
    settle: Callable[[M, M, JsonObject, Account], M] = _unchanged
    without: Callable[[M, frozenset[str]], M | None] = _without
    arrives: bool = False
    missing: Callable[[M], str] = lambda _desired: ""
    remarks: Callable[[M, tuple[str, ...], JsonObject | None, Account], Sequence[tuple[str, str]]] = _nothing
    conflicts: Callable[[Files], Iterable[Conflict]] = _nothing
    vetoes: Callable[[JsonObject, M | None, frozenset[str], Account], Sequence[Veto]] = _nothing
    effect: Callable[[M | None, M | None, Around], Effect] = _neutral
    grants: Callable[[M, M], bool] = lambda _one, _other: False
    uses: Callable[[M], Iterable[tuple[Address, Use]]] = _nothing
    off: Callable[[M], M | None] = _no_off
    shut: Callable[[M, Collection[Address]], M] | None = None
    common: Callable[[M, M, Around], Common | None] = _no_common
    apart: Callable[[M, Around], Hashable] = _alone
    unique: Unique = Unique.NO
    claims: Callable[[tuple[str, ...], M], Iterable[str]] = _nothing
    holds: Callable[[tuple[str, ...], M], Iterable[str]] = _nothing
    excludes: Callable[[tuple[str, ...], M], Iterable[str]] = _nothing
    renames: bool = False
    moves: bool = False
    volatile: bool = False
    reveals: str = ""
    renewable: bool = False
    revealed_in: str = ""
    expires: str = ""
    lifetime: Callable[[JsonObject], str] | None = None
    deleted_only_by_name: bool = False
    administers: Callable[[JsonObject, M | None], bool] | None = None
    successor_first: bool = False
    takes_along: Mapping[str, str] = field(default_factory=dict)
    shown_by: Mapping[str, str] = field(default_factory=dict)
    waits_for: tuple[str, ...] = ()
    writes_together: frozenset[str] = frozenset()
    stirs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    echoes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, at in READERS.items():
            function = getattr(self, name)
            if function is not None:
                object.__setattr__(self, name, guarded(self.name, self.endpoint.path, function, at))

    @property
    def has_uses(self) -> bool:
        """Its objects open or close something by means of others."""
        return self.uses is not _nothing

    def shown_in(self, answer: Any) -> Any:
        """The object that the answer to a create shows."""
        return answer.get(self.revealed_in) if self.revealed_in and isinstance(answer, dict) else answer

    def secret_in(self, answer: Any) -> str:
        """The secret that the answer to a create shows; empty if it has none."""
        secret = answer.get(self.reveals) if self.reveals and isinstance(answer, dict) else None
        return secret if isinstance(secret, str) else ""

    def end_of(self, seen: JsonObject) -> str | None:
        """When the secret of an object ends, as the API writes it; None for never, which NetBird writes as the year 1."""
        end = seen.get(self.expires) if self.expires else None
        return end if isinstance(end, str) and not end.startswith("0001-") else None

    @property
    def title(self) -> str:
        """What to call one object of this kind: `network resource`."""
        return self.name.replace("_", " ")
