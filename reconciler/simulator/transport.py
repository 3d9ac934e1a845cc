"""The in-process way to the application, for httpx clients."""

from typing import TYPE_CHECKING

import httpx

from .errors import ConnectionDropped

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class InProcessTransport(httpx.WSGITransport):
    """`httpx.WSGITransport` that reports a dropped connection as a socket would.

    Args:
        app: The application.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        super().__init__(lambda environ, start: app({**environ, "PATH_INFO": _wsgi_text(environ["PATH_INFO"])}, start))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; raises httpx.RemoteProtocolError where the server closes the connection."""
        try:
            return super().handle_request(request)
        except ConnectionDropped:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            ) from None


def _wsgi_text(path: str) -> str:
    """WSGI wants the bytes of a path as Latin-1 characters; httpx hands over the characters themselves."""
    return path.encode().decode("latin-1")
