"""What a network resource leads to: the types of address, and how they are stored."""

from typing import Final, NamedTuple

from . import domains, netip
from .errors import PlainError

HOST_BITS: Final = frozenset({32, 128})
"""Prefix lengths that make a host, whatever the family: an IPv6 /32 is typed ``host`` too."""


class Address(NamedTuple):
    """An address as it is stored, and the type that it gives the resource."""

    text: str
    type: str


def parse(text: str) -> Address:
    """What the server makes of an address: a prefix, else an IP address, else a domain, else an error.

    Host bits stay, IP addresses become canonical, domains stay as they were sent.

    Raises:
        PlainError: it is none of them.
    """
    try:
        prefix = netip.parse_prefix(text)
    except ValueError:
        return _host_or_domain(text)
    return Address(str(prefix), "host" if prefix.bits in HOST_BITS else "subnet")


def _host_or_domain(text: str) -> Address:
    try:
        address = netip.parse_address(text)
    except ValueError:
        return _domain(text)
    return Address(f"{netip.text(address)}/{address.max_prefixlen}", "host")


def _domain(text: str) -> Address:
    try:
        domains.from_text(text)
    except domains.DomainError:
        raise PlainError from None
    return Address(text, "domain")
