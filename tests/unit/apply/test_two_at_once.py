"""Two runs at once on different machines: the audit log tells, the second says who is at work, and since when."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.api.problems import Stopped
from reconciler.apply import neighbours
from reconciler.apply.neighbours import Watch
from reconciler.simulator.seed import owner_token
from tests.unit.apply.drawn import PEERS, Draw, allowances
from tests.unit.harness import Account, Between, Outcome, json_answer

ROOT = Path(__file__).parents[3]
LOG = "GET /api/events/audit"
TEXT = "groups: {a: , b: , c: }"
WHO = r"another run with a token of the service user nbsync has been changing the account since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"


class Elsewhere:
    """Somebody else who changes the account at certain requests of the run that is watched.

    Attributes:
        at: what somebody does just before the server sees the nth request with this method and path.
    """

    def __init__(self, account: Account, between: Between) -> None:
        self.account = account
        self.at: dict[tuple[str, int], Callable[[], Any]] = {}
        self.seen: list[str] = []
        between.before = self._before

    def _before(self, request: Request) -> None:
        line = f"{request.method} {request.path}"
        self.seen.append(line)
        if action := self.at.get((line, self.seen.count(line))):
            action()

    def change(self, name: str, token: str = "") -> Any:
        """Make a group: by another run with nbsync's own token, or by whoever has this one."""
        return Account(*self._desk(), token or self.account.token).send("POST", "/groups", {"name": name})

    def _desk(self) -> tuple[Any, Any, Any]:
        return self.account.folder, self.account._capture, self.account.simulator


@pytest.fixture
def elsewhere(account: Account, between: Between) -> Elsewhere:
    return Elsewhere(account, between)


