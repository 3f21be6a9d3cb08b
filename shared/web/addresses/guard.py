"""Decides which network addresses may be called. The check runs when a socket is made, so no spelling avoids it.

A name can resolve to a public address when it is checked and to a private one when it is used. An address can be
written in octal, and an IPv6 address can wrap an IPv4 one. All of them end as the address of a socket, and that
address is checked.
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
    """The socket's address is forbidden. The text says why, and which setting allows it, if any."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EACCES, why)


def guarded_socket_factory(*, allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """Returns a factory for aiohttp's connector that makes sockets for public addresses only.

    With `allow_private` it makes sockets for other addresses, too, but never for those where clouds serve secrets to
    machines.
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
    """Why the guard stopped a connection, or None if it did not. The client's own wrapping keeps this text."""
    seen: BaseException | None = error
    while seen is not None:
        for why in (NOT_PUBLIC, OF_THE_PLATFORM):
            if why in str(seen):
                return why
        seen = seen.__cause__ or getattr(seen, "os_error", None)
    return None
