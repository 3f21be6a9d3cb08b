"""A proxy that hands requests on and, while it stalls, no answers back: the connection stays open."""

import asyncio

from tests.contract.proxy import Proxy


class StallingProxy(Proxy):
    """What is answered while it is `stalling` never arrives."""

    def __init__(self, target_port):
        super().__init__(target_port)
        self.stalling = False
        self.stalled = asyncio.Event()

    def answer(self, data):
        if not self.stalling:
            return data
        self.stalled.set()
        return b""
