"""How a diagnostic reads in one line, the same in every format for people."""

from __future__ import annotations

import re

from reconciler.errors import Diagnostic


def sentence(diagnostic: Diagnostic) -> str:
    """The message, with the object that it is about in front unless it names that anyway."""
    address, message = diagnostic.address, diagnostic.message
    if not address or re.search(rf"{re.escape(address)}(?![^\s:,;()'\"])", message):
        return message
    return f"{address}: {message}"
