"""``python -m reconciler.simulator --port N [--state FILE] [--empty]``: the simulator behind a port."""

import argparse
import os
from pathlib import Path

from .app import Simulator
from .server import Server


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--empty", action="store_true")
    options = parser.parse_args()
    simulator = Simulator(os.environ, options.state)
    server = Server(simulator, port=options.port)
    if not options.empty:
        print(simulator.bootstrap(), flush=True)  # noqa: T201 - the command's output
    server.serve_forever()


main()
