"""What the server is: its certificate, version, clock and rate limit."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from reconciler.api.client import ReadApi
from reconciler.api.greeting import trust
from reconciler.doctor.caller import SOON, Said
from reconciler.doctor.check import warned
from reconciler.errors import AccountError, Diagnostic
from reconciler.load.desired import Desired
from reconciler.state.observe import VERSION_PATH, lists_of
from schemas import KINDS

SKEW: Final = timedelta(seconds=60)
SAYS_ITS_VERSION: Final = "0.64.2"
"""The first release that does (instance/version)."""
_RELEASE = re.compile(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?![\w.])", re.ASCII)
_REMAINING: Final = ("x-ratelimit-remaining", "ratelimit-remaining")


def certificate(shown: Mapping[str, Any]) -> Said:
    """Say until when a certificate, which has been accepted, is good."""
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
    issuer = {key: text for part in shown.get("issuer", ()) for key, text in part}
    by = issuer.get("organizationName") or issuer.get("commonName") or "an authority without a name"
    through = f", trusted through {trust()}" if trust() else ""
    message = f"the certificate of {by} is good until {until:%Y-%m-%d}{through}"
    if until - datetime.now(UTC) < SOON:
        return warned("NBS841", message, "see to it that it is renewed")
    return message, ()


def version(api: ReadApi, desired: Desired | None) -> tuple[str | None, Said]:
    """Return the server's version, if it tells, and what of the files it is too old for.

    Raises:
        AccountError: It is too old for something.
    """
    answer = api.get_many([VERSION_PATH], optional=[VERSION_PATH])[0]
    said = answer.get("management_current_version") if isinstance(answer, dict) else None
    if isinstance(said, str):
        release = _release(said)
        lacking = [] if release is None else _newer(desired, release)
        message = f"NetBird {said}" if release else f"NetBird {said}, which counts as the newest"
    else:
        said, lacking = None, _unanswered(api, desired)
        message = f"older than {SAYS_ITS_VERSION}: the server does not say its version"
    if lacking:
        told = f"{message}; too old for {', '.join(lacking)} of the files"
        raise AccountError(Diagnostic("NBS847", told, "update the server, or take that out of the files"))
    return said, (message, ())


def clock(headers: Mapping[str, str]) -> Said:
    """Compare the server's clock with this machine's."""
    try:
        there = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError, OverflowError):
        return "the server does not tell the time", ()
    skew = datetime.now(UTC) - there.replace(tzinfo=there.tzinfo or UTC)
    if abs(skew) <= SKEW:
        return "the clocks of server and machine agree", ()
    word = "ahead of" if skew > timedelta() else "behind"
    message = f"the clock of this machine is {abs(round(skew.total_seconds()))} s {word} the server's"
    return warned("NBS848", message, "set both by NTP: lifetimes of tokens, keys and certificates go by them")


def rate(headers: Mapping[str, str], desired: Desired | None) -> Said:
    """Compare what the server lets through with what a plan asks for (NetBird itself says nothing before it refuses)."""
    needed = len(lists_of(desired)) + 1 if desired is not None else 0
    plan = f"a plan of these files reads {needed} lists" if needed else "no files to count requests for"
    left = next((headers[name] for name in _REMAINING if name in headers), "")
    if left.isascii() and left.isdigit() and int(left) < needed:
        message = f"{int(left)} requests are left of the server's rate limit, and {plan}"
        return warned("NBS849", message, "wait some minutes, or have the operator raise the limit")
    known = (
        f"the server says that {int(left)} requests are left" if left.isascii() and left.isdigit() else "not reached"
    )
    return f"{known}; {plan}", ()


def _release(text: str) -> tuple[int, ...] | None:
    """Numbers of a release; None for a build of one's own, which is `development` or has a commit for a name."""
    found = _RELEASE.match(text)
    return tuple(map(int, found.groups())) if found else None


def _newer(desired: Desired | None, release: tuple[int, ...]) -> list[str]:
    """What the files declare and this release does not know, each with the release that does."""
    found: dict[str, None] = {}
    for declared in desired.objects.values() if desired else ():
        kind = declared.kind
        wanted = [(f"the {kind.title}s", kind.since)] if kind.since else []
        wanted += [
            (f"{kind.title}.{name}", kind.fields_since[name]) for name in declared.said & kind.fields_since.keys()
        ]
        found |= {f"{what} (since {since})": None for what, since in wanted if release < (_release(since) or ())}
    return sorted(found)


def _unanswered(api: ReadApi, desired: Desired | None) -> list[str]:
    """Kinds of the files for which this server has no endpoint."""
    kinds = [KINDS[name] for name in sorted(desired.kinds)] if desired else []
    newer = [kind for kind in kinds if kind.since and "{parent}" not in kind.endpoint.path and kind.endpoint.path]
    paths = [kind.endpoint.path for kind in newer]
    answers = api.get_many(paths, optional=paths)
    return [
        f"the {kind.title}s (since {kind.since})" for kind, answer in zip(newer, answers, strict=True) if answer is None
    ]
