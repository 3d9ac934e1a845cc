"""Which server, which token, how long to wait: everything that a client needs to know, checked once.

A `Settings` that exists is safe to use: its URL never sends the token in clear over a network, and its token fits into a
header. No message of this module repeats a token or a URL that could hold one.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NoReturn
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from reconciler.errors import Diagnostic, NbsyncError, NotAuthorized, UsageError
from reconciler.redact import conceal

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL: Final = "https://api.netbird.io"
URL_VARIABLE: Final = "NB_MANAGEMENT_URL"
PAT_VARIABLE: Final = "NB_PAT"
ACCESS_TOKEN_VARIABLE: Final = "NB_ACCESS_TOKEN"  # noqa: S105 - a name, no token

Scheme = Literal["Token", "Bearer"]

_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
_ACCESS_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")  # three parts, as every JWT
_SECRET = re.compile(r"(?i:nbp_\w{8})|eyJ[\w-]{8,}\.eyJ", re.ASCII)  # a personal access token, or a JWT
_SHORTEST_SECRET: Final = 8  # characters; fewer stand in any URL by chance
_PLAIN_PATH = re.compile(r"(/(?!\.\.?(/|$))[\w.~-]+)*", re.ASCII)
_PLAIN_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:\d+)?", re.ASCII | re.IGNORECASE)
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_SUCH_AS = f"it begins with https:// and names a host, such as {DEFAULT_URL}"
_HOW_TO_GET_A_TOKEN = (
    "in the NetBird dashboard: Team > Service Users > create one (role admin, or network_admin for groups, policies, posture "
    f"checks, networks, routes and DNS alone), give it an access token and set {PAT_VARIABLE} to it"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Server, credentials and patience of one run.

    Attributes:
        url: The management server, without `/api`, its host in small letters, its port only where it is not the scheme's own:
            "https://netbird.example.com".
        token: What stands after the scheme in the `Authorization` header.
        scheme: `Token` for a personal access token (`nbp_...`), `Bearer` for an OAuth2 access token.
        timeout: Seconds for one request, from connecting to the last byte of the answer.
        budget: Seconds that one read may spend on being tried again.
        patience: Seconds that one call waits for the server's rate limit while that lets nothing through.
        max_run_time: Seconds after which no request is sent any more; None: no limit.
        user_agent: Never contains `terraform`, which NetBird's rate limit lets pass: that is the operator's decision.

    Raises:
        UsageError: The URL, or the token, cannot be used; the message says why.
    """

    url: str
    token: SecretStr
    scheme: Scheme = "Token"
    timeout: float = 60.0
    budget: float = 120.0
    patience: float = math.inf
    max_run_time: float | None = None
    user_agent: str = "nbsync"

    def __post_init__(self) -> None:
        token = _checked_token(self.token.get_secret_value(), "the token")
        object.__setattr__(self, "url", _checked_url(self.url, token))
        object.__setattr__(self, "token", SecretStr(token))


def from_environment(
    environ: Mapping[str, str], *, token_file: Path | str | None = None, url: str | None = None
) -> Settings:
    """Read the settings as the official Terraform provider does, plus `NB_ACCESS_TOKEN`.

    Args:
        environ: `os.environ`, or a test's stand-in.
        token_file: A file with the token and nothing else; it goes before the environment.
        url: Goes before `NB_MANAGEMENT_URL`; a trailing `/` or `/api` is tolerated in both.

    Raises:
        UsageError: The URL is refused, both tokens are set, or one is malformed or cannot be read.
        NotAuthorized: There is no token at all.
    """
    token, scheme = token_of(environ, token_file)
    return Settings(url or url_of(environ), SecretStr(token), scheme)


def url_of(environ: Mapping[str, str], token_file: Path | str | None = None) -> str:
    """Return the URL of the server, checked, and spelled as `Settings.url` has it; a token in it is refused, in the form of one or as given beside it.

    Raises:
        UsageError: It is refused.
    """
    return _checked_url(environ.get(URL_VARIABLE, "").strip() or DEFAULT_URL, _known_token(environ, token_file))


def _known_token(environ: Mapping[str, str], token_file: Path | str | None) -> str:
    try:
        return token_of(environ, token_file)[0]
    except NbsyncError:
        return ""


