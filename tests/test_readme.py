"""README says what is true: its files and commands are used as they stand there, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", README, re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\S+\.yaml)\n")


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, str]]:
    """A served simulated account; the environment in which README's commands run."""
    command = [sys.executable, "-m", "reconciler", "simulate", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().strip().partition("=") for _ in range(2)]
        found = {name: value for name, _, value in lines}
        yield {**os.environ, **found, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        server.terminate()


def test_every_command_of_readme_does_what_it_says(account: dict[str, str], tmp_path: Path) -> None:
    ran = 0
    for language, text in BLOCKS:
        if language == "yaml" and (named := NAMED.match(text)):
            target = tmp_path / named[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        elif language == "console":
            for command, shown in _commands(text):
                done = subprocess.run(
                    command, shell=True, env=account, cwd=tmp_path, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
                if shown:
                    assert done.stdout.rstrip() == shown.rstrip(), command
                ran += 1
    assert ran >= 8


def test_pipeline_recipe_calls_commands_that_there_are(account: dict[str, str], tmp_path: Path) -> None:
    [recipe] = [text for language, text in BLOCKS if language == "yaml" and ".github" in text]
    commands = re.findall(r"run: (nbsync .*)", recipe)
    subprocess.run(
        "nbsync export --out netbird", shell=True, env=account, cwd=tmp_path, check=True, capture_output=True
    )
    (tmp_path / "store-secret").write_text("#!/bin/sh\ncat > /dev/null\n")
    (tmp_path / "store-secret").chmod(0o700)
    assert len(commands) == 4
    for command in commands:
        done = subprocess.run(
            command, shell=True, env=account, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_make_targets_of_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_demo_runs_to_the_end() -> None:
    done = subprocess.run([sys.executable, "examples/demo.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No changes: the account is as the files say" in done.stdout
    assert done.stdout.rstrip().endswith("unmanaged objects are left alone.")


def test_exit_codes_of_readme_are_those_of_the_program() -> None:
    from reconciler.errors import ExitCode

    told = {int(code) for row in re.findall(r"^\| ([0-9, ]+) \|", README, re.MULTILINE) for code in row.split(",")}
    assert told <= {int(code) for code in ExitCode}


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Commands of a console block, and the output that stands under each."""
    for part in re.split(r"^ *\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown
