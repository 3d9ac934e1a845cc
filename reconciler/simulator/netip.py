"""IP addresses and prefixes, read and written as Go's net/netip does."""

import ipaddress
import re
from typing import Final, NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_BITS: Final = re.compile(r"0|[1-9][0-9]{0,2}")


class Prefix(NamedTuple):
    """An address with a prefix length; the host bits are as they were given."""

    address: Address
    bits: int

    def __str__(self) -> str:
        return f"{text(self.address)}/{self.bits}"

    def masked(self) -> "Prefix":
        """The same prefix without host bits."""
        host_bits = self.address.max_prefixlen - self.bits
        return Prefix(type(self.address)(int(self.address) >> host_bits << host_bits), self.bits)


def parse_address(given: str) -> Address:
    """The address in a text; an IPv6 zone may be any text, and is dropped.

    Raises:
        ValueError: it is no address.
    """
    address, mark, zone = given.partition("%")
    if mark and not zone:
        raise ValueError(given)
    return ipaddress.IPv6Address(address) if mark else ipaddress.ip_address(address)


def parse_prefix(given: str) -> Prefix:
    """The prefix in a text; a bare address, a zone and a length with a sign or a leading zero are errors.

    Raises:
        ValueError: it is no prefix.
    """
    address_text, _, bits_text = given.rpartition("/")
    address = ipaddress.ip_address(address_text)
    if "%" in address_text or not _BITS.fullmatch(bits_text) or int(bits_text) > address.max_prefixlen:
        raise ValueError(given)
    return Prefix(address, int(bits_text))


def text(address: Address) -> str:
    """The canonical form: compressed, in lower case, IPv4 inside IPv6 in dotted decimal."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return f"::ffff:{mapped}" if mapped else str(address)
