"""nbsync as a program of its own: whatever its streams are, it ends with an exit code and without a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = "import sys; from reconciler.cli.main import main; sys.argv[0] = 'nbsync'; main()"


def shell(line: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which $NBSYNC is the program."""
    program = f'{sys.executable} -c "{COMMAND}"'
    setting = {"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/bin", "HOME": str(folder), **environ}
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
