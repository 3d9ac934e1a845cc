"""Repeats a recorded conversation with a simulator in this process."""

from __future__ import annotations

import json
import secrets
import string
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from werkzeug.datastructures import Headers
from werkzeug.test import create_environ, run_wsgi_app

from reconciler.simulator import Simulator
from reconciler.simulator.errors import ConnectionDropped
from tests.facts.issuer import Issuer
from tests.facts.judge import PLACEHOLDER, Bindings, Difference, brief, compare

RECORDINGS = Path(__file__).parent / "recordings"
OBSERVED = {"network_map", "audit", "peer_dns_config", "policies_of_it", "services_seen", "writes"}
"""Events that were seen on the recorded server, and do not have to happen."""

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


class Answer(NamedTuple):
    """A response: its status, its headers, its body."""

    status: int
    headers: Headers
    text: str


class Outcome(NamedTuple):
    """What came of one recording: steps that were repeated, steps that could not be, and how answers differed."""

    repeated: int
    left_out: int
    differences: list[str]


def replay(path: Path) -> Outcome:
    """Repeat one recording on a simulator that nobody has set up."""
    first, *steps = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
    exchanges = sum("method" in step for step in steps)
    if first.get("prepared") or first.get("server_config") or not first.get("replay", True):
        return Outcome(0, exchanges, [])
    simulator = Simulator(first.get("environment") or {})
    # The same each time: one new account in 64 has the very range that a recording sets, and answers otherwise.
    simulator.world.random.seed(path.stem)
    run = _Run(simulator, events_in_order=first.get("events_in_order", True))
    try:
        differences = list(run.differences(steps))
    finally:
        run.close()
    return Outcome(run.repeated, exchanges - run.exchanged, differences)


