"""Measures validate, plan and apply on generated accounts: wall time, CPU time, peak memory, requests.

    python tests/bench.py [SIZE...]

The account is served by the simulator in a process of its own; every figure is of a whole `nbsync` process, the median of several runs.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIZES = (100, 1_000, 10_000)
RUNS = 5
OBJECTS_PER_FILE = 100
SHARES = {
    "groups": 30,
    "policies": 25,
    "networks": 10,
    "posture_checks": 5,
    "routes": 2,
    "nameservers": 2,
    "zones": 1,
    "setup_keys": 3,
    "service_users": 2,
}
"""Percent of all objects; every network has one router and one resource besides, 10 % each."""


def company(size: int, changed: int = 0) -> dict[str, dict[str, Any]]:
    """A desired state of about `size` objects by section; every `changed`-th object is another one than without."""
    count = {section: max(1, size * share // 100) for section, share in SHARES.items()}
    twist = lambda number: " (changed)" if changed and number % changed == 0 else ""  # noqa: E731
    group = lambda number: f"group-{number % count['groups']:05}"  # noqa: E731
    return {
        "groups": {group(n): {} for n in range(count["groups"])},
        "posture_checks": {
            f"check-{n:05}": {"netbird_version": f"0.{n % 60}.0", "description": f"check {n}{twist(n)}"}
            for n in range(count["posture_checks"])
        },
        "policies": {
            f"policy-{n:05}": {
                "from": [group(n), group(n * 7 + 1)],
                "to": group(n * 3 + 2),
                "allow": [f"tcp/{1000 + n % 60000}", f"tcp/{n % 900 + 1}"],
                "posture": f"check-{n % count['posture_checks']:05}",
                "description": f"NET-{n} from here to there{twist(n)}",
            }
            for n in range(count["policies"])
        },
        "networks": {
            f"network-{n:05}": {
                "description": f"site {n}{twist(n)}",
                "routers": [{"peer_groups": [group(n)], "metric": 100 + n % 9000}],
                "resources": {
                    f"resource-{n:05}": {"address": f"10.{n // 250 % 250}.{n % 250}.0/24", "groups": [group(n + 5)]}
                },
            }
            for n in range(count["networks"])
        },
        "routes": {
            f"route-{n:05}": {
                "network": f"172.{16 + n // 250 % 16}.{n % 250}.0/24",
                "peer_groups": [group(n)],
                "groups": [group(n + 1)],
            }
            for n in range(count["routes"])
        },
        "nameservers": {
            f"dns-{n:05}": {
                "servers": [f"10.0.{n // 250}.{n % 250}"],
                "domains": [f"d{n}.example"],
                "groups": [group(n)],
            }
            for n in range(count["nameservers"])
        },
        "zones": {
            f"zone-{n}.example": {"groups": [group(n)], "records": {"www": {"A": f"10.1.{n // 250}.{n % 250}"}}}
            for n in range(count["zones"])
        },
        "setup_keys": {
            f"key-{n:05}": {"type": "reusable", "auto_groups": [group(n)]} for n in range(count["setup_keys"])
        },
        "service_users": {
            f"robot-{n:05}": {"role": "user", "auto_groups": [group(n)]} for n in range(count["service_users"])
        },
    }


def write(folder: Path, document: dict[str, dict[str, Any]]) -> None:
    """Write a desired state as files of so many objects."""
    folder.mkdir()
    (folder / "nbsync.yaml").write_text("version: 1\n")
    for section, objects in document.items():
        names = list(objects)
        for start in range(0, len(names), OBJECTS_PER_FILE):
            part = {name: objects[name] for name in names[start : start + OBJECTS_PER_FILE]}
            under_dns = section in ("nameservers", "zones")
            text = _yaml({"dns": {section: part}} if under_dns else {section: part})
            (folder / f"{section}-{start // OBJECTS_PER_FILE:03}.yaml").write_text(text)


def _yaml(value: Any, depth: int = 0) -> str:
    """Block style for mappings, as people write it; JSON for the rest, which is YAML."""
    lines = []
    for key, item in value.items():
        if isinstance(item, dict) and item:
            lines.append(f"{'  ' * depth}{key}:\n{_yaml(item, depth + 1)}")
        else:
            lines.append(f"{'  ' * depth}{key}: {json.dumps(item)}\n")
    return "".join(lines)


@contextmanager
def account() -> Iterator[dict[str, str]]:
    """A fresh simulated account behind a port; gives the environment with which nbsync reaches it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "reconciler", "simulate", "serve", "--port", str(port), "--empty"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url)
        setup = {"email": "owner@example.com", "password": "a long password", "name": "Owner", "create_pat": True}
        token = _post(url + "/api/setup", setup)["personal_access_token"]
        with tempfile.TemporaryDirectory() as state:
            yield {**os.environ, "NB_MANAGEMENT_URL": url, "NB_PAT": token, "XDG_STATE_HOME": state}
    finally:
        server.terminate()
        server.wait()


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url + "/api/instance", timeout=1).read()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the simulator did not start")


def _post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(request, timeout=10).read())


@dataclass
class Figures:
    """One run of a whole process: seconds, seconds, megabytes, and what it said."""

    wall: float
    cpu: float
    memory: float
    said: dict[str, Any]


NBSYNC = ("-m", "reconciler")


