"""The explanation of a diagnostic code, for a terminal and as a page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

from reconciler.explain import AREAS, Entry

WIDEST = 100
"""Columns after which text is broken, however wide the terminal is."""


def as_text(entry: Entry, width: int) -> str:
    """The explanation in lines of at most so many columns; examples are as long as they are."""
    width = min(width, WIDEST)
    parts = [f"{entry.code}: {entry.title}", _wrapped(entry.what, width)]
    for heading, text in _sections(entry):
        parts += [heading, _wrapped(text, width, "  ")]
    parts.append("Example")
    for name, text in entry.example.files.items():
        parts += [f"  {name}:", textwrap.indent(text.rstrip(), "    ")]
    parts.append(textwrap.indent(_session(entry), "    "))
    return "\n\n".join(parts) + "\n"


def as_page(entry: Entry) -> str:
    """The explanation as a page of Markdown."""
    return f"# {entry.code}: {entry.title}\n\n{entry.what}\n\n{as_markdown(entry)}"


def as_markdown(entry: Entry) -> str:
    """The explanation below its title and first paragraph, in Markdown."""
    parts = [part for heading, text in _sections(entry) for part in (f"## {heading}", text)]
    parts.append("## Example")
    for name, text in entry.example.files.items():
        parts += [f"`{name}`:", f"```yaml\n{text.rstrip()}\n```"]
    parts.append(f"```console\n{_session(entry)}\n```")
    return "\n\n".join(parts) + "\n"


def as_list(entries: list[Entry]) -> str:
    """All codes with their titles, by what they are about."""
    parts = []
    for area, those in groupby(entries, key=_area):
        parts.append("\n".join([area, *(f"  {entry.code}  {entry.title}" for entry in those)]))
    return "\n\n".join(parts) + "\n"


def as_index(entries: list[Entry]) -> str:
    """All codes with links to their pages, as a page of Markdown."""
    parts = ["# Diagnostic codes", "`nbsync explain CODE` shows the same text in a terminal."]
    for area, those in groupby(entries, key=_area):
        links = (f"- [{entry.code}]({entry.code}.md): {entry.title}" for entry in those)
        parts += [f"## {area}", "\n".join(links)]
    return "\n\n".join(parts) + "\n"


def _area(entry: Entry) -> str:
    return AREAS[entry.code[:4]]


def _sections(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "Why", entry.why
    yield "What to do", entry.mend


def _session(entry: Entry) -> str:
    return f"$ {entry.example.command}\n{entry.example.shows.strip()}"


def _wrapped(text: str, width: int, indent: str = "") -> str:
    lines = (
        textwrap.fill(line, width, initial_indent=indent, subsequent_indent=indent + ("  " if line[:2] == "- " else ""))
        for line in text.split("\n")
    )
    return "\n".join(lines)
