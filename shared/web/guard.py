"""Which network addresses may be called. Asked where the socket is made, so that no spelling gets around it.

A name that resolves to a public address when it is checked and to a private one when it is used, an address written
in octal, an IPv6 address that wraps an IPv4 one: all of them end as the address of a socket, and that is looked at.
"""

import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

_WIRE_SERVER = ipaddress.ip_address("168.63.129.16")  # Azure's own, public by number and internal by nature
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TEREDO = ipaddress.ip_network("2001::/32")
_SHARED = ipaddress.ip_network("100.64.0.0/10")
_MARK = "the address is not a public one"


class ForbiddenAddressError(OSError):
    """The socket would have gone to an address that is not public."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, _MARK)


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet, unwrapped from whatever carries it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or address in _TEREDO:
            return False
    if address == _WIRE_SERVER or (address.version == 4 and address in _SHARED):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_of_the_platform(address: Address) -> bool:
    """Whether it is link-local, as metadata services are, or Azure's own server, unwrapped from what carries it."""
    inner = _inner(address) if isinstance(address, ipaddress.IPv6Address) else None
    return (
        address.is_link_local or address == _WIRE_SERVER or (inner is not None and _is_of_the_platform(inner))
    )


def guarded_socket_factory(*, allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """A factory for aiohttp's connector that makes sockets for public addresses only.

    With `allow_private` for others too, but never for those where clouds tell machines their secrets.
    """

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, where = info
        address = ipaddress.ip_address(str(where[0]).partition("%")[0])
        if _is_of_the_platform(address) or not (allow_private or is_public(address)):
            raise ForbiddenAddressError
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


def was_forbidden(error: BaseException) -> bool:
    """Whether a connection failed because of the guard; the marker survives the client's own wrapping."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ForbiddenAddressError) or _MARK in str(seen):
            return True
        seen = seen.__cause__ or getattr(seen, "os_error", None)
    return False


def _inner(address: ipaddress.IPv6Address) -> Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, NAT64 (RFC 4291, 3056, 6052).

    Tunnels to hosts behind a NAT (Teredo) and local NAT64 prefixes stand for nothing public at all.
    """
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if int(address) >> 32 == 0 and int(address) > 1:  # the deprecated ::a.b.c.d
        return ipaddress.IPv4Address(int(address))
    return None
