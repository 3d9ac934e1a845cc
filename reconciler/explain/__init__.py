"""What every diagnostic code means: one file of text a code, beside this, read when somebody asks."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

AREAS = {
    "NBS0": "Reading the files",
    "NBS1": "What the files say",
    "NBS2": "The files against the account",
    "NBS3": "What is odd",
    "NBS4": "Guards",
    "NBS5": "The server",
    "NBS6": "Apply",
    "NBS7": "Export and layout",
    "NBS8": "The way to the server",
    "NBS9": "The command line",
}
"""What codes are about, by how they begin."""

_CODE = re.compile(r"NBS[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Example:
    """A case that leads to the code.

    Attributes:
        command: as it is typed.
        shows: lines of what it says.
        files: texts by name, which the command finds in its folder.
        runs: the command says this wherever it is tried; without, it depends on a server.
    """

    command: str
    shows: str
    files: Mapping[str, str] = field(default_factory=dict)
    runs: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """All that there is to say of one code; texts are Markdown without headings, paragraphs on one line each."""

    code: str
    title: str
    what: str
    why: str
    mend: str
    example: Example


@cache
def find(code: str) -> Entry | None:
    """Return what there is to say of a code, in whatever case it is written; None if there is no such code."""
    code = code.upper()
    if not _CODE.fullmatch(code):
        return None
    try:
        text = files(__package__).joinpath("codes", f"{code}.toml").read_text("utf-8")
    except FileNotFoundError:
        return None
    said = tomllib.loads(text)
    texts = {key: value.strip() for key, value in said.items() if isinstance(value, str)}
    return Entry(code=code, example=Example(**said["example"]), **texts)


def codes() -> list[str]:
    """All codes, in order."""
    return sorted(path.name.removesuffix(".toml") for path in files(__package__).joinpath("codes").iterdir())


def entries() -> list[Entry]:
    """What there is to say of all codes, in order."""
    return [entry for entry in map(find, codes()) if entry]
