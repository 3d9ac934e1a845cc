"""`--simulate`: the built-in simulator in place of a server, inside this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.api.transport import Transport


def simulated(file: str) -> tuple[Settings, Transport]:
    """Settings and transport of a new simulated account: the example one, or that of a file.

    Raises:
        UsageError: the file cannot be read, or is no account.
    """
    from reconciler.cli.simulate import fill
    from reconciler.simulator import Simulator

    simulator = Simulator()
    token = simulator.bootstrap()
    fill(simulator, file)
    return Settings(url="http://127.0.0.1", token=SecretStr(token)), simulator.transport()
