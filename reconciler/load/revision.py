"""The files as they stood at a git revision, laid out in a temporary folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from reconciler.errors import DesiredStateError, Diagnostic, UsageError
from reconciler.load.files import MAX_ENTRIES, SUFFIXES, find
from reconciler.load.git import TOO_MUCH, Entry, Repository
from reconciler.load.interpolate import MAX_FILE_VALUE

OUTSIDE, UNUSABLE = "NBS013", "NBS014"
MAX_TOTAL: Final = 100_000_000
"""Bytes of all files that are laid out."""
_NAMED: Final = re.compile(rb"\$\{file:([^}]*)\}")
_NOWHERE: Final = "leads out of the repository"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What PATHs and overlays meant at a revision; those that were not there then are left out."""

    revision: str
    paths: tuple[Path, ...]
    overlays: tuple[Path, ...]
    temporary: str
    root: str

    def said(self, text: str) -> str:
        """A text about these files, with `REVISION:PATH`, as git says it, for the places where they lie."""
        return text.replace(f"{self.root}/", f"{self.revision}:").replace(self.temporary, "")


@contextmanager
def files_at(revision: str, paths: Sequence[Path], overlays: Sequence[Path] = ()) -> Iterator[Earlier]:
    """Lay out the files that `paths` and `overlays` meant at a revision of the repository in which the first path lies.

    The YAML files are there, and what `${file:…}` names in them. They lie as deep as the repository does, so that a path
    out of it leads nowhere, as symbolic links out of it do. Where nothing meant is a link, only the paths are laid out.

    Raises:
        UsageError: git, the repository or the revision is not there, a path lies outside of it, or it holds too much.
        DesiredStateError: the files cannot be laid out.
    """
    first = Path(os.path.abspath(paths[0]))  # noqa: PTH100 - git follows it, if it is a link
    repository = Repository(first if first.is_dir() else first.parent)
    meant = {path: _within(path, repository.root) for path in (*paths, *overlays)}
    entries = repository.files(repository.commit(revision))
    with TemporaryDirectory(prefix="nbsync-") as temporary:
        top = os.path.realpath(temporary)
        root = Path(top, *repository.root.parts[1:])
        try:
            _lay_out(repository, entries, list(meant.values()), root)
        except (OSError, ValueError) as error:
            message = f"the files at {revision} cannot be laid out: {getattr(error, 'strerror', None) or error}"
            raise DesiredStateError(Diagnostic(UNUSABLE, message, "leave --since out")) from error
        base, over = (tuple(_there(root / meant[path] for path in some)) for some in (paths, overlays))
        yield Earlier(revision, base, over, top, str(root))


def _within(path: Path, root: Path) -> str:
    """Path from the root. Where the last part is a link, the link is meant if it lies there, and else what it leads to."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow it
    for place in (Path(os.path.realpath(whole.parent), whole.name), Path(os.path.realpath(path))):
        if place.is_relative_to(root):
            return "" if place == root else place.relative_to(root).as_posix()
    message = f"{path} lies outside of the git repository {root}"
    raise UsageError(Diagnostic(OUTSIDE, message, "name files of one repository, or leave --since out"))


def _there(paths: Iterable[Path]) -> Iterator[Path]:
    """Paths that meant something at the revision: a file, or a folder with files, or something that is wrong."""
    for path in paths:
        if os.path.lexists(path) and any(find([path])):
            yield path


def _lay_out(repository: Repository, entries: list[Entry], roots: Sequence[str], root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    links = [entry for entry in entries if entry.is_link]
    files = [entry for entry in entries if not entry.is_link]
    leads_on = any(_inside(link.path, one) or _inside(one, link.path) for link in links for one in roots)
    yaml = [
        file
        for file in files
        if file.path in roots
        or (file.name.lower().endswith(SUFFIXES) and (leads_on or any(_inside(file.path, one) for one in roots)))
    ]
    _check_size([*yaml, *links])
    texts = repository.contents([*yaml, *links])
    targets = {link.path: texts.pop(link.path) for link in links}
    names = _named(texts, targets)
    others = [file for file in files if file.name in names and file.path not in texts and file.size <= MAX_FILE_VALUE]
    _check_size([*yaml, *others])
    for path, content in {**texts, **repository.contents(others)}.items():
        _write(root / path, content)
    _link(root, targets)


def _inside(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _check_size(entries: Sequence[Entry]) -> None:
    if len(entries) > MAX_ENTRIES or sum(entry.size for entry in entries) > MAX_TOTAL:
        message = f"more than {MAX_ENTRIES:,} files, or {MAX_TOTAL:,} bytes, would have to be read from git"
        raise UsageError(Diagnostic(TOO_MUCH, message, "name the folders that you mean, or leave --since out"))


def _named(texts: Mapping[str, bytes], targets: Mapping[str, bytes]) -> set[str]:
    """Last parts of the paths that `${file:…}` names, and of those to which links of that name lead."""
    found = {match[1] for text in texts.values() for match in _NAMED.finditer(text)}
    names = {os.fsdecode(name).rpartition("/")[2] for name in found}
    leads = {(path.rpartition("/")[2], os.fsdecode(target).rpartition("/")[2]) for path, target in targets.items()}
    while more := {there for here, there in leads if here in names} - names:
        names |= more
    return names


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)


def _link(root: Path, targets: Mapping[str, bytes]) -> None:
    """Make symbolic links, none of them through another one; then let those that lead out of the root lead nowhere."""
    for path, target in targets.items():
        place = root / path
        if os.path.realpath(place.parent) == str(place.parent):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(os.fsdecode(target))
    for path in targets:
        place = root / path
        if place.is_symlink() and not Path(os.path.realpath(place)).is_relative_to(root):
            place.unlink()
            place.symlink_to(_NOWHERE)
