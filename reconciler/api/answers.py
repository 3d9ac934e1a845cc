"""From an HTTP answer to JSON, or to the problem that it means."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from reconciler.api.problems import (
    BadAnswer,
    Call,
    CallFailed,
    InConflict,
    Missing,
    NoSuchEndpoint,
    NotPermitted,
    RateLimited,
    Rejected,
    ServerFailure,
    TokenRefused,
)
from reconciler.api.rate import LONGEST_WAIT
from reconciler.redact import clean, mask

JSON: Final = "application/json"
LONGEST_TEXT: Final = 500
DEEPEST: Final = 50  # levels; NetBird's own answers have fewer than ten
_OK, _MULTIPLE, _BAD_REQUEST, _NOT_FOUND, _SERVER_ERROR = 200, 300, 400, 404, 500
_EMPTY_SUCCESS: Final = {202, 204}
_BY_STATUS: Final[dict[int, type[CallFailed]]] = {
    401: TokenRefused,
    403: NotPermitted,
    409: InConflict,
    412: InConflict,
    429: RateLimited,
}
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_UNKNOWN_ROLE = re.compile(r"user role: \w+ not found$")
_NETWORK_ADMIN_AREAS: Final = {"groups", "policies", "posture-checks", "networks", "routes", "dns"}


@dataclass(frozen=True)
class Answer:
    """What came back: the headers that matter here, and the decoded body.

    Attributes:
        media: The content type without parameters, in lower case.
        location: Where a redirect points.
        retry_after: Seconds, from the header of that name.
    """

    status: int
    media: str
    body: bytes
    location: str = ""
    retry_after: float | None = None

    @property
    def is_json(self) -> bool:
        """Whether the server says that the body is JSON."""
        return self.media == JSON

    @cached_property
    def error(self) -> str | None:
        """NetBird's own error message, `{"message": ..., "code": ...}`, or None where the body is something else."""
        try:
            body = json.loads(self.body) if self.is_json else None
        except (ValueError, RecursionError):
            return None
        message = body.get("message") if isinstance(body, dict) else None
        return message if isinstance(message, str) else None

    @cached_property
    def said(self) -> str:
        """What the server says, in one clean line of bounded length: its message, a page's title, or the text."""
        text = self.error if self.error is not None else self.body.decode(errors="replace")
        if self.media == "text/html":
            title = _TITLE.search(text)
            text = html.unescape(title[1]) if title else "a web page"
        # The client has masked the body; in the text that was encoded in it a secret can stand in another form.
        text = mask(text[: 64 * LONGEST_TEXT])
        line = clean(" ".join(text[: 4 * LONGEST_TEXT].split()))
        return line if len(line) <= LONGEST_TEXT else line[:LONGEST_TEXT] + "…"


def value(call: Call, answer: Answer) -> Any:
    """Return the JSON of a successful answer; None for JSON's `null` and where NetBird answers without a body.

    Success is 200 with JSON: an empty 202 or 204 for a list, from a proxy or a login portal, would read as an account without
    objects. (Reverse-proxy domains: DELETE is answered with 204, `GET .../validate` with 202, both without a body.)

    Raises:
        CallFailed: Everything else, as its own class.
    """
    if answer.status == _OK:
        return _json(call, answer)
    bodiless = call.method == "DELETE" or call.path.endswith("/validate")
    if bodiless and answer.status in _EMPTY_SUCCESS and not answer.body:
        return None
    raise _problem(call, answer)


def _json(call: Call, answer: Answer) -> Any:
    if not answer.is_json:
        raise BadAnswer(call, f"{clean(answer.media) or 'no content type'}, {answer.said}", answer=answer)
    try:
        content = json.loads(answer.body.decode(), parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise BadAnswer(call, f"JSON that cannot be parsed, {len(answer.body)} bytes", answer=answer) from None
    if _is_deep(answer.body, content):
        raise BadAnswer(call, f"JSON that is nested more than {DEEPEST} deep", answer=answer)
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    """Refuse numbers such as 1e999, which are JSON and yet could not be sent back: they are read as infinity."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is out of range")
    return number


def _is_deep(body: bytes, content: Any) -> bool:
    """Whether something is nested deeper than `DEEPEST`: whatever walks through it later might not come back."""
    brackets = body.translate(None, _NO_BRACKETS)
    for _ in range(DEEPEST):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets) and _depth(content) > DEEPEST  # brackets in strings may have been in the way


def _depth(content: Any) -> int:
    depth, level = 0, [content]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _problem(call: Call, answer: Answer) -> CallFailed:
    status = answer.status
    if status < _MULTIPLE:
        return BadAnswer(call, answer.said or "a status that it does not use", answer=answer)
    if status < _BAD_REQUEST:
        return _redirect(call, answer)
    if status >= _SERVER_ERROR:
        return ServerFailure(call, answer.said, answer=answer)
    family = _not_found(answer) if status == _NOT_FOUND else _BY_STATUS.get(status, Rejected)
    return family(call, answer.said, answer=answer, advice=_advice(family, call, answer))


def _redirect(call: Call, answer: Answer) -> CallFailed:
    try:
        target = urlsplit(answer.location)
        place = clean(f"{target.scheme}://{target.hostname}" if target.hostname else target.path)
    except ValueError:
        place = "somewhere"
    advice = "a redirect is never followed, the token stays with the server that it is for: set NB_MANAGEMENT_URL to the final address"
    return BadAnswer(call, f"a redirect to {place}", answer=answer, advice=advice)


def _not_found(answer: Answer) -> type[CallFailed]:
    """Tell the four meanings of 404 apart: unknown token, unknown role, no such object, no such path."""
    message = (answer.error or "").lower()
    if message.startswith("invalid token:"):
        return TokenRefused
    if _UNKNOWN_ROLE.search(message):
        return NotPermitted
    return NoSuchEndpoint if answer.error is None else Missing


def _advice(family: type[CallFailed], call: Call, answer: Answer) -> str:
    if family is TokenRefused:
        return _token_advice(answer)
    if family is NotPermitted:
        return _role_advice(call, answer)
    if family is RateLimited and (answer.retry_after or 0) > LONGEST_WAIT:
        return "the server asks for a wait of more than a day: run it again then"
    return ""


def _token_advice(answer: Answer) -> str:
    if answer.status == _NOT_FOUND:
        return "This server does not know the token: it was deleted, or it is another server's. Check NB_MANAGEMENT_URL, or make a new one."
    return (
        "The token is expired or not complete. Make a new one: Team > Service Users in the dashboard. An OAuth2 access token goes "
        "into NB_ACCESS_TOKEN, a personal access token (nbp_...) into NB_PAT."
    )


def _role_advice(call: Call, answer: Answer) -> str:
    if "blocked" in answer.said or "pending approval" in answer.said:
        return "the token's user is blocked or waits for approval: an admin can change that under Team in the dashboard"
    area = call.path.split("/")[2]
    if call.path.endswith("/tokens"):
        return "only the role admin may look at, make or delete another user's tokens"
    if call.method == "GET":
        return "use the token of a service user: with any role it reads every list, which a person's role may not allow"
    if area in _NETWORK_ADMIN_AREAS:
        return "the token's user needs the role admin or network_admin"
    return "the token's user needs the role admin; network_admin is enough only for groups, policies, posture checks, networks, routes, DNS"
