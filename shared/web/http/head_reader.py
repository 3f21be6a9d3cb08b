"""Reads the heads of responses from a connection: limits them, and rewrites them for the parser."""

import re
from typing import Any

from aiohttp.http_exceptions import HttpProcessingError

from shared.web.http.response_heads import MAX_FIELD_BYTES, MAX_HEAD_BYTES, exceeded_limit, normal_head
from shared.web.http.silence_timer import SilenceTimer

_END = re.compile(rb"\n\r?\n")
_INTERIM = re.compile(rb"\s*HTTP/1\.[0-9] 1(?!01)[0-9]{2}\b")


class HeadLimitError(HttpProcessingError):
    """The head exceeds a limit. The message names the limit."""


class HeadReader(SilenceTimer):
    """Passes complete heads to the parser in its form, and bodies unchanged.

    Data that does not begin like a response is passed on unchanged, and the parser reports the error.
    """

    _head: bytearray | None = None
    """The bytes of a head that is not complete yet. It is None while no head is expected."""

    def set_response_params(self, **params: Any) -> None:
        """The client calls this before each response."""
        self._head = bytearray()
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """The event loop calls this with the socket's data."""
        if self._head is None or self._parser is None or not data:
            super().data_received(data)
            return
        if not self._head and self._take_at_once(data):
            return
        searched = max(0, len(self._head) - 2)
        # line breaks before a response are ignored
        self._head += data if self._head else data.lstrip(b"\r\n")
        if not b"HTTP/".startswith(self._head[:5]):
            self._hand_on()
            return
        while self._head and (end := _END.search(self._head, searched)) is not None:
            if not self._take_head(bytes(self._head[: end.end()]), self._head[end.end() :]):
                return
            searched = 0
        last_line_bytes = len(self._head) - self._head.rfind(b"\n")
        too_large = len(self._head) > MAX_HEAD_BYTES or last_line_bytes > MAX_FIELD_BYTES
        exceeded = exceeded_limit(bytes(self._head)) if too_large else None
        if exceeded is not None:
            self._refuse(exceeded)
        else:
            # data has come, so the server is not idle
            self._reschedule_timeout()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The event loop calls this at the end. The parser reports the error of an incomplete head."""
        if self._head:
            self._hand_on()
        super().connection_lost(exc)

    def _take_at_once(self, data: bytes) -> bool:
        """Passes on, without a copy, a head that is complete and needs no change, as most are.

        Returns whether it did.
        """
        end = _END.search(data) if data.startswith(b"HTTP/1.1 200 ") else None
        head = data[: end.end()] if end is not None else b""
        if not head or exceeded_limit(head) is not None or normal_head(head) is not head:
            return False
        self._head = None
        super().data_received(data)
        return True

    def _take_head(self, head: bytes, rest: bytearray) -> bool:
        """Passes a head on, and with the last one the bytes after it. Returns whether another head follows."""
        exceeded = exceeded_limit(head)
        if exceeded is not None:
            self._refuse(exceeded)
            return False
        if _INTERIM.match(head) is None:
            self._head = None
            super().data_received(normal_head(head) + rest)
            return False
        super().data_received(normal_head(head))
        self._head = rest
        return True

    def _hand_on(self) -> None:
        data, self._head = bytes(self._head or b""), None
        super().data_received(data)

    def _refuse(self, exceeded: str) -> None:
        self._head = None
        if self.transport is not None:
            self.transport.close()
        self.set_exception(HeadLimitError(message=exceeded))


def limit_in(error: BaseException) -> str | None:
    """Returns the limit that a head exceeded, or None if the error has another cause."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, HeadLimitError):
        cause = cause.__cause__ or cause.__context__
    return None if cause is None else cause.message
