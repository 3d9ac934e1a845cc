"""Findings of every sort, with names that mean harm."""

from __future__ import annotations

import pytest

from reconciler.errors import Diagnostic, ExitCode, Place, Severity
from reconciler.render.view import View

HOSTILE = "a\r\n::error::x##[group]%0A::warning file=x,line=1::y\x1b[2J\ud800\ufffe\x00]]><b a='1'&amp;\"[l](u),:"
"""A name that tries all: new lines, workflow commands and what they look like encoded, terminal controls, markup, links."""


@pytest.fixture
def view() -> View:
    """An error with a place, a warning with an address alone, a remark with neither, and an error of a request."""
    return View(
        "plan",
        ExitCode.INVALID,
        diagnostics=[
            Diagnostic(
                "NBS201",
                "no group is called 'dev'",
                "did you mean 'devs'?",
                address="policy/p",
                place=Place("a/b.yaml", 3, 9),
            ),
            Diagnostic("NBS302", "gw-9 has not joined", severity=Severity.WARNING, address="peer/gw-9"),
            Diagnostic("NBS310", "plan looks it up", severity=Severity.INFO),
            Diagnostic("NBS503", "GET /api/groups is not permitted", "use another token", request="GET /api/groups"),
        ],
    )


@pytest.fixture
def hostile() -> View:
    """One error, in all of whose texts somebody means harm."""
    file = HOSTILE.replace("\ud800", "\udcff")  # what stands for a byte that is no text; no file is called the other
    place = Place(f"{file}.yaml", 1, 2)
    return View(
        "plan",
        diagnostics=[Diagnostic("NBS201", HOSTILE, HOSTILE, address=f"group/{HOSTILE}", place=place, request=HOSTILE)],
    )
