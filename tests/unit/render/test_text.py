"""What a person sees, as files: tests/golden/test_text/. `pytest --snapshot-update` writes them anew; then read the difference."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from reconciler.apply.report import Report, Result, Status
from reconciler.errors import Diagnostic, ExitCode, Place, Severity
from reconciler.plan.change import Action, Verdict
from reconciler.render.text import render_diagnostics
from reconciler.render.view import View

GOLDEN = Path(__file__).parents[2] / "golden"


class GoldenFiles(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def dirname(cls, *, test_location) -> str:
        return str(GOLDEN / test_location.basename)


@pytest.fixture
def golden(snapshot):
    files = snapshot.use_extension(GoldenFiles)

    def compare(text: str) -> None:
        """Compare with escape sequences made visible."""
        assert text.replace("\x1b", "␛") == files

    return compare


def test_plan_in_a_pipe(planned, shown, golden):
    golden(shown(planned))


def test_plan_on_a_terminal_in_colour(planned, shown, golden):
    golden(shown(planned, width=100, colour=True))


def test_plan_on_a_narrow_terminal(planned, shown, golden):
    golden(shown(planned, width=60))


def test_plan_that_guards_refuse(refused, shown, golden):
    golden(shown(refused) + shown(refused, render=render_diagnostics))


def test_no_flag_is_offered_where_one_guard_cannot_be_lifted(refused, shown):
    assert "--allow" in shown(refused)
    refused.plan = refused.plan.with_verdicts(
        [*refused.plan.verdicts, Verdict(Diagnostic("NBS402", "it is protected"))]
    )
    assert "3 guards say no" in shown(refused)
    assert "--allow" not in shown(refused)


def test_drift(planned, shown, golden):
    planned.command = "drift"
    golden(shown(planned, brief=True))


def test_apply_with_failures(half_done, shown, golden):
    golden(shown(half_done) + shown(half_done, render=render_diagnostics))


def test_apply_with_failures_on_a_narrow_terminal_after_the_plan_was_shown(half_done, shown, golden):
    golden(shown(half_done, brief=True, width=60) + shown(half_done, render=render_diagnostics, width=60))


def test_apply_of_everything(planned, shown, golden):
    planned.report = Report([Result(change, Status.APPLIED) for change in planned.changes], written=True)
    golden(shown(planned, brief=True))


def test_many_diagnostics(shown, golden):
    unknown = [
        Diagnostic("NBS201", f"the group 'devz{n}' is not known", "declare it", Severity.ERROR, f"policy/p{n}")
        for n in range(3)
    ]
    odd = Diagnostic("NBS304", "ssh: true lets in everyone", "", Severity.WARNING, "policy/ops", Place("a.yaml", 4, 7))
    remark = Diagnostic("NBS310", "the group 'ops' is to be found in the account", "", Severity.INFO)
    alone = Diagnostic("NBS101", "a key stands twice: 'devs'", "leave one of them", place=Place("a.yaml", 9, 1))
    view = View("validate", ExitCode.INVALID, diagnostics=[remark, odd, *unknown, alone])
    golden(shown(view, render=render_diagnostics))


def test_hostile_names(change, plan, shown, golden, hostile_view):
    golden(shown(hostile_view("\x1b[2Jok\u202e\r\nno")) + shown(hostile_view("\x1b[2J"), render=render_diagnostics))


def test_symbols_are_ascii_where_the_encoding_has_no_others(change, shown, planned, golden, ascii_only):
    golden(ascii_only(planned))


def test_nothing_to_do_is_one_line(plan, shown):
    view = View("plan", server_url="https://nb.acme.io", plan=plan(unmanaged=1))
    text = "the account is as the files say; 1 unmanaged object is left alone.\n"
    assert shown(view) == f"No changes: {text}"
    view.command = "drift"
    assert shown(view) == f"No drift: {text}"


def test_an_apply_with_nothing_to_do_is_one_line(plan, shown):
    view = View("apply", plan=plan(), report=Report())
    assert shown(view) == "No changes: the account is as the files say.\n"


def test_valid_files_are_said_to_be_valid_and_others_are_not(shown):
    assert shown(View("validate")) == "The files are valid.\n"
    assert shown(View("validate", ExitCode.INVALID)) == ""


def test_an_interrupted_apply_says_that_nothing_was_written(change, plan, shown):
    made = change("group/a", Action.CREATE)
    report = Report([Result(made, Status.SKIPPED)], stopped=ExitCode.INTERRUPTED)
    lines = shown(View("apply", plan=plan(made), report=report), brief=True).splitlines()
    assert lines == [
        "Applied 0 of 1 change: 1 skipped.",
        "  skipped  create group/a",
        "Nothing was written. Run apply again.",
    ]


def test_changes_that_were_not_made_are_named_up_to_a_number(change, plan, shown):
    made = [change(f"group/g{n}", Action.CREATE) for n in range(30)]
    report = Report([Result(one, Status.FAILED) for one in made])
    lines = shown(View("apply", plan=plan(*made), report=report), brief=True).splitlines()
    assert lines[20:22] == ["  failed   create group/g19", "  and 10 more"]
