"""Approval at a terminal, signals during an apply, and how little it takes to say the version."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.harness import Account, Between, Outcome

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "reconciler"]
TEXT = "version: 1\ngroups: {a: , b: , c: }\n"


@contextmanager
def program(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """nbsync in a process of its own, which is over at the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answered(account: Account, answer: str, *flags: str) -> Outcome:
    """Apply at a terminal, and type an answer when asked."""
    account.write(TEXT)
    before = len(account.simulator.requests)
    ours, theirs = pty.openpty()
    with program("apply", *flags, stdin=theirs) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        out, err = process.communicate(timeout=60)
    os.close(ours)
    sent = tuple(f"{method} {path}" for method, path, _ in list(account.simulator.requests)[before:])
    return Outcome(process.returncode, out, err, sent)


def test_yes_at_a_terminal_applies_what_was_shown(account: Account) -> None:
    outcome = answered(account, "yes\n")
    assert outcome.exit_code == 0
    assert "+ group/a" in outcome.stdout
    assert "Apply these changes? Only 'yes' will do:" in outcome.stderr
    assert "Applied: 3 created" in outcome.stdout
    assert outcome.writes == ["POST /api/groups"] * 3


@pytest.mark.parametrize("answer", ["y\n", "yes please\n", "\x04"], ids=repr)
def test_anything_else_applies_nothing(account: Account, answer: str) -> None:
    outcome = answered(account, answer)
    assert (outcome.exit_code, outcome.writes) == (1, [])
    assert "not applied: the plan was not approved" in outcome.stderr


def test_the_question_does_not_disturb_the_document(account: Account) -> None:
    outcome = answered(account, "yes\n", "-o", "json")
    assert outcome.exit_code == 0
    assert outcome.statuses == {"group/a": "applied", "group/b": "applied", "group/c": "applied"}
    assert "+ group/a" in outcome.stderr
    refused = answered(account, "no\n", "-o", "json")
    assert refused.document["command"] == "apply"


def test_nothing_to_do_is_not_asked(account: Account) -> None:
    account.applied(TEXT)
    outcome = answered(account, "")
    assert outcome.exit_code == 0
    assert "Apply these changes?" not in outcome.stderr


def test_without_a_terminal_yes_has_to_be_said_before(account: Account) -> None:
    account.write(TEXT)
    with program("apply", stdin=subprocess.DEVNULL) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 64
    assert "apply without asking: --yes" in err
    assert account.names("/groups") == ["All"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_lets_the_call_in_flight_finish_and_skips_the_rest(
    account: Account, connect: Callable[[Any, str], None], number: signal.Signals, code: int
) -> None:
    account.write(TEXT + "policies: {p: {from: a, to: c, allow: all}}\n")
    between, posts = Between(account.simulator), []
    running: list[subprocess.Popen[str]] = []

    def before(request: Request) -> Response | None:
        if request.method == "POST":
            posts.append(request.path)
            if len(posts) == 2:
                running[0].send_signal(number)
                time.sleep(0.3)
        return None

    between.before = before
    connect(between, account.token)
    with program("apply", "--yes", "-o", "json", stdin=subprocess.DEVNULL) as process:
        running.append(process)
        out, err = process.communicate(timeout=60)
    outcome = Outcome(process.returncode, out, err)
    assert outcome.exit_code == code
    assert outcome.statuses == {"group/a": "applied", "group/b": "applied", "group/c": "skipped", "policy/p": "skipped"}
    assert "the run was interrupted" in outcome.change("group/c")["error"]["message"]
    assert posts == ["/api/groups"] * 2
    assert account.names("/groups") == ["All", "a", "b"]


def test_a_second_signal_ends_the_run_at_once(account: Account, connect: Callable[[Any, str], None]) -> None:
    account.write(TEXT)
    between, let_go = Between(account.simulator), threading.Event()
    running: list[subprocess.Popen[str]] = []

    def before(request: Request) -> Response | None:
        if request.method == "POST" and not let_go.is_set():
            for _ in range(2):
                running[0].send_signal(signal.SIGINT)
                time.sleep(0.2)
            let_go.wait(30)
        return None

    between.before = before
    connect(between, account.token)
    with program("apply", "--yes", stdin=subprocess.DEVNULL) as process:
        running.append(process)
        process.communicate(timeout=60)
    let_go.set()
    assert process.returncode == 130


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_plan_is_one_document_too(
    account: Account, connect: Callable[[Any, str], None], number: signal.Signals, code: int
) -> None:
    account.write(TEXT)
    between = Between(account.simulator)
    running: list[subprocess.Popen[str]] = []

    def before(request: Request) -> Response | None:
        if request.path == "/api/groups":
            running[0].send_signal(number)
            time.sleep(0.3)
        return None

    between.before = before
    connect(between, account.token)
    with program("plan", "-o", "json") as process:
        running.append(process)
        out, err = process.communicate(timeout=60)
    outcome = Outcome(process.returncode, out, err)
    assert (outcome.exit_code, outcome.error.code) == (code, "NBS900")


LIGHT = """
import runpy, sys
sys.argv = ["nbsync", "--version"]
try:
    runpy.run_module("reconciler", run_name="__main__")
except SystemExit:
    pass
heavy = {"pydantic", "httpx", "click", "rich", "ruamel.yaml", "deepdiff", "werkzeug", "tenacity", "asyncio", "reconciler.cli"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_saying_the_version_imports_nothing_large() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=ROOT, capture_output=True, text=True, check=True)
    version, imported = done.stdout.splitlines()
    assert version.startswith("nbsync ")
    assert imported == "[]"
