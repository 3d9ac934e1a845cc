"""`nbsync rotate`: a new secret beside an old one, which goes once the new one is handed over and good; nothing else changes."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest
from werkzeug.wrappers import Request, Response

from reconciler.api.exchange import Exchange
from reconciler.apply.fresh import Fresh
from reconciler.apply.journal import Journal
from reconciler.cli.main import run
from tests.unit.harness import Account, Between, Outcome, json_answer

ROOT = Path(__file__).parents[3]
TEXT = """
setup_keys: {k: {type: reusable}, other: {type: reusable}}
groups: {g: }
service_users: {nbsync: {role: admin, tokens: {own: {expires_in: 9d}}}, s: {role: user, tokens: {t: {expires_in: 9d}}}}
"""
SECRETS = ("--secrets-out", "secrets.jsonl")
FLAGS = ("--yes", *SECRETS)
TABLES = {"setup_key/k": ("setup_keys", "k"), "token/s/t": ("tokens", "t"), "token/nbsync/own": ("tokens", "own")}
each = pytest.mark.parametrize("address", TABLES)


def rotate(account: Account, address: str, *flags: str) -> Outcome:
    return account.nbsync("rotate", address, *(flags or FLAGS), "-o", "json")


def handed_over(address: str) -> list[dict[str, Any]]:
    """What the sink has got of one object, in order."""
    return [
        line for line in map(json.loads, Path("secrets.jsonl").read_text().splitlines()) if line["address"] == address
    ]


def live(account: Account, address: str) -> list[str]:
    """Ids of the live objects of this name, in order of their making."""
    table, name = TABLES[address]
    return [row["id"] for row in account.simulator.world.accounts()[0].rows(table) if row["name"] == name]


def works(account: Account, address: str, secret: str) -> bool:
    """Whether a secret is good for what it is made for."""
    if address.startswith("setup_key/"):
        joined = account.simulator.event({"event": "peer_joins", "hostname": secret[:8], "setup_key": secret})
        return "error" not in joined
    with httpx.Client(transport=account.simulator.transport(), base_url="http://netbird/api") as client:
        answer = client.get("/groups", headers={"Authorization": f"Token {secret}"})
    return "invalid token" not in answer.text


_CACHE: dict[str, Any] = {}


@pytest.fixture
def settled(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account as TEXT has it, with which nbsync works by a token of its own that TEXT declares: made once, then copied."""
    if not _CACHE:
        account.applied(TEXT, *SECRETS)
        _CACHE.update(
            world=deepcopy(account.simulator.world), secrets=Path("secrets.jsonl").read_text(), token=account.token
        )
    account.simulator.world = deepcopy(_CACHE["world"])
    account.write(f"version: 1\n{TEXT}")
    Path("secrets.jsonl").write_text(_CACHE["secrets"])
    Path("secrets.jsonl").chmod(0o600)
    monkeypatch.setenv("NB_PAT", handed_over("token/nbsync/own")[-1]["secret"])
    return Account(account.folder, account._capture, account.simulator, _CACHE["token"])


@each
def test_a_new_one_is_made_handed_over_and_seen_to_work_before_the_old_one_goes(settled: Account, address: str) -> None:
    (old,) = live(settled, address)
    outcome = rotate(settled, address)
    assert outcome.exit_code == 0, outcome.stdout
    assert outcome.changes == [f"! {address}"]
    (new,) = live(settled, address)
    assert new != old
    first, second = handed_over(address)
    assert (first["id"], second["id"]) == (old, new)
    assert works(settled, address, second["secret"])
    assert not works(settled, address, first["secret"])
    sent = [line.replace(new, "NEW").replace(old, "OLD") for line in outcome.sent]
    made = next(number for number, line in enumerate(sent) if line.startswith("POST"))
    assert [line.rpartition("/")[2] for line in sent[made:] if "NEW" in line or "OLD" in line] == ["NEW", "OLD"]
    assert (sent[-2].startswith("DELETE"), len(outcome.writes)) == (True, 2)
    assert (sent[-1], sent[made:].count(sent[-1])) == (f"GET {sent[made].split()[1]}", 1)


@each
def test_the_list_is_read_once_before_the_new_one_is_made(settled: Account, address: str) -> None:
    planned = settled.nbsync("plan", "-o", "json").sent
    sent = rotate(settled, address).sent
    made = next(number for number, line in enumerate(sent) if line.startswith("POST"))
    where = f"GET {sent[made].split()[1]}"
    assert sent[:made].count(where) == planned.count(where) + 1


