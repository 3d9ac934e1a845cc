"""Files to one raw tree with positions: reading, merging, overlays, interpolation. It knows no kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic
from reconciler.load.files import Unreadable, find, read_text
from reconciler.load.interpolate import interpolate
from reconciler.load.merge import Layout, merge, overlay
from reconciler.load.tree import Findings, Map, Seq, Sources, locate
from reconciler.load.yaml import Budget, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Document", "Map", "Seq", "Sources", "locate", "read"]

MAX_TOTAL = 100_000_000


@dataclass
class Document:
    """All files as one tree.

    Attributes:
        root: merged and interpolated, without `vars` and `remove`; a scalar whose interpolation failed is there as written.
        sources: the way from marks back to places.
        removed: what overlays take out: addresses as written, with their marks.
        files: the files, in the order in which they were read; overlays last.
        diagnostics: everything that is wrong.
    """

    root: Map
    sources: Sources
    removed: list[tuple[str, int]]
    files: tuple[Path, ...]
    diagnostics: list[Diagnostic]


def read(  # noqa: PLR0913 - what a reading depends on
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
        variables: values that override `vars`.
        environ: what `${env:…}` reads.
        objects: paths of mappings whose children are objects, such as `("dns", "zones")`.
        singletons: paths of objects that are the only one of their kind, such as `("account",)`.
    """
    reading = _Reading()
    layout = Layout(objects, singletons)
    over_files = reading.find(overlays)
    base_files = reading.find(paths, leave_out=over_files)
    base = reading.load(base_files)
    over = reading.load(over_files)
    reading.refuse_remove(base)
    removed = reading.take_removed(over)
    root = overlay(merge(base, layout, reading.findings), over, layout)
    root = interpolate(
        root, variables=variables or {}, environ=environ, budget=reading.budget, findings=reading.findings
    )
    return Document(root, reading.sources, removed, (*base_files, *over_files), reading.findings.diagnostics)


class _Reading:
    """What the steps of one reading share."""

    def __init__(self) -> None:
        self.sources = Sources()
        self.findings = Findings(self.sources)
        self.budget = Budget()
        self.characters = MAX_TOTAL

    def find(self, paths: Sequence[Path], leave_out: Iterable[Path] = ()) -> list[Path]:
        """Return the files that `paths` mean."""
        files, diagnostics = find(paths, leave_out=leave_out)
        self.findings.extend(diagnostics)
        if paths and not files and not diagnostics:
            where = ", ".join(map(str, paths))
            self.findings.error(
                "NBS007", f"no YAML files in {where}", "Files end in .yaml or .yml; hidden ones are left out.", None
            )
        return files

    def load(self, files: Iterable[Path]) -> list[Map]:
        """Return the trees of those files that have one."""
        return [tree for tree in map(self.load_file, files) if tree is not None]

    def load_file(self, path: Path) -> Map | None:
        """Return the tree of one file."""
        try:
            text = read_text(path)
        except Unreadable as error:
            self.findings.extend([error.diagnostic])
            return None
        return load(text, self.sources.add(path), self.budget, self.findings)

    def refuse_remove(self, documents: Iterable[Map]) -> None:
        """Report `remove` in files that are no overlays, and drop it."""
        for document in documents:
            if "remove" in document:
                self.findings.error(
                    "NBS105",
                    "`remove` stands outside of an overlay",
                    "Delete the object itself.",
                    document.keys_at["remove"],
                )
                document.drop("remove")

    def take_removed(self, documents: Iterable[Map]) -> list[tuple[str, int]]:
        """Take `remove` out of overlays and return what it lists."""
        removed: list[tuple[str, int]] = []
        for document in documents:
            listed = document.get("remove")
            if isinstance(listed, Seq) and all(isinstance(item, str) for item in listed):
                removed += zip(listed, listed.items_at, strict=True)
            elif listed is not None:
                self.findings.error(
                    "NBS105",
                    "`remove` is not a list of addresses",
                    "Write `remove: [policy/old]`.",
                    document.values_at["remove"],
                )
            document.drop("remove")
        return removed
