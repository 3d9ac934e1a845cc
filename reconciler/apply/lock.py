"""One run at a time on a machine: a file that the system keeps locked for as long as a run lives, and no longer."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

from reconciler import private
from reconciler.errors import Diagnostic, ExitCode, NbsyncError, Severity, reason
from reconciler.redact import clean

HELD, UNUSABLE = "NBS640", "NBS641"
_LARGEST: Final = 4096  # bytes of what a holder says of itself
_TRIES, _PAUSE = 5, 0.02  # a holder may not have written yet who it is; seconds


class AlreadyRunning(NbsyncError):
    """Another run on this machine holds the account."""

    exit_code: ClassVar[ExitCode] = ExitCode.STALE


def lock_file(server: str, account: str, environ: Mapping[str, str]) -> Path:
    """Where the lock of an account is, in the user's state folder.

    Args:
        server: URL of the management server.
        account: id of the account; empty where the server does not let the caller know it: all such runs share a lock, apart from those that know it.
        environ: `os.environ`, or a test's stand-in.

    Raises:
        RuntimeError: there is no state folder, as the user has no home.
    """
    shown = re.sub(r"[^\w.-]+", "_", server.partition("://")[2], flags=re.ASCII)[:80].lower()
    digest = hashlib.sha256(f"{server}\n{account}".encode()).hexdigest()[:16]
    return private.state_folder(environ) / "locks" / f"{shown}-{digest}.lock"


@contextmanager
def only_run(server: str, account: str, command: str, environ: Mapping[str, str]) -> Iterator[Diagnostic | None]:
    """Hold an account until the end of the block, against every other run of this user on this machine.

    The system gives the lock back when the process ends, however it ends; the file stays, and means nothing by itself.

    Args:
        server: as `lock_file`.
        account: as `lock_file`.
        command: what holds it, for the one who is kept waiting: `apply`.
        environ: as `lock_file`.

    Yields:
        A warning where no lock can be held: a machine without a state folder to write to (a container, mostly) has seldom
        a second run, and refusing them all there would be worse than trusting that.

    Raises:
        AlreadyRunning: another run holds it; the message says who, and since when.
    """
    try:
        descriptor = _open(lock_file(server, account, environ))
    except (OSError, RuntimeError) as error:
        yield _unusable(error)
        return
    try:
        yield _hold(descriptor, command)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    path.parent.mkdir(mode=private.FOLDER, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), private.FILE)


def _hold(descriptor: int, command: str) -> Diagnostic | None:
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):
        raise _already_running(_holder(descriptor)) from None
    except OSError as error:
        return _unusable(error)
    with suppress(
        OSError
    ):  # a full disk: the lock is held all the same, and whoever is kept waiting is not told by whom
        _introduce(descriptor, command)
    return None


def _introduce(descriptor: int, command: str) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(_myself(command)).encode())


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        """Lock a byte far behind the text, which others have to read."""
        os.lseek(descriptor, 2 * _LARGEST, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _myself(command: str) -> dict[str, str | int]:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return {
        "command": f"nbsync {command}",
        "by": _user(),
        "pid": os.getpid(),
        "host": platform.node(),
        "since": since,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may have no name for the user of its process
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"


def _holder(descriptor: int) -> dict[str, str]:
    """What the one who holds the lock says of itself; empty if it has not said it yet."""
    for _ in range(_TRIES):
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            said = json.loads(os.read(descriptor, _LARGEST))
        except (OSError, ValueError):
            said = None
        if isinstance(said, dict) and {"command", "by", "pid", "host", "since"} <= said.keys():
            return {name: clean(str(value)) for name, value in said.items()}
        time.sleep(_PAUSE)
    return {}


def _already_running(holder: Mapping[str, str]) -> AlreadyRunning:
    message = "another run of nbsync on this machine is at work on this account"
    advice = "wait until it has ended"
    if holder:
        message += ": {command}, by {by} (process {pid} on {host}), since {since}".format_map(holder)
        advice += ", or end process {pid}: its lock ends with it".format_map(holder)
    return AlreadyRunning(Diagnostic(HELD, message, advice))


def _unusable(error: Exception) -> Diagnostic:
    message = f"no lock could be kept in the state folder ({reason(error)}): a second run on this machine would not be noticed"
    advice = "let XDG_STATE_HOME name a folder that can be written to"
    return Diagnostic(UNUSABLE, message, advice, Severity.WARNING)
