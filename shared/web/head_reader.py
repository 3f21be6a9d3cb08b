"""The client's side of a connection, which bounds the heads of answers and puts them into the parser's form."""

import re
from typing import Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from shared.web.response_heads import MAX_FIELD_BYTES, MAX_HEAD_BYTES, exceeded_limit, normal_head

_END = re.compile(rb"\n\r?\n")
_INTERIM = re.compile(rb"\s*HTTP/1\.[0-9] 1(?!01)[0-9]{2}\b")


class HeadLimitError(HttpProcessingError):
    """The head is larger than what is read of one; the message names the limit."""


class HeadReader(ResponseHandler):
    """Hands heads on to the parser when they are whole, in its form, and bodies as they come.

    What does not begin as an answer does is handed on as it is: the parser says what is wrong with it.
    """

    _head: bytearray | None = None
    """What came of a head that is not whole yet; None while no head is expected."""

    def set_response_params(self, **params: Any) -> None:
        """Called before each answer."""
        self._head = bytearray()
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Called with what the socket brings."""
        if self._head is None or self._parser is None or not data:
            super().data_received(data)
            return
        if not self._head and self._take_at_once(data):
            return
        searched = max(0, len(self._head) - 2)
        self._head += data if self._head else data.lstrip(b"\r\n")  # which do not count before an answer
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
            self._reschedule_timeout()  # the server is not idle

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called at the end; a head that is not whole is for the parser to judge."""
        if self._head:
            self._hand_on()
        super().connection_lost(exc)

    def _take_at_once(self, data: bytes) -> bool:
        """Hand on a head that came as a whole and is in the parser's form, as nearly all are: nothing is copied."""
        end = _END.search(data) if data.startswith(b"HTTP/1.1 200 ") else None
        head = data[: end.end()] if end is not None else b""
        if not head or exceeded_limit(head) is not None or normal_head(head) is not head:
            return False
        self._head = None
        super().data_received(data)
        return True

    def _take_head(self, head: bytes, rest: bytearray) -> bool:
        """Hand a head on, and with the last one what is behind it; whether another one follows."""
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
    """By which limit a head was too large; None where it was not that which ended the exchange."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, HeadLimitError):
        cause = cause.__cause__ or cause.__context__
    return None if cause is None else cause.message
