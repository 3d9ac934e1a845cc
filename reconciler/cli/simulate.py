"""`nbsync simulate`: a NetBird account to try things on."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click

from reconciler.errors import Diagnostic, UsageError
from reconciler.simulator import Simulator
from reconciler.simulator.seed import SeedError, seed


@click.group()
def simulate() -> None:
    """A NetBird account to try things on: the management API without a server."""


@simulate.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="TCP port; a free one if left out.")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="File that keeps the account.")
@click.option("--empty", is_flag=True, help="Start like a new server: nobody has set it up.")
@click.option("--account", default="", help="YAML file that describes the account; an example if left out.")
def serve(host: str, port: int, state: Path | None, account: str, *, empty: bool) -> None:
    """Serve a simulated account over HTTP until interrupted.

    Prints the server's URL and a token as NB_MANAGEMENT_URL=... and NB_PAT=..., the variables that nbsync reads.
    """
    from reconciler.simulator.server import Server

    try:
        simulator = Simulator(os.environ, state)
        server = Server(simulator, host, port)
        token = "" if empty else token_of(simulator, account)
    except (OSError, SystemExit, sqlite3.Error, UsageError) as error:
        raise click.UsageError(f"cannot serve: {error}") from error
    click.echo(f"NB_MANAGEMENT_URL={server.url}")
    if token:
        click.echo(f"NB_PAT={token}")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server.serve_until_interrupted()
    simulator.close()


def token_of(simulator: Simulator, account: str) -> str:
    """A service user's token; an account that does not exist yet is made first."""
    is_new = not simulator.world.accounts()
    token = simulator.bootstrap()
    if is_new:
        fill(simulator, account)
    return token


def fill(simulator: Simulator, account: str) -> None:
    """Put into the account what its file, or the example, describes.

    Raises:
        UsageError: the file cannot be read, or the server refuses what it holds.
    """
    try:
        seed(simulator, account_of(account))
    except SeedError as error:
        raise UsageError(Diagnostic("NBS901", f"{account or 'example'}: {error}", _HELP)) from error


def account_of(file: str) -> Any:
    """The seed document in a YAML (or JSON) file; of no file, the example.

    Raises:
        UsageError: the file cannot be read, or is no YAML.
    """
    if not file:
        from reconciler.simulator.example import example_account

        return example_account()
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(Path(file).read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise UsageError(Diagnostic("NBS901", f"{file}: {error}", _HELP)) from error


_HELP = "an account file has users, peers, groups and api, as reconciler/simulator/seed.py describes"
