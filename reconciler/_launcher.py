"""Entry point of an installed nbsync: makes the private `lib` folder importable, then runs the command line.

In a wheel this file is `nbsync_app/__init__.py`, and `reconciler` and `schemas` live beside it in `lib/`, so that packages of
other distributions with these names are neither overwritten nor taken for ours.
"""

import sys
from pathlib import Path


def activate() -> None:
    """Put the private library folder first on `sys.path`; in a checkout there is none, and nothing happens."""
    lib = Path(__file__).parent / "lib"
    if lib.is_dir() and str(lib) not in sys.path:
        sys.path.insert(0, str(lib))


def main() -> None:
    """Run nbsync; `--version` alone is answered before anything large is imported."""
    activate()
    if sys.argv[1:] == ["--version"]:
        from reconciler._version import VERSION

        print(f"nbsync {VERSION}")  # noqa: T201 - what it was asked for
        return
    from reconciler.cli.main import main as run

    run()
