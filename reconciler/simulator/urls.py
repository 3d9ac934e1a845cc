"""URLs as Go's net/url reads them: which texts are refused, and what their scheme and host are."""

import ipaddress
import re
from typing import Final, NamedTuple

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_USERINFO: Final = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_HOST: Final = re.compile(r"""(?:[A-Za-z0-9\-._~!$&'()*+,;=:\[\]<>"]|[^\x00-\x7f]|%(?:25|[89A-Fa-f][0-9A-Fa-f]))*""")
_PORT: Final = re.compile(r"(?::[0-9]*)?")


class UrlError(ValueError):
    """A text that Go's url.Parse refuses."""


class Url(NamedTuple):
    """The two parts that the server looks at; the host keeps its port and its brackets."""

    scheme: str
    host: str


def parse(text: str) -> Url:
    """Scheme (lower case, `""` if there is none) and host (`""` if there is none) of a URL.

    Raises:
        UrlError: for control characters, a broken escape, an impossible host or port, `:x` and `a b:c`.
    """
    text, _, fragment = text.partition("#")
    if _CONTROL.search(text) or _BAD_ESCAPE.search(fragment) or text.startswith(":"):
        raise UrlError(text)
    found = _SCHEME.match(text)
    scheme = found.group(1).lower() if found else ""
    rest = text[found.end() :] if found else text
    rest = rest.partition("?")[0]
    if not rest.startswith("/"):
        return _without_slash(scheme, rest)
    host = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _host(authority), slash + path
    _check_path(rest)
    return Url(scheme, host)


def _without_slash(scheme: str, rest: str) -> Url:
    """`mailto:x` is opaque; without a scheme the first segment may hold no colon."""
    if scheme and rest:
        return Url(scheme, "")
    if ":" in rest.partition("/")[0]:
        raise UrlError(rest)
    _check_path(rest)
    return Url(scheme, "")


def _check_path(path: str) -> None:
    if _BAD_ESCAPE.search(path):
        raise UrlError(path)


def _host(authority: str) -> str:
    userinfo, at, host = authority.rpartition("@")
    if at and (not _USERINFO.fullmatch(userinfo) or _BAD_ESCAPE.search(userinfo)):
        raise UrlError(authority)
    if host.startswith("["):
        literal, bracket, port = host[1:].rpartition("]")
        if not bracket or not _PORT.fullmatch(port) or not _is_ipv6(literal):
            raise UrlError(authority)
        return host
    _, colon, port = host.rpartition(":")
    if (colon and not _PORT.fullmatch(":" + port)) or "[" in host or not _HOST.fullmatch(host):
        raise UrlError(authority)
    return host


def _is_ipv6(literal: str) -> bool:
    address, zone_mark, _ = literal.partition("%25")
    try:
        ipaddress.IPv6Address(address if zone_mark else literal)
    except ValueError:
        return False
    return "%" not in address
