"""Many trees to one: files add up, overlays change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.load.findings import Findings
from reconciler.load.tree import Map, Seq

Path = tuple[str, ...]

_LISTS = frozenset({("unmanaged",), ("guards", "protect")})


@dataclass(frozen=True)
class Layout:
    """Where objects stand: directly below the paths `objects`, and at the paths `singletons`."""

    objects: frozenset[Path]
    singletons: frozenset[Path]

    def is_object(self, path: Path) -> bool:
        """Tell whether what stands at `path` is declared in one piece."""
        return path[:-1] in self.objects or path in self.singletons or path[:-1] == ("vars",)

    def is_inside(self, path: Path) -> bool:
        """Tell whether `path` is a part of an object, or a variable."""
        return path[:-1] == ("vars",) or any(self.is_object(path[:length]) for length in range(1, len(path)))


def merge(documents: Sequence[Map], layout: Layout, findings: Findings) -> Map:
    """Return one tree of all `documents`: mappings merge by key, an object is declared once.

    Objects are taken over as they are; the mappings around them are new.
    """
    merged = Map(next((document.at for document in documents), 0))
    for document in documents:
        _add(merged, document, (), layout, findings)
    return merged


def overlay(base: Map, overlays: Iterable[Map], layout: Layout) -> Map:
    """Return `base` with `overlays` laid over it, in order: mappings merge by key, lists and scalars replace.

    Null over a mapping says nothing (`groups:` with all its lines commented out), except inside an object, where it replaces.
    """
    for over in overlays:
        base = _lay(base, over, (), layout)
    return base


def _add(target: Map, source: Map, path: Path, layout: Layout, findings: Findings) -> None:
    for key, value in source.items():
        here = (*path, key)
        whole = layout.is_object(here)
        if key not in target or (target[key] is None and not whole):
            target.take(key, source)
            if not whole:
                target[key] = _own(value, here, layout, findings)
        elif whole or not _join(target[key], value, here, layout, findings):
            _twice(target, source, here, findings)


def _own(value: Any, path: Path, layout: Layout, findings: Findings) -> Any:
    """Return a copy of what later files add to."""
    if isinstance(value, Map):
        copy = Map(value.at)
        _add(copy, value, path, layout, findings)
        return copy
    if isinstance(value, Seq) and path in _LISTS:
        return value.copy()
    return value


def _join(old: Any, new: Any, path: Path, layout: Layout, findings: Findings) -> bool:
    """Add `new` to `old` in place; False where both cannot be."""
    if isinstance(old, Map) and isinstance(new, Map):
        _add(old, new, path, layout, findings)
    elif isinstance(old, Seq) and isinstance(new, Seq) and path in _LISTS:
        old.join(new)
    else:
        return new is None or (path == ("version",) and type(old) is type(new) and bool(old == new))
    return True


def _twice(target: Map, source: Map, path: Path, findings: Findings) -> None:
    first = findings.sources.place(target.keys_at[path[-1]])
    message = f"{'.'.join(path)} is declared twice, first at {first}"
    findings.error(
        "NBS101",
        message,
        "keep one of the two; to change it for one environment, use --overlay",
        source.keys_at[path[-1]],
    )


def _lay(base: Map, over: Map, path: Path, layout: Layout) -> Map:
    result = base.copy()
    for key, value in over.items():
        here = (*path, key)
        below = result.get(key)
        if isinstance(below, Map) and isinstance(value, Map):
            result[key] = _lay(below, value, here, layout)
        elif not isinstance(below, Map) or value is not None or layout.is_inside(here):
            result.take(key, over)
    return result
