"""Views made by hand, and consoles of every sort."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from reconciler.apply.report import Report, Result, Status
from reconciler.errors import Diagnostic, Place, Severity
from reconciler.plan.change import Action, Change, FieldChange, Plan, Step, Verdict
from reconciler.render.text import render_result
from reconciler.render.view import View
from schemas import KINDS
from schemas._core.address import Address


class Terminal(io.StringIO):
    """A window that somebody looks at."""

    def isatty(self) -> bool:
        return True


def make_change(address: str, action: Action, *fields: FieldChange, line: int | None = None, **rest: Any) -> Change:
    kind, _, key = address.partition("/")
    cause = Place("net.yaml", line, 3) if line else None
    return Change(Address(kind, key), KINDS[kind], action, cause=cause, fields=fields, **rest)


def make_plan(*changes: Change, **rest: Any) -> Plan:
    return Plan(tuple(map(Step, changes)), **rest)


def print_text(
    view: View,
    *,
    width: int | None = None,
    colour: bool = False,
    environ: dict[str, str] | None = None,
    render: Callable[..., None] = render_result,
    **rest: Any,
) -> str:
    """Print as on a terminal of this width, or as into a pipe."""
    file = Terminal() if width else io.StringIO()
    color_system: Any = "standard" if colour else "auto" if environ else None
    console = Console(
        file=file, width=width, color_system=color_system, _environ=environ or {}, highlight=False, legacy_windows=False
    )
    render(view, console, **rest)
    return file.getvalue()


@pytest.fixture
def change() -> Callable[..., Change]:
    return make_change


@pytest.fixture
def plan() -> Callable[..., Plan]:
    return make_plan


@pytest.fixture(scope="session")
def shown() -> Callable[..., str]:
    return print_text


@pytest.fixture
def row(change, plan, shown) -> Callable[..., str]:
    """The row of one changed field, as into a pipe."""

    def show(before: Any, after: Any, *, action: Action = Action.UPDATE, **rest: Any) -> str:
        made = change("policy/p", action, FieldChange("allow", before, after, **rest))
        return shown(View("plan", plan=plan(made))).splitlines()[2].removeprefix("      allow  ")

    return show


@pytest.fixture
def mixed() -> list[Change]:
    """Every action, on many kinds."""
    return [
        make_change(
            "posture_check/managed-laptop",
            Action.CREATE,
            FieldChange("netbird_version", None, "0.60.0"),
            FieldChange("os_version", None, {"macos": "14.0", "linux_kernel": "5.15"}),
            FieldChange("locations", None, {"allow": ["DE", {"country": "AT", "city": "Wien"}]}),
            line=20,
        ),
        make_change("group/gateways", Action.CREATE, FieldChange("peers", None, ["gw-1", "gw-2"]), line=12),
        make_change(
            "group/db-servers",
            Action.RENAME,
            FieldChange("peers", [f"db-{n}" for n in range(1, 8)], [f"db-{n}" for n in range(2, 10)]),
            line=14,
            previous_key="databases",
        ),
        make_change(
            "network_resource/dc1/nas",
            Action.REPLACE,
            FieldChange("address", "10.20.5.10", "nas.acme.internal"),
            line=55,
            reason="NetBird cannot change address of a network resource",
        ),
        make_change(
            "policy/ops-ssh",
            Action.UPDATE,
            FieldChange("to", [{"resource": "dc1/nas"}], ["db-servers"]),
            FieldChange("allow", ["tcp/443"], ["tcp/443", "udp/53"]),
            FieldChange("ssh.ops", None, ["root"]),
            FieldChange("enabled", True, False),
            FieldChange("description", "", "NET-413: administrators reach the databases of all sites"),
            line=40,
        ),
        make_change(
            "policy/dev-to-erp",
            Action.CREATE,
            FieldChange("from", None, ["devs"]),
            FieldChange("to", None, ["erp-apps", "All Users"]),
            FieldChange("allow", None, ["tcp/443", "tcp/8000-8100"]),
            FieldChange("description", None, "NET-412 ERP for developers"),
            line=28,
        ),
        make_change(
            "setup_key/ci-runner",
            Action.CREATE,
            FieldChange("expires_in", None, "90d"),
            FieldChange("key", None, "CANARY", sensitive=True),
            FieldChange("usage", None, None, known_after_apply=True),
            line=70,
        ),
        make_change("account/account", Action.UPDATE, FieldChange("peer_login_expiration", "24h", "12h"), line=90),
        make_change("policy/old", Action.DELETE, FieldChange("allow", ["all"], None), line=3),
        make_change(
            "network/dc9",
            Action.DELETE,
            FieldChange("description", "old site", None),
            FieldChange("resources", ["nas", "lab"], None),
            line=3,
            falls=((Address("network_resource", "dc9/nas"), "1"), (Address("network_resource", "dc9/lab"), "2")),
        ),
    ]


@pytest.fixture
def planned(mixed) -> View:
    return View(
        "plan", server_url="https://nb.acme.io", server_version="0.77.1", plan=make_plan(*mixed, unmanaged=4), reads=17
    )


@pytest.fixture
def refused(mixed) -> View:
    """Two guards say no to a plan."""
    deletes = Diagnostic("NBS401", "12 objects of the kind policy would be deleted, the limit is 5", "allow it")
    empty = Diagnostic("NBS405", "groups is declared empty", "allow it", place=Place("net.yaml", 8, 1))
    verdicts = (Verdict(deletes, "--allow delete:12"), Verdict(empty, "--allow-empty groups"))
    return View("plan", plan=make_plan(mixed[-2], verdicts=verdicts))


@pytest.fixture
def half_done(mixed) -> View:
    """An apply in which everything happened that can happen."""
    ends = {
        "network_resource": (
            Status.FAILED,
            "NBS503",
            "the server says: resource is in use",
            "PUT /api/networks/n/resources/r",
        ),
        "policy": (Status.SKIPPED, "NBS606", "was not tried: it needs network_resource/dc1/nas", None),
        "setup_key": (Status.UNKNOWN, "NBS505", "the connection was lost before the answer", "POST /api/setup-keys"),
    }
    results = []
    for change in mixed:
        status, code, message, request = ends.get(change.address.kind, (Status.APPLIED, "", "", None))
        error = Diagnostic(
            code, message, "mend that and run it again", Severity.ERROR, str(change.address), change.cause, request
        )
        results.append(Result(change, status, error if code else None))
    return View("apply", plan=make_plan(*mixed), report=Report(results, written=True))


@pytest.fixture(scope="session")
def hostile_view() -> Callable[[str], View]:
    """A view in which one text stands wherever text can stand."""

    def make(text: str) -> View:
        def tell(code: str) -> Diagnostic:
            return Diagnostic(code, text, text, address=text, place=Place(text, 1, 1), request=text)

        fields = (
            FieldChange(text, text, text + text),
            FieldChange("list", [text, "a"], ["a", {text: text}]),
            FieldChange("map", {text: 1}, {text: [text]}),
        )
        policy = KINDS["policy"]
        made = [
            Change(
                Address("policy", text),
                policy,
                action,
                previous_key=text,
                cause=Place(text, 1, 1),
                reason=text,
                fields=fields,
                falls=((Address("policy", text), text),),
            )
            for action in Action
        ]
        report = Report([Result(change, Status.FAILED, tell("NBS503")) for change in made])
        plan = make_plan(*made, verdicts=(Verdict(tell("NBS401"), text),))
        return View("apply", server_url=text, server_version=text, plan=plan, report=report)

    return make


@pytest.fixture
def ascii_only() -> Callable[[View], str]:
    """Print into a file that takes ASCII only."""

    def show(view: View) -> str:
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
        render_result(view, Console(file=file))
        return raw.getvalue().decode("ascii")

    return show
