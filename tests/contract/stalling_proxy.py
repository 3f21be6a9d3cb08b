"""A proxy that forwards requests but, while it stalls, no answers. The connection stays open."""

import asyncio

from tests.contract.proxy import Proxy


class StallingProxy(Proxy):
    """Answers that come while it is `stalling` never arrive."""

    def __init__(self, target_port):
        super().__init__(target_port)
        self.stalling = False
        self.stalled = asyncio.Event()

    def answer(self, data):
        if not self.stalling:
            return data
        self.stalled.set()
        return b""
