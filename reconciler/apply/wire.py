"""The one way on which the changes of a plan reach the server."""

from __future__ import annotations

from typing import Any

from reconciler.api.client import Api
from reconciler.plan.change import Change


class Wire:
    """Sends what a change asks for, given a client that may write.

    Attributes:
        done: how many writes the server has taken.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self.done = 0

    def get(self, where: str) -> Any:
        """Read what is at a path now.

        Raises:
            AccountError: as `ReadApi.get`.
        """
        return self._api.get(where)

    def send(self, _change: Change, method: str, where: str, body: Any = None) -> Any:
        """Make one call for a change, and return the answer.

        Raises:
            CallFailed: as `Api.send`.
        """
        answer = self._api.send(method, where, body)
        self.done += 1
        return answer
