"""Where secrets go that the server shows once: a file, a person at a terminal, or a command."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol

from reconciler import private
from reconciler.errors import Diagnostic, NbsyncError, Severity, UsageError, reason
from reconciler.redact import conceal

NO_SINK, SINK_FAILED = "NBS601", "NBS602"
PATIENCE: Final = 60.0
"""Seconds that a command has to take a secret; the lock is held all the while."""
_STDERR = 2  # the descriptor: stdout belongs to the data


@dataclass(frozen=True, slots=True)
class Revealed:
    """A secret that was shown once. Its text never stands in a plan, a log, or an error."""

    address: str
    kind: str
    id: str
    secret: str
    expires: str | None

    def __post_init__(self) -> None:
        conceal(self.secret)

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    def __repr__(self) -> str:
        return f"Revealed({self.address})"


class Sink(Protocol):
    """Takes secrets to safety; when `put` returns, the secret is safe."""

    def put(self, revealed: Revealed) -> None:
        """Take one secret.

        Raises:
            SinkFailed: it could not be taken where it should go.
        """

    def close(self) -> None:
        """End; nothing more comes."""


FIRST = b'{"address": '
"""How the line of a secret begins."""


class SinkFailed(NbsyncError):
    """A secret could not be handed over; the apply stops, and the message says where the secret is.

    Attributes:
        why: what went wrong.
        kept: the file in which the secret is; None if no file could be written.
    """

    def __init__(self, revealed: Revealed, why: str, kept: Path | None) -> None:
        self.why, self.kept = why, kept
        if kept:
            left = f"is kept in {kept}"
            advice = "store it by hand, delete the file, and run it again"
        else:
            left = "is lost, as no other file could be written"
            advice = f"make room, run it again, and have another secret: nbsync rotate {shlex.quote(revealed.address)}"
        message = f"{why}; the secret of {revealed.address} {left}"
        super().__init__(Diagnostic(SINK_FAILED, message, advice, address=revealed.address))


class FileSink:
    """Appends JSON lines to a file that only its owner can read, each on disk before the next call."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        """Open the file now, so that a path that cannot be written stops the apply before it begins."""
        self.warning: Diagnostic | None = None
        self._path = path
        self._environ = environ
        try:
            self._is_torn = _is_torn(path)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0)
            self._descriptor = os.open(path, flags, private.FILE)  # a pipe that nobody reads would be waited for
            os.set_blocking(self._descriptor, True)
        except OSError as error:
            message = f"{path} cannot be written: {reason(error)}"
            raise UsageError(Diagnostic(SINK_FAILED, message, "choose another file for --secrets-out")) from None
        # Pipes and devices belong to the machine, not to the apply: /dev/null stays open to all.
        self._is_regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        if self._is_regular:
            self._tighten()

    def _tighten(self) -> None:
        mode = stat.S_IMODE(os.fstat(self._descriptor).st_mode)
        if mode & ~private.FILE:
            os.fchmod(self._descriptor, private.FILE)
            message = f"{self._path} could be read by others (mode {mode:04o}); it is {private.FILE:04o} now"
            self.warning = Diagnostic(
                SINK_FAILED, message, "what was in it may have been read", severity=Severity.WARNING
            )

    def put(self, revealed: Revealed) -> None:
        """Append one line and wait until it is on disk; if there is no room, keep the secret elsewhere and say where."""
        line = revealed.line().encode()
        try:
            self._append(b"\n" + line if self._is_torn else line)
            self._is_torn = False
        except OSError as error:
            raise _kept(revealed, f"{self._path} cannot be written ({error.strerror})", self._environ) from None

    def _append(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]
        if self._is_regular:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _is_torn(path: Path) -> bool:
    """Tell whether a file of secrets ends in the midst of a line.

    Raises:
        OSError: it holds something else, or cannot be read.
    """
    if not path.is_file() or not path.stat().st_size:
        return False
    data = path.read_bytes()
    if not FIRST.startswith(data.lstrip()[: len(FIRST)]):
        raise OSError("it holds something else than secrets")
    return not data.endswith(b"\n")


class StreamSink:
    """Writes JSON lines to stdout, for people at a terminal."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def put(self, revealed: Revealed) -> None:
        """Write one line; if nobody takes it, keep the secret in a private file and say where."""
        try:
            sys.stdout.write(revealed.line())
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            raise _kept(revealed, f"stdout cannot be written ({reason(error)})", self._environ) from None

    def close(self) -> None:
        """Leave the stream open: it is not ours."""


class CommandSink:
    """Gives each secret to a command, as one JSON object on its standard input."""

    def __init__(self, command: str, environ: Mapping[str, str]) -> None:
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise UsageError(
                Diagnostic(SINK_FAILED, f"the command of --secrets-out cannot be read: {error}", "check its quotes")
            ) from None
        if not self._arguments:
            raise UsageError(Diagnostic(SINK_FAILED, "--secrets-out exec: names no command", "write exec:COMMAND"))
        if shutil.which(self._arguments[0], path=environ.get("PATH")) is None:
            message = (
                f"the command of --secrets-out cannot be run: there is no program {self._arguments[0]} that may be run"
            )
            raise UsageError(Diagnostic(SINK_FAILED, message, "name it with its path, or install it"))
        self._environ = environ

    def put(self, revealed: Revealed) -> None:
        """Run the command; if it fails or does not end, keep the secret in a private file and say where."""
        failure = self._run(revealed)
        if failure:
            raise _kept(revealed, f"the command of --secrets-out {failure}", self._environ)

    def _run(self, revealed: Revealed) -> str:
        secret = revealed.line().encode()
        try:
            done = subprocess.run(self._arguments, input=secret, stdout=_STDERR, check=False, timeout=PATIENCE)  # noqa: S603
        except OSError as error:
            return f"could not be started ({error.strerror})"
        except subprocess.TimeoutExpired:
            return f"did not end in {PATIENCE:g} seconds and was killed"
        return f"ended with status {done.returncode}" if done.returncode else ""

    def close(self) -> None:
        """Nothing is left open."""


def _kept(revealed: Revealed, why: str, environ: Mapping[str, str]) -> SinkFailed:
    """Keep a secret that could not be handed over in a private file, and say where."""
    return SinkFailed(revealed, why, _keep(revealed, environ))


def _keep(revealed: Revealed, environ: Mapping[str, str]) -> Path | None:
    for folder in (private.state_folder, lambda _: Path(tempfile.gettempdir())):
        with suppress(OSError, RuntimeError):
            return _keep_in(folder(environ), revealed)
    return None


def _keep_in(folder: Path, revealed: Revealed) -> Path:
    folder.mkdir(mode=private.FOLDER, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix="nbsync-secret-", suffix=".jsonl", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(revealed.line())
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def open_sink(target: str, environ: Mapping[str, str]) -> Sink:
    """Make the sink that `--secrets-out` names: `-`, `exec:COMMAND`, or a file.

    Raises:
        UsageError: it cannot be used.
    """
    if target == "-":
        return StreamSink(environ)
    if target.startswith("exec:"):
        return CommandSink(target.removeprefix("exec:"), environ)
    return FileSink(Path(target), environ)
