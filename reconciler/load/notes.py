"""What is wrong or odd about the files, noted while they are understood."""

from __future__ import annotations

from typing import Any

from reconciler.errors import Diagnostic, Severity
from reconciler.load.messages import WRONG_TYPE, wrong_type
from reconciler.load.tree import Sources
from schemas._core.address import Address


class Notes:
    """Diagnostics with places, in the order in which they were found."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.diagnostics: list[Diagnostic] = []

    def error(self, code: str, message: str, advice: str, mark: int, address: Address | None = None) -> None:
        """Note what is wrong at a mark."""
        self._add(Severity.ERROR, code, message, advice, mark, address)

    def warning(self, code: str, message: str, advice: str, mark: int, address: Address | None = None) -> None:
        """Note what is odd at a mark."""
        self._add(Severity.WARNING, code, message, advice, mark, address)

    def wrong_type(
        self, what: str, meant: str, node: Any, mark: int, *, advice: str = "", address: Address | None = None
    ) -> None:
        """Note that something else was meant to stand at a mark."""
        self.error(WRONG_TYPE, *wrong_type(what, meant, node, advice), mark, address)

    def _add(
        self, severity: Severity, code: str, message: str, advice: str, mark: int, address: Address | None
    ) -> None:
        shown = str(address) if address else None
        self.diagnostics.append(Diagnostic(code, message, advice, severity, shown, self.sources.place(mark)))
