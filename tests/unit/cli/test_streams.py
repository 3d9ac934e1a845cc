"""Data goes to stdout, talk to stderr; waits are told and survived."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.harness import Account, Between, json_answer

LIMITED = {"message": "too many requests", "code": 429}


@pytest.fixture
def between(account: Account, connect: Callable[[Any, str], None]) -> Between:
    front = Between(account.simulator)
    connect(front, account.token)
    return front


def test_the_plan_is_on_stdout_and_progress_and_warnings_on_stderr(account: Account) -> None:
    account.write("version: 1\ngroups: {a: {peers: [absent]}}")
    outcome = account.nbsync("plan")
    assert "+ group/a" in outcome.stdout
    assert "Plan: 1 to create" in outcome.stdout
    assert "reading the account" in outcome.stderr
    assert "warning[NBS302] nbsync.yaml:2:22" in outcome.stderr
    assert "absent" not in outcome.stdout


def test_quiet_says_nothing_of_progress(account: Account) -> None:
    account.write("version: 1\ngroups: {a: }")
    assert account.nbsync("plan", "-q").stderr == ""
    assert account.nbsync("apply", "--yes", "--quiet").stderr == ""


def test_an_apply_tells_each_change_on_stderr(account: Account) -> None:
    account.write("version: 1\ngroups: {a: , b: }")
    lines = account.nbsync("apply", "--yes").stderr.splitlines()
    assert lines[-2:] == ["applied group/a (1/2)", "applied group/b (2/2)"]


def test_a_rate_limit_is_waited_for_and_nothing_is_written_twice(
    account: Account, between: Between, impatient: list[float]
) -> None:
    seen: list[str] = []

    def before(request: Request) -> Response | None:
        if request.method != "GET":
            seen.append(request.path)
            return json_answer(LIMITED, 429) if len(seen) in (1, 2, 4) else None
        return None

    between.before = before
    account.write("version: 1\ngroups: {a: , b: }")
    outcome = account.nbsync("apply", "--yes")
    assert outcome.exit_code == 0
    assert account.names("/groups") == ["All", "a", "b"]
    assert sum(impatient) >= 10
    assert "waiting" in outcome.stderr
    assert "the server's rate limit" in outcome.stderr


@pytest.mark.parametrize("fault", ["status:502", "status:503", "status:504", "drop-before", "drop-after"])
def test_a_read_that_fails_once_is_tried_again(account: Account, fault: str) -> None:
    account.fault("GET", "/api/groups", fault)
    outcome = account.plan("groups: {a: }")
    assert (outcome.exit_code, outcome.changes) == (0, ["+ group/a"])
    assert outcome.sent.count("GET /api/groups") == 2


def test_a_write_that_fails_is_not_tried_again_by_itself(account: Account) -> None:
    account.fault("POST", "/api/groups", "status:503")
    outcome = account.apply("groups: {a: }")
    assert outcome.writes == ["POST /api/groups"]


def test_an_object_that_went_meanwhile_is_deleted_already(account: Account, between: Between) -> None:
    account.applied("groups: {a: , b: }")

    def before(request: Request) -> None:
        if request.method == "DELETE" and not gone:
            gone.append(request.path)
            account.send("DELETE", request.path.removeprefix("/api"))

    gone: list[str] = []
    between.before = before
    assert account.applied("manage: {groups: full}\ngroups: {b: }").statuses == {"group/a": "applied"}


def test_members_that_came_meanwhile_are_kept(account: Account, between: Between) -> None:
    """A group is read again just before it is written: others write to it all the time."""
    account.join("m1", "m2", "m3")
    account.applied("groups: {g: {peers: {at_least: [m1]}}}")
    group = account.named("/groups", "g")
    late = account.named("/peers", "m3")["id"]

    def after(request: Request, response: Response) -> Response:
        if request.path == "/api/groups" and not came:
            came.append(late)
            members = [peer["id"] for peer in group["peers"]]
            account.send("PUT", f"/groups/{group['id']}", {"name": "g", "peers": [*members, late]})
        return response

    came: list[str] = []
    between.after = after
    account.applied("groups: {g: {peers: {at_least: [m1, m2]}}}")
    assert sorted(peer["name"] for peer in account.named("/groups", "g")["peers"]) == ["m1", "m2", "m3"]
