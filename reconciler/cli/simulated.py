"""`--simulate`: the built-in simulator in place of a server, inside this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from reconciler.settings import Settings

if TYPE_CHECKING:
    import httpx


def simulated(file: str) -> tuple[Settings, httpx.BaseTransport]:
    """Settings and transport of a new simulated account: the example one, or that of a file.

    Raises:
        UsageError: the file cannot be read, or is no account.
    """
    from reconciler.cli.simulate import account_of
    from reconciler.simulator import Simulator
    from reconciler.simulator.seed import seed

    simulator = Simulator()
    token = simulator.bootstrap()
    seed(simulator, account_of(file))
    return Settings(url="http://127.0.0.1", token=SecretStr(token)), simulator.transport()