def measure(arguments: list[str], environ: dict[str, str], program: Sequence[str] = NBSYNC) -> Figures:
    """Run nbsync once."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *program, *arguments], env=environ, stdout=output, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}: {text[-2000:].decode()}")
    said = json.loads(text) if text.startswith(b"{") else {}
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)


def median(run: Callable[[], Figures], runs: int = RUNS) -> Figures:
    """The median of each figure over several runs."""
    all_of_them = [run() for _ in range(runs)]
    middle = lambda name: statistics.median(getattr(one, name) for one in all_of_them)  # noqa: E731
    return Figures(middle("wall"), middle("cpu"), middle("memory"), all_of_them[-1].said)


def row(what: str, size: int, figures: Figures) -> str:
    """One line of the table."""
    requests = figures.said.get("requests", {"read": 0, "write": 0})
    changes = len(figures.said.get("changes", []))
    cells = (
        what,
        f"{size:,}",
        f"{changes}",
        f"{figures.wall:.2f}",
        f"{figures.cpu:.2f}",
        f"{figures.memory:.0f}",
        f"{requests['read']} + {requests['write']}",
    )
    return f"| {' | '.join(cells)} |"


def bench(size: int, folder: Path) -> Iterator[str]:
    """Lines of the table for one size."""
    write(folder / "same", company(size))
    write(folder / "changed", company(size, changed=40))
    secrets = ["--secrets-out", str(folder / "secrets.jsonl")]
    with account() as environ:
        measure(["apply", str(folder / "same"), "--yes", "-q", "-o", "json", *secrets], environ)
        same = ["plan", str(folder / "same"), "-q", "-o", "json"]
        changed = ["plan", str(folder / "changed"), "-q", "-o", "json"]
        offline = ["validate", str(folder / "same"), "-q", "-o", "json"]
        yield row("validate", size, median(lambda: measure(offline, environ)))
        yield row("plan, nothing to change", size, median(lambda: measure(same, environ)))
        yield row("plan, 1 % changed", size, median(lambda: measure(changed, environ)))
        yield row(
            "apply of that 1 %", size, measure(["apply", str(folder / "changed"), "--yes", "-q", "-o", "json"], environ)
        )


SLOW_SERVER = """
import sys, time
from reconciler.simulator import Simulator
from reconciler.simulator.server import Server

simulator = Simulator()
server = Server(simulator)
server.app = lambda environ, start: time.sleep(float(sys.argv[1])) or simulator(environ, start)
print(server.url, simulator.bootstrap(), flush=True)
server.serve_forever()
"""
DELAY = 0.02
"""Seconds after which the slow server answers."""


BARE = """
import sys
from reconciler.apply.journal import Journal
from reconciler.apply.meanwhile import Meanwhile
from reconciler.apply.neighbours import Unwatched
from reconciler.apply.work import Work
from reconciler.cli import alone, apply
from reconciler.cli.main import run

Journal._append = lambda self, line, sync=True: None
Meanwhile.base = lambda self, change: self._book.pairs.get(change.address) or change.live
Meanwhile.still_there = lambda self, change: change.live
Meanwhile.require_free = lambda self, change: None
Work.look_back = lambda self, checked=(): None
alone.Watch = lambda api, account, tolerant: Unwatched(account)
apply.require_permission = lambda api, book, plan: None
sys.exit(run(sys.argv[1:]))
"""
"""nbsync without its journal, and without any look at what others do meanwhile and at what became of a write."""

LATER = 11
"""Seconds after which a run does not wait any more to see whether the one before has ended."""


def trust(size: int, folder: Path) -> Iterator[str]:
    """Lines of the table about what a journal and checks cost where the server takes its time."""
    write(folder / "new", company(size))
    write(folder / "changed", company(size, changed=2))
    secrets = ["--secrets-out", str(folder / "secrets.jsonl")]
    for files, what in (([folder / "new"], "all is new"), ([folder / "new", folder / "changed"], "much has changed")):
        said = f"apply at {DELAY * 1000:.0f} ms, {what}"
        bare, whole = (
            median(lambda program=program, files=files: slow_apply(files, secrets, program), 5)
            for program in (("-c", BARE), NBSYNC)
        )
        yield row(f"{said}, without journal and checks", size, bare)
        yield row(f"{said}, with them: {100 * (whole.wall / bare.wall - 1):+.0f} %", size, whole)


ONE_BY_ONE = """
import sys
from reconciler.apply import batches
from reconciler.cli.main import run

batches.FEWEST = sys.maxsize
sys.exit(run(sys.argv[1:]))
"""


def together(changes: int, folder: Path) -> Iterator[str]:
    """Lines of the table about what is gained by writes that run together, where the server takes its time."""
    write(folder / "new", {"groups": {f"group-{number:05}": {} for number in range(changes)}})
    for what, program in (("one write at a time", ("-c", ONE_BY_ONE)), ("four writes at a time", NBSYNC)):
        said = f"apply at {DELAY * 1000:.0f} ms, {what}"
        yield row(said, changes, median(lambda program=program: slow_apply([folder / "new"], [], program), 3))


def slow_apply(states: Sequence[Path], flags: list[str], program: Sequence[str] = NBSYNC) -> Figures:
    """Apply desired states, one after the other, to a fresh account whose server takes its time; the figures are of the last."""
    server = subprocess.Popen([sys.executable, "-c", SLOW_SERVER, str(DELAY)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url, token = server.stdout.readline().split()
        environ = {**os.environ, "NB_MANAGEMENT_URL": url, "NB_PAT": token}
        command = ["apply", "--yes", "-q", "-o", "json", *flags]
        for files in states[:-1]:
            measure([*command, str(files)], environ)
            time.sleep(LATER)
        return measure([*command, str(states[-1])], environ, program)
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """Print the table."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    version = median(lambda: measure(["--version"], dict(os.environ)))
    print("| command | objects | changes | wall s | CPU s | peak MB | reads + writes |")
    print("|---|---|---|---|---|---|---|")
    print(row("--version", 0, version))
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for line in bench(size, Path(folder)):
                print(line, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in trust(200, Path(folder)):
            print(line, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in together(300, Path(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
