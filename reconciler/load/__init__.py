"""Files to one raw tree with positions: reading, merging, overlays, interpolation. It knows no kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import Diagnostic
from reconciler.load.findings import TooManyErrors
from reconciler.load.merge import Layout
from reconciler.load.reading import Reading
from reconciler.load.tree import Map, Seq, Sources, locate

__all__ = ["Document", "Map", "Seq", "Sources", "locate", "read"]

UNREAD = frozenset(f"NBS00{digit}" for digit in range(1, 10))
"""Codes of what keeps files, or parts of them, from being read."""
NO_VALUE = frozenset({"NBS005", "NBS102", "NBS103", "NBS104"})
"""Codes of what leaves a place without the value that is meant: aliases, tags and interpolations."""


@dataclass
class Document:
    """All files as one tree.

    Attributes:
        root: merged and interpolated, without `vars` and `remove`; a scalar whose interpolation failed is there as written, and
            of a mapping with a duplicate key the first is. Empty where there are more errors than are shown.
        sources: the way from marks back to places.
        removed: what overlays take out: addresses, with their marks.
        files: the files that were found, overlays last.
        diagnostics: everything that is wrong.
    """

    root: Map
    sources: Sources
    removed: list[tuple[str, int]]
    files: tuple[Path, ...]
    diagnostics: list[Diagnostic]

    @property
    def is_whole(self) -> bool:
        """Every file could be read: what is missing here is missing there."""
        return not any(diagnostic.code in UNREAD for diagnostic in self.diagnostics)

    def without_consequences(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Leave out what was found about values of which nobody knows what they are: that is said already."""
        unknown = {diagnostic.place for diagnostic in self.diagnostics if diagnostic.code in NO_VALUE}
        return [diagnostic for diagnostic in found if diagnostic.place is None or diagnostic.place not in unknown]


def read(
    paths: Sequence[Path],
    *,
    overlays: Sequence[Path] = (),
    variables: Mapping[str, str] | None = None,
    environ: Mapping[str, str],
    objects: frozenset[tuple[str, ...]],
    singletons: frozenset[tuple[str, ...]],
) -> Document:
    """Return the files below `paths` as one document; nothing raises for what is wrong with them.

    Args:
        paths: files and folders.
        overlays: files and folders that are laid over the others, in order; a file that is both is an overlay.
        variables: values that override `vars`, typed like plain scalars.
        environ: what `${env:…}` reads.
        objects: paths of mappings whose children are objects, such as `("dns", "zones")`.
        singletons: paths of objects that are the only one of their kind, such as `("account",)`.
    """
    reading = Reading(Layout(objects, singletons))
    with suppress(TooManyErrors):
        reading.run(paths, overlays, variables or {}, environ)
    return Document(reading.root, reading.sources, reading.removed, reading.files, reading.findings.diagnostics)
