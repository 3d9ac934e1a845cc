"""`nbsync fmt`: which files it writes, what it says, and how it ends."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import pytest

from reconciler.fmt import formatted
from tests.unit.harness import Account, Desk

ROOT = Path(__file__).parents[3]
BAD, GOOD = "version: 1\ngroups: {devs: {peers: ['a']}}\n", "version: 1\ngroups: {devs: {peers: [a]}}\n"


def test_what_changes_is_written_and_listed(desk: Desk) -> None:
    desk.write(BAD, "a.yaml")
    desk.write(GOOD, "b.yaml")
    outcome = desk.nbsync("fmt")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "a.yaml\n", "")
    assert (desk.folder / "a.yaml").read_text() == GOOD
    assert desk.nbsync("fmt").stdout == ""


def test_check_writes_nothing_and_ends_with_2(desk: Desk) -> None:
    path = desk.write(BAD, "a.yaml")
    outcome = desk.nbsync("fmt", "--check")
    assert (outcome.exit_code, outcome.stdout) == (2, "a.yaml\n")
    assert path.read_text() == BAD
    desk.nbsync("fmt")
    assert desk.nbsync("fmt", "--check").exit_code == 0


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--check",), 2)])
def test_diff_shows_what_would_change(flags: tuple[str, ...], code: int, desk: Desk) -> None:
    path = desk.write(BAD, "a.yaml")
    outcome = desk.nbsync("fmt", "--diff", *flags)
    assert outcome.exit_code == code
    assert "-groups: {devs: {peers: ['a']}}\n+groups: {devs: {peers: [a]}}\n" in outcome.stdout
    assert path.read_text() == BAD


def test_machines_get_a_document(desk: Desk) -> None:
    desk.write(BAD, "a.yaml")
    outcome = desk.nbsync("fmt", "--check", "-o", "json")
    assert (outcome.warning.code, outcome.warning.place) == ("NBS710", "a.yaml:1:1")
    assert outcome.document["exit_code"] == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("groups: {a: , b:\n", "NBS002"),
        ("services:\n    web: 'x'\n", "NBS110"),
        ("version: 1\nversion:  1\n", "NBS003"),
        ("version: 1\n---\nversion: 1\n", "NBS005"),
        ("- 'a'\n", "NBS006"),
        ("groups:\n\tdevs:\n", "NBS002"),
    ],
)
def test_files_with_errors_are_left_and_others_formatted(text: str, code: str, desk: Desk) -> None:
    odd, other = desk.write(text, "a.yaml"), desk.write(BAD, "b.yaml")
    outcome = desk.nbsync("fmt")
    assert outcome.exit_code == 3
    assert f"[{code}] a.yaml:" in outcome.stderr
    assert odd.read_text() == text
    assert other.read_text() == GOOD


def test_a_byte_order_mark_and_carriage_returns_go(desk: Desk) -> None:
    path = desk.write("", "a.yaml")
    path.write_bytes(b"\xef\xbb\xbfversion: 1\r\n")
    assert desk.nbsync("fmt", "--check").exit_code == 2
    assert desk.nbsync("fmt").stdout == "a.yaml\n"
    assert path.read_bytes() == b"version: 1\n"


def test_a_link_stays_a_link_and_a_mode_a_mode(desk: Desk) -> None:
    target = desk.write(BAD, "real.txt")
    target.chmod(0o640)
    link = desk.folder / "a.yaml"
    link.symlink_to(target)
    desk.nbsync("fmt")
    assert link.is_symlink()
    assert target.read_text() == GOOD
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in desk.folder.iterdir()) == ["a.yaml", "real.txt"]


def test_a_read_only_file_is_left(desk: Desk) -> None:
    path = desk.write(BAD, "a.yaml")
    path.chmod(0o444)
    outcome = desk.nbsync("fmt")
    assert outcome.exit_code == 1
    assert "[NBS902] a.yaml cannot be written: it is read-only" in outcome.stderr
    assert path.read_text() == BAD


def test_names_of_files_are_clean(desk: Desk) -> None:
    desk.write(BAD, "a\x1b[2J\n.yaml")
    assert desk.nbsync("fmt", "--check").stdout == "a\\x1b[2J\\x0a.yaml\n"


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_stdin_goes_to_stdout(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, BAD.encode())
    assert desk.nbsync("fmt", "-").stdout == GOOD
    stdin(monkeypatch, b"\xff")
    assert desk.nbsync("fmt", "-").exit_code == 3


def test_what_does_not_go_together_is_refused(desk: Desk) -> None:
    assert desk.nbsync("fmt", "--diff", "-o", "json").exit_code == 64
    assert desk.nbsync("fmt", "-", "a.yaml").exit_code == 64
    assert desk.nbsync("fmt", "nowhere.yaml").exit_code == 3
    assert desk.nbsync("fmt").exit_code == 3


def test_examples_are_formatted(desk: Desk) -> None:
    for name in ("company", "minimal"):
        outcome = desk.nbsync("fmt", "--check", "--diff", str(ROOT / "examples" / name))
        assert outcome.exit_code == 0, outcome.stdout


def test_the_readme_is_formatted() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    ours = [block for block in blocks if "version: 1" in block]
    assert ours
    for block in ours:
        assert formatted(block, Path("README.md")) == block


def test_an_export_is_formatted(account: Account) -> None:
    example = str(ROOT / "examples" / "demo" / "account.yaml")
    for flags in ((), ("--layout", "one")):
        folder = f"out{len(flags)}"
        assert account.nbsync("export", "--simulate", example, "--out", folder, *flags).exit_code == 0
        outcome = account.nbsync("fmt", "--check", "--diff", folder)
        assert outcome.exit_code == 0, outcome.stdout


def test_owner_and_time_stay_where_nothing_changes(desk: Desk) -> None:
    path = desk.write(GOOD, "a.yaml")
    os.utime(path, (1, 1))
    desk.nbsync("fmt")
    assert path.stat().st_mtime == 1
