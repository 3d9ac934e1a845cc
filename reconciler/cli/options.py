"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.plan.guard import Allowances
from schemas._core.fields import seconds

F = TypeVar("F", bound=Callable[..., Any])
WORDS = ("renumber", "another-run")
"""What `--allow` takes, besides a number of deletes."""
FORMATS = ("text", "json", "sarif", "junit", "github")


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked for, apart from what is particular to one command."""

    paths: tuple[Path, ...] = (Path(),)
    overlays: tuple[Path, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    output: str = "text"
    outs: tuple[tuple[str, Path], ...] = ()
    quiet: bool = False
    token_file: Path | None = None
    simulate: str | None = None
    allowances: Allowances = field(default_factory=Allowances)
    targets: tuple[str, ...] = ()
    since: str | None = None
    journal: Path | None = None
    timeout: float | None = None


def _pair(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise click.BadParameter("write NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _outs(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, Path], ...]:
    found = []
    for value in values:
        name, equals, target = value.partition("=")
        if name not in FORMATS or not equals or not target:
            raise click.BadParameter(f"write FORMAT=FILE, FORMAT one of {', '.join(FORMATS)}")
        found.append((name, Path(target)))
    return tuple(found)


def _length(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        length = seconds(value)
    except ValueError:
        length = 0
    if not length:
        raise click.BadParameter(f"'{value}' is no length of time; write 90s, 10m, 1h or 1h30m")
    return float(length)


def _allowances(allow: tuple[str, ...], allow_empty: tuple[str, ...]) -> Allowances:
    deletes, words = 0, set()
    for word in allow:
        name, colon, number = word.partition(":")
        if name == "delete" and colon and number.isdecimal():
            deletes = max(deletes, int(number))
        elif word in WORDS:
            words.add(word)
        else:
            advice = f"'{word}' is not known; write delete:NUMBER, {' or '.join(WORDS)}"
            raise click.BadParameter(advice, param_hint="--allow")
    return Allowances(deletes, frozenset(words), frozenset(allow_empty))


_FILES = [
    click.argument("paths", nargs=-1, type=click.Path(path_type=Path)),
    click.option(
        "--overlay",
        "overlays",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Merge this file on top.",
    ),
    click.option("--var", "variables", multiple=True, callback=_pair, metavar="NAME=VALUE", help="Set a variable."),
]
_QUIET: Callable[[Any], Any] = click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
_OUTPUT = [
    click.option(
        "-o", "--output", type=click.Choice(FORMATS), default="text", show_default=True, help="What stdout gets."
    ),
    click.option(
        "--out", "outs", multiple=True, callback=_outs, metavar="FORMAT=FILE", help="Write this format to a file, too."
    ),
    _QUIET,
]
_SERVER = [
    click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE", help="Read the token from a file."),
    click.option(
        "--simulate",
        is_flag=False,
        flag_value="",
        default=None,
        metavar="[FILE]",
        help="Ask a simulated account (of this file) instead of a server.",
    ),
]
_TIMEOUT: Callable[[Any], Any] = click.option(
    "--timeout", callback=_length, metavar="DURATION", help="End after this time (90s, 10m, 1h), between two changes."
)
_PLANNING = [
    click.option(
        "--target", "targets", multiple=True, metavar="ADDRESS", help="Only this object, and what it needs made."
    ),
    click.option(
        "--allow", multiple=True, metavar="WORD", help=f"Lift a guard for this run: delete:NUMBER, {', '.join(WORDS)}."
    ),
    click.option(
        "--allow-empty", multiple=True, metavar="SECTION", help="Let an empty section delete all that is there."
    ),
]

_SINCE: Callable[[Any], Any] = click.option(
    "--since",
    metavar="REVISION",
    help="Tell what was changed in the account since the files were applied as they are at this git revision.",
)


def _decorated(options: list[Callable[[F], F]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


for_the_record: Callable[[F], F] = click.option(
    "--journal",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Append to this journal, instead of a new one in the state folder.",
)
for_files = _decorated([*_FILES, *_OUTPUT])
for_output = _decorated([*_OUTPUT])
for_layout = _decorated([_FILES[0], *_OUTPUT])
for_account = _decorated([_QUIET, *_SERVER, _TIMEOUT])
for_the_doctor = _decorated([*_FILES, *_OUTPUT, *_SERVER])
for_server = _decorated([*_FILES, *_OUTPUT, *_SERVER, _TIMEOUT])
for_drift = _decorated([*_FILES, *_OUTPUT, *_SERVER, _TIMEOUT, _SINCE])
for_a_look = _decorated([*_FILES, *_OUTPUT, *_SERVER, _TIMEOUT, *_PLANNING, _SINCE])
for_rollbacks = _decorated([*_OUTPUT, *_SERVER, _TIMEOUT, _PLANNING[1]])
for_plans = _decorated([*_FILES, *_OUTPUT, *_SERVER, _TIMEOUT, *_PLANNING])


def collect(given: dict[str, Any]) -> Options:
    """Put the shared options of a command together."""
    paths = given.get("paths") or (Path(),)
    return Options(
        paths=tuple(paths),
        overlays=tuple(given.get("overlays", ())),
        variables=given.get("variables", {}),
        output=given.get("output", "text"),
        outs=given.get("outs", ()),
        quiet=given.get("quiet", False),
        token_file=given.get("token_file"),
        simulate=given.get("simulate"),
        allowances=_allowances(given.get("allow", ()), given.get("allow_empty", ())),
        targets=tuple(given.get("targets", ())),
        since=given.get("since"),
        journal=given.get("journal"),
        timeout=given.get("timeout"),
    )
