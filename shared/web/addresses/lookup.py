"""Checks hosts when a URL comes in, so that a caller learns at once that it would never be called.

This is a courtesy. A name may have other addresses when it is called, so the guard at the socket decides then.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

from shared.errors import InvalidRequest
from shared.web.addresses.guard import NOT_PUBLIC, OF_THE_PLATFORM
from shared.web.addresses.networks import Address, is_of_the_platform, is_public
from shared.web.addresses.urls import parse_url

_TIMEOUT_SECONDS = 3.0
_MAX_LOOK_UPS = 4

type Resolve = Callable[[str], Awaitable[Sequence[str]]]


@cache
def _threads() -> ThreadPoolExecutor:
    """Returns the threads for look-ups. A name server that hangs keeps no other threads of the process busy."""
    return ThreadPoolExecutor(_MAX_LOOK_UPS, "look-up")


async def _resolve(host: str) -> Sequence[str]:
    look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_threads(), look_up)
    return [str(where[0]) for *_, where in found]


class HostLookup:
    """Looks up the addresses of hosts. With `allow_private`, only those of cloud platforms are refused."""

    def __init__(self, *, allow_private: bool, resolve: Resolve = _resolve) -> None:
        self._allow_private = allow_private
        self._resolve = resolve

    async def why_refused(self, url: str) -> str | None:
        """Returns why the URL's host may not be called, or None if it may.

        The host is refused if one of its addresses is. A name that cannot be looked up within three seconds is not
        refused: its server may not be set up yet, and the guard checks every call.
        """
        try:
            host = parse_url(url).host or ""
        except InvalidRequest as error:
            return error.detail
        try:
            return self._why(ipaddress.ip_address(host))
        except ValueError:
            pass
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                addresses = await self._resolve(host)
        except (TimeoutError, OSError, UnicodeError):
            return None
        reasons = (self._why(ipaddress.ip_address(each.partition("%")[0])) for each in addresses)
        return next((why for why in reasons if why is not None), None)

    def _why(self, address: Address) -> str | None:
        if is_of_the_platform(address):
            return OF_THE_PLATFORM
        return None if self._allow_private or is_public(address) else NOT_PUBLIC
