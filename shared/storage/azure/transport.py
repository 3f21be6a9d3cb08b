"""Sends the calls to the storage account over connections that are given up before the service closes them."""

from collections.abc import Mapping
from typing import Any, override

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from shared.storage.azure.account import CLIENT_OPTIONS

# Azurite closes a connection after five idle seconds, which is Node's default
_IDLE_SECONDS = 4.0


class StorageTransport(AioHttpTransport):  # type: ignore[misc] # the SDK gives this name no type
    """Sends calls as its base class does, but over no connection that was idle for more than `idle_seconds`.

    A call over a connection that the service closes at the same moment fails. Nobody repeats it if it is a POST,
    because the service may have done the work.
    """

    def __init__(self, *, idle_seconds: float = _IDLE_SECONDS, **options: Any) -> None:
        """Connects at the first call. `options` are those of a client of the SDK."""
        super().__init__(**options)
        self._idle_seconds = idle_seconds
        self._from_environment = bool(options.get("use_env_settings", True))
        self._opened = False

    @override
    async def open(self) -> None:
        """Opens the session, unless it is open or was closed.

        Raises:
            ValueError: the transport was closed.
        """
        if not self._opened:
            self._opened = True
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=self._idle_seconds),
                trust_env=self._from_environment,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        await super().open()


def client_options(**further: Any) -> Mapping[str, Any]:
    """Returns the options for a client of the SDK: `CLIENT_OPTIONS`, the further ones, and a transport of its own."""
    options = {**CLIENT_OPTIONS, **further}
    return {**options, "transport": StorageTransport(**options)}
