"""What Go's encoding/json says about a text that is no JSON."""

import json
import re
import string
from typing import Any, Final, NoReturn

_LITERALS: Final = ("true", "false", "null")
_END: Final = "unexpected end of JSON input"
_AFTER: Final = {
    "Expecting property name": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':'": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX": "in \\u hexadecimal character escape",
}
_KINDS: Final = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


class JsonError(ValueError):
    """A text that is no JSON; the message is Go's."""


def loads(data: bytes) -> Any:
    """The value, as `json.loads` gives it.

    Raises:
        JsonError: with the wording of Go's scanner.
    """
    text = data.decode("utf-8", "replace")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise JsonError(_fault(error, text)) from None
    except _ConstantError as error:
        # neither NaN nor Infinity is a literal to Go; in a list of valid values it is the first place of that word
        raise JsonError(_at(text, text.index(str(error)), "looking for beginning of value")) from None


def kind_of(value: object) -> str:
    """Go's word for the type of a JSON value, in "cannot unmarshal array into ..."."""
    return _KINDS[type(value)]


class _ConstantError(Exception):
    """`NaN` or `Infinity`, which Python would accept."""


def _no_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


def _fault(error: json.JSONDecodeError, text: str) -> str:
    place = error.pos
    if error.msg.startswith("Expecting value"):
        return _no_value(text, place)
    if text[place : place + 1] in {".", "e", "E"} and text[place - 1 : place].isdigit():
        context = "after decimal point in numeric literal" if text[place] == "." else "in exponent of numeric literal"
        return _at(text, place + 1, context, end=" ")
    if error.msg.startswith("Expecting ','"):
        inside = "after object key:value pair" if _in_object(text[:place]) else "after array element"
        return _at(text, place, inside)
    if error.msg.startswith("Unterminated string"):
        return _END
    place += _distance(error.msg, text[place:])
    context = next(words for start, words in _AFTER.items() if error.msg.startswith(start))
    return _at(text, place, context)


def _distance(message: str, rest: str) -> int:
    """How far Go's scanner reads on before it objects."""
    if message.startswith("Illegal trailing comma"):
        return len(rest) - len(rest[1:].lstrip())
    if message.startswith("Invalid \\uXXXX"):
        return next(i for i, c in enumerate(rest + "\n") if i and c not in string.hexdigits)
    return int(message.startswith("Invalid \\escape"))


def _no_value(text: str, place: int) -> str:
    """No value begins here, or one begins and breaks off."""
    rest = text[place:]
    word = next((w for w in _LITERALS if rest.startswith(w[0])), None)
    if word:
        wrong = next(i for i, c in enumerate(word) if rest[i : i + 1] != c)
        return _at(text, place + wrong, f"in literal {word} (expecting {word[wrong]!r})", end=" ")
    if rest.startswith("-"):
        return _at(text, place + 1, "in numeric literal", end=" ")
    return _at(text, place, "looking for beginning of value")


def _at(text: str, place: int, context: str, *, end: str | None = None) -> str:
    """Go's sentence about the character at this place; past the end there is none."""
    if place >= len(text) and end is None:
        return _END
    byte = (text[place : place + 1] or end or "").encode()[0]
    character = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "'": "\\'", "\\": "\\\\"}.get(chr(byte), chr(byte))
    return f"invalid character '{character}' {context}"


def _in_object(text: str) -> bool:
    """Whether the innermost bracket that is open after `text` is a brace."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    depth = 0
    for c in reversed(bare):
        depth += (c in "]}") - (c in "[{")
        if depth < 0:
            return c == "{"
    return False
