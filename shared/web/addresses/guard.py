"""Which network addresses may be called. Asked where the socket is made, so that no spelling gets around it.

A name that resolves to a public address when it is checked and to a private one when it is used, an address written
in octal, an IPv6 address that wraps an IPv4 one: all of them end as the address of a socket, and that is looked at.
"""

import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from shared.web.addresses.networks import is_of_the_platform, is_public

type AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

NOT_PUBLIC = "the address is not a public one; CRAWL_ALLOW_PRIVATE_NETWORKS=true allows it, for local use"
OF_THE_PLATFORM = "the address is link-local or a cloud platform's own, which are never called"


class ForbiddenAddressError(OSError):
    """The socket would have gone to a forbidden address; the text says why, and which setting allows it, if any."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EACCES, why)


def guarded_socket_factory(*, allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """A factory for aiohttp's connector that makes sockets for public addresses only.

    With `allow_private` for others too, but never for those where clouds tell machines their secrets.
    """

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, where = info
        address = ipaddress.ip_address(str(where[0]).partition("%")[0])
        if is_of_the_platform(address):
            raise ForbiddenAddressError(OF_THE_PLATFORM)
        if not (allow_private or is_public(address)):
            raise ForbiddenAddressError(NOT_PUBLIC)
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


def why_forbidden(error: BaseException) -> str | None:
    """Why the guard let a connection fail; None where it did not. Its text survives the client's own wrapping."""
    seen: BaseException | None = error
    while seen is not None:
        for why in (NOT_PUBLIC, OF_THE_PLATFORM):
            if why in str(seen):
                return why
        seen = seen.__cause__ or getattr(seen, "os_error", None)
    return None
