"""Request bodies, read as Go's encoding/json reads them into a struct.

A shape describes the struct: ``Struct({"name": TEXT, "peers": ListOf(TEXT), "ip": Nullable(TEXT)})``. Decoding gives a
dict that has every field of the struct: what is absent has Go's zero value (``""``, ``False``, ``0``; ``None`` for
lists, maps and pointers). What Go forgives is forgiven: unknown fields, another letter case, repeated keys (the last
one counts, nested objects are merged), data after the value, lone surrogates. What it refuses is `NotJsonError`.
"""

import json
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Never

from .encoding import number
from .text import from_utf8

SURROGATE = re.compile("[\ud800-\udfff]")


class NotJsonError(Exception):
    """The body is no JSON, or holds a value of a type that the field does not have."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object as it stands: keys in order, repeated ones included."""


class Shape(ABC):
    """What a field takes."""

    def zero(self) -> Any:
        """The value of a field that the body does not mention."""
        return None

    @abstractmethod
    def read(self, raw: Any, current: Any) -> Any:
        """Decode ``raw`` into a field that holds ``current``; raises NotJsonError if the type is wrong."""


@dataclass(frozen=True)
class Scalar(Shape):
    """A plain Go value; ``null`` leaves it as it is."""

    kind: type
    zero_value: str | bool | float

    def zero(self) -> Any:
        """See `Shape.zero`."""
        return self.zero_value

    def read(self, raw: Any, current: Any) -> Any:
        """See `Shape.read`."""
        if raw is None:
            return current
        if type(raw) is not self.kind:
            raise NotJsonError
        return SURROGATE.sub("\ufffd", raw) if isinstance(raw, str) else raw


@dataclass(frozen=True)
class Integer(Shape):
    """A signed integer of so many bits; fractions, exponents and what does not fit are refused."""

    bits: int = 64

    def zero(self) -> int:
        """See `Shape.zero`."""
        return 0

    def read(self, raw: Any, current: Any) -> Any:
        """See `Shape.read`."""
        if raw is None:
            return current
        if type(raw) is not int or not -(1 << (self.bits - 1)) <= raw < 1 << (self.bits - 1):
            raise NotJsonError
        return raw


class Float(Shape):
    """A float64, given as any JSON number."""

    def zero(self) -> float:
        """See `Shape.zero`."""
        return 0

    def read(self, raw: Any, current: Any) -> Any:
        """See `Shape.read`."""
        if raw is None:
            return current
        if isinstance(raw, bool) or not isinstance(raw, int | float) or abs(raw) > sys.float_info.max:
            raise NotJsonError
        return number(float(raw))


class Anything(Shape):
    """Any JSON value, as plain Python data; None if absent."""

    def read(self, raw: Any, current: Any) -> Any:  # noqa: ARG002 - one signature for all shapes
        """See `Shape.read`."""
        return plain(raw)


@dataclass(frozen=True)
class Nullable(Shape):
    """A pointer: None if absent or ``null``."""

    inner: Shape

    def read(self, raw: Any, current: Any) -> Any:
        """See `Shape.read`."""
        return None if raw is None else self.inner.read(raw, self.inner.zero() if current is None else current)


@dataclass(frozen=True)
class Optional(Shape):
    """A pointer whose handler takes nil for the zero value: unlike in a plain field, a later ``null`` resets it."""

    inner: Shape

    def zero(self) -> Any:
        """See `Shape.zero`."""
        return self.inner.zero()

    def read(self, raw: Any, current: Any) -> Any:
        """See `Shape.read`."""
        return self.inner.zero() if raw is None else self.inner.read(raw, current)


@dataclass(frozen=True)
class ListOf(Shape):
    """A slice: None if absent or ``null``, which differs from ``[]``.

    When a key is repeated, elements of the later list are decoded into those of the earlier one.
    """

    inner: Shape

    def read(self, raw: Any, current: Any) -> Any:
        """See `Shape.read`."""
        if raw is None:
            return None
        if not isinstance(raw, list) or isinstance(raw, Pairs):
            raise NotJsonError
        earlier = (current or [])[: len(raw)]
        blank = [self.inner.zero() for _ in raw[len(earlier) :]]
        return [self.inner.read(item, value) for item, value in zip(raw, [*earlier, *blank], strict=True)]


@dataclass(frozen=True)
class MapOf(Shape):
    """A map from text: None if absent or ``null``."""

    inner: Shape

    def read(self, raw: Any, current: Any) -> Any:
        """See `Shape.read`."""
        if raw is None:
            return None
        if not isinstance(raw, Pairs):
            raise NotJsonError
        entries = {SURROGATE.sub("\ufffd", key): self.inner.read(value, self.inner.zero()) for key, value in raw}
        return {**(current or {}), **entries}


@dataclass(frozen=True)
class Struct(Shape):
    """An object with these fields."""

    fields: Mapping[str, Shape]
    _folded: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_folded", {name.casefold(): name for name in self.fields})

    def zero(self) -> Any:
        """See `Shape.zero`."""
        return {name: shape.zero() for name, shape in self.fields.items()}

    def read(self, raw: Any, current: Any) -> Any:
        """See `Shape.read`."""
        if raw is None:
            return current
        if not isinstance(raw, Pairs):
            raise NotJsonError
        for key, value in raw:
            name = key if key in self.fields else self._folded.get(key.casefold())
            if name is not None:
                current[name] = self.fields[name].read(value, current[name])
        return current


TEXT = Scalar(str, "")
BOOL = Scalar(bool, zero_value=False)
INT = Integer()
FLOAT = Float()
TEXTS = ListOf(TEXT)


def decode(body: bytes, shape: Shape) -> Any:
    """The first JSON value of ``body`` as ``shape`` reads it; a literal ``null`` gives the zero value.

    Raises:
        NotJsonError: no JSON value, or one of another type.
    """
    return shape.read(parse(body), shape.zero())


def parse(body: bytes) -> Any:
    """The first JSON value of ``body``, objects as `Pairs`; raises NotJsonError."""
    text = from_utf8(body).lstrip(" \t\r\n")
    try:
        value, _ = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        raise NotJsonError from None
    return value


def plain(raw: Any) -> Any:
    """A parsed value as ordinary dicts and lists; of repeated keys the last one counts."""
    if isinstance(raw, Pairs):
        return {key: plain(value) for key, value in raw}
    return [plain(item) for item in raw] if isinstance(raw, list) else raw


def _no_constant(name: str) -> Never:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=Pairs, parse_constant=_no_constant)
