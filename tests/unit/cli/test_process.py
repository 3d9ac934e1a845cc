"""nbsync as a program of its own: whatever its streams are, it ends with an exit code and without a traceback."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMAND = "import sys; from reconciler.cli.main import main; sys.argv[0] = 'nbsync'; main()"


def shell(line: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which $NBSYNC is the program."""
    program = f'{sys.executable} -c "{COMMAND}"'
    setting = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder), **environ}
    return subprocess.run(
        line.replace("$NBSYNC", program),
        shell=True,
        cwd=folder,
        env=setting,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command", ["schema", "plan -q --simulate", "plan -q --simulate -o json", "export -q --simulate"]
)
def test_a_full_disk_is_told(command: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\n")
    done = shell(f"$NBSYNC {command} > /dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error[NBS902] stdout cannot be written: no space left on device"


@pytest.mark.parametrize(("command", "code"), [("schema >&-", 0), ("plan -q --simulate >&- 2>&-", 0), ("fmt - <&-", 0)])
def test_streams_may_be_closed(command: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\n")
    done = shell(f"$NBSYNC {command}", tmp_path)
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize("command", ["fmt --diff", "fmt - < a.yaml", "schema", "plan -q --simulate"])
def test_a_reader_that_goes_early_is_no_failure_to_tell_of(command: str, tmp_path: Path) -> None:
    names = "".join(f"  g{number}:   \n" for number in range(20_000))
    (tmp_path / "a.yaml").write_text(f"version: 1\ngroups:\n{names}")
    assert shell(f"$NBSYNC {command} | head -1", tmp_path).stderr == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", ["fmt - < a.yaml", "fmt --diff", "export -q --simulate=live.yaml"])
def test_files_are_utf_8_whatever_the_terminal_is(command: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\ngroups: {'😀é': }\n", "utf-8")
    (tmp_path / "live.yaml").write_text("peers: [{hostname: gw, groups: ['😀é']}]\n", "utf-8")
    done = shell(f"$NBSYNC {command}", tmp_path, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "😀é" in done.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["plan", "doctor", "init repo", "schema --live"])
def test_whoever_interrupts_does_not_wait_for_a_silent_server(
    command: str, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\ngroups: {a: }\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        setting = {"PYTHONPATH": str(ROOT), "NB_MANAGEMENT_URL": address, "NB_PAT": "nbp_" + "0" * 36}
        words = [sys.executable, "-c", COMMAND, *command.split()]
        with subprocess.Popen(
            words, cwd=tmp_path, env=setting, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            taken = [listener.accept() for _ in range(2 if command == "doctor" else 1)]
            time.sleep(0.2)
            process.send_signal(number)
            assert process.wait(10) == code
            for connection, _ in taken:
                connection.close()
