"""What the YAML parsers say about a text that is not YAML, in words and with a place."""

from __future__ import annotations

from typing import NamedTuple

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

_HELP = {
    r"'\t' that cannot start": "Indent with spaces; YAML takes no tabs there.",
    "mapping values are not allowed": "Quote a text that contains `: `, or check the indentation of this line and the one above.",
    "could not find expected ':'": "A line of a mapping is `key: value`; check the indentation, and the quotes and brackets above.",
    "end of stream": "A quote or a bracket that is opened here is never closed.",
    "expected <block end>": "Check the indentation: this line belongs neither to what is above it nor to the level it stands at.",
    "expected ',' or": "Close the bracket, or put a comma between the items; quote a text that contains brackets or commas.",
    "cannot start any token": "Quote this text: it begins with a character that means something else in YAML.",
    "incompatible YAML document": "Remove the %YAML line: files are read as YAML 1.2.",
}


class Failure(NamedTuple):
    """Why a text is not YAML; line and column count from 0."""

    line: int
    column: int
    message: str
    help: str = ""
    code: str = "NBS002"


def failure(error: YAMLError, text: str) -> Failure:
    """Return what `error`, raised while `text` was parsed, means."""
    if isinstance(error, ReaderError):
        return _unprintable(error, text)
    if not isinstance(error, MarkedYAMLError):
        return Failure(0, 0, f"not YAML: {error}")
    mark = error.problem_mark
    problem = str(error.problem)
    if "end of stream" in problem and error.context_mark:
        mark = error.context_mark
    context = f" {error.context}" if error.context else ""
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return Failure(line, column, f"not YAML: {problem}{context}", _help(problem))


def _unprintable(error: ReaderError, text: str) -> Failure:
    if error.encoding == "?":  # the C parser counts bytes
        return Failure(0, 0, f"not YAML: {error.reason}")
    before = text[: error.position]
    line = before.count("\n")
    column = error.position - (before.rfind("\n") + 1)
    character = ord(error.character) if isinstance(error.character, str) else error.character
    message = f"the character U+{character:04X} may not stand in a YAML file"
    return Failure(
        line,
        column,
        message,
        "Remove it, or write it as an escape in double quotes; is it a text file at all?",
        "NBS009",
    )


def _help(problem: str) -> str:
    return next((text for part, text in _HELP.items() if part in problem), "")
