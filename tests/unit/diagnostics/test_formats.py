"""Every command shows the same findings in every format, with the same exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.errors import Diagnostic
from reconciler.render.wording import sentence
from tests.unit.diagnostics.test_github import read
from tests.unit.harness import Account, Desk

ROOT = Path(__file__).parents[3]
FORMATS = ("text", "json", "sarif", "junit", "github")
WRONG = "version: 1\ngroups:\n  gone: {peers: [gw-9]}\npolicies:\n  p: {from: gone, to: devz, allow: all}\n"
FINE = "version: 1\ngroups:\n  devs: {peers: [gw-9]}\n"


def codes(output: str, text: str) -> list[str]:
    """Codes that an output shows, in order."""
    if output == "json":
        return [found["code"] for found in json.loads(text)["diagnostics"]]
    if output == "sarif":
        return [result["ruleId"] for result in json.loads(text)["runs"][0]["results"]]
    if output == "junit":
        cases = ET.fromstring(text).iter("testcase")
        return [name[:6] for case in cases if (name := case.get("name", "")) != "no findings"]
    return [read(line)[1]["title"] for line in text.splitlines()]


@pytest.mark.parametrize("text", [WRONG, FINE], ids=["wrong", "fine"])
@pytest.mark.parametrize("command", ["validate", "plan", "drift", "apply"])
def test_formats_agree(command: str, text: str, account: Account) -> None:
    account.write(text)
    flags = ("--yes", "-q") if command == "apply" else ("-q",)
    outcomes = {output: account.nbsync(command, *flags, "-o", output) for output in FORMATS[1:]}
    reference = outcomes["json"]
    assert codes("json", reference.stdout)
    for output, outcome in outcomes.items():
        assert outcome.exit_code == reference.exit_code
        assert outcome.stderr == ""
        if command != "apply" or output == "json":
            assert codes(output, outcome.stdout) == codes("json", reference.stdout)


@pytest.mark.parametrize("output", FORMATS[1:])
def test_files_hold_what_stdout_would_show(output: str, desk: Desk) -> None:
    desk.write(WRONG)
    shown = desk.nbsync("validate", "-o", output)
    written = desk.nbsync("validate", "--out", f"{output}=out", "-o", "text")
    assert (desk.folder / "out").read_text("utf-8") == shown.stdout
    assert written.exit_code == shown.exit_code


@pytest.mark.parametrize(
    "flags", [("-o", "{}"), ("-o{}",), ("--output={}",), ("--output", "{}"), ("-o", "json", "-o", "{}")]
)
@pytest.mark.parametrize("output", FORMATS[1:])
def test_a_wrong_command_line_is_told_in_the_format_asked_for(output: str, flags: tuple[str, ...], desk: Desk) -> None:
    outcome = desk.nbsync("plan", "--nonsense", *(flag.format(output) for flag in flags))
    assert outcome.exit_code == 64
    assert codes(output, outcome.stdout) == ["NBS901"]


@pytest.mark.parametrize("output", FORMATS)
def test_a_stdout_that_lacks_characters_is_no_failure(output: str, desk: Desk) -> None:
    desk.write("version: 1\ngroups:\n  größe: {perrs: []}\n")
    command = [sys.executable, "-m", "reconciler", "validate", str(desk.folder), "-o", output]
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False)
    assert done.returncode == 3
    assert (done.stdout + done.stderr).isascii()
    assert b"NBS110" in done.stdout + done.stderr


@pytest.mark.parametrize("output", FORMATS[1:])
def test_secrets_never_share_stdout_with_data(output: str, account: Account) -> None:
    account.write("version: 1\nsetup_keys:\n  k: {type: reusable}\n")
    outcome = account.nbsync("apply", "--yes", "-o", output, "--secrets-out", "-")
    assert outcome.exit_code == 64
    assert account.names("/setup-keys") == []


def test_a_file_that_is_called_like_a_format_asks_for_none(desk: Desk) -> None:
    outcome = desk.nbsync("plan", "json", "--nonsense")
    assert (outcome.exit_code, outcome.stdout) == (64, "")
    assert "NBS901" in outcome.stderr


@pytest.mark.parametrize(
    ("address", "message", "shown"),
    [
        (None, "nobody can sign in", "nobody can sign in"),
        ("", "nobody can sign in", "nobody can sign in"),
        ("policy/a", "it is denied", "policy/a: it is denied"),
        ("policy/a", "policy/a is denied", "policy/a is denied"),
        ("policy/a", "it is denied by policy/a", "it is denied by policy/a"),
        ("policy/a", "it is denied by policy/ab", "policy/a: it is denied by policy/ab"),
        ("policy/a", "policy/a, policy/b: denied", "policy/a, policy/b: denied"),
        ("policy/(", "it is denied", "policy/(: it is denied"),
    ],
)
def test_the_object_stands_before_a_message_that_does_not_name_it(address: str, message: str, shown: str) -> None:
    assert sentence(Diagnostic("NBS324", message, address=address)) == shown
