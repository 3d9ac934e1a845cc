"""Reads the account: a fixed number of list calls, whatever its size, and one per parent whose children have no list of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from typing import Any

from reconciler.api.client import ReadApi, path
from reconciler.api.problems import CallFailed, NotPermitted
from reconciler.errors import AccountError
from reconciler.load.desired import Declared, Desired, Ownership
from reconciler.load.tree import Sources
from reconciler.state.snapshot import Live, Snapshot
from reconciler.state.unreadable import odd_list
from schemas import AnyKind
from schemas._core.address import Address
from schemas._core.references import kinds_referred_to

NO_OBJECTS = "did not answer with NetBird's objects"
AGAIN = "run it again; if it stays so, the server, or what stands before it, does not answer truly"
VERSION_PATH = "/instance/version"
CLOUD = "https://api.netbird.io"

Parents = Callable[[Snapshot, AnyKind], tuple[list[str], list[str]]]
"""Ids of the live parents whose children of a kind are to be read one by one; and of those where that may fail."""


def observe(api: ReadApi, desired: Desired, *others: Desired) -> Snapshot:
    """Read all that a plan for this desired state has to know, and what plans for others have to know on top.

    Kinds that only the others declare may be unknown to the server: no change of the first plan is about them.

    Raises:
        AccountError: the server did not answer, refused, or answered something else than NetBird's objects.
    """
    asking = (desired, *others)

    def parents(snapshot: Snapshot, kind: AnyKind) -> tuple[list[str], list[str]]:
        declaring = chain.from_iterable(_parents_to_read(one, snapshot, kind) for one in asking)
        going = chain.from_iterable(_parents_that_may_go(one, snapshot, kind) for one in asking)
        return list(dict.fromkeys(declaring)), list(dict.fromkeys(going))

    names = {name for one in asking for name in _wanted(one)}
    wanted = {name: kind for name, kind in desired.registry.items() if name in names}
    return _read(api, wanted, desired.kinds, parents)


def look_further(api: ReadApi, desired: Desired, snapshot: Snapshot) -> bool:
    """Read on top what says for what objects are there: the order of the work depends on that, and the plan can do without.

    What cannot be read, or understood, is in `Snapshot.unread` then; what an older server does not have, nobody has.

    Returns:
        Whether there was something to read.

    Raises:
        AccountError: the server is not reached any more, or does not take the token.
    """
    missing = [kind for name, kind in _for_access(desired.registry).items() if name not in snapshot.objects]
    lists = [kind.endpoint.path for kind in missing]
    for kind, answer in zip(missing, api.get_many(lists, optional=lists, dispensable=lists), strict=True):
        if isinstance(answer, CallFailed) or (kind.parent and kind.parent not in snapshot.objects):
            snapshot.unread.add(kind.name)
            continue
        snapshot.objects[kind.name] = {}
        try:
            _add(snapshot, kind, answer)
            _require_not_empty(snapshot, kind)
        except AccountError:
            del snapshot.objects[kind.name]
            snapshot.unread.add(kind.name)
    return bool(missing)


def observe_all(api: ReadApi, kinds: Mapping[str, AnyKind], needed: Collection[str]) -> Snapshot:
    """Read all objects of some kinds, those inside every parent included.

    Args:
        api: the way to the server.
        kinds: what to read, with the kinds around.
        needed: those without which the reading makes no sense; the others may be unknown to an older server, and what stands
            inside parents may be closed to the caller: `Snapshot.unread` has their names then.

    Raises:
        AccountError: as `observe`.
    """

    def parents(snapshot: Snapshot, kind: AnyKind) -> tuple[list[str], list[str]]:
        return list(snapshot.of(kind.parent)), []

    return _read(api, kinds, needed, parents)


def observe_around(api: ReadApi, registry: Mapping[str, AnyKind], names: Collection[str]) -> Snapshot:
    """Read all objects of some kinds, and of those around them: what they refer to, what refers to them, what goes with them.

    Raises:
        AccountError: as `observe`.
    """
    ownership = dict.fromkeys(names, Ownership(full=True))
    desired = Desired(Sources(), registry, kinds=set(names), ownership=ownership)
    return observe_all(api, _wanted(desired), names)


def lists_of(desired: Desired) -> list[str]:
    """Paths of the lists that a plan for this desired state reads; what stands inside parents comes on top, one by one."""
    return sorted({kind.endpoint.path for kind in _wanted(desired).values() if _has_list(kind)})


def paths_of(kind: AnyKind, registry: Mapping[str, AnyKind], parent: str = "") -> list[str]:
    """Paths of the lists that show the objects of a kind; of one parent, where they have no list of their own."""
    endpoint = kind.endpoint
    if "{parent}" in endpoint.path:
        return [path(endpoint.path, parent=parent)]
    around = [registry[kind.parent].endpoint.path] if endpoint.members else []
    return [*filter(None, [endpoint.path]), *around]


def objects_of(
    kind: AnyKind, registry: Mapping[str, AnyKind], answers: Mapping[str, Any], parent: str = ""
) -> Mapping[str, Live]:
    """Objects of a kind by id, as the answers at `paths_of` show them.

    Raises:
        AccountError: an answer shows something else than NetBird's objects.
    """
    snapshot = Snapshot(objects={kind.parent: {}, kind.name: {}})
    if "{parent}" in kind.endpoint.path:
        where = path(kind.endpoint.path, parent=parent)
        return {seen["id"]: Live(kind, seen["id"], seen, parent) for seen in _objects(where, answers[where])}
    if kind.endpoint.members:
        _add(snapshot, registry[kind.parent], answers[registry[kind.parent].endpoint.path])
    if kind.endpoint.path:
        _add(snapshot, kind, answers[kind.endpoint.path])
    else:
        _add_embedded(snapshot, kind)
    return snapshot.of(kind.name)


def _read(api: ReadApi, wanted: Mapping[str, AnyKind], needed: Collection[str], parents: Parents) -> Snapshot:
    lists = {kind.endpoint.path for kind in wanted.values() if _has_list(kind)}
    newer = {kind.endpoint.path for name, kind in wanted.items() if kind.since and name not in needed}
    optional = newer & lists
    answers = dict(
        zip(
            order := sorted({*lists, VERSION_PATH}),
            api.get_many(order, optional={*optional, VERSION_PATH}),
            strict=True,
        )
    )
    snapshot = Snapshot(server_version=_version(answers[VERSION_PATH]), self_hosted=api.server != CLOUD)
    for kind in wanted.values():
        snapshot.objects[kind.name] = {}
        if _has_list(kind):
            answer = answers[kind.endpoint.path]
            if answer is not None or kind.endpoint.path not in optional:
                _add(snapshot, kind, answer)
        elif kind.endpoint.path:
            _add_from_each(api, snapshot, kind, *parents(snapshot, kind), optional=kind.name not in needed)
        else:
            _add_embedded(snapshot, kind)
    for kind in wanted.values():
        _require_not_empty(snapshot, kind)
    return snapshot


def _has_list(kind: AnyKind) -> bool:
    return bool(kind.endpoint.path) and "{parent}" not in kind.endpoint.path


def _wanted(desired: Desired) -> dict[str, AnyKind]:
    """Kinds to read: those that the files mention, what they refer to, and, where objects may be deleted, what refers to them."""
    registry = desired.registry
    names = set(desired.kinds)
    names |= {other for name in desired.kinds for other in kinds_referred_to(registry[name].model) if other in registry}
    deletable = {name for name in desired.kinds if desired.owns(name).full}
    deletable |= {other for name in deletable for other in registry[name].takes_along}
    deletable |= {kind.name for kind in registry.values() if kind.parent in deletable}
    names |= deletable
    names |= {kind.name for kind in registry.values() if _holds_on_to(kind, deletable, registry)}
    for name in list(names):
        names |= {other for other in kinds_referred_to(registry[name].model) if other in registry}
    names |= {registry[name].parent for name in list(names) if registry[name].parent}
    return {name: kind for name, kind in registry.items() if name in names}


def _for_access(registry: Mapping[str, AnyKind]) -> dict[str, AnyKind]:
    """Kinds that open or close something by means of others, and what there is around them."""
    names = {name for name, kind in registry.items() if kind.has_uses}
    names |= {other for name in names for other in kinds_referred_to(registry[name].model) if other in registry}
    names |= {registry[name].parent for name in names if registry[name].parent}
    return {name: kind for name, kind in registry.items() if name in names}


def _holds_on_to(kind: AnyKind, deletable: set[str], registry: Mapping[str, AnyKind]) -> bool:
    if "{parent}" in kind.endpoint.path:
        return False
    return bool(kinds_referred_to(kind.model) & deletable) or bool(kind.parent in deletable and kind.parent in registry)


def _parents_to_read(desired: Desired, snapshot: Snapshot, kind: AnyKind) -> list[str]:
    """Ids of the live parents that declare children of this kind."""
    declared = [one for one in desired.objects.values() if (kind.name, one.address) in desired.parts]
    return _meant(snapshot.of(kind.parent).values(), [one for one in declared if one.kind.name == kind.parent])


def _parents_that_may_go(desired: Desired, snapshot: Snapshot, kind: AnyKind) -> list[str]:
    """Ids of the live parents that nobody declares and that are not to stay: guards count what goes with them."""
    if not desired.owns(kind.parent).full:
        return []
    declared = [one for one in desired.objects.values() if one.kind.name == kind.parent]
    parents = snapshot.of(kind.parent).values()
    staying = set(_meant(parents, declared))
    return [
        live.id
        for live in parents
        if live.id not in staying and not desired.is_unmanaged(Address.of(live.kind.name, live.name))
    ]


def _meant(live: Iterable[Live], declared: list[Declared]) -> list[str]:
    """Ids of live objects that some of these could be: by id, name, or earlier name."""
    ids = {one.model.id for one in declared}
    names = {one.kind.name_form(name) for one in declared for name in (one.name, *one.model.previously)}
    return [one.id for one in live if one.id in ids or one.name in names]


def _add_from_each(
    api: ReadApi, snapshot: Snapshot, kind: AnyKind, parents: list[str], going: list[str], *, optional: bool
) -> None:
    """Enter the children of these parents, and of those that may go as far as they can be read."""
    asked = [*parents, *(parent for parent in going if parent not in parents)]
    paths = [path(kind.endpoint.path, parent=parent) for parent in asked]
    try:
        answers = api.get_many(paths, dispensable=paths[len(parents) :])
    except NotPermitted:
        if not optional:
            raise
        snapshot.unread.add(kind.name)
        return
    read = frozenset(
        parent for parent, answer in zip(asked, answers, strict=True) if not isinstance(answer, CallFailed)
    )
    snapshot.looked_into[kind.name] = read
    for parent, where, answer in zip(asked, paths, answers, strict=True):
        for seen in _objects(where, answer) if parent in read else ():
            _enter(snapshot, kind, where, seen, parent)


def _add(snapshot: Snapshot, kind: AnyKind, answer: Any) -> None:
    """Enter the objects of one kind, and those that come inside them."""
    endpoint = kind.endpoint
    if endpoint.singleton:
        seen = answer[0] if isinstance(answer, list) and answer else answer
        identifier = seen.get("id", kind.name) if isinstance(seen, dict) else None
        if not isinstance(identifier, str):
            raise odd_list(endpoint.path, NO_OBJECTS)
        _require_fields(kind, endpoint.path, seen)
        snapshot.objects[kind.name] = {identifier: Live(kind, identifier, seen)}
        return
    listed = _objects(endpoint.path, answer)
    if lacking := kind.lacks(listed):
        raise odd_list(endpoint.path, f"does not show {lacking}: the list cannot be whole", AGAIN)
    parents = _parents_by_member(snapshot, kind) if endpoint.members else {}
    for seen in listed:
        if kind.selects(seen):
            _enter(snapshot, kind, endpoint.path, seen, parents.get(seen["id"], ""))
    if endpoint.members:
        _require_agreement(snapshot, kind, parents)


def _add_embedded(snapshot: Snapshot, kind: AnyKind) -> None:
    """Enter the children that come inside their parents' answers."""
    for parent in snapshot.of(kind.parent).values():
        where = parent.kind.endpoint.path
        for seen in _objects(where, parent.seen.get(kind.endpoint.members)):
            _enter(snapshot, kind, where, seen, parent.id)


