"""How the server refuses: every refusal is ``{"message": ..., "code": <HTTP status>}``.

The server writes most refusals through one function that lower-cases the whole text, names and ids included; a few
handlers write theirs as they stand (bad JSON, group deletion, routers, proxy tokens). ``verbatim`` marks the latter.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from .text import lowered


class Refusal(Exception):
    """A request that the server turns down.

    Attributes:
        status: The HTTP status, also the body's ``code``.
        message: The text as the client sees it.
    """

    def __init__(self, status: int, message: str, *, verbatim: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.verbatim = verbatim
        self.message = message if verbatim else lowered(message)


class PlainError(Refusal):
    """An error that the server has no status for: 500 with a fixed text, whatever happened."""

    def __init__(self) -> None:
        super().__init__(500, "internal server error")


class ConnectionDropped(ConnectionError):
    """The handler panics: the client sees its connection closed without an answer."""


def bad_request(message: str) -> Refusal:
    """400, lower-cased like every refusal with a status of its own."""
    return Refusal(400, message)


def denied(message: str = "permission denied") -> Refusal:
    """403."""
    return Refusal(403, message)


def not_found(message: str) -> Refusal:
    """404 with a JSON body: the object is missing, not the endpoint."""
    return Refusal(404, message)


def conflict(message: str) -> Refusal:
    """409: something of that name exists."""
    return Refusal(409, message)


def precondition(message: str) -> Refusal:
    """412: linked to something else, or the server is not set up for it."""
    return Refusal(412, message)


def invalid(message: str) -> Refusal:
    """422: the server's answer to nearly every value that it does not accept."""
    return Refusal(422, message)


def internal(message: str) -> Refusal:
    """500 with a text of its own."""
    return Refusal(500, message)


@contextmanager
def prefixed(prefix: str, status: int | None = None) -> Iterator[None]:
    """Put ``prefix`` before the text of a refusal, as a wrapped Go error shows its chain.

    Args:
        prefix: Text that goes before, with its own separator (``"failed to delete peer: "``).
        status: Another status for the wrapped refusal; None keeps it.
    """
    try:
        yield
    except PlainError:
        raise
    except Refusal as error:
        raise Refusal(status or error.status, prefix + error.message, verbatim=error.verbatim) from None
