"""YAML events of a text: the C parser first, and what it gets wrong put right.

The parsers know less of YAML 1.2 than they say. The C parser refuses a plain `fd00::/8` between brackets; both take `?x` there for
a key, and the C parser takes U+0085, U+2028 and U+2029 for ends of lines. Such characters are hidden from them behind private ones,
which keeps every position. What the C parser still refuses goes to ruamel's own, which is ten times slower.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, ScalarEvent

Events = Iterator[Any]

_HIDDEN = ":?\x85\u2028\u2029"
_PRIVATE = range(0xE000, 0xF900)
_ESCAPED = re.compile(r"\\(?:u|U0000)([0-9A-Fa-f]{4})")
_ODD = re.compile(r"\?(?=[^\s,\[\]{}])|[\x85\u2028\u2029]")
# A colon within a plain scalar: something else than a space or a bracket follows, or it ends `fe80::`.
_COLON = re.compile(r"""(?<!["'\]}]):(?=[^\s,\[\]{}])|(?<=:):(?=[,\]}])""")


def attempts(text: str) -> Iterator[Callable[[], Events]]:
    """Yield the ways to parse `text`, the fastest first; the first that ends without a `YAMLError` is right."""
    masks = _masks(text)
    masked = text if text.isascii() and "?" not in text else _hide(_ODD, text, masks)
    used = {} if masked is text else masks
    yield lambda: _reveal(_parse(masked, pure=False), used)
    yield lambda: _reveal(_parse(_hide(_COLON, masked, masks), pure=False), masks)
    yield lambda: _reveal(_parse(masked, pure=True), used)


def scalars(text: str) -> dict[tuple[int, int], str]:
    """Return the scalars of `text` by line and column (from 0), as written but for quotes; aliases with their `*`."""
    for attempt in attempts(text):
        try:
            return {
                (e.start_mark.line, e.start_mark.column): _written(e)
                for e in attempt()
                if isinstance(e, (ScalarEvent, AliasEvent))
            }
        except YAMLError:
            continue
    return {}


def _written(event: Any) -> str:
    return str(event.value) if isinstance(event, ScalarEvent) else f"*{event.anchor}"


def _masks(text: str) -> dict[str, str]:
    """Return a private character that `text` does not have, escaped ones included, for each that is hidden."""
    escaped = {chr(int(found[1], 16)) for found in _ESCAPED.finditer(text)}
    free = (char for char in map(chr, _PRIVATE) if char not in text and char not in escaped)
    return dict(zip(_HIDDEN, free, strict=False))


def _hide(pattern: re.Pattern[str], text: str, masks: dict[str, str]) -> str:
    return pattern.sub(lambda match: masks.get(match[0], match[0]), text)


def _reveal(events: Events, masks: dict[str, str]) -> Events:
    if not masks:
        yield from events
        return
    back = str.maketrans({mask: char for char, mask in masks.items()})
    for event in events:
        if isinstance(event, ScalarEvent) and not event.value.isascii():
            event.value = event.value.translate(back)
        yield event


def _parse(text: str, *, pure: bool) -> Events:
    """Yield events; whatever is wrong is a `YAMLError`.

    ruamel's own parser has other errors too, for an escape beyond Unicode and for `%YAML 1.3`, and takes half a surrogate pair.
    """
    events = YAML(typ="safe", pure=pure).parse(text)
    if not pure:
        yield from events
        return
    try:
        for event in events:
            if isinstance(event, ScalarEvent):
                event.value.encode()
            yield event
    except (ValueError, OverflowError, AssertionError) as error:
        raise YAMLError(str(error)) from error