def test_a_token_is_tried_by_asking_who_it_is(settled: Account) -> None:
    settled.simulator.requests.clear()
    rotate(settled, "token/s/t")
    secret = handed_over("token/s/t")[-1]["secret"]
    (token,) = (one for one in settled.read(f"/users/{user(settled, 's')}/tokens") if one["name"] == "t")
    assert token["last_used"]
    assert works(settled, "token/s/t", secret)


def user(account: Account, name: str) -> str:
    return str(account.named("/users", name)["id"])


def test_requests_of_the_trial_are_counted_as_well(settled: Account) -> None:
    outcome = rotate(settled, "token/s/t")
    assert outcome.document["requests"] == {
        "read": len(outcome.sent) - len(outcome.writes),
        "write": len(outcome.writes),
    }


@each
def test_nothing_is_left_to_plan_and_nothing_else_has_changed(
    settled: Account, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bystanders = [(one["id"], one["updated_at"]) for one in settled.read("/setup-keys") if one["name"] == "other"]
    assert rotate(settled, address).exit_code == 0
    monkeypatch.setenv("NB_PAT", handed_over("token/nbsync/own")[-1]["secret"])
    assert settled.nbsync("plan", "-o", "json").changes == []
    assert [
        (one["id"], one["updated_at"]) for one in settled.read("/setup-keys") if one["name"] == "other"
    ] == bystanders


def test_one_who_rotates_the_token_in_use_is_told_what_it_means(settled: Account) -> None:
    outcome = rotate(settled, "token/nbsync/own")
    assert (outcome.exit_code, outcome.warning.code, outcome.warning.address) == (0, "NBS650", "token/nbsync/own")
    assert "the old one is deleted last" in outcome.warning.message
    assert "NB_PAT" in outcome.warning.help
    refused = settled.nbsync("plan", "-o", "json")
    assert (refused.exit_code, refused.error.code) == (8, "NBS502")


def test_only_what_has_a_secret_and_is_declared_and_live_is_renewed(account: Account) -> None:
    account.plan(TEXT)
    for address, said in (
        ("group/g", "a group has no secret that could be renewed"),
        ("setup_key/x", "no file declares 'setup_key/x'"),
        ("setup_key/k", "setup_key/k is not in the account yet"),
    ):
        outcome = account.nbsync("rotate", address, *FLAGS, "-o", "json")
        assert (outcome.exit_code, outcome.errors[0].message) == (64, said)


def test_an_id_in_the_files_is_refused_as_a_new_one_has_another(settled: Account) -> None:
    (old,) = live(settled, "setup_key/k")
    settled.write(f"version: 1\nsetup_keys: {{k: {{type: reusable, id: {old}}}}}")
    outcome = rotate(settled, "setup_key/k")
    assert (outcome.exit_code, outcome.writes) == (64, [])
    assert outcome.error.message == "setup_key/k is declared with an id, and a new one has another"


def test_an_object_in_one_that_is_ambiguous_is_not_renewed(settled: Account) -> None:
    settled.send("POST", "/users", {"name": "s", "role": "user", "auto_groups": [], "is_service_user": True})
    outcome = rotate(settled, "token/s/t")
    assert (outcome.exit_code, outcome.error.code, outcome.error.address) == (3, "NBS202", "service_user/s")


def test_without_a_place_for_the_secret_nothing_is_made(settled: Account) -> None:
    before = live(settled, "setup_key/k")
    outcome = rotate(settled, "setup_key/k", "--yes")
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (5, "NBS601", [])
    assert live(settled, "setup_key/k") == before


def test_a_protected_one_stays_and_the_limit_of_deletes_is_none(settled: Account) -> None:
    settled.write(
        "version: 1\nguards: {max_delete: {count: 0}}"
        + TEXT.replace("other: {type: reusable}", "o2: {type: reusable, protect: true}")
    )
    assert rotate(settled, "setup_key/k").exit_code == 0
    settled.write("version: 1\n" + TEXT.replace("k: {type: reusable}", "k: {type: reusable, protect: true}"))
    outcome = rotate(settled, "setup_key/k")
    assert (outcome.exit_code, outcome.error.code, outcome.writes) == (5, "NBS402", [])


def test_several_of_one_name_are_told_apart_by_nobody_so_all_go_for_a_new_one(settled: Account) -> None:
    key = {"name": "k", "type": "reusable", "expires_in": 0, "auto_groups": [], "usage_limit": 0}
    more = [settled.send("POST", "/setup-keys", key)["id"] for _ in range(2)]
    planned = settled.nbsync("plan", "-o", "json")
    assert (planned.exit_code, planned.error.code) == (3, "NBS202")
    assert planned.error.help.startswith(
        "make a new one and remove all of these: nbsync rotate setup_key/k; or say which"
    )
    before = live(settled, "setup_key/k")
    assert before[1:] == more
    outcome = rotate(settled, "setup_key/k")
    assert outcome.exit_code == 0
    assert outcome.change("setup_key/k")["reason"] == (
        f"a new secret was asked for; 3 live objects of this name go: {', '.join(before)}"
    )
    (new,) = live(settled, "setup_key/k")
    assert (new not in before, handed_over("setup_key/k")[-1]["id"]) == (True, new)
    assert settled.nbsync("plan", "-o", "json").changes == []


def test_of_several_tokens_the_one_in_use_goes_last(settled: Account) -> None:
    settled.send("POST", f"/users/{user(settled, 'nbsync')}/tokens", {"name": "own", "expires_in": 9})
    mine, spare = live(settled, "token/nbsync/own")
    outcome = rotate(settled, "token/nbsync/own")
    assert outcome.exit_code == 0
    assert [line.rpartition("/")[2] for line in outcome.writes[1:]] == [spare, mine]


@each
def test_where_the_secret_cannot_be_handed_over_the_new_one_goes_again(
    settled: Account, folder: Path, address: str
) -> None:
    before = live(settled, address)
    outcome = rotate(settled, address, "--yes", "--secrets-out", "exec:false")
    assert (outcome.exit_code, outcome.errors[0].code) == (1, "NBS651")
    assert outcome.errors[0].message == (
        f"{address} was not renewed: the command of --secrets-out ended with status 1; "
        "the new one was deleted again, the old one is as it was"
    )
    assert live(settled, address) == before
    assert works(settled, address, handed_over(address)[-1]["secret"])
    assert list((folder / ".state/nbsync").glob("nbsync-secret-*")) == []


def test_where_it_can_be_neither_handed_over_nor_deleted_the_secret_is_kept(settled: Account, folder: Path) -> None:
    settled.fault("DELETE", "/api/setup-keys/*", "status:500")
    outcome = rotate(settled, "setup_key/k", "--yes", "--secrets-out", "exec:false")
    assert (outcome.exit_code, outcome.errors[0].code) == (7, "NBS652")
    (kept,) = (folder / ".state/nbsync").glob("nbsync-secret-*")
    assert f"is kept in {kept}" in outcome.errors[0].message
    old, new = live(settled, "setup_key/k")
    assert (json.loads(kept.read_text())["id"], f"made anew ({new})" in outcome.errors[0].message) == (new, True)
    assert old == handed_over("setup_key/k")[-1]["id"]


def lying(path: str, **lies: Any) -> Callable[[Request, Response], Response]:
    """Answers of a server that shows some objects otherwise than they are."""

    def after(request: Request, response: Response) -> Response:
        if request.method == "GET" and request.path.startswith(path):
            return json_answer({**json.loads(response.get_data()), **lies})
        return response

    return after


@pytest.mark.parametrize(
    ("lies", "why"),
    [
        ({"state": "expired"}, "this setup key has expired; no machine can join with it"),
        (
            {"type": "one-off"},
            "the server took setup_key/k and did not keep all of it: type: meant reusable, is one-off",
        ),
    ],
)
def test_a_new_one_that_is_not_good_goes_again(
    settled: Account, between: Between, lies: dict[str, Any], why: str
) -> None:
    before = live(settled, "setup_key/k")
    between.after = lying("/api/setup-keys/", **lies)
    outcome = rotate(settled, "setup_key/k")
    assert (outcome.exit_code, outcome.errors[0].code) == (1, "NBS651")
    assert outcome.errors[0].message.startswith(f"setup_key/k was not renewed: {why}")
    assert live(settled, "setup_key/k") == before


@pytest.mark.parametrize("address", ["token/s/t", "token/nbsync/own"])
def test_a_new_token_that_the_server_does_not_know_goes_again(settled: Account, between: Between, address: str) -> None:
    before = live(settled, address)
    known = os.environ["NB_PAT"]

    def before_all(request: Request) -> Response | None:
        if request.headers["Authorization"].split()[1] == known:
            return None
        return json_answer({"message": "invalid token: pat: x not found", "code": 404}, 404)

    between.before = before_all
    outcome = rotate(settled, address)
    assert (outcome.exit_code, outcome.errors[0].code) == (1, "NBS651")
    assert "was not authenticated" in outcome.errors[0].message
    assert live(settled, address) == before


def test_a_new_token_that_speaks_for_somebody_else_goes_again(settled: Account, between: Between) -> None:
    before, known, stranger = live(settled, "token/s/t"), os.environ["NB_PAT"], user(settled, "nbsync")

    def after(request: Request, response: Response) -> Response:
        if request.path == "/api/users" and request.headers["Authorization"].split()[1] != known:
            return json_answer(
                [{**one, "is_current": one["id"] == stranger} for one in json.loads(response.get_data())]
            )
        return response

    between.after = after
    outcome = rotate(settled, "token/s/t")
    assert (outcome.exit_code, outcome.errors[0].code) == (1, "NBS651")
    assert "it speaks for somebody else" in outcome.errors[0].message
    assert live(settled, "token/s/t") == before


@each
def test_where_nothing_can_be_seen_both_stay(settled: Account, address: str) -> None:
    """The one that was handed over may be in use already, and nothing says that it is not good."""
    (old,) = live(settled, address)
    path = "/api/setup-keys/*" if address == "setup_key/k" else "/api/users/*/tokens/*"
    settled.fault("GET", path, "status:500")
    outcome = rotate(settled, address)
    assert (outcome.exit_code, outcome.errors[0].code) == (7, "NBS652")
    assert "and the old one is there, too: it could not be tried: GET /api/" in outcome.errors[0].message
    assert outcome.errors[0].help == f"make another and remove all of these: nbsync rotate {address}"
    assert live(settled, address) == [old, handed_over(address)[-1]["id"]]


def test_a_blocked_users_token_is_good_for_what_it_may_do(settled: Account) -> None:
    blocked = TEXT.replace("s: {role: user", "s: {role: user, blocked: true")
    settled.applied(blocked, *SECRETS)
    assert rotate(settled, "token/s/t").exit_code == 0


FAULTS = ("drop-before", "drop-after", "status:503", "garbage", "killed before", "killed after")
CALLS = {"setup_key/k": 4, "token/s/t": 6, "token/nbsync/own": 6}
"""Calls from the one that makes the new object: it is read, a token tried by two, the old one deleted, and the list read."""
CUTS = [
    (address, number, fault) for address, calls in CALLS.items() for number in range(1, calls + 1) for fault in FAULTS
]


class Killed(BaseException):
    """The process is gone; nothing tidies up."""


class Cut:
    """Stands where requests leave the process, and lets the nth of them fail, counted from the first that is no GET."""

    def __init__(self, account: Account, monkeypatch: pytest.MonkeyPatch, number: int, fault: str) -> None:
        self.calls = 0
        self.watch: Callable[[], None] = lambda: None
        send = Exchange.send

        def cut(exchange: Exchange, call: Any, *rest: Any) -> Any:
            self.calls += bool(self.calls or call.method != "GET")
            struck = self.calls == number
            if struck and fault == "killed before":
                raise Killed
            if struck and not fault.startswith("killed"):
                account.fault(call.method, call.path, fault)
            try:
                answer = send(exchange, call, *rest)
            finally:
                self.watch()
            if struck and fault == "killed after":
                raise Killed
            return answer

        monkeypatch.setattr(Exchange, "send", cut)


@pytest.mark.parametrize(("address", "number", "fault"), CUTS)
def test_rotating_again_ends_what_was_cut_off_and_at_no_time_is_there_no_good_secret(
    settled: Account, monkeypatch: pytest.MonkeyPatch, address: str, number: int, fault: str
) -> None:
    with monkeypatch.context() as patch:
        cut = Cut(settled, patch, number, fault)
        cut.watch = lambda: _one_is_good(settled, address)
        try:
            first = run(["rotate", address, *FLAGS, "-q"])
        except Killed:
            first = -signal.SIGKILL
        assert cut.calls >= number
    settled.simulator.faults.waiting.clear()
    monkeypatch.setenv("NB_PAT", _usable(settled, "token/nbsync/own"))
    left = live(settled, address)
    planned = settled.nbsync("plan", "-o", "json")
    if len(left) > 1:
        assert (planned.exit_code, planned.error.code) == (3, "NBS202")
        assert f"nbsync rotate {address}" in planned.error.help
    else:
        assert (planned.exit_code, planned.changes) == (0, [])
    if first == 0:
        assert left == [handed_over(address)[-1]["id"]]
    assert rotate(settled, address).exit_code == 0
    (new,) = live(settled, address)
    last = handed_over(address)[-1]
    assert (last["id"], new in left) == (new, False)
    assert works(settled, address, last["secret"])
    monkeypatch.setenv("NB_PAT", _usable(settled, "token/nbsync/own"))
    assert settled.nbsync("plan", "-o", "json").changes == []


@each
def test_a_lost_answer_to_the_last_call_is_made_good_by_a_look(settled: Account, address: str) -> None:
    """Of the token in use the look is refused, which says that the token is gone."""
    settled.fault("DELETE", "*", "drop-after")
    assert rotate(settled, address).exit_code == 0
    assert live(settled, address) == [handed_over(address)[-1]["id"]]


def _one_is_good(account: Account, address: str) -> None:
    assert {line["id"] for line in handed_over(address)} & set(live(account, address))


def _usable(account: Account, address: str) -> str:
    """The secret that was handed over last of those that still work."""
    return str([one["secret"] for one in handed_over(address) if one["id"] in live(account, address)][-1])


@pytest.mark.parametrize(("method", "left"), [("POST", 2), ("DELETE", 1)])
def test_kill_9_after_the_server_has_done_it_and_before_its_answer(
    settled: Account, between: Between, method: str, left: int
) -> None:
    running: list[subprocess.Popen[bytes]] = []

    def after(request: Request, response: Response) -> Response:
        if request.method == method and running:
            running[0].kill()
            running[0].wait()
        return response

    between.after = after
    command = [sys.executable, "-m", "reconciler", "rotate", "setup_key/k", *FLAGS, "--quiet"]
    running.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL))
    assert running[0].wait(timeout=60) == -signal.SIGKILL
    running.clear()
    assert len(live(settled, "setup_key/k")) == left
    assert rotate(settled, "setup_key/k").exit_code == 0
    assert live(settled, "setup_key/k") == [handed_over("setup_key/k")[-1]["id"]]


