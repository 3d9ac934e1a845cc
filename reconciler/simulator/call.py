"""One request on its way through a handler."""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request

from . import permissions
from .decoding import NotJsonError, Shape, decode, parse
from .errors import ConnectionDropped, Refusal, prefixed
from .queries import values
from .store import Row
from .world import Account, World

BAD_JSON = "couldn't parse JSON request"


class Call:
    """What a handler works on.

    Attributes:
        world: The whole server.
        request: Method, path, headers, body.
        path: Values of the path's variables, decoded.
        user: Who asks. Only on routes that are not open, as is ``account``.
        account: The account of that user.
    """

    user: Row
    account: Account

    def __init__(self, world: World, request: Request, path: Mapping[str, str]) -> None:
        self.world = world
        self.request = request
        self.path = path

    def body(self, shape: Shape, *, null_panics: bool = False, message: str = BAD_JSON) -> Any:
        """The request's body in this shape (see `decoding`).

        Args:
            shape: What the handler's struct takes.
            null_panics: Whether a literal ``null`` kills the connection (users, setup keys, posture checks and peers,
                whose handlers decode into a pointer); elsewhere it reads as ``{}``.
            message: Text of the 400.

        Raises:
            Refusal: 400 if it does not fit.
            ConnectionDropped: see ``null_panics``.
        """
        data = self.request.get_data()
        try:
            if null_panics and parse(data) is None:
                raise ConnectionDropped
            return decode(data, shape)
        except NotJsonError:
            raise Refusal(400, message, verbatim=True) from None

    def query(self, name: str) -> str:
        """The first value of a query parameter, ``""`` if it is absent."""
        return next(iter(self.query_values(name)), "")

    def query_values(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return values(self.request.query_string, name)

    def require(self, module: str, operation: str) -> None:
        """Refuse with 403 unless the caller's role allows the operation on the module."""
        permissions.require(self.user, self.account.id, module, operation)

    def may_in(self, account_id: str, module: str, operation: str) -> bool:
        """Whether the caller's role allows it there; still refuses with 403 where the question has no answer."""
        with prefixed("failed to validate user permissions: ", status=403):
            return permissions.allowed(self.user, account_id, module, operation)

    def audit(self, code: str, target_id: str, **meta: object) -> None:
        """Append an event, done by the caller, to the audit log (see `Account.audit`)."""
        self.account.audit(self.user["id"], code, target_id, **meta)