def _enter(snapshot: Snapshot, kind: AnyKind, where: str, seen: Any, parent: str) -> None:
    identifier = seen["id"]
    if identifier in snapshot.objects[kind.name]:
        raise odd_list(where, f"shows two objects with the id {identifier}")
    if kind.name_field and not isinstance(seen.get(kind.name_field), str):
        raise odd_list(where, f"shows the object {identifier} without a name ({kind.name_field})")
    _require_fields(kind, where, seen)
    snapshot.objects[kind.name][identifier] = Live(kind, identifier, seen, parent)


def _require_fields(kind: AnyKind, where: str, seen: Any) -> None:
    """An object in part is no basis: what it does not show an update would wipe out."""
    if missing := sorted(kind.always - seen.keys()):
        raise odd_list(where, f"shows the {kind.title} {seen.get('id', '')} without {', '.join(missing)}")


def _parents_by_member(snapshot: Snapshot, kind: AnyKind) -> dict[str, str]:
    parents: dict[str, str] = {}
    for live in snapshot.of(kind.parent).values():
        members = live.seen.get(kind.endpoint.members) or []
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise odd_list(live.kind.endpoint.path, f"shows {kind.endpoint.members} of {live.id} that are no ids")
        parents |= dict.fromkeys(members, live.id)
    return parents


