"""Somebody who kills an apply of 300 objects ten times at random ends with an empty plan and all secrets."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import httpx
import pytest
from werkzeug.wrappers import Request, Response

from reconciler.simulator import Simulator
from tests.bench import company, write
from tests.unit.harness import Account, Between

KILLS = 10
SINK = ("--secrets-out", "secrets.jsonl")
ROOT = Path(__file__).parents[3]


def desired_state() -> dict[str, dict[str, Any]]:
    """About 300 objects, of which every second one reveals a secret, or holds what does."""
    document = company(120)
    document["setup_keys"] = {f"key-{n}": {"type": "reusable", "auto_groups": ["group-00000"]} for n in range(60)}
    document["service_users"] = {
        f"robot-{n}": {"role": "auditor", "tokens": {"ci": {"expires_in": "90d"}}} for n in range(60)
    }
    return document


class Killer:
    """Stands between nbsync and the account, and kills the process at a write, before or after it takes effect."""

    def __init__(self, simulator: Simulator, chance: random.Random) -> None:
        self.app = Between(simulator)
        self.app.before, self.app.after = self._arrives, self._leaves
        self._chance = chance
        self._process: subprocess.Popen[bytes] | None = None
        self._left = 0
        self._last: Request | None = None
        self._is_after = False
        self._lock = Lock()

    def aim(self, process: subprocess.Popen[bytes], most: int) -> None:
        """Choose the write at which this process dies."""
        with self._lock:
            self._process, self._last, self._left = process, None, self._chance.randint(1, most)
            self._is_after = self._chance.random() < 0.5

    def _arrives(self, request: Request) -> None:
        if request.method == "GET":
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._last = request
                if not self._is_after:
                    self._kill()

    def _leaves(self, request: Request, response: Response) -> Response:
        if request is self._last and self._is_after:
            self._kill()
        return response

    def _kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@pytest.mark.parametrize("seed", range(2))
def test_ten_kills_at_random_end_in_an_empty_plan_and_all_secrets(
    account: Account, connect: Callable[[Any, str], None], folder: Path, seed: int
) -> None:
    write(folder / "net", desired_state())
    killer = Killer(account.simulator, random.Random(seed))
    connect(killer.app, account.token)
    lost: list[str] = []
    for _ in range(KILLS):
        process = start(folder)
        killer.aim(process, most=45)
        said = process.communicate(timeout=60)[1].decode()
        assert process.returncode == -signal.SIGKILL
        lost += renewals(said)
    connect(account.simulator, account.token)
    last = account.nbsync("apply", "net", "--yes", *SINK)
    assert last.exit_code == 0
    for address in dict.fromkeys([*lost, *renewals(last.stderr)]):
        assert account.nbsync("rotate", address, "net", "--yes", *SINK).exit_code == 0
    assert account.nbsync("plan", "net", "--detailed-exitcode").exit_code == 0
    assert all_secrets_work(account, folder) == 60 + 60


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Begin an apply in a process of its own."""
    command = [sys.executable, "-m", "reconciler", "apply", "net", "--yes", "--quiet", *SINK]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def renewals(said: str) -> list[str]:
    """Addresses that a run tells to renew."""
    return [shlex.split(word)[0] for word in re.findall(r"nbsync rotate ('[^']+'|\S+)", said)]


def all_secrets_work(account: Account, folder: Path) -> int:
    """How many secrets there are; each live key and token has one in the file, and it is good."""
    handed_over = {
        line["id"]: line["secret"] for line in map(json.loads, (folder / "secrets.jsonl").read_text().splitlines())
    }
    keys = [key["id"] for key in account.read("/setup-keys")]
    for number, key in enumerate(keys):
        event = {"event": "peer_joins", "hostname": f"m-{number}", "setup_key": handed_over[key]}
        assert "error" not in account.simulator.event(event)
    robots = [user["id"] for user in account.read("/users") if user["name"].startswith("robot")]
    tokens = [token["id"] for robot in robots for token in account.read(f"/users/{robot}/tokens")]
    for token in tokens:
        with httpx.Client(transport=account.simulator.transport(), base_url="http://netbird/api") as http:
            answer = http.get("/users", headers={"Authorization": f"Token {handed_over[token]}"})
        assert answer.status_code == httpx.codes.OK, answer.text
    return len(keys) + len(tokens)
