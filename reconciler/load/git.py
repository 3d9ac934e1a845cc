"""What git knows of a repository. Nothing that a repository brings along is run: no hooks, filters, textconv or transports."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from reconciler.errors import Diagnostic, UsageError

NO_GIT, NO_REPOSITORY, NO_REVISION, TOO_MUCH = "NBS010", "NBS011", "NBS012", "NBS004"
MAX_LISTING: Final = 50_000_000
"""Bytes that the list of a revision's files may take: trees that hold one another can be listed without end."""
_ELSEWHERE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")
"""By these, git's hooks tell the commands in them of a repository that need not be the one of the files."""
_QUIETLY: Final = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
"""What a partial clone lacks is not fetched: that could run whatever the repository's configuration names."""
_LINK: Final = "120000"


class Entry(NamedTuple):
    """One file of a revision: path from the root of the repository, the blob with its content, and how many bytes that has."""

    path: str
    blob: str
    size: int
    is_link: bool

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Repository:
    """The repository in which a folder lies.

    Attributes:
        root: the topmost folder of the work tree, without symbolic links in its path.

    Raises:
        UsageError: git is not there, or the folder is in no work tree that git takes.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("git")
        if program is None:
            raise UsageError(Diagnostic(NO_GIT, "git is not installed", "install it, or leave --since out"))
        self._program = program
        self._folder = folder
        done = self._run("rev-parse", "--show-toplevel")
        if done.returncode:
            message = f"{folder} is in no git repository that can be used: {_words(done.stderr)}"
            raise UsageError(Diagnostic(NO_REPOSITORY, message, "run it on files in a work tree, or leave --since out"))
        self.root = Path(os.path.realpath(os.fsdecode(done.stdout.removesuffix(b"\n"))))

    def commit(self, revision: str) -> str:
        """The commit that a revision means.

        Raises:
            UsageError: there is none, or what should be one is an option (`-…`) or leaves commits out (`^…`).
        """
        done = None
        if not revision.startswith(("-", "^")) and "\0" not in revision:
            done = self._run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        if done is None or done.returncode:
            message = f"git knows no commit by '{revision}'"
            advice = "name a branch, a tag or a commit; a shallow clone has few: git fetch gets others"
            raise UsageError(Diagnostic(NO_REVISION, message, advice))
        return done.stdout.decode().strip()

    def files(self, commit: str) -> list[Entry]:
        """All files and symbolic links of a commit; submodules, and names that no work tree can have, are left out.

        Raises:
            UsageError: git cannot list them, or there are too many.
        """
        command = self._command("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
        with subprocess.Popen(  # noqa: S603 - arguments of our own
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
        ) as process:
            listing = process.stdout.read(MAX_LISTING + 1) if process.stdout else b""
            if len(listing) > MAX_LISTING:
                process.kill()
                message = f"the list of the files at {commit} takes more than {MAX_LISTING:,} bytes"
                raise UsageError(Diagnostic(TOO_MUCH, message, "leave --since out"))
        if process.returncode:
            raise self._incomplete(commit)
        return [entry for line in listing.split(b"\0") if line and (entry := _entry(line))]

    def contents(self, entries: Sequence[Entry]) -> dict[str, bytes]:
        """What is in files, by path, as it is stored.

        Raises:
            UsageError: git does not have all of it.
        """
        blobs = list(dict.fromkeys(entry.blob for entry in entries))
        done = self._run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
        found = dict(_blobs(done.stdout))
        if found.keys() != set(blobs):
            raise self._incomplete(next((entry.path for entry in entries if entry.blob not in found), "a file"))
        return {entry.path: found[entry.blob] for entry in entries}

    def _incomplete(self, what: str) -> UsageError:
        message = f"git does not have all of {what} here"
        return UsageError(Diagnostic(NO_REVISION, message, "fetch it first: git fetch --refetch --no-filter"))

    def _run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = self._command(*arguments)
        return subprocess.run(command, input=given, capture_output=True, check=False, env=_environment())  # noqa: S603 - arguments of our own

    def _command(self, *arguments: str) -> list[str]:
        return [self._program, "-C", str(self._folder), *arguments]


def _environment() -> Mapping[str, str]:
    return {**{name: value for name, value in os.environ.items() if name not in _ELSEWHERE}, **_QUIETLY}


def _words(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").splitlines()
    return next((line.removeprefix("fatal: ") for line in lines), "git does not say why")


def _entry(line: bytes) -> Entry | None:
    """One line of `git ls-tree -l -z`: `MODE blob ID SIZE<tab>PATH`."""
    about, _, path = line.partition(b"\t")
    mode, sort, blob, size = about.decode().split()
    name = os.fsdecode(path)
    if sort != "blob" or any(part in ("", ".", "..") for part in name.split("/")):
        return None
    return Entry(name, blob, int(size) if size.isdecimal() else 0, mode == _LINK)


def _blobs(answer: bytes) -> Iterable[tuple[str, bytes]]:
    """What `git cat-file --batch` says: `ID blob SIZE`, a newline, the content, a newline; `ID missing` for what is not there."""
    start = 0
    while (end := answer.find(b"\n", start)) >= 0:
        blob, *rest = answer[start:end].decode().split()
        start = end + 1
        if len(rest) > 1:
            size = int(rest[1])
            yield blob, answer[start : start + size]
            start += size + 1