@pytest.fixture
def between(settled: Account, connect: Callable[[Any, str], None]) -> Iterator[Between]:
    """What stands between nbsync and the settled account's server."""
    front = Between(settled.simulator)
    connect(front, os.environ["NB_PAT"])
    yield front
    connect(settled.simulator, os.environ["NB_PAT"])


def colleague_works(account: Account, between: Between, identifier: str) -> None:
    """Let somebody change a setup key once the rotation has been planned, just before its list is read again."""
    reads: list[str] = []

    def before(request: Request) -> None:
        if (request.method, request.path) == ("GET", "/api/setup-keys"):
            reads.append(request.path)
            if len(reads) == 2:
                body = {"auto_groups": [account.named("/groups", "g")["id"]], "revoked": False}
                account.send("PUT", f"/setup-keys/{identifier}", body)

    between.before = before


@pytest.mark.parametrize("spares", [0, 1])
def test_where_an_old_one_was_changed_after_the_plan_nothing_is_made(
    settled: Account, between: Between, spares: int
) -> None:
    key = {"name": "k", "type": "reusable", "expires_in": 0, "auto_groups": [], "usage_limit": 0}
    for _ in range(spares):
        settled.send("POST", "/setup-keys", key)
    before = live(settled, "setup_key/k")
    colleague_works(settled, between, before[-1])
    outcome = rotate(settled, "setup_key/k")
    assert (outcome.exit_code, outcome.errors[0].code) == (6, "NBS630")
    assert outcome.writes == [f"PUT /api/setup-keys/{before[-1]}"]  # the colleague's own
    assert outcome.errors[0].help.startswith("nothing was done to it")
    assert live(settled, "setup_key/k") == before
    assert len(handed_over("setup_key/k")) == 1