def _require_agreement(snapshot: Snapshot, kind: AnyKind, parents: Mapping[str, str]) -> None:
    """Children that only one of two lists knows prove that the other is not whole; what is missing would be made anew."""
    listed, known = snapshot.of(kind.name).keys(), parents.keys()
    if listed == known:
        return
    missing = sorted(known - listed)
    lists = kind.endpoint.path, kind.endpoint.create_path.partition("/{parent}")[0]
    where, other = lists if missing else reversed(lists)
    which = (missing or sorted(listed - known))[0]
    raise odd_list(where, f"does not show the {kind.title} {which}, which GET /api{other} shows", AGAIN)


def _require_not_empty(snapshot: Snapshot, kind: AnyKind) -> None:
    """An empty list is none of an account whose other objects show something that would stand in it."""
    if snapshot.of(kind.name):
        return
    for other, shown in kind.shown_by.items():
        for live in snapshot.of(other).values():
            if live.seen.get(shown):
                flaw = f"does not show any {kind.title}, and GET /api{live.kind.endpoint.path} shows one in {live.name}"
                raise odd_list(kind.endpoint.path, flaw, AGAIN)


def _objects(where: str, answer: Any) -> list[Any]:
    """Elements of a list in an answer; NetBird writes null for some that are empty.

    Raises:
        AccountError: it is no list of objects with ids.
    """
    if answer is None:
        return []
    if not isinstance(answer, list) or not all(
        isinstance(seen, dict) and isinstance(seen.get("id"), str) for seen in answer
    ):
        raise odd_list(where, NO_OBJECTS)
    return answer


def _version(answer: Any) -> str | None:
    version = answer.get("management_current_version") if isinstance(answer, dict) else None
    return version if isinstance(version, str) else None
