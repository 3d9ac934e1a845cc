"""OpenID issuers on loopback, for recordings that add identity providers: every path is an issuer of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WELL_KNOWN = "/.well-known/openid-configuration"


class Issuer:
    """A server until it is closed.

    Args:
        port: Port of loopback.
        overrides: Paths whose document names another issuer than it should.
        missing: Beginnings of paths that are not there.
        garbage: Beginnings of paths that answer with something that is no JSON.
    """

    def __init__(self, port: int, overrides: Mapping[str, str], missing: Sequence[str], garbage: Sequence[str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("/.well-known")[0]
                is_there = self.path.endswith(WELL_KNOWN) and not path.startswith(tuple(missing))
                self.send_response(200 if is_there else 404)
                self.end_headers()
                if is_there:
                    self.wfile.write(b"not json" if path.startswith(tuple(garbage)) else document(path))

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        def document(path: str) -> bytes:
            base = f"http://127.0.0.1:{port}{path}"
            endpoints = {"authorization_endpoint": "/a", "token_endpoint": "/t", "jwks_uri": "/k"}
            named = {"issuer": overrides.get(path, base), **{key: base + end for key, end in endpoints.items()}}
            return json.dumps(named).encode()

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
