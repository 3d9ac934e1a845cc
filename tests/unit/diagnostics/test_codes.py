"""Every code is explained, in a terminal and as a page, by an example that leads to it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.explain import AREAS, Entry, entries, find
from reconciler.render.explanation import as_index, as_page
from tests.unit.harness import Desk

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "codes"
ALL = entries()
RUN = [entry for entry in ALL if entry.example.runs]
each = pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.code)


def in_source() -> set[str]:
    """Codes that any module gives."""
    sources = [path for folder in ("reconciler", "schemas") for path in (ROOT / folder).rglob("*.py")]
    return {code for path in sources for code in re.findall(r"\bNBS[0-9]{3}\b", path.read_text("utf-8"))}


def test_every_code_of_the_source_is_explained_and_every_explanation_is_of_a_code() -> None:
    assert {entry.code for entry in ALL} == in_source()


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {page.stem for page in PAGES.glob("NBS*.md")} == in_source()


@each
def test_pages_say_what_the_command_says(entry: Entry) -> None:
    page = (PAGES / f"{entry.code}.md").read_text("utf-8")
    assert page == as_page(entry), "write them anew: nbsync explain --out docs/codes"


def test_index_lists_all_pages() -> None:
    assert (PAGES / "README.md").read_text("utf-8") == as_index(ALL), "write it anew: nbsync explain --out docs/codes"


@each
def test_explanations_are_whole(entry: Entry) -> None:
    for text in (entry.title, entry.what, entry.why, entry.mend, entry.example.command, entry.example.shows):
        assert text
        assert text == text.strip() or text == entry.example.shows
    assert entry.code[:4] in AREAS
    assert f"[{entry.code}]" in entry.example.shows


@pytest.mark.parametrize("entry", RUN, ids=lambda entry: entry.code)
def test_examples_lead_to_their_code(entry: Entry, desk: Desk) -> None:
    for name, text in entry.example.files.items():
        desk.write(text, name)
    program, *arguments = shlex.split(entry.example.command)
    assert program == "nbsync"
    outcome = desk.nbsync(*arguments)
    # What differs from run to run, such as ids, is left out: …
    shown = ".*".join(map(re.escape, entry.example.shows.strip().split("…")))
    assert re.search(f"^{shown}$", outcome.stderr, re.MULTILINE), outcome.stderr


def test_only_what_needs_a_server_or_a_person_is_not_run() -> None:
    assert {entry.code for entry in ALL if not entry.example.runs} <= {
        *("NBS008", "NBS009", *(f"NBS01{number}" for number in range(5)), "NBS206"),
        *(f"NBS5{number:02}" for number in (1, *range(3, 14))),
        *("NBS710", "NBS711"),  # the one is for machines alone, the other must never be
        *(f"NBS84{number}" for number in range(1, 10)),
        *(f"NBS6{number:02}" for number in (*range(3, 8), 9, 10, 12, 13, 15)),
        *("NBS620", "NBS622", "NBS627", "NBS628"),  # a plan file of an account that is still there
        "NBS407",  # a role that lacks a permission
        *(f"NBS63{number}" for number in range(4)),
        *(f"NBS{number}" for number in range(640, 656)),  # two runs at once, and keys that are renewed beside the old
        *("NBS900", "NBS999"),
    }


@pytest.mark.parametrize("said", ["NBS201", "nbs201", "Nbs201"])
def test_explain_shows_a_code_in_whatever_case(said: str, desk: Desk) -> None:
    outcome = desk.nbsync("explain", said)
    entry = find("NBS201")
    assert entry
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith(f"NBS201: {entry.title}\n")
    for part in (entry.what, entry.why, entry.mend):
        assert part in re.sub(r"\s+", " ", outcome.stdout)
    assert f"    $ {entry.example.command}\n" in outcome.stdout


@pytest.mark.parametrize("said", ["201", "NBS2O1", "nbs20", "NBS2011"])
def test_explain_names_what_is_near_an_unknown_code(said: str, desk: Desk) -> None:
    outcome = desk.nbsync("explain", said)
    assert (outcome.exit_code, outcome.stdout) == (64, "")
    assert f"there is no code '{said}'" in outcome.stderr
    assert re.search("did you mean .*'NBS20[0-9]'", outcome.stderr)


@pytest.mark.parametrize("said", ["../NBS201", "NBS201.toml", "NBS\uff1201", "", "nonsense"])
def test_explain_refuses_what_is_no_code(said: str, desk: Desk) -> None:
    outcome = desk.nbsync("explain", said)
    assert outcome.exit_code == 64
    assert "NBS901" in outcome.stderr


def test_explain_without_a_code_lists_all(desk: Desk) -> None:
    lines = desk.nbsync("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [entry.code for entry in ALL]
    assert set(AREAS.values()) == {line for line in lines if line and not line.startswith(" ")}


def test_explain_writes_all_pages(desk: Desk) -> None:
    assert desk.nbsync("explain", "--out", "pages").exit_code == 0
    written = {path.name: path.read_text("utf-8") for path in (desk.folder / "pages").iterdir()}
    assert written == {path.name: path.read_text("utf-8") for path in PAGES.iterdir()}


def test_explain_says_what_cannot_be_written(desk: Desk) -> None:
    desk.write("", "file")
    assert desk.nbsync("explain", "--out", "file/pages").exit_code == 1
    assert desk.nbsync("explain", "NBS201", "--out", "pages").exit_code == 64


def test_explain_loads_neither_the_language_nor_the_client() -> None:
    code = "import sys; from reconciler.cli.main import run; run(['explain', 'NBS201']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.split("\n")[-2].split()
    assert not {"pydantic", "httpx", "rich", "ruamel.yaml", "reconciler.load", "schemas"} & set(loaded)


def test_text_fits_a_narrow_terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "50")
    before_the_example = desk.nbsync("explain", "NBS320").stdout.partition("\nExample\n")[0]
    assert max(map(len, before_the_example.splitlines())) <= 50
