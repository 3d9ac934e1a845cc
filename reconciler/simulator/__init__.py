"""A NetBird account behind the real HTTP API, as management 0.77.1 answers it.

`Simulator` is a WSGI application; `server` puts it behind a port, `seed` fills it. Written from the server's observable
behaviour alone: it shares no code with the client that it serves as a test bed for.
"""

from .app import Simulator

__all__ = ["Simulator"]
