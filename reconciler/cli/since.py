"""`--since`: the files as they were applied last, and what a plan of them on the same account tells about the present one."""

from __future__ import annotations

from reconciler.cli.session import Session
from reconciler.errors import DesiredStateError, Diagnostic, Severity
from reconciler.load.desired import Desired
from reconciler.load.revision import UNUSABLE, Earlier, files_at
from reconciler.plan import make_plan
from reconciler.plan.change import Plan
from reconciler.plan.match import Book
from reconciler.plan.origin import trace


class Since:
    """The files of a session at a git revision.

    Attributes:
        desired: what they asked for; nothing, where there were none.

    Raises:
        UsageError: git, the repository or the revision is not there, or a path lies outside of it.
        DesiredStateError: the files were invalid then.
    """

    def __init__(self, session: Session, revision: str) -> None:
        self.revision = revision
        with files_at(revision, session.options.paths, session.options.overlays) as then:
            self._then = then
            self.desired = self._read(session, then)

    def _read(self, session: Session, then: Earlier) -> Desired:
        try:
            return session.understood(then.paths, then.overlays)
        except DesiredStateError as error:
            raise self._unusable("are invalid", error) from error

    def trace(self, plan: Plan, book: Book) -> Plan:
        """The plan with the origin of every change; guards have no say in the earlier plan.

        Raises:
            DesiredStateError: the earlier files do not fit this account.
        """
        try:
            earlier, earlier_book = make_plan(self.desired, book.snapshot)
        except DesiredStateError as error:
            raise self._unusable("do not fit this account", error) from error
        return trace(plan, book, earlier, earlier_book)

    def _unusable(self, how: str, error: DesiredStateError) -> DesiredStateError:
        errors = [found for found in error.diagnostics if found.severity is Severity.ERROR]
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors, the first"
        place = f"{errors[0].place}: " if errors[0].place else ""
        message = self._then.said(f"the files at {self.revision} {how}: {count}: {place}{errors[0].message}")
        return DesiredStateError(Diagnostic(UNUSABLE, message, "name another revision, or leave --since out"))