@pytest.fixture
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was done in this account is no reason to wait."""
    monkeypatch.setattr(neighbours, "JUST_NOW", timedelta(0))


def program(account: Account, name: str = "terraform") -> str:
    """The token of another service user."""
    made = account.send("POST", "/users", {"name": name, "role": "admin", "auto_groups": [], "is_service_user": True})
    token = account.send("POST", f"/users/{made['id']}/tokens", {"name": "t", "expires_in": 9})
    return str(token["plain_token"])


def looks(outcome: Outcome) -> int:
    return outcome.sent.count(LOG)


def written(outcome: Outcome) -> int:
    """Writes of the run itself."""
    return int(outcome.document["requests"]["write"])


def groups(prefix: str, count: int) -> str:
    return f"groups: {{{', '.join(f'{prefix}{number}: ' for number in range(count))}}}"


def test_runs_one_after_the_other_do_not_see_each_other(account: Account) -> None:
    for text in (TEXT, "groups: {a: }", TEXT, "groups: {a: {peers: []}, d: }"):
        outcome = account.applied(f"manage: {{default: full}}\nguards: {{max_delete: {{percent: 100}}}}\n{text}")
        assert outcome.findings == []


def test_a_run_looks_before_it_reads_before_it_writes_and_after_its_first_write(
    account: Account, long_ago: None
) -> None:
    outcome = account.applied(groups("g", 30))
    writes = [number for number, line in enumerate(outcome.sent) if line.startswith("POST")]
    where = [number for number, line in enumerate(outcome.sent) if line == LOG]
    assert where == [1, writes[0] - 1, writes[0] + 1]
    assert looks(account.applied("groups: {}")) == 1
    assert looks(account.applied("groups: {x: }")) == 2
    assert looks(account.plan("groups: {y: }")) == 0
    assert LOG not in account.nbsync("apply", "--yes", "--simulate").sent


def test_one_who_is_at_work_when_this_run_begins_keeps_it_from_writing(account: Account, elsewhere: Elsewhere) -> None:
    elsewhere.at[LOG, 2] = lambda: elsewhere.change("theirs-1")
    elsewhere.at[LOG, 3] = lambda: elsewhere.change("theirs-2")
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, written(outcome)) == (6, 0)
    assert re.match(f"{WHO}: 2 events, the last one: Group created \\(theirs-2\\)$", outcome.errors[-1].message), (
        outcome.errors
    )
    assert (outcome.errors[-1].code, set(outcome.statuses.values())) == ("NBS642", {"skipped"})
    assert "run this again when the other has ended" in outcome.errors[-1].help


def test_one_who_has_just_ended_keeps_nobody(account: Account, elsewhere: Elsewhere) -> None:
    """Events come into the log a little after what they tell; a run before this one may still be heard of."""
    elsewhere.at[LOG, 2] = lambda: elsewhere.change("theirs")
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, outcome.errors, outcome.warnings, written(outcome)) == (0, [], [], 3)


def test_one_who_was_at_work_just_before_is_waited_for(account: Account, elsewhere: Elsewhere) -> None:
    """Whether it has ended: there is nothing else by which a run that is between two changes could be noticed."""
    elsewhere.change("theirs-1")
    assert (looks(account.applied("groups: {x: }")), elsewhere.seen.count(LOG)) == (3, 3)
    elsewhere.at[LOG, 6] = lambda: elsewhere.change("theirs-2")
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, written(outcome), outcome.errors[-1].code) == (6, 0, "NBS642")


def test_one_whose_first_write_came_before_this_runs_first_goes_on_and_this_one_stops(
    account: Account, elsewhere: Elsewhere
) -> None:
    elsewhere.at["POST /api/groups", 1] = lambda: elsewhere.change("theirs")
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, written(outcome)) == (7, 1)
    assert sorted(outcome.statuses.values()) == ["applied", "skipped", "skipped"]
    assert re.match(f"{WHO}: one event, the last one: Group created \\(theirs\\)", outcome.errors[-1].message)
    assert account.applied(TEXT).findings == []


def test_one_who_begins_later_is_warned_of_and_this_run_goes_on(account: Account, elsewhere: Elsewhere) -> None:
    account.simulator.event({"event": "time_passes", "seconds": 61})
    elsewhere.at[LOG, 3] = lambda: elsewhere.change("theirs")
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, outcome.warning.code) == (0, "NBS642")
    assert re.match(WHO, outcome.warning.message)
    assert outcome.warning.help == "this run was first and goes on; the other one is to stop"


@pytest.mark.parametrize(("seconds", "exit_code"), [(20, 7), (70, 0)])
def test_what_was_written_shortly_before_counts_for_who_was_first(
    account: Account, elsewhere: Elsewhere, seconds: int, exit_code: int
) -> None:
    account.simulator.event({"event": "time_passes", "seconds": 300})
    elsewhere.change("theirs-1")
    account.simulator.event({"event": "time_passes", "seconds": seconds})
    elsewhere.at[LOG, 3] = lambda: elsewhere.change("theirs-2")
    outcome = account.apply(TEXT)
    assert outcome.exit_code == exit_code
    said = (outcome.errors or outcome.warnings)[-1].message
    assert ("2 events" in said) == (exit_code == 7)


def test_both_changing_the_same_object_first_is_a_doubt_in_which_a_run_stops(
    account: Account, elsewhere: Elsewhere, long_ago: None
) -> None:
    account.applied("posture_checks: {p: {netbird_version: 1.0.0}, q: {netbird_version: 1.0.0}}")
    check = account.named("/posture-checks", "p")
    account.simulator.event({"event": "time_passes", "seconds": 300})
    body = {**check, "checks": {"nb_version_check": {"min_version": "1.2.0"}}}
    elsewhere.seen.clear()
    elsewhere.at[LOG, 3] = lambda: account.send("PUT", f"/posture-checks/{check['id']}", body)
    outcome = account.apply("posture_checks: {p: {netbird_version: 1.1.0}, q: {netbird_version: 1.1.0}}")
    assert (outcome.exit_code, outcome.errors[-1].code) == (7, "NBS642")


def test_whoever_knows_better_can_go_on_all_the_same(account: Account, elsewhere: Elsewhere) -> None:
    elsewhere.at["POST /api/groups", 1] = lambda: elsewhere.change("theirs")
    outcome = account.apply(TEXT, "--allow", "another-run")
    assert (outcome.exit_code, outcome.warning.code, written(outcome)) == (0, "NBS642", 3)
    assert outcome.warning.help == "this run goes on all the same (--allow another-run)"


WRITERS = {
    "apply": ("apply", "--yes"),
    "apply --plan": ("apply", "--plan", "plan.json"),
    "rotate": ("rotate", "setup_key/k", "--yes"),
    "rollback": ("rollback", "--yes"),
}


@pytest.mark.parametrize("command", WRITERS)
def test_every_command_that_writes_takes_the_flag_that_its_refusal_names(
    account: Account, elsewhere: Elsewhere, command: str
) -> None:
    asked = (*WRITERS[command], "-o", "json", "--secrets-out", "secrets")
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    account.plan("setup_keys: {k: {type: reusable}}\ngroups: {b: }", "--save", "plan.json")
    numbers = count()

    def meet(*flags: str) -> Outcome:
        elsewhere.seen.clear()
        elsewhere.at = {(LOG, look): lambda: elsewhere.change(f"theirs-{next(numbers)}") for look in (2, 3)}
        return account.nbsync(*asked, *flags)

    refused = meet()
    assert (refused.exit_code, written(refused), refused.errors[-1].code) == (6, 0, "NBS642")
    named = re.search("--allow [a-z-]+", refused.errors[-1].help)
    assert named
    allowed = meet(*named[0].split())
    assert (allowed.exit_code, {found.code for found in allowed.warnings}) == (0, {"NBS642"})
    assert written(allowed) > 0


def test_a_rotation_has_no_other_guard_that_could_be_lifted(account: Account) -> None:
    account.applied("setup_keys: {k: {type: reusable}}", "--secrets-out", "secrets")
    for word in ("renumber", "delete:1"):
        outcome = account.nbsync("rotate", "setup_key/k", "--yes", "-o", "json", "--allow", word)
        assert (outcome.exit_code, outcome.sent) == (64, ())
        assert "another-run" in outcome.error.message + outcome.error.help


def test_people_may_click_and_machines_may_come(account: Account, elsewhere: Elsewhere) -> None:
    person = {"Authorization": f"Bearer {owner_token(account.simulator)}"}
    click = {"json": {"name": "clicked"}, "headers": person}
    key = account.send(
        "POST",
        "/setup-keys",
        {"name": "k", "type": "reusable", "expires_in": 86400, "auto_groups": [], "usage_limit": 0},
    )
    elsewhere.at["POST /api/groups", 1] = lambda: account._http.post("/groups", **click).raise_for_status()
    elsewhere.at["POST /api/groups", 2] = lambda: account.simulator.event(
        {"event": "peer_joins", "hostname": "x", "setup_key": key["key"]}
    )
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, outcome.findings) == (0, [])


def test_another_program_is_named_with_what_it_has_done(account: Account, elsewhere: Elsewhere) -> None:
    token = program(account)
    elsewhere.at["GET /api/groups", 1] = lambda: elsewhere.change("theirs-1", token)
    elsewhere.at["POST /api/groups", 1] = lambda: elsewhere.change("theirs-2", token)
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, outcome.warning.code) == (0, "NBS643")
    assert outcome.warning.message.startswith(
        "while this run was at work, the service user terraform has been changing"
    )
    assert outcome.warning.message.endswith(": 2 events, the last one: Group created (theirs-2)")


def test_one_who_works_with_a_persons_token_may_click_meanwhile(
    account: Account, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = next(one for one in account.simulator.world.accounts()[0].rows("users") if one["role"] == "owner")
    person = {"Authorization": f"Bearer {owner_token(account.simulator)}"}
    made = account._http.post(
        f"/users/{owner['id']}/tokens", json={"name": "t", "expires_in": 9}, headers=person
    ).json()
    monkeypatch.setenv("NB_PAT", made["plain_token"])
    click = {"json": {"name": "clicked"}, "headers": person}
    elsewhere.at["POST /api/groups", 1] = lambda: account._http.post("/groups", **click).raise_for_status()
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, outcome.findings) == (0, [])


LOGS: dict[str, tuple[Response, str]] = {
    "closed": (
        json_answer({"message": "permission denied", "code": 403}, 403),
        "GET /api/events/audit is not permitted",
    ),
    "not kept": (json_answer([]), "the server keeps no audit log"),
    "broken": (json_answer({"message": "x", "code": 500}, 500), "GET /api/events/audit failed in the server (500)"),
    "of something else": (json_answer([{"id": "x"}]), "GET /api/events/audit did not answer with NetBird's objects"),
}


@pytest.mark.parametrize("log", LOGS)
def test_without_a_log_that_can_be_read_the_run_goes_on_and_says_so_once(
    account: Account, between: Between, log: str
) -> None:
    answer, why = LOGS[log]
    between.before = lambda request: answer if request.path == "/api/events/audit" else None
    outcome = account.applied(TEXT)
    (found,) = outcome.findings
    assert (found.severity, found.code) == ("info", "NBS644")
    assert found.message.startswith(f"runs on other machines cannot be noticed: {why}")
    assert account.applied(TEXT).findings == []


def test_a_log_that_fails_in_the_midst_is_looked_at_no_more(account: Account, elsewhere: Elsewhere) -> None:
    elsewhere.at[LOG, 3] = lambda: account.fault("GET", "/api/events/audit", "garbage")
    outcome = account.applied(TEXT)
    assert [(found.severity, found.code) for found in outcome.findings] == [("info", "NBS644")]


def test_times_without_a_zone_are_of_utc(account: Account, between: Between) -> None:
    def after(request: Request, response: Response) -> Response:
        if request.path != "/api/events/audit":
            return response
        events = json.loads(response.get_data())
        return json_answer([event | {"timestamp": event["timestamp"].removesuffix("Z")} for event in events])

    between.after = after
    account.applied("groups: {a: }")
    outcome = account.apply("groups: {a: , b: }")
    assert (outcome.exit_code, outcome.findings) == (0, [])


def test_servers_before_0_39_have_it_elsewhere_or_not_at_all(account: Account, between: Between) -> None:
    gone: set[str] = {"/api/events/audit"}
    missing = Response("404 page not found\n", 404, content_type="text/plain; charset=utf-8")
    between.before = lambda request: missing if request.path in gone else None
    assert account.applied(TEXT).findings == []
    gone.add("/api/events")
    (found,) = account.applied("groups: {x: }").findings
    assert found.code == "NBS644"


@pytest.fixture
def unexplained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Events that runs do not know to be their own; they look after every change, and once more in the end."""
    for figure in ("EVERY", "CHANGES_BETWEEN", "SHARE"):
        monkeypatch.setattr(neighbours, figure, 0)
    left: list[Any] = []
    findings = Watch.findings

    def last_look(watch: Watch) -> list[Any]:
        watch._theirs_now()
        left.extend(watch.traces.unexplained)
        return findings(watch)

    monkeypatch.setattr(Watch, "findings", last_look)
    return left


