"""The state file: everything is there again after a restart, however the process ended."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from reconciler.simulator import Simulator
from tests.unit.simulator.core.conftest import Caller


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    """Objects in their order, members, secrets, the audit log, the moved clock."""
    first = Simulator(state=tmp_path / "state")
    admin = Caller(first, f"Token {(token := first.bootstrap())}")
    key = admin.post("/setup-keys", {"name": "k", "type": "reusable", "expires_in": 3600})["key"]
    for name in ("b", "a"):
        first.event({"event": "peer_joins", "hostname": name, "setup_key": key})
        admin.post("/groups", {"name": name, "peers": [peer["id"] for peer in admin.get("/peers")]})
    first.event({"event": "time_passes", "seconds": 7200})
    paths = ["/groups", "/peers", "/policies", "/setup-keys", "/accounts", "/events/audit"]
    before = [admin.get(path) for path in paths]
    first.close()

    second = Simulator(state=tmp_path / "state")

    again = Caller(second, f"Token {token}")
    assert [again.get(path) for path in paths] == before
    assert again.get("/setup-keys")[0]["state"] == "expired"
    event_ids = [int(event["id"]) for event in before[-1]]
    again.post("/groups", {"name": "c"})
    assert int(again.get("/events/audit")[0]["id"]) == max(event_ids) + 1
    second.close()


def test_deleted_objects_stay_deleted(tmp_path: Path) -> None:
    first = Simulator(state=tmp_path / "state")
    admin = Caller(first, f"Token {(token := first.bootstrap())}")
    group = admin.post("/groups", {"name": "gone"})
    assert admin("DELETE", f"/groups/{group['id']}")[0] == 200
    first.close()

    second = Simulator(state=tmp_path / "state")

    again = Caller(second, f"Token {token}")
    assert [found["name"] for found in again.get("/groups")] == ["All"]
    second.close()


def test_another_file_is_not_taken_for_a_state_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be looked at as one " * 20)

    with pytest.raises(sqlite3.DatabaseError):
        Simulator(state=tmp_path / "notes.txt")


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    """A server is killed while it is written to: every acknowledged group is there after a restart, whole."""
    process, url, token = _serve(tmp_path / "state")
    acknowledged = []
    with httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}) as client:
        for number in range(60):
            if number == 40:
                process.send_signal(signal.SIGKILL)
            try:
                client.post("/api/groups", json={"name": f"g{number}"}).raise_for_status()
            except httpx.TransportError:
                break
            acknowledged.append(f"g{number}")
    process.wait(10)

    process, url, other = _serve(tmp_path / "state")
    try:
        answer = httpx.get(f"{url}/api/groups", headers={"Authorization": f"Token {token}"})
        names = [group["name"] for group in answer.json()]
    finally:
        process.terminate()
        process.wait(10)

    assert other != token
    assert len(acknowledged) >= 40
    assert [name for name in names if name.startswith("g") and name[1:].isdigit()][: len(acknowledged)] == acknowledged


def _serve(state: Path) -> tuple[subprocess.Popen[str], str, str]:
    """A simulator in a process of its own, its address and a token."""
    command = [sys.executable, "-m", "reconciler", "simulate", "serve", "--state", str(state)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4], env=os.environ
    )
    assert process.stdout is not None
    with process.stdout as lines:
        said = "".join(next(lines) for _ in range(2))
    found = re.fullmatch(r"NB_MANAGEMENT_URL=(\S+)\nNB_PAT=(nbp_\w{36})\n", said)
    assert found, said
    return process, found[1], found[2]
