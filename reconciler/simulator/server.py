"""The simulator behind a port: HTTP/1.1 with connections that stay open, a thread for each."""

import io
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from .app import Simulator

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


class Server(ThreadedWSGIServer):
    """Serves one simulator.

    Args:
        simulator: What answers.
        host: Address to listen on.
        port: TCP port; 0 picks a free one, which ``server_port`` then tells.
    """

    daemon_threads = True

    def __init__(self, simulator: Simulator, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port, simulator, _Handler)

    @property
    def url(self) -> str:
        """Where it can be reached."""
        return f"http://{self.host}:{self.server_port}"

    def serve_until_interrupted(self) -> None:
        """Serve until a KeyboardInterrupt, then close the port."""
        self.serve_forever()


class _Handler(WSGIRequestHandler):
    """Reads whole requests and writes whole responses, so that a connection can be used again."""

    protocol_version = "HTTP/1.1"
    server: BaseWSGIServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run_wsgi(self) -> None:
        if _BROKEN_ESCAPE.search(self.requestline.split(" ")[1].partition("?")[0]):
            self._refuse()
            return
        environ = self.make_environ()
        environ["PATH_INFO"] = _path(self.requestline.split(" ")[1])
        _read_body(environ)
        try:
            body, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        except ConnectionError:
            self.close_connection = True
            return
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        self.send_header("Date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"".join(body))
        self.wfile.flush()

    def _refuse(self) -> None:
        """Answer a path that cannot be decoded, before any application sees it."""
        self.close_connection = True
        self.send_response_only(400, "Bad Request")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"400 Bad Request")
        self.wfile.flush()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Keep quiet: stdout and stderr belong to the command."""


def _path(target: str) -> str:
    """The decoded path of a request target as WSGI wants it; two slashes at its start are not a host."""
    return unquote_to_bytes(urlsplit("http://host" + target).path).decode("latin-1")


def _read_body(environ: "WSGIEnvironment") -> None:
    """Take the body off the connection, whether the application wants it or not."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    stream = environ["wsgi.input"]
    body = stream.read() if environ.get("wsgi.input_terminated") else stream.read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["wsgi.input_terminated"] = True
