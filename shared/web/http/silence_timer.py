"""Ends a connection on which no byte has come for too long, with one timer in place of one for each piece of data."""

from typing import override

from aiohttp.client_proto import ResponseHandler


class SilenceTimer(ResponseHandler):
    """Keeps the library's limit of the time without a byte.

    The library cancels its timer and makes a new one for each request and each piece of data. Here, the timer goes on
    until it ends, also between requests, and then it is made anew if something has come meanwhile.
    """

    _silent_until: float | None = None
    """When the limit is reached. It is None while nothing is awaited."""
    _looks_at = 0.0
    """When the timer ends, if there is one. Not every event loop has timers that know this themselves."""

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._cancel()

    @override
    def _reschedule_timeout(self) -> None:
        if not self._read_timeout:
            self._drop_timeout()
            return
        until = self._silent_until = self._loop.time() + self._read_timeout
        if self._read_timeout_handle is None or self._looks_at > until:
            self._cancel()
            self._look_at(until)

    @override
    def _drop_timeout(self) -> None:
        self._silent_until = None

    def _cancel(self) -> None:
        if self._read_timeout_handle is not None:
            self._read_timeout_handle.cancel()
            self._read_timeout_handle = None

    def _look_at(self, time: float) -> None:
        self._looks_at = time
        self._read_timeout_handle = self._loop.call_at(time, self._look)

    def _look(self) -> None:
        """Reports the silence if it has lasted too long by now."""
        self._read_timeout_handle = None
        if self._silent_until is None:
            return
        if self._loop.time() < self._silent_until:
            self._look_at(self._silent_until)
        else:
            self._on_read_timeout()
