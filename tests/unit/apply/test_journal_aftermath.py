"""What a run tells of the one before it, if that was cut off: how far it came, what was under way, which secret may be lost."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from tests.unit.apply.journals import calls, cut, journals, lines
from tests.unit.harness import Account, Between, Finding

ROOT = Path(__file__).parents[3]
KEY = "setup_keys: {k: {type: reusable}}"
SINK = ("--secrets-out", "secrets")


def told(account: Account, text: str, command: str = "plan", *flags: str) -> list[Finding]:
    """What a run tells of the one before."""
    outcome = account.do(command, text, *flags)
    assert outcome.exit_code == 0, outcome.stdout
    return [found for found in outcome.warnings if found.code in ("NBS609", "NBS610", "NBS611")]


def test_of_a_run_that_came_to_its_end_nothing_is_told(account: Account) -> None:
    account.applied("groups: {a: }")
    account.fault("POST", "/api/groups", "status:422")
    account.apply("groups: {a: , b: }")
    assert told(account, "groups: {a: , b: }") == []


def test_a_run_that_was_cut_off_is_told_with_how_far_it_came(account: Account, folder: Path) -> None:
    account.applied("groups: {a: , b: , c: }")
    (path,) = journals(folder)
    cut(path, "call", 2)
    (found,) = told(account, "groups: {a: , b: , c: }")
    time = lines(path)[0]["time"]
    assert (found.code, found.severity) == ("NBS609", "warning")
    assert found.message == (
        f"the last run here, nbsync apply at {time}, was cut off; 1 of 3 changes were made; "
        "POST /api/groups for group/b was under way: it took effect"
    )
    assert found.help.startswith(f"nbsync history {path} shows its calls")


BEFORE = "networks: {n: {description: before}}"
AFTER = "networks: {n: {description: after}}"
NONE = "manage: {default: full}\nnetworks: {m: }"


def renamed(account: Account, name: str, description: str) -> None:
    network = account.read("/networks")[0]
    account.send("PUT", f"/networks/{network['id']}", {"name": name, "description": description})


def deleted(account: Account) -> None:
    for network in account.read("/networks"):
        account.send("DELETE", f"/networks/{network['id']}")


UNDER_WAY: dict[str, tuple[str, str, Callable[[Account], object], str]] = {
    "a create, done": ("", BEFORE, lambda _: None, "it took effect"),
    "a create, not done": ("", BEFORE, deleted, "it did not take effect"),
    "an update, done": (BEFORE, AFTER, lambda _: None, "it took effect"),
    "an update, not done": (BEFORE, AFTER, lambda account: renamed(account, "n", "before"), "it did not take effect"),
    "an update, and another": (
        BEFORE,
        AFTER,
        lambda account: renamed(account, "n", "clicked"),
        "the object is neither as it was nor as it was meant by now",
    ),
    "an update, and a rename": (
        BEFORE,
        AFTER,
        lambda account: renamed(account, "m", "after"),
        "the object is neither as it was nor as it was meant by now",
    ),
    "an update, and a delete": (BEFORE, AFTER, deleted, "the object is not there any more"),
    "a rename, done": (BEFORE, "networks: {m: {previously: n, description: before}}", lambda _: None, "it took effect"),
    "a delete, done": (BEFORE + "\ngroups: {a: }", NONE.replace("{m: }", "{}"), lambda _: None, "it took effect"),
}


@pytest.mark.parametrize(("before", "after", "then", "said"), UNDER_WAY.values(), ids=UNDER_WAY)
def test_the_account_shows_whether_the_call_under_way_took_effect(
    account: Account, folder: Path, before: str, after: str, then: Callable[[Account], object], said: str
) -> None:
    if before:
        account.applied(before)
    account.applied(after, "--allow-empty", "networks")
    then(account)
    cut(journals(folder)[-1], "call")
    (found,) = told(account, BEFORE)
    assert re.search(f"for network/[nm] was under way: {said}$", found.message)


def test_a_delete_that_was_not_done_is_told_from_one_that_was(account: Account, between: Between, folder: Path) -> None:
    account.applied(BEFORE + "\ngroups: {a: }")
    between.before = lambda request: Response("down", 503) if request.method == "DELETE" else None
    account.apply(NONE.replace("{m: }", "{}"), "--allow-empty", "networks")
    cut(journals(folder)[-1], "call")
    (found,) = told(account, BEFORE)
    assert found.message.endswith("for network/n was under way: it did not take effect")


def test_what_was_not_read_is_not_guessed(account: Account, folder: Path) -> None:
    account.applied("networks: {n: }")
    cut(journals(folder)[-1], "call")
    (found,) = told(account, "groups: {a: }")
    assert found.message.endswith("whether it took effect cannot be told from what was read")


def test_it_is_told_until_an_apply_has_come_to_its_end(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    cut(journals(folder)[0], "call")
    assert len(told(account, "groups: {a: }")) == 1
    assert len(told(account, "groups: {a: }")) == 1
    assert len(told(account, "groups: {a: }", "apply", "--yes")) == 1
    assert told(account, "groups: {a: }") == []
    assert told(account, "groups: {a: }", "apply", "--yes") == []
    assert len(journals(folder)) == 2


def test_a_run_that_is_still_at_work_was_not_cut_off(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    (path,) = journals(folder)
    cut(path, "call")
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert told(account, "groups: {a: }") == []
    assert len(told(account, "groups: {a: }")) == 1


def test_runs_against_other_servers_are_not_told(
    account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.applied("groups: {a: }")
    cut(journals(folder)[0], "call")
    url = os.environ["NB_MANAGEMENT_URL"]
    monkeypatch.setenv("NB_MANAGEMENT_URL", url.replace("127.0.0.1", "localhost"))
    assert told(account, "groups: {a: }") == []


def test_runs_on_another_account_of_the_server_are_not_told(account: Account, folder: Path) -> None:
    text = "account: {peer_login_expiration: 12h}"
    account.applied(text)
    (path,) = journals(folder)
    cut(path, "call")
    identifier = account.read("/accounts")[0]["id"]
    assert len(told(account, text)) == 1
    path.write_text(path.read_text().replace(f'"account": "{identifier}"', '"account": "another"'))
    assert told(account, text) == []


def test_the_last_run_of_a_journal_of_ones_own_is_told(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }", "--journal", "runs.jsonl")
    account.applied("groups: {a: , b: }", "--journal", "runs.jsonl")
    cut(folder / "runs.jsonl", "call", 2)
    assert told(account, "groups: {a: , b: }") == []
    (found,) = told(account, "groups: {a: , b: }", "apply", "--yes", "--journal", "runs.jsonl")
    assert "POST /api/groups for group/b was under way: it took effect" in found.message
    assert told(account, "groups: {a: , b: }", "apply", "--yes", "--journal", "runs.jsonl") == []


def test_a_journal_of_a_newer_version_is_warned_of_and_keeps_nobody_from_work(account: Account, folder: Path) -> None:
    account.applied("groups: {a: }")
    (path,) = journals(folder)
    cut(path, "call")
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    (found,) = told(account, "groups: {a: }")
    assert found.code == "NBS611"
    assert found.message == f"the journal {path} cannot be read: a newer version of nbsync has written it"


MAKERS = {
    "a setup key": (KEY, "setup_key/k", "renew it: nbsync rotate setup_key/k"),
    "a token": (
        "service_users: {nbsync: {role: admin, tokens: {'x y': {expires_in: 9d}}}}",
        "token/nbsync/x y",
        "renew it: nbsync rotate 'token/nbsync/x y'",
    ),
    "a password": (
        "users: {x@acme.io: {invite: true, name: X}}",
        "user/x@acme.io",
        "look where secrets go; if it is not there, delete the user and run nbsync apply",
    ),
}


@pytest.mark.parametrize("last", ["call", "answer"])
@pytest.mark.parametrize(("text", "address", "advice"), MAKERS.values(), ids=MAKERS)
def test_an_object_whose_secret_may_be_lost_is_named_with_how_to_renew_it(
    account: Account, folder: Path, text: str, address: str, advice: str, last: str
) -> None:
    account.applied(text, *SINK)
    cut(journals(folder)[0], last)
    _, found = told(account, text)
    assert (found.code, found.address, found.help) == ("NBS610", address, advice)
    assert found.message == f"a run was cut off before the secret of {address} was safe: it may be lost"


def test_a_secret_that_is_safe_or_of_nothing_is_not_lost(account: Account, folder: Path) -> None:
    account.applied(KEY, *SINK)
    (path,) = journals(folder)
    cut(path, "secret safe")
    assert [found.code for found in told(account, KEY)] == ["NBS609"]
    cut(path, "answer")
    account.send("DELETE", f"/setup-keys/{account.named('/setup-keys', 'k')['id']}")
    assert [found.code for found in told(account, KEY)] == ["NBS609"]
    cut(path, "call")
    assert [found.code for found in told(account, KEY)] == ["NBS609"]


def test_a_secret_that_was_made_again_in_the_same_run_is_safe(account: Account, folder: Path) -> None:
    account.fault("POST", "/api/setup-keys", "drop-after")
    account.applied(KEY, *SINK)
    (path,) = journals(folder)
    cut(path, "secret safe")
    assert [found.code for found in told(account, KEY)] == ["NBS609"]
    cut(path, "answer", 3)
    assert [found.code for found in told(account, KEY)] == ["NBS609", "NBS610"]


def test_it_is_told_by_rotate_and_as_text_and_the_advice_works(account: Account, folder: Path) -> None:
    account.applied(KEY, *SINK)
    cut(journals(folder)[0], "answer")
    assert "warning[NBS610]" in account.nbsync("plan").stderr
    outcome = account.nbsync("rotate", "setup_key/k", "--yes", *SINK, "-o", "json")
    assert [found.code for found in outcome.warnings] == ["NBS609"], "the lost secret is renewed by this very run"
    assert told(account, KEY) == []


def test_a_lost_secret_is_named_as_long_as_nobody_has_renewed_it(account: Account, folder: Path) -> None:
    account.applied(KEY, *SINK)
    cut(journals(folder)[0], "answer")
    outcome = account.nbsync("rotate", "setup_key/k", "--yes", "-o", "json")
    assert (outcome.exit_code, [found.code for found in outcome.warnings]) == (5, ["NBS609", "NBS610"])


def test_of_two_keys_of_one_name_nobody_says_that_the_second_was_not_made(account: Account, folder: Path) -> None:
    """A rotation was killed after the server had made the new key, and before its answer."""
    account.applied(KEY, *SINK)
    cut(journals(folder)[0], "call")
    body = {"name": "k", "type": "reusable", "expires_in": 0, "auto_groups": [], "usage_limit": 0}
    account.send("POST", "/setup-keys", body)
    outcome = account.nbsync("rotate", "setup_key/k", "--yes", *SINK, "-o", "json")
    assert (outcome.exit_code, [found.code for found in outcome.warnings]) == (0, ["NBS609"])
    assert outcome.warnings[0].message.endswith("whether it took effect cannot be told from what was read")


def rotated(account: Account, folder: Path, kept: str) -> None:
    """A rotation of which only so much of the journal is there."""
    account.applied(KEY, *SINK)
    assert account.nbsync("rotate", "setup_key/k", "--yes", *SINK).exit_code == 0
    cut(journals(folder)[-1], kept)


def test_a_cut_rotation_before_the_server_saw_it_does_not_take_the_old_key_for_the_new_one(
    account: Account, folder: Path
) -> None:
    rotated(account, folder, "call")
    path = journals(folder)[-1]
    (called,) = calls(path)
    path.write_text(path.read_text().replace(*called["beside"], account.named("/setup-keys", "k")["id"]))
    found = told(account, KEY)
    assert found[0].message.endswith("was under way: it did not take effect")
    assert found[0].help.endswith("; nbsync rotate setup_key/k makes another and removes the rest")
    assert [one.code for one in found] == ["NBS609"]


def test_of_a_cut_rotation_plan_tells_although_two_keys_keep_it_from_planning(account: Account, folder: Path) -> None:
    rotated(account, folder, "answer")
    account.send("POST", "/setup-keys", {"name": "k", "type": "reusable", "expires_in": 0, "auto_groups": []})
    for command in ("plan", "apply"):
        outcome = account.do(command, KEY, *(["--yes"] if command == "apply" else []), "-o", "json")
        assert (outcome.exit_code, outcome.error.code) == (3, "NBS202")
        assert [one.code for one in outcome.warnings if one.code == "NBS609"] == ["NBS609"]


def test_a_kill_between_answer_and_sink_loses_nothing_without_a_word(
    account: Account, folder: Path, connect: Callable[[Any, str], None]
) -> None:
    """The process dies right after the server has made the second key: the first secret is safe, the second is named."""
    text = "setup_keys: {a: {type: reusable}, b: {type: reusable}, c: {type: reusable}}"
    account.write(f"version: 1\n{text}")
    running: list[subprocess.Popen[bytes]] = []
    posts: list[str] = []

    def after(request: Request, response: Response) -> Response:
        if request.method == "POST":
            posts.append(request.path)
            if len(posts) == 2:
                running[0].kill()
                running[0].wait()
        return response

    between = Between(account.simulator)
    between.after = after
    connect(between, account.token)
    command = [sys.executable, "-m", "reconciler", "apply", "--yes", "--quiet", *SINK]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    assert running[0].wait(timeout=60) == -signal.SIGKILL
    connect(account.simulator, account.token)
    assert [line["address"] for line in lines(folder / "secrets")] == ["setup_key/a"]
    cut_off, lost = told(account, text, "apply", "--yes", *SINK)
    assert (
        "1 of 3 changes were made; POST /api/setup-keys for setup_key/b was under way: it took effect"
        in cut_off.message
    )
    assert lost.help == "renew it: nbsync rotate setup_key/b"
    account.nbsync("rotate", "setup_key/b", "--yes", *SINK)
    live = {key["id"] for key in account.read("/setup-keys")}
    assert live == {line["id"] for line in lines(folder / "secrets")}
