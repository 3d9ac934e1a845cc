"""What init writes works: every step of its pipelines and every hook is run, against a simulated account behind a port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.unit.harness import Account, Desk

GITHUB, GITLAB = ".github/workflows/netbird.yaml", ".gitlab-ci.yml"
COMMON = [
    "nbsync.yaml",
    ".nbsync/schema.json",
    "README.md",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".vscode/settings.json",
]
BIN = Path(sys.executable).parent


def loaded(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def shell(command: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does; installing is left out."""
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environ}
    assert not command.startswith("pip install") or "netbird-nbsync==" in command
    line = "true" if command.startswith("pip install") else command
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", line], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def github_steps(folder: Path) -> Iterator[str]:
    for job in loaded(folder / GITHUB)["jobs"].values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


def gitlab_steps(folder: Path) -> Iterator[str]:
    pipeline = loaded(folder / GITLAB)
    yield from pipeline["default"]["before_script"]
    for job in ("check", "plan", "apply"):
        yield from pipeline[job]["script"]


@pytest.mark.parametrize(("ci", "more"), [("github", [GITHUB]), ("gitlab", [GITLAB]), ("none", [])])
def test_an_example_where_there_is_no_token(ci: str, more: list[str], desk: Desk) -> None:
    outcome = desk.nbsync("init", "repo", "--ci", ci)
    assert outcome.exit_code == 0
    assert "an example, as there is no token" in outcome.stdout
    assert written(desk.folder / "repo") == {*COMMON, *more}
    assert len(outcome.stdout.splitlines()) == 4
    assert desk.nbsync("validate", "--strict", "repo").exit_code == 0
    assert desk.nbsync("fmt", "--check", "repo").exit_code == 0


def test_the_account_where_there_is_a_token(account: Account) -> None:
    account.send("POST", "/groups", {"name": "devs"})
    outcome = account.nbsync("init", "repo", "-q")
    assert outcome.exit_code == 0
    assert not outcome.writes
    assert account.token not in "".join(
        path.read_text("utf-8") for path in (account.folder / "repo").rglob("*") if path.is_file()
    )
    assert account.nbsync("plan", "repo", "-q", "--detailed-exitcode").exit_code == 0
    assert account.nbsync("fmt", "--check", "repo").exit_code == 0
    assert "devs" in loaded(account.folder / "repo/nbsync.yaml")["groups"]


def test_an_example_is_an_example_also_with_a_token(account: Account) -> None:
    outcome = account.nbsync("init", "--example")
    assert (outcome.exit_code, outcome.sent) == (0, ())


@pytest.mark.parametrize("more", [(), ("--simulate",)])
def test_the_file_fits_the_schema_beside_it(more: tuple[str, ...], desk: Desk) -> None:
    desk.nbsync("init", "-q", *more)
    schema = json.loads((desk.folder / ".nbsync/schema.json").read_text("utf-8"))
    jsonschema.Draft7Validator(schema).validate(loaded(desk.folder / "nbsync.yaml"))
    first = (desk.folder / "nbsync.yaml").read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=.nbsync/schema.json"
    assert list(json.loads((desk.folder / ".vscode/settings.json").read_text())["yaml.schemas"]) == [
        ".nbsync/schema.json"
    ]


@pytest.mark.parametrize(("ci", "steps"), [("github", github_steps), ("gitlab", gitlab_steps)])
@pytest.mark.parametrize("more", [(), ("--example",)])
def test_every_step_of_the_pipeline_runs(ci: str, steps: Any, more: tuple[str, ...], account: Account) -> None:
    account.nbsync("init", "-q", "--ci", ci, *more)
    commands = list(steps(account.folder))
    assert {"nbsync validate", "nbsync fmt --check", "nbsync plan"} <= set(commands)
    for command in commands:
        done = shell(command, account.folder)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert account.nbsync("plan", "-q", "--detailed-exitcode").exit_code == 0


