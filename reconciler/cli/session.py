"""One run of a command: what it was asked, what it works with, and what it has to show in the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.options import Options
from reconciler.errors import DesiredStateError, Diagnostic, ExitCode, NbsyncError, Severity
from reconciler.load import Document, read
from reconciler.load.desired import Desired
from reconciler.load.document import sections, understand
from reconciler.render.view import View
from schemas import KINDS
from schemas._core.reading import Unreadable

if TYPE_CHECKING:
    from reconciler.api.client import Api, ReadApi
    from reconciler.api.rate import Limit
    from reconciler.api.transport import Transport
    from reconciler.apply.lines import TakenBack
    from reconciler.cli.progress import Progress
    from reconciler.settings import Settings


class Session:
    """Files, server and view of one command.

    Attributes:
        goes_on: the run before this one was cut off.
        takes_back: of a rollback, the run that it takes back.
        plan_digest: of the plan file that is carried out, if one is.
    """

    def __init__(self, command: str, options: Options) -> None:
        self.options = options
        self.view = View(command)
        self.document: Document | None = None
        """What the files hold, once they were read."""
        self.goes_on = False
        self.takes_back: TakenBack | None = None
        self.plan_digest: str | None = None
        self._client: ReadApi | None = None
        self._account: str | None = None
        self._progress: Progress | None = None

    def desired(self) -> Desired:
        """Read and understand the files.

        Raises:
            DesiredStateError: with all that is wrong in all files.
        """
        self.document = self._read(self.options.paths, self.options.overlays)
        return _understood(self.document)

    def understood(self, paths: Sequence[Path], overlays: Sequence[Path]) -> Desired:
        """Read and understand these files, with the variables of the command line.

        Raises:
            DesiredStateError: with all that is wrong in all files.
        """
        return _understood(self._read(paths, overlays))

    def _read(self, paths: Sequence[Path], overlays: Sequence[Path]) -> Document:
        objects, singletons = sections(KINDS)
        return read(
            paths,
            overlays=overlays,
            variables=self.options.variables,
            environ=os.environ,
            objects=objects,
            singletons=singletons,
        )

    def reader(self) -> ReadApi:
        """A client that cannot send anything but GET."""
        from reconciler.api.client import ReadApi

        settings, transport = self._way()
        self._client = ReadApi(settings, transport, on_wait=self._waiting, on_limit=self._limited)
        return self._client

    def writer(self) -> Api:
        """A client that can write."""
        from reconciler.api.client import Api

        settings, transport = self._way()
        client = Api(settings, transport, on_wait=self._waiting, on_limit=self._limited)
        self._client = client
        return client

    def account(self) -> str:
        """Id of the account in which the token stands, asked for once; empty where the server does not let the caller know it.

        Raises:
            AccountError: the server could not be asked, or answered something else.
        """
        from reconciler.state.caller import account_id

        if self._account is None:
            assert self._client is not None, "nobody asks whose account it is before there is a way to it"
            self._account = account_id(self._client)
        return self._account

    def _way(self) -> tuple[Settings, Transport | None]:
        if self.options.simulate is not None:
            from reconciler.cli.simulated import simulated

            settings, transport = simulated(self.options.simulate)
        else:
            from reconciler.settings import from_environment

            settings, transport = from_environment(os.environ, token_file=self.options.token_file), None
        self.view.server_url = settings.url
        return replace(settings, max_run_time=self.options.timeout), transport

    @contextmanager
    def telling(self, progress: Progress) -> Iterator[Progress]:
        """Show this progress, and the client's waits with it, until the end of the block."""
        with progress:
            self._progress = progress
            try:
                yield progress
            finally:
                self._progress = None

    def _waiting(self, seconds: float, reason: str) -> None:
        if self._progress is not None:
            self._progress.waiting(seconds, reason)

    def _limited(self, limit: Limit) -> None:
        from reconciler.cli.forecast import forecast

        if self._progress is not None:
            self._progress.tell(forecast(limit))

    def hang_up(self) -> None:
        """Close all connections; take the number of requests into the view."""
        if self._client is not None:
            self._client.close()
            self.view.reads, self.view.writes = self._client.reads, self._client.writes


def _understood(document: Document) -> Desired:
    desired = (
        understand(document.root, document.sources, document.removed, KINDS, is_whole=document.is_whole)
        if document.files
        else Desired(document.sources, KINDS)
    )
    desired.diagnostics = [*document.diagnostics, *document.without_consequences(desired.diagnostics)]
    if any(diagnostic.severity is Severity.ERROR for diagnostic in desired.diagnostics):
        raise DesiredStateError(desired.diagnostics)
    return desired


def run_session(command: str, options: Options, work: Callable[[Session], ExitCode]) -> int:
    """Do the work of a command, then show its outcome in every format that was asked for."""
    session = Session(command, options)
    view = session.view
    try:
        view.exit_code = work(session)
    except NbsyncError as error:
        view.exit_code = error.exit_code
        view.diagnostics = [*view.diagnostics, *error.diagnostics]
    except Unreadable as error:
        from reconciler.state.unreadable import account_error

        view.exit_code = ExitCode.ERROR
        view.diagnostics = [*view.diagnostics, *account_error(error).diagnostics]
    finally:
        session.hang_up()
    _show(session)
    return int(view.exit_code)


def _show(session: Session) -> None:
    from reconciler.cli.output import show, write_file

    try:
        for name, target in session.options.outs:
            write_file(session.view, name, target)
    except OSError as error:
        session.view.exit_code = session.view.exit_code or ExitCode.ERROR
        message = f"{error.filename} cannot be written: {error.strerror}"
        session.view.diagnostics.append(Diagnostic("NBS902", message, "choose another file for --out"))
    show(session.view, session.options.output)
