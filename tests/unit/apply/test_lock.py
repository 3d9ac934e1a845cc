"""One run at a time on one machine: the second is told who is at work, and since when."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from werkzeug.wrappers import Request

from reconciler.apply.lock import AlreadyRunning, lock_file, only_run
from tests.unit.harness import Account, Between

SERVER = "https://netbird.example.com"
ROOT = Path(__file__).parents[3]
TEXT = "groups: {a: }"


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_the_second_is_told_who_is_at_work_and_since_when(environ: Mapping[str, str]) -> None:
    with only_run(SERVER, "a1", "apply", environ) as warning:
        assert warning is None
        with (
            pytest.raises(
                AlreadyRunning, match=r"nbsync apply, by .+ \(process \d+ on .+\), since 20\d\d-.+ UTC"
            ) as told,
            only_run(SERVER, "a1", "rotate", environ),
        ):
            pytest.fail("two hold it")
        assert f"process {os.getpid()}" in told.value.diagnostics[0].message
        assert (told.value.exit_code, told.value.diagnostics[0].code) == (6, "NBS640")
        assert f"or end process {os.getpid()}" in told.value.diagnostics[0].help
    with only_run(SERVER, "a1", "rotate", environ) as warning:
        assert warning is None


@pytest.mark.parametrize(("server", "account"), [("https://other.example.com", "a1"), (SERVER, "a2"), (SERVER, "")])
def test_accounts_do_not_keep_each_other_waiting(environ: Mapping[str, str], server: str, account: str) -> None:
    with only_run(SERVER, "a1", "apply", environ), only_run(server, account, "apply", environ) as warning:
        assert warning is None


def test_files_are_the_users_own_and_named_for_the_server(environ: Mapping[str, str]) -> None:
    with only_run(f"{SERVER}:8443/x", "a1", "apply", environ):
        path = lock_file(f"{SERVER}:8443/x", "a1", environ)
        assert path.name.startswith("netbird.example.com_8443_x-")
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert path.is_relative_to(environ["XDG_STATE_HOME"])


def test_one_who_has_not_said_yet_who_it_is_is_refused_all_the_same(environ: Mapping[str, str]) -> None:
    with only_run(SERVER, "a1", "apply", environ):
        path = lock_file(SERVER, "a1", environ)
        for content in ("", '{"by": "ana"', "[]", "\x00" * 9000):
            path.write_text(content)
            with (
                pytest.raises(AlreadyRunning, match=r"is at work on this account$"),
                only_run(SERVER, "a1", "x", environ),
            ):
                pytest.fail("two hold it")


def test_what_a_holder_says_cannot_reach_into_the_terminal(environ: Mapping[str, str]) -> None:
    with only_run(SERVER, "a1", "apply", environ):
        path = lock_file(SERVER, "a1", environ)
        said = dict.fromkeys(("command", "by", "pid", "host", "since"), "\x1b[2J")
        path.write_text(json.dumps(said))
        with pytest.raises(AlreadyRunning) as told, only_run(SERVER, "a1", "apply", environ):
            pytest.fail("two hold it")
    assert "\x1b" not in str(told.value)


def test_a_link_in_its_place_is_not_followed(environ: Mapping[str, str], tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    path = lock_file(SERVER, "a1", environ)
    path.parent.mkdir(parents=True)
    path.symlink_to(precious)
    with only_run(SERVER, "a1", "apply", environ) as warning:
        assert warning is not None
    assert precious.read_text() == "kept"


def test_a_state_folder_that_cannot_be_written_is_a_warning(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc")
    outcome = account.applied(TEXT, "--journal", "journal.jsonl")
    assert outcome.warning.code == "NBS641"
    assert outcome.warning.message.startswith("no lock could be kept in the state folder (no such file or directory)")


def test_a_file_system_without_locks_is_a_warning(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_descriptor: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("reconciler.apply.lock._lock", no_locks)
    with only_run(SERVER, "a1", "apply", environ) as warning:
        assert warning is not None
        assert "(no locks available)" in warning.message


@pytest.mark.parametrize("call", ["ftruncate", "lseek", "write"])
def test_a_full_disk_leaves_the_lock_held_by_one_who_is_not_named(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, ExitStack() as stack:
        patch.setattr(os, call, full)
        assert stack.enter_context(only_run(SERVER, "a1", "apply", environ)) is None
        patch.undo()
        with pytest.raises(AlreadyRunning, match=r"is at work on this account$"), only_run(SERVER, "a1", "x", environ):
            pytest.fail("two hold it")


def test_a_user_without_a_name_has_a_number(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    with only_run(SERVER, "a1", "apply", environ):
        assert json.loads(lock_file(SERVER, "a1", environ).read_text())["by"] == f"user {os.getuid()}"


@contextmanager
def holding(account: Account) -> Iterator[None]:
    """Somebody on this machine is at work on the account."""
    (shown,) = account.read("/accounts")
    with only_run(os.environ["NB_MANAGEMENT_URL"], shown["id"], "apply", os.environ):
        yield


@pytest.mark.parametrize("command", [("apply",), ("rotate", "setup_key/k")])
def test_what_writes_waits_for_nobody_and_reads_nothing(account: Account, command: tuple[str, ...]) -> None:
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    with holding(account):
        outcome = account.nbsync(*command, "--yes", "--secrets-out", "secrets", "-o", "json")
        assert (outcome.exit_code, outcome.error.code, outcome.sent) == (6, "NBS640", ("GET /api/accounts",))
        assert account.nbsync("plan", "-o", "json").exit_code == 0
        assert account.nbsync("apply", "--yes", "--simulate", "--secrets-out", "secrets").exit_code == 0
    assert account.nbsync(*command, "--yes", "--secrets-out", "secrets").exit_code == 0


def test_it_is_held_from_before_the_account_is_read_to_the_last_write(account: Account, between: Between) -> None:
    held: dict[str, bool] = {}

    def before(request: Request) -> None:
        try:
            with holding(account):
                held[f"{request.method} {request.path}"] = False
        except AlreadyRunning:
            held[f"{request.method} {request.path}"] = True

    between.before = before
    account.applied(TEXT, "--journal", "here.jsonl")
    assert not held.pop("GET /api/accounts")
    assert {"GET /api/groups", "POST /api/groups"} <= held.keys()
    assert all(held.values())


def test_a_lock_ends_with_its_process_however_it_ends(account: Account, between: Between) -> None:
    account.write(f"version: 1\n{TEXT}")
    arrived, go_on = threading.Event(), threading.Event()

    def before(request: Request) -> None:
        if request.method == "POST":
            arrived.set()
            go_on.wait(30)

    between.before = before
    command = [sys.executable, "-m", "reconciler", "apply", "--yes", "--quiet"]
    first = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    assert arrived.wait(30)
    second = account.nbsync("apply", "--yes", "-o", "json")
    assert (second.exit_code, second.error.code) == (6, "NBS640")
    assert f"(process {first.pid} on " in second.error.message
    first.kill()
    assert first.wait(30) == -signal.SIGKILL
    go_on.set()
    assert account.nbsync("apply", "--yes", "-o", "json").exit_code == 0
