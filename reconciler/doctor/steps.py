"""The steps of the doctor: each says what it saw and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import SecretStr

from reconciler.api.client import ReadApi
from reconciler.api.greeting import TIMEOUT, Greeting, connect, greet
from reconciler.api.transport import Transport
from reconciler.doctor import caller, credentials, server
from reconciler.doctor.caller import Said
from reconciler.doctor.check import Check, Status, told
from reconciler.errors import ExitCode, NbsyncError, NotAuthorized
from reconciler.load.desired import Desired
from reconciler.redact import mask
from reconciler.settings import URL_VARIABLE, Scheme, Settings, token_of, url_of
from reconciler.state.caller import Caller, identify


@dataclass
class Case:
    """What is known so far; every step adds to it.

    Attributes:
        environ: where URL and token come from, unless `settings` are there, as they are for a simulated account.
        files: reads the files; None if there are none.
    """

    environ: Mapping[str, str]
    files: Callable[[], Desired | None]
    token_file: Path | None = None
    settings: Settings | None = None
    transport: Transport | None = None
    url: str = ""
    token: str = field(default="", repr=False)
    scheme: Scheme = "Token"
    version: str | None = None
    desired: Desired | None = None
    clients: list[ReadApi] = field(default_factory=list)
    _greeting: Greeting | None = None
    _caller: Caller | None = None

    @property
    def greeting(self) -> Greeting:
        """What the server shows to anybody; asked once."""
        if self._greeting is None:
            self._greeting = greet(self.url, self.transport)
        return self._greeting

    @property
    def api(self) -> ReadApi:
        """A client that cannot send anything but GET, that does not try again, and that ends: nobody waits for a doctor."""
        if not self.clients:
            settings = Settings(
                self.url,
                SecretStr(self.token),
                self.scheme,
                timeout=TIMEOUT,
                budget=0,
                patience=0,
                max_run_time=TIMEOUT,
            )
            self.clients.append(ReadApi(settings, self.transport))
        return self.clients[0]

    @property
    def caller(self) -> Caller:
        """Who asks; found out once."""
        if self._caller is None:
            self._caller = identify(self.api)
        return self._caller

    @property
    def reads(self) -> int:
        """Requests that were sent."""
        return (self._greeting is not None) + sum(client.reads for client in self.clients)

    def close(self) -> None:
        """Close all connections."""
        for client in self.clients:
            client.close()


class Step(NamedTuple):
    """One check: its name, the checks without which it says nothing, and what it does."""

    name: str
    needs: tuple[str, ...]
    look: Callable[[Case], Said]


def examine(case: Case) -> Iterator[Check]:
    """Take all steps, in order; those that need one that failed are not taken."""
    closed: set[str] = set()
    for step in STEPS:
        if missing := [name for name in step.needs if name in closed]:
            closed.add(step.name)
            yield Check(step.name, f"not checked: {missing[0]} comes first", was_checked=False)
            continue
        check = _taken(step, case)
        if check.status is Status.FAILED:
            closed.add(step.name)
        yield check


def verdict(checks: list[Check]) -> ExitCode:
    """The exit code: that of the first check that failed; 8 if it is about who may do what, 1 otherwise."""
    return next((check.exit_code for check in checks if check.exit_code), ExitCode.DONE)


def _taken(step: Step, case: Case) -> Check:
    code = ExitCode.DONE
    try:
        message, diagnostics = step.look(case)
    except NbsyncError as error:
        about_rights = isinstance(error, NotAuthorized) or step.name in AUTHENTICATION
        code = ExitCode.NOT_AUTHORIZED if about_rights else ExitCode.ERROR
        message, diagnostics = told(error.diagnostics), error.diagnostics
    # What the server says of itself could repeat what it was sent.
    hidden = tuple(replace(one, message=mask(one.message, case.token)) for one in diagnostics)
    return Check(step.name, mask(message, case.token), hidden, code)


def _url(case: Case) -> Said:
    case.url = case.settings.url if case.settings else url_of(case.environ, case.token_file)
    if case.settings:
        return "a simulated account, in this process", ()
    origin = URL_VARIABLE if case.environ.get(URL_VARIABLE, "").strip() else f"{URL_VARIABLE} is not set: the default"
    return f"{case.url} ({origin})", ()


def _connection(case: Case) -> Said:
    if case.transport:
        return "none is needed", ()
    return f"{connect(case.url)} answers", ()


def _tls(case: Case) -> Said:
    if case.url.startswith("http://"):
        return "none: the token does not leave this machine", ()
    shown = case.greeting.certificate
    return server.certificate(shown) if shown else ("the certificate is accepted", ())


def _answer(case: Case) -> Said:
    if case.greeting.failure is not None:
        raise case.greeting.failure
    return "it is NetBird's management API", ()


def _token(case: Case) -> Said:
    if case.settings:
        case.token, case.scheme = case.settings.token.get_secret_value(), case.settings.scheme
    else:
        case.token, case.scheme = token_of(case.environ, case.token_file)
    return f"{credentials.inspect(case.token, case.scheme)}; sent as {case.scheme}", ()


def _files(case: Case) -> Said:
    case.desired = case.files()
    if case.desired is None:
        return "none here", ()
    count = len(case.desired.objects)
    return f"{count} object{'' if count == 1 else 's'} declared", ()


def _expiry(case: Case) -> Said:
    return caller.expiry(case.api, case.caller, credentials.ends(case.token) if case.scheme == "Bearer" else None)


def _version(case: Case) -> Said:
    version, said = server.version(case.api, case.desired)
    case.version = mask(version, case.token) if version else None
    return said


AUTHENTICATION: Final = frozenset({"credential"})
STEPS: Final = (
    Step("url", (), _url),
    Step("connection", ("url",), _connection),
    Step("tls", ("connection",), _tls),
    Step("server", ("tls",), _answer),
    Step("credential", (), _token),
    Step("caller", ("server", "credential"), lambda case: caller.describe(case.caller)),
    Step("files", (), _files),
    Step("role", ("caller", "files"), lambda case: caller.permit(case.caller, case.desired)),
    Step("expiry", ("caller",), _expiry),
    Step("version", ("caller", "files"), _version),
    Step("clock", ("server",), lambda case: server.clock(case.greeting.headers)),
    Step("rate limit", ("caller", "files"), lambda case: server.rate(case.greeting.headers, case.desired)),
)
