"""In which order variables are worked out: each after those that it uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from reconciler.load.templates import Malformed, Reference, pieces
from reconciler.load.tree import Map, Seq

MAX_CIRCLES = 10


def order(values: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return the names of `values` so that each comes after those that it uses, and the circles among them.

    A circle lists its names so that each uses the next, the first one again at the end. Names in circles are not in the order;
    after `MAX_CIRCLES` of them, no name is.
    """
    graph = {name: values.keys() & set(_used(value)) for name, value in values.items()}
    circles: list[list[str]] = []
    while len(circles) < MAX_CIRCLES:
        try:
            return list(TopologicalSorter(graph).static_order()), circles
        except CycleError as error:
            circles.append(error.args[1][::-1])
        for name in set(circles[-1]):
            del graph[name]
        for uses in graph.values():
            uses.difference_update(circles[-1])
    return [], circles


def _used(value: Any) -> Iterator[str]:
    """Yield the names of the variables that `value` uses."""
    if isinstance(value, str):
        if "${" in value:
            yield from _used_in_text(value)
    elif isinstance(value, (Map, Seq)):
        for child in value.values() if isinstance(value, Map) else value:
            yield from _used(child)


def _used_in_text(text: str) -> Iterator[str]:
    try:
        parts = pieces(text)
    except Malformed:
        return
    yield from (part.name for part in parts if isinstance(part, Reference) and part.source == "var")
