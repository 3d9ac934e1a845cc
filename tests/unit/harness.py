"""nbsync in this process against a simulated account behind a port; everything that it prints is checked on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from werkzeug.wrappers import Request, Response

from reconciler.cli.main import run
from reconciler.render.schema import plan_schema
from reconciler.simulator import Simulator

Json = dict[str, Any]
MARK = "▸"
SYMBOLS = {"create": "+", "update": "~", "rename": ">", "replace": "!", "delete": "-"}
_SCHEMA = jsonschema.Draft202012Validator(plan_schema())


def marked(text: str) -> tuple[str, list[str]]:
    """A text without its marks, and the places (LINE:COLUMN, from 1) at which they stood."""
    places = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        while MARK in line:
            places.append(f"{number}:{line.index(MARK) + 1}")
            line = line.replace(MARK, "", 1)  # noqa: PLW2901
        lines[number - 1] = line
    return "\n".join(lines), places


def with_version(text: str) -> str:
    """A document that says its version, if it does not yet."""
    return text if re.search(r"^version:", text, re.MULTILINE) else f"version: 1\n{text}"


@dataclass(frozen=True)
class Finding:
    """One diagnostic as `-o json` shows it; `place` is FILE:LINE:COLUMN."""

    severity: str
    code: str
    message: str
    help: str
    address: str | None
    place: str
    request: str | None

    @classmethod
    def of(cls, shown: Json) -> Finding:
        """Read one diagnostic."""
        place = ":".join(str(shown[key]) for key in ("file", "line", "column") if shown[key] is not None)
        severity, code, message, advice = (shown[key] for key in ("severity", "code", "message", "help"))
        return cls(severity, code, message, advice, shown["address"], place, shown["request"])


@dataclass(frozen=True)
class Outcome:
    """What one command line came to; `sent` is what reached the server, as `GET /api/groups`."""

    exit_code: int
    stdout: str
    stderr: str
    sent: tuple[str, ...] = ()

    @property
    def document(self) -> Any:
        """The one JSON document on stdout, checked against the schema that nbsync itself prints."""
        document = json.loads(self.stdout)
        _SCHEMA.validate(document)
        assert document["exit_code"] == self.exit_code
        return document

    @property
    def findings(self) -> list[Finding]:
        """All diagnostics."""
        return [Finding.of(shown) for shown in self.document["diagnostics"]]

    @property
    def errors(self) -> list[Finding]:
        """Diagnostics that are errors."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """Diagnostics that are warnings."""
        return [finding for finding in self.findings if finding.severity == "warning"]

    @property
    def error(self) -> Finding:
        """The only error."""
        (found,) = self.errors
        return found

    @property
    def warning(self) -> Finding:
        """The only warning."""
        (found,) = self.warnings
        return found

    @property
    def changes(self) -> list[str]:
        """Changes in the order of the work: `+ group/devs`, `~ policy/p (allow, enabled)`, `> group/new (was old)`."""
        return [_line(change) for change in self.document["changes"]]

    @property
    def statuses(self) -> dict[str, str]:
        """How every change of an apply ended, by address."""
        return {change["address"]: change["status"] for change in self.document["changes"]}

    @property
    def writes(self) -> list[str]:
        """Requests that were no GET."""
        return [line for line in self.sent if not line.startswith("GET ")]

    def change(self, address: str) -> Any:
        """The change of one object, as JSON shows it."""
        (found,) = (change for change in self.document["changes"] if change["address"] == address)
        return found


def _line(change: Json) -> str:
    paths = ", ".join(field["path"] for field in change["fields"])
    said = f"was {change['previous_key']}" if change["action"] == "rename" else paths
    shown = f" ({said})" if said and change["action"] in ("update", "rename", "replace") else ""
    return f"{SYMBOLS[change['action']]} {change['address']}{shown}"


class Desk:
    """A folder with files, and nbsync's command line, run in this process."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def write(self, text: str, name: str = "nbsync.yaml") -> Path:
        """Write a file; marks are left out, and the version is put in front where it is missing."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(marked(text)[0], encoding="utf-8")
        return path

    def nbsync(self, *arguments: str) -> Outcome:
        """Run one command line."""
        self._capture.readouterr()
        code = run(arguments)
        captured = self._capture.readouterr()
        return Outcome(code, captured.out, captured.err)

    def do(self, command: str, text: str, *flags: str) -> Outcome:
        """Run a command on one document, with JSON for an answer."""
        self.write(with_version(text))
        return self.nbsync(command, "-o", "json", *flags)

    def validate(self, text: str, *flags: str) -> Outcome:
        """Check a document."""
        return self.do("validate", text, *flags)


class Account(Desk):
    """A desk with a server: a fresh simulated account."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], simulator: Simulator, token: str) -> None:
        super().__init__(folder, capture)
        self.simulator = simulator
        self.token = token
        self._http = httpx.Client(
            transport=simulator.transport(), base_url="http://netbird/api", headers={"Authorization": f"Token {token}"}
        )

    def nbsync(self, *arguments: str) -> Outcome:
        """Run one command line, and note what it sends."""
        before = len(self.simulator.requests)
        outcome = super().nbsync(*arguments)
        sent = list(self.simulator.requests)[before:]
        lines = tuple(f"{method} {path}" for method, path, _ in sent)
        return Outcome(outcome.exit_code, outcome.stdout, outcome.stderr, lines)

    def plan(self, text: str, *flags: str) -> Outcome:
        """Plan a document."""
        return self.do("plan", text, *flags)

    def apply(self, text: str, *flags: str) -> Outcome:
        """Apply a document without asking."""
        return self.do("apply", text, "--yes", *flags)

    def applied(self, text: str, *flags: str) -> Outcome:
        """Apply a document, which must succeed."""
        outcome = self.apply(text, *flags)
        assert outcome.exit_code == 0, outcome.stdout
        return outcome

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Do something behind nbsync's back, which must succeed; never met by faults."""
        waiting, self.simulator.faults.waiting = self.simulator.faults.waiting, []
        answer = self._http.request(method, path, json=body)
        self.simulator.faults.waiting = waiting
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def read(self, path: str) -> Any:
        """What is at a path now."""
        return self.send("GET", path)

    def named(self, path: str, name: str, key: str = "name") -> Any:
        """The only object of a list that has this name."""
        (found,) = (one for one in self.read(path) if one[key] == name)
        return found

    def names(self, path: str, key: str = "name") -> list[str]:
        """Names of all objects of a list, in order."""
        return sorted(one[key] for one in self.read(path))

    def join(self, *hostnames: str, **how: Any) -> None:
        """Let machines join the account."""
        body = {"name": "for-tests", "type": "reusable", "expires_in": 86400, "auto_groups": [], "usage_limit": 0}
        key = self.send("POST", "/setup-keys", body)
        for hostname in hostnames:
            answer = self.simulator.event({"event": "peer_joins", "hostname": hostname, "setup_key": key["key"], **how})
            assert "error" not in answer
        self.send("DELETE", f"/setup-keys/{key['id']}")

    def row(self, kind: str, identifier: str) -> Json:
        """A row of the simulator's tables, which can be what the API cannot make."""
        found = self.simulator.world.accounts()[0].find(kind, identifier)
        assert found
        return found

    def store(self, kind: str, row: Json) -> None:
        """Replace a row."""
        self.simulator.world.accounts()[0].save(kind, row)

    def fault(self, method: str, path: str, fault: str, nth: int = 1) -> None:
        """Let the nth matching request fail."""
        self.simulator.event({"event": "fault", "method": method, "path": path, "nth": nth, "fault": fault})


class NoServer:
    """A WSGI application that nobody may call; it remembers who did."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    def __call__(self, environ: Json, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Note the call and refuse it."""
        self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start_response("599 nobody may call", [("Content-Length", "0")])
        return []


class Between:
    """A WSGI application that stands between nbsync and the simulator: it can answer itself, or change what is answered.

    Attributes:
        before: called with every request; an answer from it keeps the request from the simulator.
        after: called with every request and its answer; what it gives back is sent instead.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self.before: Callable[[Request], Response | None] = lambda _request: None
        self.after: Callable[[Request, Response], Response] = lambda _request, response: response

    def __call__(self, environ: Json, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request; its body can be read before and after."""
        request = Request(environ)
        environ["wsgi.input"] = BytesIO(request.get_data())
        response = self.before(request)
        if response is None:
            response = self.after(request, Response.from_app(self._app, environ, buffered=True))
        return response(environ, start_response)


def json_answer(value: Any, status: int = 200) -> Response:
    """An answer as NetBird gives it."""
    return Response(json.dumps(value), status, content_type="application/json; charset=UTF-8")