FULL = "manage: {default: full}\nguards: {max_delete: {percent: 100}}\nunmanaged: [policy/Default]\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "networks: {n: {resources: {r: {address: a.example, groups: [a]}}, routers: [{peer_groups: [a]}]}}",
            "networks: {}",
        ),
        ("dns: {disabled_management_groups: []}", "dns: {disabled_management_groups: [a]}"),
        (
            "account: {peer_login_expiration: 12h}",
            "account: {peer_login_expiration: 13h, peer_login_expiration_enabled: false}",
        ),
        ("dns: {zones: {x.example: {groups: [a], records: {w: {A: 10.0.0.1}}}}}", "dns: {zones: {}}"),
        ("service_users: {s: {role: user, tokens: {t: {expires_in: 9d}}}}", "service_users: {nbsync: {role: admin}}"),
        ("setup_keys: {k: {type: reusable}}", "setup_keys: {k: {type: one-off, auto_groups: [a]}}"),
    ],
)
def test_nothing_that_a_run_causes_itself_is_taken_for_anothers(
    account: Account, unexplained: list[Any], before: str, after: str
) -> None:
    """What falls with something else, settings and memberships included."""
    flags = ("--secrets-out", "secrets", "--allow-empty", "networks", "--allow-empty", "dns.zones")
    account.applied(f"{FULL}groups: {{a: }}\n{before}", *flags[:2])
    assert written(account.applied(f"{FULL}groups: {{a: }}\n{after}", *flags)) > 0
    assert unexplained == []


