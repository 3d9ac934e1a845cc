"""Failures on order: the nth matching request goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from werkzeug.wrappers import Response

from .encoding import encode
from .errors import ConnectionDropped

STATUS, DELAY = "status:", "delay:"
DROP_BEFORE, DROP_AFTER, GARBAGE = "drop-before", "drop-after", "garbage"


@dataclass
class Fault:
    """What goes wrong with one request.

    Attributes:
        method: HTTP method that it waits for; ``*`` for any.
        path: Path that it waits for; ``*`` stands for any text.
        left: How many more matching requests until it strikes.
        kind: ``status:503``, ``drop-before``, ``drop-after``, ``delay:SECONDS`` or ``garbage``; ``""`` for none.
    """

    method: str = "*"
    path: str = "*"
    left: int = 1
    kind: str = ""

    @property
    def delay(self) -> float:
        """Seconds to wait before the request is handled."""
        return float(self.kind.removeprefix(DELAY)) if self.kind.startswith(DELAY) else 0

    def before(self) -> None:
        """Drop the connection instead of handling the request, if that is the fault."""
        if self.kind == DROP_BEFORE:
            raise ConnectionDropped

    def replaced(self) -> Response | None:
        """The answer that a broken middle box gives instead of the server, which never sees the request."""
        if self.kind.startswith(STATUS):
            status = int(self.kind.removeprefix(STATUS))
            return Response(encode({"message": "injected fault", "code": status}), status, mimetype="application/json")
        if self.kind == GARBAGE:
            return Response(b'<html>{"garbage', 200, mimetype="application/json")
        return None

    def after(self) -> None:
        """Drop the connection once the request has been handled, if that is the fault."""
        if self.kind == DROP_AFTER:
            raise ConnectionDropped


@dataclass
class Faults:
    """Faults that wait for their request."""

    waiting: list[Fault] = field(default_factory=list)

    def order(self, line: Mapping[str, Any]) -> None:
        """Arm one: ``{method, path, nth, fault}``, where all but the fault may be left out.

        Raises:
            ValueError: the fault is none of the known ones.
        """
        fault = Fault(line.get("method", "*"), line.get("path", "*"), int(line.get("nth", 1)), line["fault"])
        known = {DROP_BEFORE, DROP_AFTER, GARBAGE}
        if fault.kind not in known and not fault.kind.startswith((STATUS, DELAY)):
            raise ValueError(f"unknown fault {fault.kind!r}")
        self.waiting.append(fault)

    def take(self, method: str, path: str) -> Fault:
        """The fault that strikes this request, which is then over; one without effect if none does."""
        struck = [fault for fault in self.waiting if self._counts_down(fault, method, path)]
        self.waiting = [fault for fault in self.waiting if fault.left > 0]
        return struck[0] if struck else Fault()

    @staticmethod
    def _counts_down(fault: Fault, method: str, path: str) -> bool:
        if fault.method not in {"*", method} or not fnmatchcase(path, fault.path):
            return False
        fault.left -= 1
        return fault.left == 0
