"""Files and folders: which files a command line means, and their text. Every surprise is a diagnostic; nothing blocks."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from reconciler.errors import Diagnostic, Place, reason

SUFFIXES = (".yaml", ".yml")
MAX_BYTES = 20_000_000
MAX_ENTRIES = 20_000
MAX_FOLDER_DEPTH = 50

Identity = tuple[int, int]


class Unreadable(Exception):
    """A file or folder that cannot be used, and why."""

    def __init__(self, code: str, message: str, advice: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code, message, advice, place=place)


def find(paths: Iterable[Path], *, seen: set[Identity] | None = None) -> tuple[list[Path], list[Diagnostic]]:
    """Return the files that `paths` mean, each once, and what is wrong with the paths.

    A folder means every file below it that ends in .yaml or .yml, in order of names. Hidden files and folders are left out,
    symbolic links are followed. What is in `seen` is passed over, and what is found is added to it.
    """
    search = _Search(set() if seen is None else seen)
    try:
        for path in paths:
            search.enter(path)
    except _Full as error:
        search.diagnostics.append(error.diagnostic)
    return search.files, search.diagnostics


def read_text(path: Path, limit: int = MAX_BYTES) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        Unreadable: it is missing, no regular file, longer than `limit` bytes, or not UTF-8.
    """
    try:
        _check_regular(path, path.stat())
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise _refused(path, error) from error
    if len(data) > limit:
        message = f"{path} is larger than {limit:,} bytes"
        raise Unreadable("NBS004", message, "split it into several files", Place(str(path), 1, 1))
    return _decode(path, data)


class _Full(Unreadable):
    """There is more than anybody can mean: the search ends."""


class _Search:
    """Walks over paths; remembers what it saw, so that it ends wherever links lead."""

    def __init__(self, seen: set[Identity]) -> None:
        self.files: list[Path] = []
        self.diagnostics: list[Diagnostic] = []
        self.seen = seen
        self.trail: dict[Identity, Path] = {}

    def enter(self, path: Path) -> None:
        """Add a file, or the files of a folder."""
        try:
            self._enter(path, path.stat())
        except OSError as error:
            self.diagnostics.append(_refused(path, error).diagnostic)
        except _Full:
            raise
        except Unreadable as error:
            self.diagnostics.append(error.diagnostic)

    def _enter(self, path: Path, found: os.stat_result) -> None:
        identity = _identity(found)
        if identity in self.trail:
            message = f"the folder {path} leads back to {self.trail[identity]}, in which it lies"
            raise Unreadable("NBS008", message, "remove the symbolic link")
        if identity in self.seen:
            return
        self.seen.add(identity)
        if len(self.seen) > MAX_ENTRIES:
            raise _Full(
                "NBS004",
                f"more than {MAX_ENTRIES:,} files and folders, up to {path}",
                "name the folders that you mean",
            )
        if stat.S_ISDIR(found.st_mode):
            self._folder(path, identity)
        else:
            _check_regular(path, found)
            self.files.append(path)

    def _folder(self, path: Path, identity: Identity) -> None:
        if len(self.trail) == MAX_FOLDER_DEPTH:
            raise Unreadable(
                "NBS004", f"{path} lies more than {MAX_FOLDER_DEPTH} folders deep", "name the folders that you mean"
            )
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries if _wanted(entry))
        self.trail[identity] = path
        for name in names:
            self.enter(path / name)
        del self.trail[identity]


def _wanted(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return False
    try:
        return entry.name.lower().endswith(SUFFIXES) or entry.is_dir()
    except OSError:  # a link that leads to itself: `enter` says so
        return True


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino


def _check_regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, a socket or a device"
        raise Unreadable("NBS001", f"{path} is {what}, not a file", "name a file with text")


def _refused(path: Path, error: OSError | ValueError) -> Unreadable:
    if not isinstance(error, OSError):
        return Unreadable("NBS001", f"no file can be called {str(path)!r}", "check the path")
    if error.errno == errno.ELOOP:
        return Unreadable("NBS008", f"{path} is a symbolic link that leads back to itself", "remove the link")
    if error.errno == errno.ENOENT:
        return Unreadable("NBS001", f"{path} does not exist", "check the path; it is relative to the working directory")
    return Unreadable("NBS001", f"{path} cannot be read: {reason(error)}", "check its permissions")


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start
        line = data.count(b"\n", 0, start)
        column = len(data[data.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace"))
        looks = "it looks like UTF-16: " if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""
        place = Place(str(path), line + 1, column + 1)
        message = f"{path} is not UTF-8 text (byte 0x{data[start]:02x})"
        raise Unreadable("NBS009", message, f"{looks}save it as UTF-8", place) from error
