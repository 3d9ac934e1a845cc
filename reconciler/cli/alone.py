"""One run that writes at a time: against others on this machine, and on other machines as far as it can be known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.api.client import ReadApi
from reconciler.apply.lock import only_run
from reconciler.apply.neighbours import ALLOWED, Unwatched, Watch
from reconciler.cli.session import Session


@contextmanager
def alone(session: Session, api: ReadApi) -> Iterator[Unwatched]:
    """Hold the account until the end of the block; to be entered before anything is read on which a plan is built.

    Yields:
        A watch for runs elsewhere, to be given to `execute`.

    A simulated account is in this process, where nobody else comes.

    Raises:
        AlreadyRunning: another run on this machine holds it.
        AccountError: as `Session.account`.
    """
    if session.options.simulate is not None:
        yield Unwatched()
        return
    account = session.account()
    with only_run(api.server, account, session.view.command, os.environ) as warning:
        if warning:
            session.view.diagnostics.append(warning)
        yield Watch(api, account, tolerant=ALLOWED in session.options.allowances.words)
