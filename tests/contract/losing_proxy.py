"""A proxy that loses answers: it forwards a request, reads the answer, and hangs up or answers 503 instead."""

from tests.contract.proxy import Proxy

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


class LosingProxy(Proxy):
    """`lose` makes the next answer get lost. Its argument is sent instead; if empty, the connection is closed."""

    def __init__(self, target_port):
        super().__init__(target_port)
        self._losing = None
        self.requests = 0

    def lose(self, answer=b""):
        self._losing, self.requests = answer, 0

    @property
    def lost(self):
        return self._losing is None

    def request(self, data):
        self.requests += data.startswith((b"GET ", b"POST ", b"PUT ", b"DELETE "))
        return data

    def answer(self, data):
        if self._losing is None:
            return data
        instead, self._losing = self._losing, None
        return instead or None
