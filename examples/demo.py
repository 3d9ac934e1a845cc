"""The main job, start to end, against the built-in simulator: validate, plan, apply, plan again, and a change behind its back."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent
NBSYNC = [sys.executable, "-m", "reconciler"]


@contextmanager
def simulated_account(file: Path) -> Iterator[dict[str, str]]:
    """Serve the account that a file describes; gives the environment with which nbsync reaches it."""
    command = [*NBSYNC, "simulate", "serve", "--account", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=EXAMPLES.parent) as server:
        assert server.stdout is not None
        try:
            lines = [server.stdout.readline().strip().partition("=") for _ in range(2)]
            yield {**os.environ, **{name: value for name, _, value in lines}}
        finally:
            server.terminate()


def say(text: str) -> None:
    """Print a remark between the commands."""
    print(f"\n\033[1m# {text}\033[0m" if sys.stdout.isatty() else f"\n# {text}", flush=True)


def nbsync(environ: dict[str, str], *arguments: str, expected: int = 0) -> None:
    """Run one command as a person would, and see that it ends as it should."""
    print(f"$ nbsync {shlex.join(arguments)}", flush=True)
    done = subprocess.run([*NBSYNC, *arguments], env=environ, cwd=EXAMPLES.parent, check=False)
    if done.returncode != expected:
        raise SystemExit(f"ended with {done.returncode} instead of {expected}")


def call(environ: dict[str, str], method: str, path: str, body: Any = None) -> Any:
    """Do to the account what somebody does in the dashboard."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Token {environ['NB_PAT']}", "Content-Type": "application/json"}
    request = urllib.request.Request(environ["NB_MANAGEMENT_URL"] + path, data, headers, method=method)
    return json.loads(urllib.request.urlopen(request, timeout=10).read())


def open_the_lab(environ: dict[str, str]) -> None:
    """Switch a policy on and let everybody in: the sort of click that nobody remembers."""
    policy = next(p for p in call(environ, "GET", "/api/policies") if p["name"] == "contractors-to-lab")
    everyone = next(g for g in call(environ, "GET", "/api/groups") if g["name"] == "All")
    rule = {**policy["rules"][0], "enabled": True, "sources": [everyone["id"]]}
    rule["destinations"] = [group["id"] for group in rule["destinations"]]
    call(environ, "PUT", f"/api/policies/{policy['id']}", {**policy, "enabled": True, "rules": [rule]})


def main() -> None:
    """Run the demo."""
    with simulated_account(EXAMPLES / "demo" / "account.yaml") as environ, tempfile.TemporaryDirectory() as folder:
        environ["XDG_STATE_HOME"] = folder  # the journals of a demo are nobody's history
        say("The files of a company: are they valid? No server is asked.")
        nbsync(environ, "validate", "examples/company")
        say("What would change in its account, which three years of clicks have made what it is?")
        nbsync(environ, "plan", "examples/company")
        say("Make it so. New keys and tokens go to a file that only its owner can read.")
        nbsync(environ, "apply", "examples/company", "--yes", "--quiet", "--secrets-out", f"{folder}/secrets.jsonl")
        say("Once more: nothing is left to do.")
        nbsync(environ, "plan", "examples/company", "--detailed-exitcode")
        say("Somebody opens the lab to everyone, in the dashboard, on a Friday ...")
        open_the_lab(environ)
        say("... and the next plan says so (exit 2: there are changes).")
        nbsync(environ, "plan", "examples/company", "--detailed-exitcode", expected=2)


if __name__ == "__main__":
    main()
