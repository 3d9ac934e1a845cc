"""How far the work is, on stderr."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr

import pytest

from reconciler.apply.report import Result, Status
from reconciler.cli.progress import Progress
from reconciler.plan.change import Action


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return Terminal()


@pytest.fixture
def results(change):
    return [
        Result(change(f"group/g{n}", Action.CREATE), status) for n, status in enumerate([Status.APPLIED, Status.FAILED])
    ]


def run(results, **rest):
    with Progress("applying", total=len(results), **rest) as progress:
        for result in results:
            progress.done(result)
        progress.tell("2 calls\x1b are left")
        progress.waiting(1.2, "the server's rate limit")


ERASE_LINE = "\x1b[2K"
LINES = """applying
applied group/g0 (1/2)
failed group/g1 (2/2)
2 calls\\x1b are left
waiting 2 s: the server's rate limit
"""


def test_lines_where_there_is_no_terminal(results, capsys):
    run(results)
    assert capsys.readouterr() == ("", LINES)


def test_lines_on_a_terminal_that_can_do_nothing(results, terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with redirect_stderr(terminal):
        run(results)
    assert terminal.getvalue() == LINES


def test_a_bar_on_a_terminal_that_leaves_stdout_alone(results, terminal, capsys):
    stdout = sys.stdout
    with redirect_stderr(terminal), Progress("applying", total=2) as progress:
        assert sys.stdout is stdout
        progress.done(results[0])
        progress.tell("9 calls are left")
        progress.waiting(60, "the server's rate limit")
    text = terminal.getvalue()
    assert "1/2" in text
    assert "waiting 60 s: the server's rate limit" in text
    assert "9 calls are left\n" in text.replace("\r", "")
    assert capsys.readouterr().out == ""


def test_the_last_step_is_shown_again_when_a_wait_is_over(results, terminal):
    with redirect_stderr(terminal), Progress("applying", total=2) as progress:
        progress.done(results[0])
        progress.waiting(0, "the server's rate limit")
    assert "waiting" not in terminal.getvalue()
    assert "applied group/g0" in terminal.getvalue()


def test_nothing_if_it_is_to_be_quiet(results, terminal):
    with redirect_stderr(terminal):
        run(results, quiet=True)
    assert terminal.getvalue() == ""


def test_a_failure_goes_through_and_takes_the_bar_away(terminal):
    with redirect_stderr(terminal), pytest.raises(ValueError, match="broken"), Progress("reading the account"):
        raise ValueError("broken")
    assert terminal.getvalue().endswith(ERASE_LINE)


def test_rich_is_not_imported_without_a_terminal():
    code = """
import sys
from reconciler.cli.progress import Progress
with Progress("reading the account"):
    pass
print([name for name in sys.modules if name.partition(".")[0] == "rich"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "reading the account\n")