def token_of(environ: Mapping[str, str], token_file: Path | str | None) -> tuple[str, Scheme]:
    """Return the token and what goes before it in the header; raises as `from_environment`."""
    return _token_of_file(Path(token_file)) if token_file else _token_of_environment(environ)


def _token_of_file(file: Path) -> tuple[str, Scheme]:
    try:
        token = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        _refuse(f"the token file {file} cannot be read: {why}", "name a file with the token and nothing else")
    if not token.strip():
        _refuse(f"the token file {file} is empty", _HOW_TO_GET_A_TOKEN)
    token = _checked_token(token, f"the token in {file}")
    return token, "Bearer" if _ACCESS_TOKEN.fullmatch(token) else "Token"


def _token_of_environment(environ: Mapping[str, str]) -> tuple[str, Scheme]:
    pat, access_token = environ.get(PAT_VARIABLE, "").strip(), environ.get(ACCESS_TOKEN_VARIABLE, "").strip()
    if pat and access_token:
        _refuse(f"both {PAT_VARIABLE} and {ACCESS_TOKEN_VARIABLE} are set", "unset the one that is not meant")
    if pat:
        return _checked_token(pat, PAT_VARIABLE), "Token"
    if access_token:
        return _checked_token(access_token, ACCESS_TOKEN_VARIABLE), "Bearer"
    blank = [name for name in (PAT_VARIABLE, ACCESS_TOKEN_VARIABLE) if name in environ]
    message = f"{blank[0]} is set, but empty" if blank else f"no token: {PAT_VARIABLE} is not set"
    hint = "a CI job of a fork gets no secrets; " if blank else ""
    raise NotAuthorized(Diagnostic("NBS502", message, help=hint + _HOW_TO_GET_A_TOKEN))


def _checked_token(token: str, name: str) -> str:
    token = token.strip()
    conceal(token)
    if not _HEADER_SAFE.fullmatch(token):
        _refuse(
            f"a character of {name} cannot be part of a token (its value is not shown)",
            "a token is one word of letters, digits and signs: no blanks, no quotes around it, not the word before it",
        )
    return token


def _checked_url(url: str, token: str) -> str:
    _refuse_token_in(url, token)
    parts = _split(url.strip())
    if "@" in parts.netloc:
        _refuse(
            f"{URL_VARIABLE} contains a user name or password", "the token alone says who you are; give it by itself"
        )
    if parts.query or parts.fragment or "?" in url or "#" in url:
        _refuse(f"{URL_VARIABLE} contains a query or a fragment", _SUCH_AS)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        _refuse(
            f"http://{parts.netloc} would send the token in clear over the network",
            "use https; http is for 127.0.0.0/8, ::1 and localhost alone",
        )
    path = re.sub("(/api|/)*$", "", parts.path)
    if not (_PLAIN_AUTHORITY.fullmatch(parts.netloc) and _PLAIN_PATH.fullmatch(path)):
        _refuse(f"{URL_VARIABLE} has signs in it that no address of a server has", _SUCH_AS)
    return f"{parts.scheme}://{_authority(parts)}{path}"


def _authority(parts: SplitResult) -> str:
    """Host and port as all spellings of them come to: one server has one address, in locks, journals and saved plans."""
    host, port = parts.hostname or "", parts.port
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"


def _refuse_token_in(url: str, token: str) -> None:
    """Refuse a URL that would show a secret wherever it is named: in reports, logs of proxies, error messages."""
    given = len(token) >= _SHORTEST_SECRET and token.lower() in url.lower()
    if given or _SECRET.search(url):
        _refuse(
            f"{URL_VARIABLE} contains a token (its value is not shown)",
            f"{_SUCH_AS}; the token goes into {PAT_VARIABLE} alone. What logs may have kept of it: make a new token",
        )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode().decode("idna").encode("idna")
        usable = parts.scheme in {"http", "https"} and host != b"" and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not _HEADER_SAFE.fullmatch(url):
        _refuse(
            f"{URL_VARIABLE} is no URL of a server",
            _SUCH_AS,
        )
    return parts


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return any(address in network for network in _LOOPBACK)


def _refuse(message: str, advice: str) -> NoReturn:
    raise UsageError(Diagnostic("NBS901", message, help=advice))