def test_what_is_drawn_by_lot_is_no_other(account: Account, unexplained: list[Any]) -> None:
    account.join(*PEERS)
    random = Random(0)
    for _ in range(2):
        document = Draw(random).document()
        account.write(json.dumps(document))
        outcome = account.nbsync("apply", "-o", "json", "--yes", "--secrets-out", "secrets", *allowances(document))
        assert (outcome.exit_code, outcome.errors, unexplained) == (0, [], [])


@pytest.mark.parametrize("fault", ["drop-after", "status:503"])
def test_what_was_made_by_a_call_whose_answer_was_lost_is_this_runs_own(
    account: Account, unexplained: list[Any], fault: str
) -> None:
    for path, text in (
        ("/api/groups", TEXT),
        ("/api/setup-keys", "setup_keys: {k: {type: reusable}, l: {type: reusable}}"),
    ):
        account.fault("POST", path, fault)
        account.apply(text, "--secrets-out", "secrets")
    assert unexplained == []


class Api:
    """A client of a service user whose log grows, for the time between looks."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = [self.event("0", "x", 0)]
        self.reads = 0
        self.waits: list[float] = []
        self.costs = 0.0
        self.now = 1000.0

    @staticmethod
    def event(number: str, target: str, second: int) -> dict[str, Any]:
        at = f"2026-01-01T00:00:{second:02}.5Z"
        user = {"initiator_id": "me", "initiator_name": "nbsync", "initiator_email": ""}
        return {
            "id": number,
            "timestamp": at,
            "activity": "Group created",
            "activity_code": "group.add",
            "target_id": target,
            "meta": {},
            **user,
        }

    def get(self, where: str) -> Any:
        if where.startswith("/users"):
            return [{"id": "me", "is_current": True, "is_service_user": True}]
        self.reads += 1
        self.now += self.costs
        return list(reversed(self.log))

    def wait(self, seconds: float, _reason: str) -> None:
        self.waits.append(seconds)

    def send(self) -> Any:
        number = str(len(self.log))
        self.log.append(self.event(number, f"g{number}", 1))
        return {"id": f"g{number}"}


def work(api: Api, changes: int, seconds: float) -> int:
    """Make some changes, each of which takes some seconds; returns how often the log was read."""
    watch: Any = Watch(api, clock=lambda: api.now)  # type: ignore[arg-type]
    for _ in range(changes):
        watch.look()
        number = watch.traces.sent("POST", "/groups")
        watch.traces.answered(number, {"name": "x"}, api.send())
        api.now += seconds
    assert watch.findings() == []
    return api.reads


def test_looks_take_a_twentieth_of_the_time_and_a_tenth_of_the_requests_at_the_most() -> None:
    fast, limited, huge = Api(), Api(), Api()
    huge.costs = 0.5
    assert work(fast, 1000, 0.02) == 3 + 3  # twenty seconds
    assert work(limited, 100, 10.0) == 3 + 9  # one request in ten seconds
    assert work(huge, 1000, 0.02) == 3 + 1


def test_a_signal_ends_the_wait_for_another_run(
    account: Account, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> None:
        raise Stopped

    monkeypatch.setattr("reconciler.api.client.ReadApi.wait", stopped)
    elsewhere.at[LOG, 2] = lambda: elsewhere.change("theirs")
    outcome = account.apply(TEXT)
    assert (outcome.exit_code, written(outcome), set(outcome.statuses.values())) == (130, 0, {"skipped"})


class Machine:
    """Another machine, with a process of its own: nbsync there does not see the locks here."""

    def __init__(self, folder: Path, name: str, text: str) -> None:
        self.folder = folder / ".machines" / name
        self.folder.mkdir(parents=True)
        (self.folder / "nbsync.yaml").write_text(f"version: 1\n{text}")
        command = [sys.executable, "-m", "reconciler", "apply", "--yes", "-q", "-o", "json"]
        state = {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(self.folder / "state")}
        self.process = subprocess.Popen(
            command, cwd=self.folder, env={**os.environ, **state}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def end(self) -> Mapping[str, Any]:
        """Wait for its end; its JSON document."""
        stdout, stderr = self.process.communicate(timeout=60)
        assert stdout, stderr
        return dict(json.loads(stdout))


class Slow:
    """A server that takes its time over every write, and can be waited for."""

    def __init__(self, between: Between, seconds: float) -> None:
        self.writes = 0
        self._more = threading.Condition()
        self.seconds = seconds
        between.before = self._before

    def _before(self, request: Request) -> None:
        if request.method == "GET":
            return
        with self._more:
            self.writes += 1
            self._more.notify_all()
        time.sleep(self.seconds)

    def wait_for(self, writes: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.writes >= writes, timeout=60)


def test_of_two_machines_the_second_stops_before_its_first_write(
    account: Account, between: Between, tmp_path: Path
) -> None:
    slow = Slow(between, 0.3)
    first = Machine(tmp_path, "first", groups("a", 100))
    slow.wait_for(3)
    second = Machine(tmp_path, "second", groups("b", 5)).end()
    assert (second["exit_code"], second["requests"]["write"]) == (6, 0)
    assert re.match(WHO, second["diagnostics"][-1]["message"])
    slow.seconds = 0
    done = first.end()
    assert (done["exit_code"], done["diagnostics"]) == (0, [])
    assert account.applied(groups("b", 5)).findings == []


def test_after_kill_9_of_the_first_the_second_goes_on(account: Account, between: Between, tmp_path: Path) -> None:
    slow = Slow(between, 0.1)
    first = Machine(tmp_path, "first", groups("a", 300))
    slow.wait_for(5)
    first.process.kill()
    first.process.communicate()
    assert first.process.returncode == -signal.SIGKILL
    second = Machine(tmp_path, "second", groups("a", 7)).end()
    assert second["exit_code"] == 0
    assert {f"a{number}" for number in range(7)} <= set(account.names("/groups"))


def test_two_that_begin_at_the_same_moment_do_not_both_go_on_unaware(
    account: Account, between: Between, tmp_path: Path
) -> None:
    Slow(between, 0.05)
    documents = [machine.end() for machine in [Machine(tmp_path, name, groups(name, 30)) for name in ("a", "b")]]
    codes = sorted(document["exit_code"] for document in documents)
    said = [found["code"] for document in documents for found in document["diagnostics"]]
    assert codes in ([0, 6], [0, 7], [6, 7], [7, 7], [6, 6]), documents
    assert "NBS642" in said
    for name in ("a", "b"):
        assert account.applied(groups(name, 30)).findings == []
    assert len(set(account.names("/groups")) - {"All"}) == 60
