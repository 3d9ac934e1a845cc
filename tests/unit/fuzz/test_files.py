"""Whatever bytes stand in files: they are a document, or errors with places and ways out; soon, and without a traceback."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fuzz.chance import tries
from tests.unit.fuzz.conftest import DOCUMENT
from tests.unit.harness import Desk

OVERLAY = (
    "version: 1\nremove: [group/b]\ngroups: {a: {peers: []}, z: }\nvars: {v: other}\npolicies: {p: {enabled: false}}\n"
)
INTERPOLATED = """version: 1
vars: {v: a, ports: [tcp/80, "tcp/${var:high}"], high: 8000-8100, deep: "${var:v}-${env:HOME:-none}"}
base: &base {from: &who ["${var:v}"], to: a}
groups: {a: &g {peers: &p []}, b: {<<: *g}, "${var:v}": }
policies: {p: {<<: *base, allow: "${var:ports}"}, q: {from: *who, to: a, allow: all, description: "$${x} ${file:x.txt}"}}
"""
PIECES = [
    *("groups", "policies", "networks", "dns", "zones", "vars", "manage", "version", "remove", "a", "b", "1", "null", "~", "true"),
    *(": ", ":", ":\n  ", "- ", "\n- ", "? ", ", ", "[", "]", "{", "}", "\n", "\n  ", "\n    ", "\r\n", "\t", " ", "  "),
    *("&x ", "*x", "<<: ", "<<: *x", "!!str ", "!!binary ", "!t ", "%YAML 1.1\n", "---\n", "...\n", "#", " #", '"', "'", "|\n", ">-\n"),
    *("${var:v}", "${env:HOME}", "${file:a.yaml}", "${", "$${", "}", "\\x1b", "\x1b", "\x00", "\u2028", "\ufeff", "é", "😀", "\ud800"),
    *("0x1f", "1e999", ".inf", "-0", "2001:db8::1", "10.0.0.0/8", "tcp/443", "group/*", "%2F", "a" * 300),
]  # fmt: skip
SECONDS = 5.0
"""CPU time in which any file of a few kilobytes is read."""


def spoilt(original: str) -> st.SearchStrategy[bytes]:
    """A document in which something is cut out, repeated, moved or replaced, a few times."""
    piece = st.sampled_from(PIECES).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=4)
    edit = st.tuples(st.integers(0, len(original)), st.integers(0, 40), piece)

    def edited(edits: list[tuple[int, int, bytes]]) -> bytes:
        data = original.encode()
        for at, length, put in edits:
            data = data[:at] + put + data[at + length :]
        return data

    return st.lists(edit, min_size=1, max_size=4).map(edited)


anything = (
    st.binary(max_size=200)
    | st.lists(st.sampled_from(PIECES), max_size=40).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))
    | spoilt(DOCUMENT)
    | spoilt(INTERPOLATED)
)


def check(desk: Desk, *arguments: str) -> None:
    started = time.process_time()
    outcome = desk.nbsync("validate", "-o", "json", *arguments)
    assert time.process_time() - started < SECONDS
    assert outcome.exit_code in (0, 3), outcome.stdout
    assert bool(outcome.errors) == (outcome.exit_code == 3)
    for found in outcome.findings:
        assert found.code != "NBS999"
        assert found.help, found
        assert found.place, found


@tries(100)
@given(data=anything)
def test_any_file_is_a_document_or_has_errors_with_places(data: bytes, desk: Desk) -> None:
    (desk.folder / "a.yaml").write_bytes(data)
    check(desk, "a.yaml")


@tries(60)
@given(data=spoilt(OVERLAY) | anything)
def test_any_overlay_is_one_or_has_errors_with_places(data: bytes, desk: Desk) -> None:
    (desk.folder / "a.yaml").write_text(INTERPOLATED.replace("base:", "vars_of_base:") if len(data) % 2 else DOCUMENT)
    (desk.folder / "over.yml").write_bytes(data)
    check(desk, "a.yaml", "--overlay", "over.yml", "--var", "v=b")


@tries(40)
@given(name=st.text(max_size=20), value=st.text(max_size=40))
def test_any_variable_and_any_file_that_is_inserted(name: str, value: str, desk: Desk) -> None:
    (desk.folder / "x.txt").write_bytes(value.encode("utf-8", "surrogatepass"))
    text = f"version: 1\nvars: {{v: a}}\ngroups: {{{json.dumps(name or 'g')}: }}\npolicies: {{p: {{from: All, to: All, allow: all, description: '${{file:x.txt}}${{var:v}}'}}}}\n"
    (desk.folder / "a.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    check(desk, "a.yaml", *([] if not value or "\0" in value else ["--var", f"v={value}"]))


@tries(40)
@given(data=anything)
@pytest.mark.parametrize("command", [("fmt", "--diff"), ("fmt", "-"), ("validate",)])
def test_commands_that_read_files_do_not_fall_over(
    command: tuple[str, ...], data: bytes, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.folder / "a.yaml"
    path.write_bytes(data)
    if command[-1] == "-":
        with Path("a.yaml").open() as stream:
            monkeypatch.setattr("sys.stdin", stream)
            outcome = desk.nbsync(*command)
    else:
        outcome = desk.nbsync(*command, "a.yaml")
    assert outcome.exit_code in (0, 1, 2, 3), outcome.stderr
    assert "NBS999" not in outcome.stderr
    assert all(line.isprintable() for line in outcome.stderr.splitlines())
