"""YAML events of a text: the C parser first, and what it gets wrong put right.

The C parser knows YAML 1.1 only. It refuses a plain `fd00::/8` between flow brackets, and takes U+0085, U+2028 and U+2029 for ends
of lines. Both are hidden from it behind private characters, which keeps every position. What it still refuses goes to ruamel's
own parser, which is ten times slower.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, ScalarEvent

Events = Iterator[Any]

# A colon that is part of a plain scalar: something else than a space or a bracket follows, or it ends `fe80::`.
_COLON = re.compile(r"""(?<!["'\]}]):(?=[^\s,\[\]{}])|(?<=:):(?=[,\]}])""")
_COLON_MASK = "\ue03a"
_BREAK_MASKS = {"\x85": "\ue085", "\u2028": "\ue028", "\u2029": "\ue029"}
_UNMASK = str.maketrans({_COLON_MASK: ":", **{mask: char for char, mask in _BREAK_MASKS.items()}})
_MASKS = re.compile(f"[{_COLON_MASK}{''.join(_BREAK_MASKS.values())}]")


def attempts(text: str) -> Iterator[Callable[[], Events]]:
    """Yield the ways to parse `text`, the fastest first; the first that ends without a `YAMLError` is right."""
    if _MASKS.search(text):
        yield lambda: _parse(text, pure=False)
        yield lambda: _parse(text, pure=True)
        return
    lines = _mask_breaks(text)
    unmask = _unmasked if lines is not text else iter
    yield lambda: unmask(_parse(lines, pure=False))
    yield lambda: _unmasked(_parse(_COLON.sub(_COLON_MASK, lines), pure=False))
    yield lambda: unmask(_parse(lines, pure=True))


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


def _mask_breaks(text: str) -> str:
    for char, mask in _BREAK_MASKS.items():
        if char in text:
            text = text.replace(char, mask)
    return text


def _unmasked(events: Events) -> Events:
    for event in events:
        if isinstance(event, ScalarEvent):
            event.value = event.value.translate(_UNMASK)
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