class _Run:
    """One simulator, what placeholders mean on it, and who holds which token."""

    def __init__(self, simulator: Simulator, *, events_in_order: bool) -> None:
        self._simulator = simulator
        self._events_in_order = events_in_order
        self._bound = Bindings()
        self._issuer: Issuer | None = None
        self.repeated = 0
        self.exchanged = 0

    def differences(self, steps: list[dict[str, Any]]) -> Iterator[str]:
        """Repeat the steps up to the first that cannot be, and tell of each that went otherwise than recorded."""
        for line, step in enumerate(steps, 2):
            if step.get("event") == "store_edit":
                return
            try:
                self._repeat(step)
            except Difference as difference:
                request = brief(step.get("body", step.get("raw_body", "")))
                what = f"{step.get('method', step.get('event'))} {step.get('path', '')} {request}"
                yield f"line {line}: {what}\n    {difference}"

    def close(self) -> None:
        if self._issuer:
            self._issuer.close()

    def _repeat(self, step: dict[str, Any]) -> None:
        if "method" in step:
            self.repeated, self.exchanged = self.repeated + 1, self.exchanged + 1
            self._exchange(step)
        elif "sleep" in step:
            self._simulator.event({"event": "time_passes", "seconds": step["sleep"]})
        elif step.get("event") == "issuer_up":
            self._issuer = Issuer(step["port"], step["overrides"], step["missing"], step["garbage"])
        elif step.get("event") == "issuer_down" and self._issuer:
            self._issuer = self._issuer.close()
        elif "event" in step and step["event"] not in OBSERVED:
            self.repeated += 1
            self._happen(step)

    def _happen(self, step: dict[str, Any]) -> None:
        told = {key: value for key, value in step.items() if key != "result"}
        result = self._simulator.event(self._filled(told)) or {}
        for key, value in (step.get("result") or {}).items():
            self._bound.forget_names_in(str(value))
            if key == "error":  # the wording of gRPC errors is not part of the HTTP API
                if not result.get("error"):
                    raise Difference(f"expected to be refused with {value!r}, got {brief(result)}")
            else:
                compare(value, result.get(key), self._bound, f"$.{key}")

    def _exchange(self, step: dict[str, Any]) -> None:
        headers = self._filled(step.get("headers") or {})
        if "token" in step:
            token = self._filled(step["token"])
            headers["Authorization"] = token if " " in token else f"Token {token}"
        body = self._filled(step["raw_body"]) if "raw_body" in step else self._body(step)
        answer = self._send(step["method"], self._filled(step["path"]), headers, body)
        if answer is None and step["status"] != 0:
            raise Difference(f"expected status {step['status']}, the connection was closed")
        if answer is not None:
            self._judge(step, answer)

    def _send(self, method: str, target: str, headers: dict[str, str], data: str | None) -> Answer | None:
        """The answer to a request, None if there is none; the path goes out as it is, which HTTP clients do not do."""
        path, _, query = target.partition("?")
        environ = create_environ(method=method, headers=headers, data=data, query_string=query)
        environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
        try:
            body, status, headers = run_wsgi_app(self._simulator, environ, buffered=True)
        except ConnectionDropped:
            return None
        return Answer(int(status[:3]), headers, b"".join(body).decode())

    def _body(self, step: dict[str, Any]) -> str | None:
        return json.dumps(self._filled(step["body"])) if "body" in step else None

    def _judge(self, step: dict[str, Any], answer: Answer) -> None:
        value = _value(answer.text)
        if answer.status != step["status"]:
            raise Difference(f"expected status {step['status']}, got {answer.status}: {brief(value)}")
        compare((step.get("content_type") or "").lower(), answer.headers.get("Content-Type", "").lower(), self._bound)
        for name, wanted in (step.get("response_headers") or {}).items():
            compare(wanted, answer.headers.get(name), self._bound, f"header {name}")
        if "<time>" in step["path"]:
            return  # which time it was decided what was found, and the recording does not tell
        wanted = step.get("response")
        value = value[: len(wanted)] if "shortened" in step else value
        if step["path"] == "/api/events/audit" and not self._events_in_order:
            wanted, value = _unnumbered(wanted), _unnumbered(value)
        trial = self._bound.copy()
        compare(wanted, value, trial)
        self._bound.adopt(trial)

    def _filled(self, value: Any) -> Any:
        """A recorded value with this run's values in place of placeholders."""
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda mark: self._meaning(mark.group()), value)
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, dict):
            return {self._filled(key): self._filled(item) for key, item in value.items()}
        return value

    def _meaning(self, name: str) -> str:
        if name in {"<time>", "<password>"}:
            return "2030-01-01T00:00:00Z"
        if name not in self._bound.values:
            self._bound.bind(name, _invented(name))
        return self._bound.values[name]


def _unnumbered(events: Any) -> Any:
    """Audit events without their numbers, those of one sort together.

    The server saves each by a thread of its own: which of those of one moment comes first, and gets the lower number, is
    chance where nobody waited between the requests.
    """
    if not isinstance(events, list):
        return events
    unnumbered = [{key: value for key, value in event.items() if key != "id"} for event in events]
    return sorted(unnumbered, key=lambda event: (event["activity_code"], sorted(event["meta"])))


def _value(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _invented(name: str) -> str:
    """A value for a placeholder that no answer has given: an id that the recorded request made up."""
    kind = name.strip("<>").partition(":")[0]
    makers = {
        "id": lambda: "d" + _random(19, "0123456789abcdefghijklmnopqrstuv"),
        "uuid": lambda: str(uuid.uuid4()),
        "key": lambda: str(uuid.uuid4()).upper(),
        "pat": _token,
        "user": lambda: "Ci" + _random(50, string.ascii_letters),
        "invite": lambda: "nbi_" + _random(30, string.ascii_letters),
        "proxytoken": lambda: "nbx_" + _random(36, string.ascii_letters),
        "ip": lambda: "100.99.1.2",
        "net": lambda: "100.99.0.0/16",
    }
    return makers.get(kind, lambda: name)()


def _token() -> str:
    """A well-formed token that no server has given out: 30 random characters and their CRC-32 in base 62."""
    secret, number, checksum = _random(30, BASE62), 0, ""
    number = zlib.crc32(secret.encode())
    while number:
        number, digit = divmod(number, 62)
        checksum = BASE62[digit] + checksum
    return f"nbp_{secret}{checksum.rjust(6, '0')}"


def _random(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
