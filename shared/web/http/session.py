"""Makes the HTTP client sessions that all outgoing requests use."""

import asyncio
import functools
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler

from shared.errors import Unavailable
from shared.web.addresses.guard import guarded_socket_factory
from shared.web.http.head_reader import HeadReader
from shared.web.http.names import CountedNames, Names
from shared.web.http.response_heads import MAX_FIELD_BYTES, MAX_FIELDS


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Configures sessions. A transfer ends after `idle_seconds` without a byte."""

    user_agent: str
    allow_private_networks: bool = False
    connect_seconds: float = 10.0
    idle_seconds: float = 15.0


class _Connector(aiohttp.TCPConnector):
    """Makes connections whose heads `HeadReader` reads. The library has no setting for that."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        protocol: type[ResponseHandler] = HeadReader
        self._factory = functools.partial(protocol, loop=self._loop)


def open_session(config: SessionConfig, names: Names) -> aiohttp.ClientSession:
    """Opens a guarded session without cookies, redirects, or proxies from the environment. The caller closes it.

    It makes a connection for each concurrent request. Callers limit the number of their requests. A limit here would
    make robots.txt wait behind images until its time runs out.
    """
    connector = _Connector(
        limit=0,
        resolver=names,
        # `Names` remembers addresses
        use_dns_cache=False,
        socket_factory=guarded_socket_factory(allow_private=config.allow_private_networks),
    )
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=config.connect_seconds, sock_read=config.idle_seconds
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": config.user_agent},
        timeout=timeout,
        trust_env=False,
        max_line_size=MAX_FIELD_BYTES,
        max_field_size=MAX_FIELD_BYTES,
        max_headers=MAX_FIELDS,
        read_bufsize=1 << 18,
    )


class Sessions:
    """Holds one session for each event loop, opened on demand."""

    def __init__(self, config: SessionConfig) -> None:
        self._config = config
        self.look_ups = CountedNames()
        """Counts the look-ups of names in all event loops."""
        self._open: dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, Names]] = {}
        self._closed: WeakSet[asyncio.AbstractEventLoop] = WeakSet()

    def get(self) -> aiohttp.ClientSession:
        """Returns the session of the running loop.

        Raises:
            Unavailable: the session was closed.
        """
        loop = asyncio.get_running_loop()
        if loop in self._closed:
            raise Unavailable("The app is being shut down.")
        if loop not in self._open:
            self._open = {known: opened for known, opened in self._open.items() if not known.is_closed()}
            names = Names(self.look_ups)
            self._open[loop] = open_session(self._config, names), names
        return self._open[loop][0]

    async def close(self) -> None:
        """Closes the running loop's session for good."""
        self._closed.add(asyncio.get_running_loop())
        opened = self._open.pop(asyncio.get_running_loop(), None)
        if opened is not None:
            session, names = opened
            await session.close()
            await names.close()
