"""Answers are strangers: what a kind does with one either succeeds or says that the answer cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

READERS: Mapping[str, int] = {
    "credential": 0,
    "write": 1,
    "initial": 0,
    "lifetime": 0,
    "selects": 0,
    "server_owned": 0,
    "undeclarable": 0,
    "decode": 1,
    "request": 1,
    "settle": 2,
    "remarks": 2,
    "vetoes": 0,
    "administers": 0,
    "suffix": 0,
    "effect": 0,
    "claims": 1,
    "holds": 1,
    "excludes": 1,
}
"""Functions of a kind that look at answers or at what was made of one, and which of their arguments that is."""

_FLAWS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
_SCALARS: Mapping[Any, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}


class Unreadable(ValueError):
    """An answer that does not have the form of an object of its kind.

    Attributes:
        kind: name of the kind.
        path: where its objects are in the API; empty if they come inside others.
        id: of the object, as far as it shows one.
        flaw: what is wrong, or empty.
    """

    def __init__(self, kind: str, path: str, identifier: str, flaw: str) -> None:
        self.kind, self.path, self.id, self.flaw = kind, path, identifier, flaw
        super().__init__(f"{kind} {identifier}: {flaw}")


class CannotExpress(Exception):
    """A live object that the language has no words for; it can be left or deleted, not declared.

    Attributes:
        advice: what to do about it.
        is_more: it does more than an object of one declaration can.
    """

    def __init__(self, message: str, advice: str, *, is_more: bool = False) -> None:
        super().__init__(message)
        self.advice, self.is_more = advice, is_more


class WrongType(ValueError):
    """A field of an answer holds another type than its field can have."""


def guarded(kind: str, path: str, function: Callable[..., Any], at: int) -> Callable[..., Any]:
    """A function of a kind that raises `Unreadable` where it stumbles over an answer."""

    @wraps(function)
    def reader(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Unreadable:
            raise
        except _FLAWS as error:
            said = str(error) if isinstance(error, WrongType) else ""
            raise Unreadable(kind, path, _identifier(arguments, at), said) from error

    return reader


def _identifier(arguments: tuple[Any, ...], at: int) -> str:
    seen = arguments[at] if at < len(arguments) else None
    seen = seen[0] if isinstance(seen, list) and seen else seen
    identifier = seen.get("id") if isinstance(seen, dict) else None
    return identifier if isinstance(identifier, str) else ""


def require_type(field: str, annotation: Any, value: Any) -> None:
    """See that a value of an answer, in the files' words, has a JSON type that its field can have.

    Raises:
        WrongType: it has not.
    """
    if value is not None and not _fits(annotation, value):
        raise WrongType(f"{field} is {_named(value)}")


def require_list(value: Any) -> list[Any]:
    """A list of an answer; nothing is an empty one.

    Raises:
        WrongType: it is something else.
    """
    if value is not None and not isinstance(value, list):
        raise WrongType(f"there is {_named(value)} where a list should be")
    return value or []


def _fits(annotation: Any, value: Any) -> bool:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return any(_fits(one, value) for one in arguments)
    if origin is Literal:
        return any(type(value) is type(one) for one in arguments)
    if origin is tuple:
        return isinstance(value, list | tuple) and all(_fits(arguments[0], item) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(arguments[1], item) for item in value.values())
    return _fits_plainly(annotation, value)


def _fits_plainly(annotation: Any, value: Any) -> bool:
    if annotation is NoneType:
        return value is None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return isinstance(value, dict | annotation)
    return type(value) in _SCALARS.get(annotation, (type(value),))


def _named(value: Any) -> str:
    names = {bool: "true or false", str: "text", dict: "an object", list: "a list, or one of other things"}
    return names.get(type(value), "a number")