def test_secrets_go_to_the_command_that_is_named_or_are_not_made(account: Account) -> None:
    account.nbsync("init", "-q", "--example")
    account.write("version: 1\nsetup_keys:\n  k: {type: reusable}\n")
    (apply,) = (command for command in github_steps(account.folder) if "apply" in command)
    assert shell(apply, account.folder).returncode == 5
    assert account.names("/setup-keys") == []
    store = account.folder / "store"
    store.write_text("#!/bin/sh\ncat > got\n")
    store.chmod(0o755)
    assert shell(apply, account.folder, STORE_SECRET="./store").returncode == 0
    assert "setup_key/k" in (account.folder / "got").read_text()


def test_the_hooks_run_and_stop_what_is_wrong(desk: Desk) -> None:
    desk.nbsync("init", "-q")
    (repo,) = loaded(desk.folder / ".pre-commit-config.yaml")["repos"]
    entries = [hook["entry"] for hook in repo["hooks"]]
    assert entries == ["nbsync fmt", "nbsync validate"]
    assert [shell(entry, desk.folder).returncode for entry in entries] == [0, 0]
    desk.write("version: 1\nnonsense: 1\n")
    assert shell(entries[1], desk.folder).returncode == 3


def test_the_pipeline_has_no_more_rights_than_it_needs(desk: Desk) -> None:
    desk.nbsync("init", "-q")
    text = (desk.folder / GITHUB).read_text()
    pipeline = loaded(desk.folder / GITHUB)
    assert pipeline["permissions"] == {"contents": "read"}
    assert pipeline["concurrency"]["cancel-in-progress"] is False
    assert "pull_request_target" not in text
    assert not [command for command in github_steps(desk.folder) if "${{" in command]
    assert [name for name, job in pipeline["jobs"].items() if "NB_PAT" in json.dumps(job)] == ["plan", "apply"]


def test_git_ignores_secrets_and_keeps_the_schema(desk: Desk) -> None:
    desk.nbsync("init", "-q")
    subprocess.run(["git", "init", "-q"], cwd=desk.folder, check=True)

    def ignored(name: str) -> bool:
        return subprocess.run(["git", "check-ignore", "-q", name], cwd=desk.folder, check=False).returncode == 0

    assert all(map(ignored, ["secrets.jsonl", "a/keys.jsonl", ".env", "x.plan", ".nbsync/cache"]))
    assert not any(map(ignored, [*COMMON, GITHUB]))


@pytest.mark.parametrize("name", ["README.md", ".gitignore", GITHUB, ".nbsync/schema.json"])
def test_nothing_is_overwritten_and_nothing_is_written_beside_it(name: str, desk: Desk) -> None:
    desk.write("mine", name)
    outcome = desk.nbsync("init")
    assert outcome.exit_code == 64
    assert name in outcome.stderr
    assert written(desk.folder) == {name}
    assert desk.nbsync("init", "--force", "-q").exit_code == 0
    assert (desk.folder / name).read_text() != "mine"


def test_a_link_is_neither_followed_nor_lost_without_force(desk: Desk) -> None:
    outside = desk.write("mine", "outside")
    (desk.folder / "repo").mkdir()
    (desk.folder / "repo/nbsync.yaml").symlink_to(outside)
    (desk.folder / "repo/README.md").symlink_to("nowhere")
    assert desk.nbsync("init", "repo").exit_code == 64
    assert desk.nbsync("init", "repo", "--force").exit_code == 0
    assert outside.read_text() == "mine"


def test_a_folder_where_a_file_should_be(desk: Desk) -> None:
    desk.write("mine", ".github")
    outcome = desk.nbsync("init", "-q")
    assert outcome.exit_code == 1
    assert "NBS902" in outcome.stderr
    assert desk.nbsync("init", ".github").exit_code == 64


def test_without_an_answer_nothing_is_written(account: Account) -> None:
    account.fault("GET", "/api/groups", "status:500")
    assert account.nbsync("init", "repo", "-q").exit_code == 1
    assert not (account.folder / "repo").exists()


def test_files_that_are_read_together_are_named(desk: Desk) -> None:
    desk.write("a: 1", "docker-compose.yaml")
    outcome = desk.nbsync("init", "-q")
    assert outcome.exit_code == 0
    assert "docker-compose.yaml: read together with nbsync.yaml" in outcome.stderr
