"""Texts of the language in their one layout; what they mean, and every comment and anchor, stays.

The text is not written anew from what was read, which would move comments, but cut into tokens: keys are put in the order of
the models together with their comments, lines are indented, values take their short forms. In the end both texts are
read again and compared.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from reconciler.errors import Diagnostic, Place
from reconciler.fmt.arrange import arrange
from reconciler.fmt.comments import place_comments, place_ends
from reconciler.fmt.render import text_of
from reconciler.fmt.shapes import Shape, root_shape
from reconciler.fmt.source import Invalid, Source, read_source, says_the_same
from reconciler.fmt.tokens import Unformattable, tokens_of
from reconciler.fmt.tree import tree_of
from reconciler.fmt.words import requote, shorten
from reconciler.load.messages import UNKNOWN_KEY, near
from schemas import KINDS

__all__ = ["Invalid", "formatted", "formatted_unchecked"]

UNSAFE = "NBS711"


@lru_cache(maxsize=1)
def _shape() -> Shape:
    return root_shape(KINDS)


def formatted(text: str, path: Path, shape: Shape | None = None) -> str:
    """Return a text of the language in its one layout.

    Args:
        text: what stands in a file, with or without a byte order mark.
        path: what to call the file in diagnostics.
        shape: what is known of the language, if that is not what the kinds say.

    Raises:
        Invalid: it is no YAML, not the YAML that nbsync takes, or has root keys that are not of the language; or nbsync
            finds that the new text does not say the same.
    """
    shape = shape or _shape()
    source = read_source(_in_lines(text), path)
    _check_root(source, shape)
    try:
        result = formatted_unchecked(source, shape)
        is_same = says_the_same(source, read_source(result, path), shape)
    except (Unformattable, Invalid):
        is_same = False
    if not is_same:
        message, advice = "the file cannot be formatted without a change of what it says", "it is left as it is"
        raise Invalid([Diagnostic(UNSAFE, message, advice, place=Place(str(path), 1, 1))])
    return result


def _in_lines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def formatted_unchecked(source: Source, shape: Shape) -> str:
    """Return the text in its one layout, without a look at whether it says the same.

    Raises:
        Unformattable: it is laid out in a way that is not known here.
    """
    tokens = tokens_of(source.text, source.events)
    root = tree_of(tokens, source.events)
    if root is not None:
        place_comments(root, tokens)
        place_ends(root, tokens)
        shorten(root, shape, tokens)
        requote(tokens)
        arrange(root, shape, tokens)
    return text_of(tokens)


def _check_root(source: Source, shape: Shape) -> None:
    """Refuse what is no file of nbsync: it may be laid out as its own program wants it."""
    root, known = source.root, list(shape.fields)
    found = []
    for key in root or ():
        if key not in shape.fields:
            advice = near(key, known) or "files of other programs are left as they are"
            place = source.sources.place(root.keys_at[key]) if root is not None else None
            found.append(Diagnostic(UNKNOWN_KEY, f"unknown key '{key}'", advice, place=place))
    if found:
        raise Invalid(found)
