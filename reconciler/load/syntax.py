"""What the YAML parsers say about a text that is not YAML, in words and with a place."""

from __future__ import annotations

import re
from typing import NamedTuple

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

_BRACKETS = "close it, put a comma between the items, or quote a text that holds brackets, commas or colons"
_INDENTATION = (
    "check the indentation of this line and of those above, and the space after the colon of each key; "
    "quote a text that holds quotes or `: `, or begins with `*`"
)

# What a parser says, what it means, what to do. The first that fits counts.
_MEANINGS = (
    (r"'\t' that cannot start", "a tab where only spaces may stand", "indent with spaces"),
    ("cannot start any token", "a text that begins with a character that YAML keeps for itself", "quote the text"),
    ("mapping values are not allowed", "a `: ` where no key can be", _INDENTATION),
    ("sequence entries are not allowed", "a `- ` where no list can begin", "begin the list on a line of its own"),
    ("found unexpected end of stream", "a quote that is never closed", "close it; in single quotes write ' as ''"),
    ("could not find expected ':'", "a line that is neither `key: value` nor part of a text", _INDENTATION),
    ("<block end>", "a line or a text that does not belong to what is above it", _INDENTATION),
    ("expected key", "a line or a text that does not belong to what is above it", _INDENTATION),
    ("'-' indicator", "a line or a text that does not belong to the list above it", _INDENTATION),
    ("<document start>", "a line that stands further left than the first one", _INDENTATION),
    ("expected ',' or", "a bracket that is not closed, or a comma that is missing", _BRACKETS),
    ("node content", "a bracket, comma or end where a value should be", _BRACKETS),
    ("alphabetic or numeric", "a `*` or `&` without a name", "quote a text that begins with `*` or `&`"),
    ("unknown escape", "a backslash in double quotes that means nothing", r"write \\, or use single quotes"),
    ("chomping or indentation", "more text after `|` or `>`", "quote a text that begins with `|` or `>`"),
    ("incompatible YAML document", "a %YAML line for another version", "remove it: files are read as YAML 1.2"),
)

_CONFLICT = [re.compile(mark, re.MULTILINE) for mark in ("^<<<<<<< ", "^=======\r?$", "^>>>>>>> ")]


class Failure(NamedTuple):
    """Why a text is not YAML; line and column count from 0."""

    line: int
    column: int
    message: str
    help: str = ""
    code: str = "NBS002"


def failure(error: YAMLError, text: str) -> Failure | None:
    """Return what `error`, raised while `text` was parsed, means; None where the parser does not know the place."""
    if isinstance(error, ReaderError):
        # The C parser counts bytes, and ruamel's own, which is asked after it, characters.
        return None if error.encoding == "?" else _unprintable(error, text)
    return _conflict(text) or _marked(error) if isinstance(error, MarkedYAMLError) else None


def _conflict(text: str) -> Failure | None:
    """What `git merge` leaves where both sides changed a line."""
    found = _CONFLICT[0].search(text)
    if found is None or not all(mark.search(text, found.end()) for mark in _CONFLICT[1:]):
        return None
    message = "not YAML: a merge left both versions of these lines here, between <<<<<<< and >>>>>>>"
    help_ = "keep what is right, and take out the lines that begin with <<<<<<<, =======, >>>>>>>"
    return Failure(text.count("\n", 0, found.start()), 0, message, help_)


def _marked(error: MarkedYAMLError) -> Failure | None:
    problem, mark, start = str(error.problem), error.problem_mark, error.context_mark
    if mark is None:
        return None
    means, help_ = next(
        (words for part, *words in _MEANINGS if part in problem),
        (problem, "quote the text that stands there, or take it out"),
    )
    if start is not None and "end of stream" in problem:
        mark = start
    since = f", in what begins at line {start.line + 1}" if start is not None and start.line < mark.line else ""
    return Failure(mark.line, mark.column, f"not YAML: {means}{since} ({problem})", help_)


def _unprintable(error: ReaderError, text: str) -> Failure:
    before = text[: error.position]
    column = error.position - (before.rfind("\n") + 1)
    message = f"the character U+{ord(text[error.position]):04X} may not stand in a YAML file"
    help_ = "Remove it, or write it as an escape in double quotes. Is this a text file?"
    return Failure(before.count("\n"), column, message, help_, "NBS009")
