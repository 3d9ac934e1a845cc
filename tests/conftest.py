"""What holds for all tests: the simulator answers as the vendor describes its server, whatever a test asks of it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from reconciler import redact
from reconciler.simulator import Simulator
from tests.facts.contract import DESCRIPTION, complaints

# The walks compare in modules of their own, and their failures should show values, too.
pytest.register_assert_rewrite("tests.scenarios")

Respond = Callable[..., Any]
complained: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def _interrupts_reach_children() -> None:
    """A shell has what it starts in the background ignore SIGINT, and all that this starts does so, too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _nobody_waits_for_the_disk() -> Iterator[None]:
    """No test survives a power cut; that files are synced in time is seen where somebody counts the calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _journals_stay_out_of_the_home_of_who_runs_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def _secrets_of_other_tests_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text that is shown is searched for every secret of the process: here thousands of runs share one."""
    monkeypatch.setattr(redact, "_concealed", set())


@pytest.fixture(scope="session", autouse=True)
def _every_exchange_is_checked() -> Iterator[None]:
    """Hold every answer of every simulator in this process against the vendor's description, where that is there."""
    if not DESCRIPTION.exists():
        yield
        return
    answer = Simulator.__call__

    def checked(self: Simulator, environ: dict[str, Any], start_response: Respond) -> Iterable[bytes]:
        status: list[str] = []

        def start(line: str, headers: Any, error: Any = None) -> Any:
            status.append(line)
            return start_response(line, headers, error) if error else start_response(line, headers)

        body = b"".join(answer(self, environ, start))
        _check(environ["REQUEST_METHOD"], environ["PATH_INFO"], int(status[0].split()[0]), body)
        return [body]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulator, "__call__", checked)
        yield


def _check(method: str, path: str, status: int, body: bytes) -> None:
    try:
        answer = json.loads(body) if body else None
    except ValueError:
        return
    complained.extend(complaints(method, path, status, answer))


@pytest.fixture(autouse=True)
def _nothing_else_was_answered_than_is_described() -> Iterator[None]:
    """Fail a test in which the simulator answered otherwise."""
    yield
    found, complained[:] = list(complained), []
    assert not found, "\n".join(found[:10])
