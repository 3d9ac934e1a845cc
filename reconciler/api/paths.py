"""Paths below `/api`, built so that no id can lead elsewhere."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from reconciler.errors import AccountError, Diagnostic
from reconciler.redact import clean

PREFIX: Final = "/api"
_PATH = re.compile(
    r"(/(?!\.\.?(/|\?|$))([\w.~!$&'()*+,;=:@-]|%(?!2[EFef]|5[Cc]))+)+(\?[\w.~%!$&'()*+,;=:@/?-]*)?", re.ASCII
)


def path(template: str, **ids: str) -> str:
    """Fill `template` with ids: `path("/networks/{network}/routers/{id}", network="a", id="b")`.

    The server redirects doubled slashes and dot segments, before it looks at the token, and answers an encoded slash with 404:
    such an id would name another object, or a whole list.

    Raises:
        AccountError: An id is empty, `.`, `..` or contains a slash.
    """
    for name, value in ids.items():
        if value in {"", ".", ".."} or "/" in value or "\\" in value:
            message = f'"{clean(value)}" cannot be the {name} in {template}: it would lead to another path.'
            raise AccountError(
                Diagnostic("NBS509", message, help="an id is used as the server gives it; compare it with the list")
            )
    return template.format(**{name: quote(value, safe="") for name, value in ids.items()})


def checked(below_api: str) -> str:
    """Return the whole path of `below_api` ("/groups" -> "/api/groups").

    Raises:
        ValueError: It is not an absolute, clean path: a mistake of the caller, not of the server.
    """
    if not _PATH.fullmatch(below_api):
        raise ValueError(f"not a path below {PREFIX}: {below_api!r}")
    return PREFIX + below_api