def test_where_an_old_one_is_changed_while_the_secret_is_handed_over_both_stay_and_are_told_of(
    settled: Account, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fresh, "_is_good", lambda *_: False)  # as after a minute
    (old,) = live(settled, "setup_key/k")

    def after(request: Request, response: Response) -> Response:
        if request.method == "POST":
            settled.send("PUT", f"/setup-keys/{old}", {"auto_groups": [], "revoked": True})
        return response

    between.after = after
    outcome = rotate(settled, "setup_key/k")
    error = outcome.change("setup_key/k")["error"]
    new = handed_over("setup_key/k")[-1]["id"]
    assert (outcome.exit_code, error["code"]) == (7, "NBS652")
    said = f"setup_key/k was made anew ({new}), and the old one is there, too: {old} could not be deleted: "
    assert error["message"].startswith(f"{said}setup_key/k has changed since the plan was made: ")
    assert live(settled, "setup_key/k") == [old, new]


def journal_ends(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Let there be no more room for the journal once a call of this method is to be noted."""
    write = Journal._write

    def full(self: Journal, data: bytes, *, sync: bool) -> None:
        if f'"{method}"'.encode() in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, data, sync=sync)

    monkeypatch.setattr(Journal, "_write", full)


@each
def test_where_the_journal_is_full_before_the_old_one_goes_both_stay_and_are_told_of(
    settled: Account, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    (old,) = live(settled, address)
    journal_ends(monkeypatch, "DELETE")
    outcome = rotate(settled, address)
    error = outcome.change(address)["error"]
    assert (outcome.exit_code, error["code"]) == (7, "NBS652")
    assert f"{old} could not be deleted: the journal" in error["message"]
    assert live(settled, address) == [old, handed_over(address)[-1]["id"]]


def test_where_the_journal_is_full_before_the_new_one_is_whole_both_stay_and_are_told_of(
    settled: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server takes only in an update is sent as one, after the secret was handed over."""
    (old,) = live(settled, "setup_key/k")
    settled.applied(TEXT.replace("k: {type: reusable}", "k: {type: reusable, revoked: true}"))
    journal_ends(monkeypatch, "PUT")
    outcome = rotate(settled, "setup_key/k")
    error = outcome.change("setup_key/k")["error"]
    assert (outcome.exit_code, error["code"]) == (7, "NBS652")
    assert live(settled, "setup_key/k") == [old, handed_over("setup_key/k")[-1]["id"]]


def deletes_nothing(request: Request) -> Response | None:
    """A server that answers to a delete as if it had done it."""
    return json_answer({}) if request.method == "DELETE" else None


@each
def test_a_delete_that_was_answered_and_not_done_is_no_success(
    settled: Account, between: Between, address: str
) -> None:
    (old,) = live(settled, address)
    between.before = deletes_nothing
    outcome = rotate(settled, address)
    (error,) = outcome.errors
    new = handed_over(address)[-1]["id"]
    assert (outcome.exit_code, outcome.statuses[address], error.code) == (7, "failed", "NBS652")
    assert error.message == (
        f"{address} was made anew ({new}), and the old one is there, too: "
        f"{old}: the server took the delete of {address}, and it is still there"
    )
    assert live(settled, address) == [old, new]


def test_a_new_one_that_was_to_go_again_and_did_not_is_told_of_and_its_secret_kept(
    settled: Account, between: Between, folder: Path
) -> None:
    between.before = deletes_nothing
    outcome = rotate(settled, "setup_key/k", "--yes", "--secrets-out", "exec:false")
    (error,) = outcome.errors
    assert (outcome.exit_code, error.code) == (7, "NBS652")
    assert error.message.endswith("the server took the delete of setup_key/k, and it is still there")
    (kept,) = (folder / ".state/nbsync").glob("nbsync-secret-*")
    assert f"is kept in {kept}" in error.message
    assert json.loads(kept.read_text())["id"] == live(settled, "setup_key/k")[1]


@pytest.mark.parametrize(("looks", "code", "status"), [(1, "NBS604", "failed"), (9, "NBS633", "applied")])
def test_where_the_look_whether_the_old_one_is_gone_fails_another_follows_and_then_it_is_said(
    settled: Account, between: Between, looks: int, code: str, status: str
) -> None:
    left = [0]

    def before(request: Request) -> Response | None:
        if request.method == "DELETE":
            left[0] = looks
        elif left[0] and request.path == "/api/setup-keys":
            left[0] -= 1
            return json_answer({"message": "permission denied", "code": 403}, 403)
        return deletes_nothing(request)

    between.before = before
    outcome = rotate(settled, "setup_key/k")
    found = [one["code"] for one in outcome.document["diagnostics"]]
    assert (outcome.exit_code, outcome.statuses["setup_key/k"], found) == (7, status, [code])


def test_an_apply_still_replaces_what_the_server_cannot_change_the_old_one_first(settled: Account) -> None:
    outcome = settled.apply(TEXT.replace("k: {type: reusable}", "k: {type: one-off}"), *SECRETS)
    assert outcome.exit_code == 0
    assert [line.split("/")[0] for line in outcome.writes] == ["DELETE ", "POST "]
