"""Knows which network addresses are public, and which belong to a cloud platform.

Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses (RFC 6890) as of 2025, and the platforms'
documentation of their metadata services. `ipaddress` knows the registries as of its Python version. The networks that
it lacks are listed here.
"""

import ipaddress
from collections.abc import Iterator

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "100.64.0.0/10",  # shared by carriers, RFC 6598
        "168.63.129.16/32",  # Azure's own, public by number and internal by nature
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
    )
)
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible, RFC 4291, 2.5.5.1
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
        "64:ff9b:1::/48",  # local NAT64, RFC 8215
        "100:0:0:1::/64",  # dummy prefix, RFC 9780
        "2001::/32",  # Teredo, RFC 4380
        "3fff::/20",  # documentation, RFC 9637
        "5f00::/16",  # segment routing, RFC 9602
        "fec0::/10",  # site-local, RFC 3879
    )
)
_CARRIERS = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::ffff:0:0/96",  # IPv4-mapped, RFC 4291, 2.5.5.2
        "64:ff9b::/96",  # NAT64, RFC 6052
        "2002::/16",  # 6to4, RFC 3056
    )
)
"""An address of these networks is public if the IPv4 address that it carries is public."""

_TEREDO = ipaddress.IPv6Network("2001::/32")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_SIXTOFOUR = ipaddress.IPv6Network("2002::/16")
_LAST_32_BITS = tuple(
    ipaddress.IPv6Network(network)
    for network in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})  # RFC 5214, 6.1

_PLATFORM_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local, where most platforms have their metadata
        "fe80::/10",
        "fd00:ec2::/32",  # Amazon
        "fd20:ce::/32",  # Google
        "fd00:c1::/32",  # Oracle
        "fd00:42::/32",  # Scaleway
    )
)
_PLATFORM_HOSTS = frozenset(
    ipaddress.IPv4Address(host)
    for host in (
        "168.63.129.16",  # Azure
        "169.254.169.254",
        "169.254.170.2",  # Amazon, of containers
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
    )
)


def is_public(address: Address) -> bool:
    """Whether the address, and each IPv4 address that it carries, belongs to the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if not all(map(is_public, _carried(address))):
            return False
        if any(address in network for network in _CARRIERS):
            return True
        if any(address in network for network in _NOT_PUBLIC_6):
            return False
    elif any(address in network for network in _NOT_PUBLIC_4):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_of_the_platform(address: Address) -> bool:
    """Whether the address is link-local, belongs to a cloud platform's own server, or carries such an IPv4 address.

    Networks may translate any prefix of 96 bits to IPv4 (RFC 6052), so the last 32 bits are checked after any prefix.
    """
    if any(address in network for network in _PLATFORM_NETWORKS):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return address in _PLATFORM_HOSTS
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) in _PLATFORM_HOSTS or any(
        map(is_of_the_platform, _carried(address))
    )


def _carried(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """Yields the IPv4 addresses that an IPv6 address carries, or may carry if several readings are possible."""
    number = int(address)
    if any(address in network for network in _LAST_32_BITS) or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if address in _SIXTOFOUR:
        yield ipaddress.IPv4Address((number >> 80) & 0xFFFFFFFF)
    if address in _TEREDO:
        yield ipaddress.IPv4Address((number >> 64) & 0xFFFFFFFF)  # the server
        yield ipaddress.IPv4Address(~number & 0xFFFFFFFF)  # the client
    if address in _LOCAL_NAT64:  # prefixes of 48, 56 and 64 bits leave out bits 64 to 71 (RFC 6052, 2.2)
        yield ipaddress.IPv4Address((number >> 64 & 0xFFFF) << 16 | (number >> 40 & 0xFFFF))
        yield ipaddress.IPv4Address((number >> 64 & 0xFF) << 24 | (number >> 32 & 0xFFFFFF))
        yield ipaddress.IPv4Address(number >> 24 & 0xFFFFFFFF)
