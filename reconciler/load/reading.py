"""One reading of files, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reconciler.load.files import Identity, Unreadable, find, read_text
from reconciler.load.findings import Budget, Findings
from reconciler.load.interpolate import interpolate
from reconciler.load.merge import Layout, merge, overlay
from reconciler.load.tree import Map, Seq, Sources
from reconciler.load.yaml import load

MAX_CHARACTERS = 100_000_000
_REMOVE = "remove"


class Reading:
    """What the steps share, and what is read so far."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.sources = Sources()
        self.findings = Findings(self.sources)
        self.budget = Budget()
        self.characters = MAX_CHARACTERS
        self.files: tuple[Path, ...] = ()
        self.root = Map(0)
        self.removed: list[tuple[str, int]] = []

    def run(
        self, paths: Sequence[Path], overlays: Sequence[Path], variables: Mapping[str, str], environ: Mapping[str, str]
    ) -> None:
        """Do all steps."""
        seen: set[Identity] = set()
        over_files = self.find(overlays, seen)
        base_files = self.find(paths, seen)
        self.files = (*base_files, *over_files)
        base = self.load(base_files)
        over = self.load(over_files)
        self.refuse_remove(base)
        removed = self.take_removed(over)
        merged = overlay(merge(base, self.layout, self.findings), over, self.layout)
        merged.put(_REMOVE, removed, removed.at, removed.at)
        self.root = interpolate(merged, variables, environ, self.budget, self.findings)
        self.removed = self.addresses(self.root[_REMOVE])
        self.root.drop(_REMOVE)

    def find(self, paths: Sequence[Path], seen: set[Identity]) -> list[Path]:
        """Return the files that `paths` mean."""
        files, diagnostics = find(paths, seen=seen)
        self.findings.extend(diagnostics)
        if paths and not files and not diagnostics:
            where = ", ".join(map(str, paths))
            self.findings.error(
                "NBS007", f"no YAML files in {where}", "they end in .yaml or .yml; hidden ones are left out"
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
        self.characters -= len(text)
        if self.characters < 0:
            message = f"{path}: the files are larger than {MAX_CHARACTERS:,} characters together"
            self.findings.error("NBS004", message, "name fewer files")
            return None
        return load(text, self.sources.add(path), self.budget, self.findings)

    def refuse_remove(self, documents: Iterable[Map]) -> None:
        """Report `remove` in files that are no overlays, and drop it."""
        for document in documents:
            if _REMOVE in document:
                at = document.keys_at[_REMOVE]
                advice = "delete the object from the files, or write this into a file for --overlay"
                self.findings.error("NBS105", "`remove` stands outside of an overlay", advice, at)
                document.drop(_REMOVE)

    def take_removed(self, documents: Iterable[Map]) -> Seq:
        """Take `remove` out of overlays and return all that it lists."""
        removed = Seq(0)
        for document in documents:
            listed = document.get(_REMOVE)
            if isinstance(listed, Seq):
                removed.join(listed)
            elif listed is not None:
                self.findings.error(
                    "NBS105", "`remove` is not a list", "write `remove: [policy/old]`", document.values_at[_REMOVE]
                )
            document.drop(_REMOVE)
        return removed

    def addresses(self, removed: Seq) -> list[tuple[str, int]]:
        """Return the items of `remove` that are text."""
        for item, at in zip(removed, removed.items_at, strict=True):
            if not isinstance(item, str):
                self.findings.error(
                    "NBS105", "`remove` lists something that is no address", "write it like `policy/old`", at
                )
        return [(item, at) for item, at in zip(removed, removed.items_at, strict=True) if isinstance(item, str)]
